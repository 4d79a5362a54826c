"""Run a piece of work in fresh processes and tell its seconds and peak memory."""

from __future__ import annotations

import datetime
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Run(NamedTuple):
    """One run: `mebibytes` is the peak of its process, `value` what the work returned.

    `processor` is the seconds of all its threads, which other work on the machine moves less.
    """

    seconds: float
    mebibytes: float
    value: Any
    processor: float | None = None


def measured(work: Callable[..., Any], *given: Any) -> Run:
    """Return `work(*given)` with its seconds and this process's peak memory."""
    started, busy = time.perf_counter(), time.process_time()
    value = work(*given)
    seconds, processor = time.perf_counter() - started, time.process_time() - busy
    # Linux counts kibibytes, macOS bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, value, processor)


def repeat(times: int, job: Callable[..., Run], *given: Any) -> list[Run]:
    """Return `times` runs of `job(*given)`, each in a process of its own.

    A job prepares what it needs and calls `measured` for the part that counts.
    """
    runs = []
    for _ in range(times):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            runs.append(pool.apply(job, given))
    return runs


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the median and range of the seconds, those of the processor, and the highest peak."""
    seconds = [run.seconds for run in runs]
    processor = [run.processor for run in runs if run.processor is not None]
    return {
        "runs": len(runs),
        "seconds": round(statistics.median(seconds), 3),
        "fastest": round(min(seconds), 3),
        "slowest": round(max(seconds), 3),
        "processor": round(statistics.median(processor), 3) if processor else None,
        "peak_mib": round(max(run.mebibytes for run in runs)),
    }


def machine() -> dict[str, Any]:
    """Return what a reader must know of the machine, how busy it is, and today's date."""
    return {
        "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": multiprocessing.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows with equal keys as an aligned table."""
    cells = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(text.rstrip() + "\n")
