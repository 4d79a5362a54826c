"""Reduce partitions on this machine, in processes of their own."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from convsafe.benchmark.partitions import Partition
from convsafe.benchmark.reducing import Part, Reducer, Task
from convsafe.taxonomy.errors import Unavailable

Job = tuple[str, Partition]
T = TypeVar("T")
J = TypeVar("J")
R = TypeVar("R")
_THREADS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_reducer: Reducer | None = None


def local(task: Task, jobs: Sequence[Job], workers: int) -> Iterator[Part]:
    """Yield what each job adds, in their order.

    Args:
        task: What every worker must know.
        jobs: Kinds and partitions.
        workers: How many processes; with one, the work is done in this process.

    Raises:
        BadInput: On the first job, in their order, that cannot be counted.
        Unavailable: If a process dies.
    """
    if workers == 1 or len(jobs) == 1:
        yield from map(Reducer(task), jobs)
        return
    yield from spawned(_begin, task, _reduce, jobs, min(workers, len(jobs)))


def spawned(
    begin: Callable[[T], None],
    task: T,
    do: Callable[[J], R],
    jobs: Iterable[J],
    workers: int,
) -> Iterator[R]:
    """Yield what is made of each job, in their order, by new processes.

    Args:
        begin: Called once in each process, with the task.
        task: What every process must know.
        do: Called with a job, in whichever process is free.
        jobs: What there is to do.
        workers: How many processes.

    Raises:
        Unavailable: If a process dies.
    """
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(workers, get_context("spawn"), begin, (task,))
    waiting: deque[Future[R]] = deque()
    left = iter(jobs)
    try:
        # Jobs that nobody has taken yet are bounded, and with them the memory.
        with one_thread_each():
            waiting.extend(pool.submit(do, job) for job in islice(left, 2 * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(do, job) for job in islice(left, 1))
    except BrokenProcessPool:
        raise Unavailable(
            "a worker process died, perhaps for want of memory: try --workers 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task: Task) -> None:
    global _reducer  # noqa: PLW0603
    _reducer = Reducer(task)


def _reduce(job: Job) -> Part:
    assert _reducer is not None
    return _reducer(job)


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Let the processes that are started within take one thread each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
