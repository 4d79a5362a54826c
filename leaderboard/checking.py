"""Verify a submission: read it as data only, and say everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.columns import read_columns
from convsafe.leaderboard.findings import Findings, shown
from convsafe.leaderboard.folder_checks import LINES, look
from convsafe.leaderboard.generation_checks import check_generations
from convsafe.leaderboard.lines import read_lines
from convsafe.leaderboard.manifest_checks import check_manifest, read_manifest
from convsafe.leaderboard.records import MANIFEST, Finding, Manifest
from convsafe.taxonomy.files import sha256_of
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl

# So many folders beside a submission are looked at for names that are taken.
_MOST_BESIDE = 10_000


@dataclass(frozen=True)
class Checked:
    """A submission that was read, as far as it could be.

    `generations` has id, sample, outcome, response, messages, model, finish_reason, usage and
    seconds, a row a reply; None, as the manifest is, where it cannot be used. `figures` are there
    once it was scored.
    """

    folder: Path
    manifest: Manifest | None
    generations: pl.DataFrame | None
    findings: tuple[Finding, ...]
    figures: tuple[Estimate, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether nothing keeps it off the board."""
        return not any(finding.level == "error" for finding in self.findings)

    def to_row(self) -> dict[str, Any]:
        """Return what was found as one JSON object, without the replies."""
        return {
            "submission": str(self.folder),
            "accepted": self.accepted,
            "manifest": self.manifest and self.manifest.to_row(),
            "findings": [finding.to_row() for finding in self.findings],
            "figures": [figure.to_row() for figure in self.figures],
        }


def check(
    folder: str | Path, board: Board | None = None, taken: Mapping[str, str] | None = None
) -> Checked:
    """Return what a submission holds, and every finding; nothing is judged.

    Nothing in a submission raises: what was not foreseen is a finding `unreadable`.

    Args:
        folder: The submission.
        board: The board it is for; by default ours on our own core set.
        taken: The names that are taken, by their `slug`; by default those of the submissions in
            the folders beside it.

    Raises:
        BadInput: If the board's own release cannot be read.
    """
    path, board, findings = Path(folder), board or Board.load(), Findings()
    # Read before: what is wrong with the board is not a finding about a submission.
    asked = len(board.ids)
    manifest = generations = None
    with _foreseen(findings, "the submission"):
        files = look(path, board.most_bytes, findings)
        if files.manifest is not None:
            with _foreseen(findings, MANIFEST):
                manifest = read_manifest(files.manifest, findings)
            with _foreseen(findings, MANIFEST):
                if manifest is not None:
                    taken = names_beside(path) if taken is None else taken
                    check_manifest(manifest, path, board, taken, findings)
        if files.generations is not None and asked:
            with _foreseen(findings, files.generations.name):
                generations = _generations(files.generations, manifest, board, findings)
    return Checked(path, manifest, generations, findings.all())


def _generations(
    path: Path, manifest: Manifest | None, board: Board, findings: Findings
) -> pl.DataFrame | None:
    """Return the generations, checked against the manifest's sum and the board's cases."""
    if manifest is not None and (found := sha256_of(path)) != manifest.generations_sha256:
        claimed = shown(manifest.generations_sha256, 64)
        what = f"sha256 of {path.name} is {found}, the manifest says {claimed}: pack it again"
        findings.error("hash", what, file=path.name)
    read = read_lines if path.name == LINES else read_columns
    frame = read(path, board, findings)
    if frame is not None:
        check_generations(frame, board, path.name, findings)
    return frame


@contextmanager
def _foreseen(findings: Findings, what: str) -> Iterator[None]:
    """Turn an error that nobody foresaw into a finding: a submission never stops the others."""
    try:
        yield
    except Exception as error:
        said = shown(f"{type(error).__name__}: {error}", 200)
        findings.error("unreadable", f"{what} cannot be read: {said}")


def names_beside(folder: Path) -> dict[str, str]:
    """Return the names of the submissions in the folders beside one, by their `slug`."""
    mine, found = folder.resolve(), {}
    for other in islice(mine.parent.iterdir(), _MOST_BESIDE):
        path = other / MANIFEST
        if other != mine and not other.is_symlink() and path.is_file() and not path.is_symlink():
            manifest = read_manifest(path, Findings())
            if manifest is not None:
                found[manifest.slug] = manifest.name
    return found


def verify(
    folder: str | Path, board: Board | None = None, taken: Mapping[str, str] | None = None
) -> Checked:
    """Check a submission and, if nothing keeps it off the board, judge and score it from scratch.

    Args:
        folder: The submission.
        board: The board it is for; by default ours on our own core set.
        taken: The names that are taken, as `check` takes them.

    Raises:
        BadInput: If the board's own release cannot be read.
        UnknownName: If there is no such judge.
    """
    board = board or Board.load()
    checked = check(folder, board, taken)
    if not checked.accepted or checked.generations is None:
        return checked
    return replace(checked, figures=tuple(_figures(checked.generations, board)))


def _figures(generations: pl.DataFrame, board: Board) -> Iterator[Estimate]:
    from convsafe.benchmark.judging import verdicts_of
    from convsafe.benchmark.loading import load_judge, unsafe_from
    from convsafe.benchmark.scoring import CORE, estimate

    judge = load_judge(board.judge)
    verdicts = verdicts_of(board.cases, generations, judge.name, judge.judge)
    return estimate(
        board.cases,
        verdicts,
        sorted(judge.TELLS),
        plain_only=board.config == CORE,
        threshold=unsafe_from(judge.made_with),
    )
