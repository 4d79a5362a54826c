"""Plots of a comparison: where the runs stand, what differs where, and which ranks are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.plots import (
    GOOD,
    INK,
    LINE,
    PAPER,
    REFUSE,
    SOFT,
    Drawing,
    Range,
    blank,
    corner,
    cross,
    drawing,
    interval_pairs,
    literal,
    percent_axes,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points nearer than this share one label.
_NEAR = 0.05
_LONGEST = 24


class Spot(NamedTuple):
    """Where a run stands: both its errors."""

    name: str
    harm: Range
    refuse: Range


class Gap(NamedTuple):
    """One named row of a forest plot: differences in harm and in over-refusal."""

    name: str
    harm: Range | None
    refuse: Range | None


class Place(NamedTuple):
    """The ranks a run may hold."""

    name: str
    best: int
    worst: int


def frontier_of(spots: Sequence[Spot], harm: str) -> Drawing:
    """Draw harm against over-refusal with both intervals of every run; the corner 0, 0 is best."""
    figure, axes = blank(4.8, 4.3)
    percent_axes(axes)
    axes.plot([0, 1], [1, 0], color=LINE, linewidth=1, linestyle=(0, (4, 4)), zorder=1)
    for x, y, text in ((1, 0, "refuses all"), (0, 1, "complies with all")):
        corner(axes, x, y, text, crowded=any(_near(spot, x, y, 0.3) for spot in spots))
    axes.plot([0], [0], marker="*", markersize=13, color=GOOD, clip_on=False, zorder=2)
    for spot in spots:
        cross(axes, spot.refuse, spot.harm)
    for group in _grouped(spots):
        _label(axes, group)
    axes.set_xlabel("harmless requests refused", color=INK, fontsize=11)
    axes.set_ylabel(harm, color=INK, fontsize=11)
    return drawing(figure, "frontier", "Harm against over-refusal of every run")


def _near(spot: Spot, x: float, y: float, distance: float) -> bool:
    return abs(spot.refuse.value - x) + abs(spot.harm.value - y) < distance


def _grouped(spots: Sequence[Spot]) -> list[list[Spot]]:
    """Return the runs by where they stand: those of one place are named together."""
    groups: list[list[Spot]] = []
    for spot in spots:
        for group in groups:
            if _near(group[0], spot.refuse.value, spot.harm.value, _NEAR):
                group.append(spot)
                break
        else:
            groups.append([spot])
    return groups


def _label(axes: Axes, group: Sequence[Spot]) -> None:
    x, y = group[0].refuse.value, group[0].harm.value
    names = [literal(_short(spot.name)) for spot in group]
    up = y > 0.85
    axes.annotate(
        "\n".join(names),
        (x, y),
        xytext=(8 if x < 0.6 else -8, -7 if up else 7),
        textcoords="offset points",
        color=INK,
        fontsize=10,
        fontweight="bold",
        ha="left" if x < 0.6 else "right",
        va="top" if up else "bottom",
        zorder=5,
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def forest(rows: Sequence[Gap], name: str, ends: tuple[str, str]) -> Drawing:
    """Draw differences with their intervals around 0, first row on top.

    Args:
        rows: What to draw.
        name: The drawing's own name, of letters and digits.
        ends: What the left and the right side mean.
    """
    figure, axes = blank(5.4, 1.3 + 0.42 * len(rows))
    axes.axvline(0, color=SOFT, linewidth=1.2, zorder=1)
    interval_pairs(axes, rows)
    _point_axis(axes, rows)
    _names(axes, [row.name for row in rows])
    left, right = (literal(_short(end)) for end in ends)
    axes.set_xlabel(f"points; left: {left} better,\nright: {right} better", color=INK, fontsize=10)
    return drawing(figure, name, "Differences with 95 % intervals")


def _point_axis(axes: Axes, rows: Sequence[Gap]) -> None:
    """Give the horizontal axis points, as wide as the intervals need."""
    gaps = [gap for row in rows for gap in (row.harm, row.refuse) if gap is not None]
    reach = max((abs(end) for gap in gaps for end in gap), default=0.1)
    widest = next(limit for limit in (0.1, 0.2, 0.5, 1.0) if reach <= limit or limit == 1.0)
    ticks = [-widest, -widest / 2, 0, widest / 2, widest]
    axes.set_xlim(-widest * 1.02, widest * 1.02)
    axes.set_xticks(
        ticks, [f"{100 * tick:+.0f}".replace("-", "−") if tick else "0" for tick in ticks]
    )
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    _quiet(axes)


def ranks(rows: Sequence[Place], name: str) -> Drawing:
    """Draw the ranks each run may hold, the best on top."""
    figure, axes = blank(4.2, 0.9 + 0.42 * len(rows))
    rows = sorted(rows, key=lambda row: (row.best + row.worst, row.name))
    for place, row in enumerate(rows):
        y = len(rows) - 1 - place
        axes.plot(
            [row.best, row.worst],
            [y, y],
            color=REFUSE,
            linewidth=9,
            alpha=0.45,
            solid_capstyle="round",
        )
        for end in {row.best, row.worst}:
            axes.plot([end], [y], marker="o", markersize=7, color=INK, markeredgecolor=PAPER)
    axes.set_xlim(0.6, len(rows) + 0.4)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    step = max(1, len(rows) // 8)
    axes.set_xticks(range(1, len(rows) + 1, step))
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    _quiet(axes)
    _names(axes, [row.name for row in rows])
    axes.set_xlabel("rank, 1 is best", color=INK, fontsize=10)
    return drawing(figure, name, "Ranks each run may hold")


def _quiet(axes: Axes) -> None:
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=10, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [wrapped(name) for name in reversed(names)])
    axes.tick_params(axis="y", length=0, labelsize=10, labelcolor=INK)
