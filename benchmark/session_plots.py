"""Small plots of a simulated user's state over turns, one a variable, a line for each view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsafe.benchmark.plots import INK, LINE, REFUSE, Drawing, blank, drawing, wrapped

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

# The page shows the group of one view at a time, by this part of its id.
VIEW = "view-"
_MOST = 24


def state_plots(views: Sequence[pl.DataFrame]) -> tuple[Drawing, ...]:
    """Draw the mean of every variable over turns, within a standard deviation over sessions.

    Args:
        views: The states of each view (turn, variable, value), all sessions first; all are drawn
            on the axes of the first, each as a group of its own.
    """
    whole = views[0]
    low, high = float(whole["value"].min()), float(whole["value"].max())  # type: ignore[arg-type]
    turns = int(whole["turn"].min()), int(whole["turn"].max())  # type: ignore[arg-type]
    curves = [_curves(view) for view in views]
    names = whole["variable"].unique(maintain_order=True).head(_MOST)
    return tuple(_plot(place, name, curves, turns, (low, high)) for place, name in enumerate(names))


def _curves(states: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    value = pl.col("value")
    return (
        states.group_by("variable", "turn")
        .agg(mean=value.mean(), spread=value.std().fill_null(0.0))
        .sort("turn")
    )


def _plot(
    place: int,
    name: str,
    curves: Sequence[pl.DataFrame],
    turns: tuple[int, int],
    values: tuple[float, float],
) -> Drawing:
    import polars as pl

    figure, axes = blank(2.3, 1.6)
    for number, view in enumerate(curves):
        _curve(axes, number, view.filter(pl.col("variable") == name))
    axes.set_title(wrapped(name.replace("_", " ")), color=INK, fontsize=11, loc="left")
    axes.set_xlim(turns[0] - 0.3, turns[1] + 0.3)
    axes.set_ylim(values[0] - 0.3, values[1] + 0.3)
    axes.set_xticks(sorted({turns[0], (turns[0] + turns[1]) // 2, turns[1]}))
    axes.set_yticks(sorted({values[0], (values[0] + values[1]) / 2, values[1]}))
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=10, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return drawing(figure, f"state{place}", f"{name.replace('_', ' ')} over turns")


def _curve(axes: Axes, number: int, curve: pl.DataFrame) -> None:
    if curve.is_empty():
        return
    turn, mean, spread = (curve[name].to_numpy() for name in ("turn", "mean", "spread"))
    band = axes.fill_between(turn, mean - spread, mean + spread, color=REFUSE, alpha=0.18, lw=0)
    (line,) = axes.plot(turn, mean, color=REFUSE, linewidth=2, marker="o", markersize=3.5)
    band.set_gid(f"{VIEW}{number}-band")
    line.set_gid(f"{VIEW}{number}-line")
