"""Check, judge and score many submissions, in processes of their own where they are many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from convsafe.benchmark.partitions import ROWS
from convsafe.benchmark.workers import spawned
from convsafe.leaderboard.checking import check
from convsafe.leaderboard.given import claimed
from convsafe.leaderboard.records import Finding, Manifest, slug
from convsafe.leaderboard.results import read_kept
from convsafe.leaderboard.scorer import Scorer
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl

# So few are done sooner in this process than others start.
_FEW = 8
T = TypeVar("T")
_task: Task | None = None


@dataclass(frozen=True)
class Task:
    """What every worker must know.

    Args:
        scorer: The board's judge and cases.
        taken: Names by slug, in the order in which they were taken.
        judged: Where verdicts of the board's judge stand, by the sum of the generations.
        scored: The sums of generations whose figures are there.
    """

    scorer: Scorer
    taken: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, Path] = field(default_factory=dict)
    scored: frozenset[str] = frozenset()

    def taken_before(self, folder: Path) -> dict[str, str]:
        """Return the names that a submission may not have: those that come before its own."""
        mine = slug(claimed(folder)[0])
        return dict(takewhile(lambda one: one[0] != mine, self.taken.items()))


@dataclass(frozen=True)
class Worked:
    """What came of a submission.

    `manifest` and `generations` are None where it was refused; `verdicts` where they were there
    already; `figures` and `unscored` where those were.
    """

    folder: Path
    findings: tuple[Finding, ...]
    manifest: Manifest | None = None
    generations: pl.DataFrame | None = None
    verdicts: pl.DataFrame | None = None
    figures: tuple[Estimate, ...] | None = None
    unscored: float | None = None


def work(task: Task, folders: Sequence[Path], workers: int | None) -> Iterator[Worked]:
    """Check, judge and score submissions, and yield what came of each in their order."""
    replies = max(1, len(task.scorer.board.ids) * task.scorer.board.samples)
    yield from _pooled(task, work_on, folders, max(1, ROWS // replies), workers)


def score_again(
    task: Task, files: Sequence[Path], workers: int | None
) -> Iterator[tuple[tuple[Estimate, ...], float]]:
    """Yield the figures and the unscored share of verdicts that are kept, in their order."""
    yield from _pooled(task, _again, files, _FEW, workers)


def work_on(task: Task, folders: Sequence[Path]) -> list[Worked]:
    """Check, judge and score submissions, those that are new to the judge in one table."""
    board, scorer = task.scorer.board, task.scorer
    checked = [check(folder, board, task.taken_before(folder)) for folder in folders]
    good = {
        place: (one.manifest, one.generations)
        for place, one in enumerate(checked)
        if one.accepted and one.manifest is not None and one.generations is not None
    }
    new = [place for place, (said, _) in good.items() if said.generations_sha256 not in task.judged]
    judged = dict(zip(new, scorer.verdicts([good[place][1] for place in new]), strict=True))
    found = []
    for place, one in enumerate(checked):
        if place not in good:
            found.append(Worked(one.folder, one.findings))
            continue
        manifest, generations = good[place]
        figures, unscored = _scored(task, manifest, judged.get(place))
        found.append(
            Worked(
                one.folder,
                one.findings,
                manifest,
                generations,
                judged.get(place),
                figures,
                unscored,
            )
        )
    return found


def _scored(
    task: Task, manifest: Manifest, verdicts: pl.DataFrame | None
) -> tuple[tuple[Estimate, ...] | None, float | None]:
    """Return figures and unscored share, unless they are there."""
    if verdicts is None:
        if manifest.generations_sha256 in task.scored:
            return None, None
        verdicts = read_kept(task.judged[manifest.generations_sha256])
    return task.scorer.figures(verdicts), task.scorer.unscored(verdicts)


def _again(task: Task, files: Sequence[Path]) -> list[tuple[tuple[Estimate, ...], float]]:
    frames = map(read_kept, files)
    return [(task.scorer.figures(one), task.scorer.unscored(one)) for one in frames]


def _pooled(
    task: Task,
    do: Callable[[Task, Sequence[Path]], list[T]],
    paths: Sequence[Path],
    size: int,
    workers: int | None,
) -> Iterator[T]:
    """Yield what `do` makes of the paths, so many at a time, in their order."""
    workers = workers or os.cpu_count() or 1
    # As many parts for each worker: none waits for the last.
    count = -(-len(paths) // (size * workers)) * workers
    size = max(1, -(-len(paths) // max(count, 1)))
    parts = [paths[start : start + size] for start in range(0, len(paths), size)]
    if workers == 1 or len(paths) <= _FEW:
        for part in parts:
            yield from do(task, part)
        return
    for found in spawned(_begin, task, partial(_do, do), parts, workers):
        yield from found


def _begin(task: Task) -> None:
    global _task  # noqa: PLW0603
    _task = task


def _do(do: Callable[[Task, Sequence[Path]], list[T]], part: Sequence[Path]) -> list[T]:
    assert _task is not None
    return do(_task, part)
