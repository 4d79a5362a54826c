"""Rank submissions: score what is new, keep the results, and put all that stand in one table."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.baselines import CONTACT, manifest, replies
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.errata import withdrawn
from convsafe.leaderboard.given import board_of, claimed, find, pack_runs
from convsafe.leaderboard.public import unquoted
from convsafe.leaderboard.records import MANIFEST, Finding, slug
from convsafe.leaderboard.results import Kept, Result, Results, judged_alike, read_kept
from convsafe.leaderboard.scorer import Scorer
from convsafe.leaderboard.standing import rank_sets
from convsafe.leaderboard.suspecting import suspect_all
from convsafe.leaderboard.table import Table, table_of
from convsafe.leaderboard.working import Task, Worked, score_again, work

if TYPE_CHECKING:
    import polars as pl

RESULTS = Path("leaderboard/results")


def rank(
    submissions: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    board: Board | None = None,
    errata: str | Path | None = None,
    workers: int | None = None,
) -> Table:
    """Score submissions from their replies, keep the results, and return the board's table.

    A result that is there is not made again. A new judge judges every reply again, and errata
    change the figures of all entries at once, of those that are not given too.

    Args:
        submissions: Folders of submissions or of runs, or folders of such folders.
        out: The board's folder, by default `leaderboard/results`; runs alone leave nothing there
            unless it is given.
        board: What is ranked; by default ours on our own core set, and of runs alone their cases.
        errata: The file of withdrawn cases.
        workers: How many processes; one a core by default. No figure depends on it.

    Raises:
        BadInput: If a path holds nothing to rank, or runs differ in their cases.
        IncompleteRun: If a run is not finished.
    """
    given = find(submissions)
    alone = bool(given.runs) and not given.submissions
    if board is None:
        board = board_of(given.runs) if alone else Board.load()
    with tempfile.TemporaryDirectory() as folder:
        packed = dict(pack_runs(given.runs, Path(folder) / "runs", board))
        kept = Path(folder) / "board" if alone and out is None else Path(out or RESULTS)
        ranking = _Ranking(board, Results(kept, board.release["version"]), errata, workers)
        table = ranking.table(given.submissions, packed)
        table.write(kept)
    return table


@dataclass
class _Ranking:
    """One ranking under way."""

    board: Board
    results: Results
    errata: str | Path | None
    workers: int | None
    refused: dict[str, list[Finding]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reasons = withdrawn(self.board, self.errata)
        self.scorer = Scorer(self.board, tuple(self.reasons))
        self.before = self.results.standing()
        self.version = version("convsafe-bench")
        alike = [one.result for one in self.before.values() if self._judged(one.result)]
        self.alike = {one.manifest.generations_sha256: one for one in alike}
        self.now = datetime.now(timezone.utc).isoformat(timespec="seconds")

    def table(self, submissions: Sequence[Path], packed: Mapping[Path, Path]) -> Table:
        """Return the table of all entries that stand once these are scored.

        Args:
            submissions: Folders of submissions.
            packed: Folders of runs' submissions, with the run's own.
        """
        trivial = self._baselines()
        folders = self._named(submissions, packed)
        worked = list(work(self._task(folders), folders, self.workers))
        flags = self._flags(worked, trivial)
        for one in worked:
            self._keep(one, flags, packed)
        outdated = self._renew()
        stand = {name: one for name, one in self.results.standing().items() if name not in outdated}
        ranked = {
            name: read_kept(self.results.verdicts_path(one.result.verdicts))
            for name, one in sorted(stand.items())
            if one.result.ranked and not one.result.baseline
        }
        kept = {name: self.scorer.kept(verdicts) for name, verdicts in ranked.items()}
        return table_of(
            list(stand.values()),
            rank_sets(self.scorer, kept),
            release=self.board.release,
            judge=self.scorer.card,
            date=self.now,
            withdrawn=self.reasons,
            refused=self.refused,
            outdated=tuple(sorted(outdated)),
            flagged={
                one.manifest.name: flags[one.manifest.name]
                for one in worked
                if one.manifest is not None and flags[one.manifest.name]
            },
        )

    def _task(self, folders: Sequence[Path]) -> Task:
        """Return what workers must know: the names and the results that are there."""
        names = {name: one.result.manifest.name for name, one in self.before.items()}
        names |= {slug(name): name for name, _ in map(claimed, folders) if slug(name) not in names}
        return Task(
            self.scorer,
            taken=names,
            judged={
                sum: self.results.verdicts_path(one.verdicts) for sum, one in self.alike.items()
            },
            scored=frozenset(sum for sum, one in self.alike.items() if self._current(one)),
        )

    def _judged(self, result: Result) -> bool:
        """Return whether a result's verdicts are of the board's judge and cases, and are there."""
        return (
            judged_alike(result.judge, self.scorer.card)
            and result.release == self.board.release
            and result.manifest.ids_sha256 == self.board.ids_sha256
            and self.results.verdicts_path(result.verdicts).exists()
        )

    def _current(self, result: Result) -> bool:
        """Return whether a result's figures are what would be made now."""
        return (
            self._judged(result)
            and result.judge == self.scorer.card
            and result.withdrawn == tuple(self.reasons)
            and result.convsafe == self.version
        )

    def _named(self, submissions: Sequence[Path], packed: Mapping[Path, Path]) -> list[Path]:
        """Return the folders whose names are theirs; the others are refused."""
        owners = {name: one.result.manifest.contact for name, one in self.before.items()}
        owners |= {slug(name): CONTACT for name in self.board.baselines}
        found: dict[str, Path] = {}
        good = []
        for folder in (*submissions, *packed):
            name, contact = claimed(folder)
            mine = slug(name)
            other = found.setdefault(mine, folder)
            if name and (other != folder or owners.get(mine, contact) != contact):
                holder = packed.get(other, other) if other != folder else "the board"
                text = f"the name {name!r} is taken: {holder} has it, or one that looks the same"
                finding = Finding("error", "name_taken", text, MANIFEST)
                self.refused[str(packed.get(folder, folder))] = [finding]
            else:
                good.append(folder)
        return good

    def _flags(
        self, worked: Sequence[Worked], trivial: Mapping[str, pl.DataFrame]
    ) -> dict[str, list[Finding]]:
        """Return what is suspicious in each submission, beside all others and the baselines."""
        given = {
            one.manifest.name: one.generations
            for one in worked
            if one.manifest is not None and one.generations is not None
        }
        return suspect_all({**trivial, **given}, self.board.cases) if given else {}

    def _keep(
        self, one: Worked, flags: Mapping[str, Sequence[Finding]], packed: Mapping[Path, Path]
    ) -> None:
        """Keep what came of a submission."""
        if one.manifest is None:
            errors = [finding for finding in one.findings if finding.level == "error"]
            self.refused[str(packed.get(one.folder, one.folder))] = errors
            return
        before = self.alike.get(one.manifest.generations_sha256)
        if one.verdicts is not None:
            verdicts = self.results.write_verdicts(one.manifest, self.scorer.card, one.verdicts)
        else:
            assert before is not None
            verdicts = before.verdicts
        if one.figures is None or one.unscored is None:
            assert before is not None
            figures, unscored = before.figures, before.unscored
        else:
            figures, unscored = one.figures, one.unscored
        self._add(
            manifest=one.manifest,
            findings=(
                *unquoted(one.findings, flags),
                *self._standing_flags(before, unquoted(flags[one.manifest.name], flags)),
            ),
            verdicts=verdicts,
            figures=figures,
            unscored=unscored,
        )

    def _standing_flags(self, before: Result | None, flags: Sequence[Finding]) -> list[Finding]:
        """Return the flags with those that were raised beside submissions not given this time."""
        codes = {flag.code for flag in flags}
        old = before.findings if before is not None and self._current(before) else ()
        kept = [one for one in old if one.level == "flag" and one.code not in codes]
        return sorted([*flags, *kept], key=lambda flag: flag.code)

    def _add(self, **made: Any) -> Kept:
        """Keep a result of now."""
        return self.results.add(
            Result(
                **made,
                release=self.board.release,
                judge=self.scorer.card,
                convsafe=self.version,
                scored=self.now,
                withdrawn=tuple(self.reasons),
                ranked=made["unscored"] <= self.board.most_unscored,
            )
        )

    def _baselines(self) -> dict[str, pl.DataFrame]:
        """Score the baselines, and return what they reply."""
        every = {name: replies(name, self.board) for name in self.board.baselines}
        for name, generations in every.items():
            said = manifest(name, generations, self.board)
            before = self.alike.get(said.generations_sha256)
            if before is not None and self._current(before):
                continue
            (verdicts,) = self.scorer.verdicts([generations])
            file = self.results.write_verdicts(said, self.scorer.card, verdicts)
            self._add(
                manifest=said,
                verdicts=file,
                figures=self.scorer.figures(verdicts),
                unscored=self.scorer.unscored(verdicts),
                baseline=True,
            )
        return every

    def _renew(self) -> set[str]:
        """Make figures again where they are not what would be made now, from the verdicts.

        Returns:
            The names whose replies would have to be judged again, and were not given.
        """
        old = {
            name: one.result
            for name, one in self.results.standing().items()
            if not self._current(one.result)
        }
        able = {name: result for name, result in old.items() if self._judged(result)}
        files = [self.results.verdicts_path(result.verdicts) for result in able.values()]
        again = score_again(Task(self.scorer), files, self.workers)
        for result, (figures, unscored) in zip(able.values(), again, strict=True):
            self._add(
                manifest=result.manifest,
                findings=result.findings,
                verdicts=result.verdicts,
                figures=figures,
                unscored=unscored,
                baseline=result.baseline,
            )
        return old.keys() - able.keys()
