"""Reduce partitions on a Ray cluster with Ray Data; every node must be able to read the files."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

from convsafe.benchmark.reducing import Part, Reducer, Task
from convsafe.benchmark.workers import Job
from convsafe.taxonomy.errors import ConvsafeError, MissingExtra


def on_ray(task: Task, jobs: Sequence[Job], workers: int) -> Iterator[Part]:
    """Yield what each job adds, in no order.

    A cluster that is not connected to yet is the one `RAY_ADDRESS` names, or one of `workers`
    processes on this machine.

    Raises:
        MissingExtra: If Ray is not installed.
        BadInput: On a job that cannot be counted.
    """
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtra("--engine ray", 'pip install "convsafe-bench[ray]"') from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False, **_cluster(workers))
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = [{"job": pickle.dumps(job)} for job in jobs]
    parts = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Worker,
        fn_constructor_args=(task,),
        batch_size=1,
        concurrency=min(workers, len(jobs)),
    )
    for row in parts.iter_rows():
        # These bytes were written by our own workers.
        found = pickle.loads(row["part"])  # noqa: S301
        if isinstance(found, ConvsafeError):
            raise found
        yield found


def _cluster(workers: int) -> dict[str, Any]:
    import os

    return {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers + 1}


class _Worker:
    """An actor that reduces one job after another."""

    def __init__(self, task: Task) -> None:
        self._reduce = Reducer(task)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return one pickled part, or the error, a job."""
        return {"part": [pickle.dumps(self._one(job)) for job in batch["job"]]}

    def _one(self, job: bytes) -> Part | ConvsafeError:
        try:
            return self._reduce(pickle.loads(job))  # noqa: S301
        except ConvsafeError as error:
            return error
