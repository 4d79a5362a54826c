"""Look for signs that replies were not made as they should be: evidence, never a verdict.

A test is a file of `leaderboard/suspicions/`. It has `ABOUT`, `PAPER` (what it is after), `LIMIT`
(from where it flags, and how that was set) and `look(evidence) -> Finding | None`. A flag says
numbers, ids and a quotation for a maintainer to look at, and rejects nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from convsafe.leaderboard.evidence import Asked, Evidence, Others
from convsafe.leaderboard.records import Finding
from convsafe.taxonomy.catalogue import Catalogue

if TYPE_CHECKING:
    import polars as pl

SUSPICIONS = Catalogue("suspicion", "convsafe.leaderboard.suspicions")


def suspicions(
    rows: pl.DataFrame, others: Mapping[str, pl.DataFrame], cases: pl.DataFrame
) -> list[Finding]:
    """Return what every test finds in a submission, in order of the tests' names.

    Args:
        rows: The generations: id, response, and where given sample, outcome, model, usage.
        others: Generations of other submissions, by the names that flags call them by.
        cases: The board's cases: id, cluster_id, measures, prompt, messages and rubric.
    """
    asked = Asked(cases)
    known = Others({name: Evidence(asked, frame) for name, frame in others.items()})
    return found_in(Evidence(asked, rows, known))


def suspect_all(
    submissions: Mapping[str, pl.DataFrame], cases: pl.DataFrame
) -> dict[str, list[Finding]]:
    """Return the same for every submission of a board, each held against all others.

    What is read of a submission is read once, so that a board of hundreds takes seconds.
    """
    asked = Asked(cases)
    known = Others({name: Evidence(asked, frame) for name, frame in submissions.items()})
    return {name: found_in(one.beside(known)) for name, one in known.submissions.items()}


def found_in(evidence: Evidence) -> list[Finding]:
    """Return what every test finds in one submission."""
    if not len(evidence.replies):
        return []
    found = (SUSPICIONS.load(name).look(evidence) for name in SUSPICIONS.names())
    return [finding for finding in found if finding is not None]
