"""The runs under a folder, told by their small files and by counting lines: nothing is parsed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.run_log import RunLog
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json

HEADLINE = ("safety_helpfulness", "areas_mean")
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run as it is listed.

    `done` of `total` generations are there, and `failed` requests were given up when it last ran.
    `state` is finished, running, killed, stopped, new, or why it stopped. `headline` is the mean
    of safety and helpfulness over hazard areas with its interval, each in [0, 1], if it is scored.
    """

    folder: str
    model: str = ""
    config: str = ""
    release: str = ""
    limit: int | None = None
    total: int = 0
    done: int = 0
    failed: int = 0
    started: str = ""
    state: str
    cost: float | None = None
    currency: str = ""
    judge: str | None = None
    headline: tuple[float, float, float] | None = None

    def to_row(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self)


def list_runs(folder: str | Path = "runs") -> list[Listed]:
    """Return the runs in a folder and below it, the last one started first.

    Raises:
        BadInput: If there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise BadInput("no such folder: `convsafe run` makes runs/", file=root)
    found = [_listed(path) for path in _folders(root)]
    return sorted(found, key=lambda run: (run.started, run.folder), reverse=True)


def _folders(root: Path) -> Iterator[Path]:
    for place, names, files in os.walk(root):
        if "run.json" in files:
            yield Path(place)
            names.clear()
        names[:] = [name for name in names if not name.startswith(".")]


def _listed(folder: Path) -> Listed:
    try:
        said = read_json(folder / "run.json")
        return _of(folder, said, RunLog.read(folder))
    except (BadInput, KeyError, TypeError, AttributeError, ValueError):
        return Listed(folder=str(folder), state="its run.json cannot be read")


def _of(folder: Path, said: dict[str, Any], log: RunLog) -> Listed:
    done, total = lines_of(folder / "generations.jsonl"), said["cases"] * said.get("samples", 1)
    judge, headline = _headline(folder / "scores.json")
    return Listed(
        folder=str(folder),
        model=said["model"],
        config=said["release"]["config"],
        release=said["release"]["version"],
        limit=(said.get("sample") or {}).get("limit"),
        total=total,
        done=done,
        failed=int(log.last.get("failed") or 0),
        started=said["started"],
        state=_state(folder, log, done, total),
        cost=log.cost,
        currency=log.currency,
        judge=judge,
        headline=headline,
    )


def lines_of(path: Path) -> int:
    """Return how many whole lines a file has; none if it is not there."""
    try:
        with path.open("rb") as data:
            return sum(block.count(b"\n") for block in iter(lambda: data.read(_BLOCK), b""))
    except FileNotFoundError:
        return 0


def _state(folder: Path, log: RunLog, done: int, total: int) -> str:
    generations = folder / "generations.jsonl"
    if not generations.exists():
        return "new"
    if _is_held(generations):
        return "running"
    if done >= total:
        return "finished"
    if done > log.total("saved") and _is_newer(generations, folder / "log.jsonl"):
        return "killed"
    how = str(log.last.get("how", "killed"))
    # Requests that failed leave a part that was gone through to its end.
    return "gone through" if how == "finished" else how


def _is_held(path: Path) -> bool:
    """Tell whether a run is writing to a file of generations."""
    with path.open("rb") as data:
        try:
            fcntl.flock(data, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _is_newer(path: Path, other: Path) -> bool:
    return not other.exists() or path.stat().st_mtime_ns > other.stat().st_mtime_ns


def _headline(path: Path) -> tuple[str | None, tuple[float, float, float] | None]:
    if not path.exists():
        return None, None
    scores = read_json(path)
    for row in scores["estimates"]:
        if (row["metric"], row["slice"]) == HEADLINE and row["value"] is not None:
            return scores["judge"]["name"], (row["value"], row["low"], row["high"])
    return scores["judge"]["name"], None
