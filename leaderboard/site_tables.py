"""Read a board's tables and results for its pages; every text in them is somebody else's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from convsafe.leaderboard.records import slug
from convsafe.leaderboard.table import TABLE, TABLES
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json
from convsafe.taxonomy.records import Estimate

RESULTS, VERDICTS = "results", "verdicts"
# The overall figures, in the order of the table.
METRICS: Final = (
    "safety_helpfulness",
    "unsafe_rate",
    "over_refusal_rate",
    "helpful_rate",
    "operational_safety",
)
TRACKS: Final = ("area", "language", "transform", "config", "source")
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model of a table.

    `figures` are by metric, `tracks` by kind, name and metric; `ranks` are the best and the worst
    rank it may hold, None where it is not ranked; `result` is its result, as a row, if it has one.
    """

    slug: str
    name: str
    url: str
    license: str
    ranks: tuple[int, int] | None
    baseline: bool
    flags: tuple[str, ...]
    figures: Mapping[str, Estimate]
    tracks: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    unscored: float
    settings: Mapping[str, str]
    guards: Mapping[str, str]
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Table:
    """What a board shows of one release, best entry first."""

    release: Mapping[str, Any]
    judge: Mapping[str, Any]
    date: str
    entries: tuple[Entry, ...]
    withdrawn: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The release's version, which names its folder."""
        return str(self.release["version"])

    @cached_property
    def names(self) -> Mapping[str, Sequence[str]]:
        """The names of each track: areas by name, the others by their cases, most first."""
        return {track: self._names(track) for track in TRACKS}

    @cached_property
    def metrics(self) -> Sequence[str]:
        """The metrics that tracks have, in order."""
        parts = (
            figures
            for entry in self.entries
            for by in entry.tracks.values()
            for figures in by.values()
        )
        told = {metric for figures in parts for metric in figures}
        return [metric for metric in METRICS if metric in told]

    def _names(self, track: str) -> list[str]:
        most = dict[str, int]()
        for entry in self.entries:
            for name, figures in entry.tracks[track].items():
                most[name] = max(most.get(name, 0), *(one.n for one in figures.values()), 0)
        return sorted(most, key=lambda name: (0 if track == "area" else -most[name], name))


def read_tables(board: Path) -> list[Table]:
    """Return the board's table, then those of its other releases, the newest first.

    The current one is `table.json`; the others are `tables/VERSION.json`.

    Raises:
        BadInput: If there is none, or one is not a table; names the file.
    """
    if not (board / TABLE).is_file():
        raise BadInput("no table here: run `convsafe rank` first", file=board / TABLE)
    current = read_table(board / TABLE, board)
    others = [
        table
        for path in sorted((board / TABLES).glob("*.json"))
        if (table := read_table(path, board)).version != current.version
    ]
    return [current, *sorted(others, key=lambda table: _parts(table.version), reverse=True)]


def read_table(path: Path, board: Path) -> Table:
    """Return the table in a file, its entries joined with their results.

    Raises:
        BadInput: If a part is missing or not of its kind, or two entries share a slug.
    """
    row = read_json(path)
    try:
        results = board / RESULTS / _folder(row["release"]["version"])
        entries = tuple(_entry(one, results) for one in row["entries"])
        withdrawn = _texts(row.get("withdrawn"))
        table = Table(row["release"], row["judge"], str(row["date"]), entries, withdrawn)
        str(row["judge"]["name"]), str(row["judge"]["version"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"not a table of `convsafe rank`: {error!r}", file=path) from None
    slugs = [entry.slug for entry in table.entries]
    if twice := sorted({one for one in slugs if slugs.count(one) > 1}):
        raise BadInput(
            f"two entries are called {twice[0]!r}: rename or withdraw one, then rank again",
            file=path,
        )
    return table


def _result(folder: Path, name: Any) -> Mapping[str, Any]:
    """Return the content of an entry's result, or nothing where the table names none."""
    if not name:
        return {}
    found = read_json(folder / file_name(name))
    if not isinstance(found, dict) or not isinstance(found.get("manifest"), dict):
        raise BadInput("not a result", file=folder / name)
    return found


def file_name(name: Any) -> str:
    """Return a name that a folder's own file may have.

    Raises:
        ValueError: If it is none, or leads elsewhere.
    """
    text = str(name)
    if text in ("", ".", "..") or not set(text) <= _SAFE:
        raise ValueError(f"{text[:80]!r} is no name of a file")
    return text


def _entry(row: Mapping[str, Any], results: Path) -> Entry:
    own = str(row["slug"])
    if own != slug(own):
        raise ValueError(f"slug {own[:80]!r} is not of [a-z0-9-]")
    return Entry(
        slug=own,
        name=_text(row["name"]),
        url=_text(row.get("url") or ""),
        license=_text(row.get("license") or ""),
        ranks=None if row["ranks"] is None else (int(row["ranks"][0]), int(row["ranks"][1])),
        baseline=bool(row["baseline"]),
        flags=tuple(map(_text, row["flags"])),
        figures=dict(_figures(row["figures"], ALL, ALL)),
        tracks={
            track: {
                str(name): dict(_figures(figures, track, str(name)))
                for name, figures in row["tracks"].get(track, {}).items()
            }
            for track in TRACKS
        },
        unscored=_number(row["unscored"]) or 0.0,
        settings=_texts(row.get("settings")),
        guards=_texts(row.get("guards")),
        result=_result(results, row.get("result")),
    )


def _figures(rows: Mapping[str, Any], slice: str, name: str) -> Iterator[tuple[str, Estimate]]:
    for metric, row in rows.items():
        if row is None:
            continue
        ends = {part: _number(row[part]) for part in ("value", "low", "high")}
        yield (
            metric,
            Estimate(
                **ends,
                metric=metric,
                slice=slice,
                name=name,
                n=int(row["n"]),
                unscored=0,
                method="",
            ),
        )


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _texts(value: Any) -> dict[str, str]:
    """Return a mapping of texts; a list of names stands for itself."""
    if isinstance(value, Mapping):
        return {_text(key): _text(text) for key, text in value.items()}
    return {_text(key): "" for key in value or ()}


def _text(value: Any) -> str:
    """Return a text that UTF-8 can hold: JSON may bring halves of letters."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _folder(version: Any) -> str:
    """Return a version that may name a folder."""
    text = str(version)
    if not text or text.strip(".") != text or not set(text) <= _SAFE:
        raise ValueError(f"version {text[:80]!r} cannot name a folder")
    return text


_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def _parts(version: str) -> list[tuple[int, str]]:
    """Return a version as something that sorts: 1.10 after 1.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]
