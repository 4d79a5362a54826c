"""Rank submissions: score what is new, keep the results, and put all that stand in one table."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from convsafe.leaderboard.baselines import CONTACT, manifest, replies
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.errata import withdrawn
from convsafe.leaderboard.given import board_of, claimed, find, pack_runs
from convsafe.leaderboard.records import MANIFEST, Finding, slug
from convsafe.leaderboard.results import Kept, Result, Results, judged_alike, read_kept
from convsafe.leaderboard.scorer import Scorer
from convsafe.leaderboard.standing import rank_sets
from convsafe.leaderboard.table import Table, table_of
from convsafe.leaderboard.working import Task, Worked, score_again, work

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
        self.now = datetime.now(timezone.utc).isoformat(timespec="seconds")

    def table(self, submissions: Sequence[Path], packed: Mapping[Path, Path]) -> Table:
        """Return the table of all entries that stand once these are scored.

        Args:
            submissions: Folders of submissions.
            packed: Folders of runs' submissions, with the run's own.
        """
        self._baselines()
        folders = self._named(submissions, packed)
        for one in work(self._task(folders), folders, self.workers):
            self._keep(one, packed)
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
        )

    def _task(self, folders: Sequence[Path]) -> Task:
        """Return what workers must know: the names and the results that are there."""
        names = {name: one.result.manifest.name for name, one in self.before.items()}
        names |= {slug(name): name for name, _ in map(claimed, folders) if slug(name) not in names}
        alike = [one.result for one in self.before.values() if self._judged(one.result)]
        return Task(
            self.scorer,
            taken=names,
            judged={
                one.manifest.generations_sha256: self.results.verdicts_path(one.verdicts)
                for one in alike
            },
            scored=frozenset(
                one.manifest.generations_sha256 for one in alike if self._current(one)
            ),
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
            and result.convsafe == version("convsafe-bench")
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

    def _keep(self, one: Worked, packed: Mapping[Path, Path]) -> None:
        """Keep what came of a submission."""
        if one.manifest is None:
            errors = [finding for finding in one.findings if finding.level == "error"]
            self.refused[str(packed.get(one.folder, one.folder))] = errors
            return
        before = self._before(one.manifest.generations_sha256)
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
            findings=one.findings,
            verdicts=verdicts,
            figures=figures,
            unscored=unscored,
        )

    def _before(self, generations: str) -> Result | None:
        """Return the standing result of these replies by this judge, or None."""
        alike = (one.result for one in self.before.values() if self._judged(one.result))
        return next((one for one in alike if one.manifest.generations_sha256 == generations), None)

    def _add(self, **made: Any) -> Kept:
        """Keep a result of now."""
        return self.results.add(
            Result(
                **made,
                release=self.board.release,
                judge=self.scorer.card,
                convsafe=version("convsafe-bench"),
                scored=self.now,
                withdrawn=tuple(self.reasons),
                ranked=made["unscored"] <= self.board.most_unscored,
            )
        )

    def _baselines(self) -> None:
        """Score the baselines."""
        for name in self.board.baselines:
            generations = replies(name, self.board)
            said = manifest(name, generations, self.board)
            before = self._before(said.generations_sha256)
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
