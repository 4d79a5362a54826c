"""Verify a submission: read it as data only, and say everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.records import Finding, Manifest

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Checked:
    """A submission that was read, as far as it could be.

    `generations` has id, sample, outcome, response, messages, model, finish_reason, usage and
    seconds, a row a reply; None, as the manifest is, where it cannot be used.
    """

    folder: Path
    manifest: Manifest | None
    generations: pl.DataFrame | None
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Whether nothing keeps it off the board."""
        return not any(finding.level == "error" for finding in self.findings)


def check(
    folder: str | Path, board: Board | None = None, taken: Mapping[str, str] | None = None
) -> Checked:
    """Return what a submission holds, and every finding; nothing is judged, nothing raises.

    Args:
        folder: The submission.
        board: The board it is for; by default ours on our own core set.
        taken: The names that are taken, by their `slug`; by default those of the submissions in
            the folders beside it.
    """
    raise NotImplementedError
