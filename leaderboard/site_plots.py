"""Where the pages draw: the frontier of both errors, and what languages and transforms change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from convsafe.benchmark.per_case import PLAIN
from convsafe.leaderboard.site_tables import Entry, Table
from convsafe.leaderboard.site_texts import track_title
from convsafe.taxonomy.records import Estimate

UNSAFE, REFUSE = "unsafe_rate", "over_refusal_rate"
WIDTH, HEIGHT = 560, 440
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 46
TICKS = (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
# A letter of a label on a phone, where letters are larger against the drawing.
_LETTER, _LINE = 8.6, 15
_NAMED, _LONGEST = 12, 20


class Point(NamedTuple):
    """A model in the frontier plot, in units of the drawing."""

    slug: str
    name: str
    x: float
    y: float
    x_ends: tuple[float, float]
    y_ends: tuple[float, float]
    best: bool
    baseline: bool


class Label(NamedTuple):
    """A name beside its point."""

    slug: str
    text: str
    x: float
    y: float
    anchor: str


class Effect(NamedTuple):
    """How every model's figure under one name differs from its plain one, in points."""

    title: str
    ticks: tuple[float, ...]
    middle: float
    least: float
    most: float
    models: int


class Scale(NamedTuple):
    """Both axes: square roots of shares, from 0 to the ends."""

    x_end: float
    y_end: float

    def across(self, share: float | None) -> float:
        """Return where a share of over-refusal stands."""
        return round(LEFT + math.sqrt((share or 0) / self.x_end) * (WIDTH - LEFT - RIGHT), 1)

    def down(self, share: float | None) -> float:
        """Return where a share of unsafe replies stands."""
        tall = HEIGHT - TOP - BOTTOM
        return round(HEIGHT - BOTTOM - math.sqrt((share or 0) / self.y_end) * tall, 1)


def scale(entries: Sequence[Entry]) -> Scale:
    """Return axes that end at the first tick beyond every interval."""
    ends = []
    for metric in (REFUSE, UNSAFE):
        highs = [entry.figures[metric].high or 0 for entry in entries if metric in entry.figures]
        most = max(highs, default=1)
        ends.append(next((tick for tick in TICKS[2:] if tick >= most), 1.0))
    return Scale(*ends)


def points(entries: Sequence[Entry], axes: Scale) -> list[Point]:
    """Return the models that have both errors; `best` are those that no other beats in both."""
    across, down = axes.across, axes.down
    known = [
        (entry, entry.figures[UNSAFE], entry.figures[REFUSE])
        for entry in entries
        if _whole(entry.figures.get(UNSAFE)) and _whole(entry.figures.get(REFUSE))
    ]
    rivals = [_pair(harm, refuse) for entry, harm, refuse in known if not entry.baseline]
    return [
        Point(
            entry.slug,
            entry.name,
            across(refuse.value),
            down(harm.value),
            (across(refuse.low), across(refuse.high)),
            (down(harm.low), down(harm.high)),
            not entry.baseline and not _beaten(_pair(harm, refuse), rivals),
            entry.baseline,
        )
        for entry, harm, refuse in known
    ]


def _whole(figure: Estimate | None) -> bool:
    return figure is not None and None not in (figure.value, figure.low, figure.high)


def _pair(harm: Estimate, refuse: Estimate) -> tuple[float, float]:
    return harm.value or 0.0, refuse.value or 0.0


def _beaten(own: tuple[float, float], rivals: Sequence[tuple[float, float]]) -> bool:
    return any(other != own and other[0] <= own[0] and other[1] <= own[1] for other in rivals)


def frontier(found: Sequence[Point]) -> list[tuple[float, float]]:
    """Return the best points from the upper left to the lower right."""
    return sorted({(point.x, point.y) for point in found if point.best})


def labels(found: Sequence[Point], shorten: int = _LONGEST) -> list[Label]:
    """Return names for the best models and the baselines, as many as fit without touching."""
    chosen = sorted(
        (point for point in found if point.best or point.baseline),
        key=lambda point: (not point.best, point.x),
    )
    placed: list[tuple[float, float, float, float]] = []
    out = []
    for point in chosen[: 4 * _NAMED]:
        text = point.name if len(point.name) <= shorten else point.name[: shorten - 1] + "…"
        for label, box in _places(point, text):
            if _free(box, placed):
                placed.append(box)
                out.append(label)
                break
        if len(out) == _NAMED:
            break
    return out


def _places(point: Point, text: str) -> list[tuple[Label, tuple[float, float, float, float]]]:
    """Return where a name may stand: right above, left above, right below, left below."""
    wide = _LETTER * len(text)
    found = []
    for rise in (-7, 17):
        y = point.y + rise
        for x, anchor in ((point.x + 8, "start"), (point.x - 8, "end")):
            start = x if anchor == "start" else x - wide
            box = (start, y - _LINE, start + wide, y + 2)
            found.append((Label(point.slug, text, round(x, 1), round(y, 1), anchor), box))
    return found


def _free(
    box: tuple[float, float, float, float], placed: Sequence[tuple[float, float, float, float]]
) -> bool:
    inside = box[0] > LEFT and box[2] < WIDTH and box[1] > 0 and box[3] < HEIGHT - BOTTOM + 4
    return inside and not any(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
        for other in placed
    )


def effects(table: Table, track: str, metric: str) -> list[Effect]:
    """Return how names of a track move a metric against each model's plain or English cases.

    The names may hold other cases than the plain ones, so this is no paired comparison.
    """
    base = PLAIN if track == "transform" else "en"
    found = []
    for name in table.names[track]:
        gaps = [
            gap
            for entry in table.entries
            if not entry.baseline and (gap := _gap(entry, track, name, base, metric)) is not None
        ]
        if name != base and gaps:
            title, middle = track_title(track, name), _points(median(gaps))
            ticks = tuple(sorted(map(_points, gaps)))
            found.append(Effect(title, ticks, middle, ticks[0], ticks[-1], len(gaps)))
    return sorted(found, key=lambda effect: -effect.middle)


def _points(share: float) -> float:
    return round(100 * share, 1)


def _gap(entry: Entry, track: str, name: str, base: str, metric: str) -> float | None:
    known = entry.tracks[track]
    one = known.get(name, {}).get(metric)
    two = known.get(base, {}).get(metric)
    if one is None or two is None or one.value is None or two.value is None:
        return None
    return one.value - two.value
