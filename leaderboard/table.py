"""The board as one table: `table.json`, which the page, the Hub and the terminal read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.rank_sets import RankSet
from convsafe.benchmark.scoring import HEADLINE
from convsafe.leaderboard.records import Finding
from convsafe.leaderboard.results import Kept, Result, in_lines
from convsafe.leaderboard.scorer import METRICS, TRACKS
from convsafe.taxonomy.files import file_stem, write_text
from convsafe.taxonomy.records import Estimate

TABLE = "table.json"
# Here the last table of every release stays, for the pages.
TABLES = "tables"
# By which metrics the tracks are shown.
ON_TRACKS = METRICS[:4]
_DIGITS = 6


@dataclass(frozen=True)
class Entry:
    """One row of the board: a result, the ranks it may hold, and the agreement of its judge.

    `ranks` is None for a baseline, and where too many replies have no verdict.
    """

    file: str
    result: Result
    ranks: RankSet | None

    @property
    def name(self) -> str:
        """The submission's name."""
        return self.result.manifest.name

    def figure(self, metric: str) -> Estimate | None:
        """Return a headline: the mean over areas, or the whole where there is no such mean."""
        found = self.result.get(metric, HEADLINE, ALL)
        return found if found is not None else self.result.get(metric, ALL, ALL)

    @property
    def place(self) -> tuple[float, str]:
        """What entries are listed by: the first metric, the higher the earlier."""
        first = self.figure(METRICS[0])
        value = None if first is None else first.value
        return (1.0 if value is None else -value, self.name)

    def to_row(self) -> dict[str, Any]:
        """Return the entry as one JSON object."""
        manifest = self.result.manifest
        shown = {metric: self.figure(metric) for metric in METRICS}
        return {
            "slug": manifest.slug,
            "name": manifest.name,
            "url": manifest.url,
            "license": manifest.license,
            "ranks": list(self.ranks) if self.ranks else None,
            "ranked": self.result.ranked,
            "baseline": self.result.baseline,
            "flags": list(self.result.flags),
            "figures": {metric: _short(one) for metric, one in shown.items()},
            "tracks": {track: self._track(track) for track in TRACKS},
            "unscored": self.result.unscored,
            "settings": dict(manifest.settings),
            "guards": dict(manifest.guards),
            "dialogue": manifest.dialogue,
            "result": self.file,
        }

    def _track(self, track: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for one in self.result.figures:
            if one.slice == track and one.metric in ON_TRACKS:
                found.setdefault(one.name, {})[one.metric] = _short(one)
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Table:
    """The board: its entries, the best first, and what they share.

    `refused` holds what keeps a submission off the board, by its folder; `outdated` names the
    entries that have no result of this release and judge, and whose replies were not given.
    `flagged` holds what is suspicious in those that were given, by name, with quotations that are
    written nowhere.
    """

    release: Mapping[str, Any]
    judge: Mapping[str, Any]
    date: str
    entries: tuple[Entry, ...]
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    outdated: tuple[str, ...] = ()
    flagged: Mapping[str, Sequence[Finding]] = field(default_factory=dict)

    def to_row(self) -> dict[str, Any]:
        """Return what `table.json` holds."""
        return {
            "release": dict(self.release),
            "judge": dict(self.judge),
            "date": self.date,
            "withdrawn": dict(self.withdrawn),
            "entries": [entry.to_row() for entry in self.entries],
        }

    def write(self, folder: Path) -> None:
        """Write `table.json` and `tables/VERSION.json` into a board's folder."""
        text = in_lines(self.to_row())
        write_text(folder / TABLE, text)
        write_text(folder / TABLES / f"{file_stem(str(self.release['version']))}.json", text)


def table_of(
    kept: Sequence[Kept],
    ranks: Mapping[str, RankSet],
    **shared: Any,
) -> Table:
    """Return the table of results, in order of their headline; equal ones by name.

    Args:
        kept: The results that stand.
        ranks: Rank sets by slug; who has none is not ranked.
        shared: The other fields of a table.
    """
    entries = [Entry(one.name, one.result, ranks.get(one.result.manifest.slug)) for one in kept]
    return Table(entries=tuple(sorted(entries, key=lambda entry: entry.place)), **shared)


def _short(figure: Estimate | None) -> dict[str, Any] | None:
    """Return a figure with its interval and n; None where no case counts."""
    if figure is None or not figure.n:
        return None
    ends = {name: getattr(figure, name) for name in ("value", "low", "high")}
    rounded = {name: one if one is None else round(one, _DIGITS) for name, one in ends.items()}
    return rounded | {"n": figure.n}
