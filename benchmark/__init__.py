"""How a model is measured: run it over the suite, judge its replies, score them, report.

from convsafe.benchmark import compare, judge, load_suite, report, resume, run, score
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convsafe.benchmark.comparing import compare
    from convsafe.benchmark.engine import resume, run
    from convsafe.benchmark.judging import judge
    from convsafe.benchmark.reporting import report
    from convsafe.benchmark.scoring import score
    from convsafe.benchmark.suite import load_suite

__all__ = ["compare", "judge", "load_suite", "report", "resume", "run", "score"]

_HOMES = {
    "compare": "comparing",
    "judge": "judging",
    "load_suite": "suite",
    "report": "reporting",
    "resume": "engine",
    "run": "engine",
    "score": "scoring",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing the room costs nothing."""
    if name in _HOMES:
        return getattr(import_module(f"convsafe.benchmark.{_HOMES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("convsafe-bench")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
