"""Plots as inline SVG that follows the page's colours and needs no inline style.

matplotlib draws; the stand-in colours below become CSS variables, and every `style` attribute
becomes a class, so that a strict content-security policy holds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that stand for the page's variables; no other part of a figure may use them.
INK, SOFT, LINE, PAPER = "#010203", "#010204", "#010205", "#010206"
HARM, REFUSE, GOOD = "#010207", "#010208", "#010209"
_VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    PAPER: "--paper",
    HARM: "--harm",
    REFUSE: "--refuse",
    GOOD: "--good",
}


class Drawing(NamedTuple):
    """An SVG element and the style rules it needs."""

    svg: str
    css: str


class Range(NamedTuple):
    """A share and its interval, each in [0, 1]."""

    value: float
    low: float
    high: float


class Bars(NamedTuple):
    """One named row of a dot plot: up to two shares."""

    name: str
    harm: Range | None
    refuse: Range | None


def frontier(harm: Range, refuse: Range, label: str, what: str) -> Drawing:
    """Draw harm against over-refusal; the corner 0, 0 is best.

    Args:
        harm: The share of harm.
        refuse: The share of harmless requests refused.
        label: The model's name.
        what: What the share of harm counts.
    """
    figure, axes = blank(4.6, 4.1)
    percent_axes(axes)
    axes.plot([0, 1], [1, 0], color=LINE, linewidth=1, linestyle=(0, (4, 4)), zorder=1)
    for x, y, text in ((1, 0, "refuses all"), (0, 1, "complies with all")):
        corner(axes, x, y, text, crowded=abs(refuse.value - x) + abs(harm.value - y) < 0.3)
    axes.plot([0], [0], marker="*", markersize=13, color=GOOD, clip_on=False, zorder=2)
    axes.annotate(
        "ideal", (0, 0), xytext=(10, 8), textcoords="offset points", color=GOOD, fontsize=10
    )
    cross(axes, refuse, harm)
    high_up = harm.value > 0.85
    axes.annotate(
        literal(label),
        (refuse.value, harm.value),
        xytext=(10, -16 if high_up else 9),
        textcoords="offset points",
        color=INK,
        fontsize=11,
        fontweight="bold",
        ha="left" if refuse.value < 0.6 else "right",
    )
    axes.set_xlabel("harmless requests refused", color=INK, fontsize=11)
    axes.set_ylabel(what, color=INK, fontsize=11)
    return drawing(figure, "frontier", f"{what.capitalize()} against over-refusal")


def corner(axes: Axes, x: int, y: int, text: str, crowded: bool) -> None:
    """Mark what a constant model would be, without its name where the run's own stands."""
    axes.plot(
        [x],
        [y],
        marker="o",
        markersize=7,
        color=PAPER,
        markeredgecolor=SOFT,
        clip_on=False,
        zorder=2,
    )
    if not crowded:
        axes.annotate(
            text,
            (x, y),
            xytext=(-8, 10) if x else (10, -4),
            textcoords="offset points",
            ha="right" if x else "left",
            color=SOFT,
            fontsize=10,
        )


def cross(axes: Axes, x: Range, y: Range) -> None:
    """Draw a point with its two intervals."""
    axes.plot([x.low, x.high], [y.value, y.value], color=REFUSE, linewidth=2.5, zorder=3)
    axes.plot([x.value, x.value], [y.low, y.high], color=HARM, linewidth=2.5, zorder=3)
    axes.plot(
        [x.value],
        [y.value],
        marker="o",
        markersize=9,
        color=INK,
        markeredgecolor=PAPER,
        clip_on=False,
        zorder=4,
    )


def interval_pairs(axes: Axes, rows: Sequence[Any]) -> None:
    """Draw what each row has of `harm` and `refuse`, with intervals, first row on top."""
    for place, row in enumerate(rows):
        for share, colour, marker, shift in (
            (row.harm, HARM, "o", 0.14),
            (row.refuse, REFUSE, "s", -0.14),
        ):
            if share is None:
                continue
            y = len(rows) - 1 - place + shift
            axes.plot([share.low, share.high], [y, y], color=colour, linewidth=1.8, alpha=0.55)
            axes.plot([share.value], [y], marker=marker, markersize=6, color=colour, clip_on=False)
    axes.set_ylim(-0.6, len(rows) - 0.4)


def dots(rows: Sequence[Bars], name: str, title: str) -> Drawing:
    """Draw two shares with intervals for every row, first row on top."""
    figure, axes = blank(5.2, 0.9 + 0.42 * len(rows))
    interval_pairs(axes, rows)
    axes.set_yticks(range(len(rows)), [wrapped(row.name) for row in reversed(rows)])
    percent_axes(axes, both=False)
    axes.tick_params(axis="y", length=0, labelsize=10, labelcolor=INK)
    return drawing(figure, name, title)


def literal(text: str) -> str:
    """Return a text that matplotlib draws as it stands: no formula, no control character."""
    return "".join(sign if sign.isprintable() else " " for sign in text).replace("$", r"\$")


def wrapped(name: str) -> str:
    """Return a name on at most two lines."""
    import textwrap

    return "\n".join(textwrap.wrap(literal(name), 24, max_lines=2, placeholder=" …"))


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a transparent figure drawn without a display; sizes in inches of 72 pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    return figure, axes


def percent_axes(axes: Axes, both: bool = True) -> None:
    """Give an axis, or both, the shares from 0 to 100 % with a quiet grid."""
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    if both:
        axes.set_ylim(-0.02, 1.02)
        axes.set_yticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.grid(axis="both" if both else "x", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=10, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def drawing(figure: Figure, name: str, title: str) -> Drawing:
    """Return the figure as an element with classes in place of styles and its own ids."""
    import matplotlib as mpl

    out = io.StringIO()
    options: dict[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": name}
    with mpl.rc_context(options):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg, css = _classes(svg, name)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" class="plot" ', 1)
    return Drawing(svg, css)


def _classes(svg: str, name: str) -> tuple[str, str]:
    """Turn every distinct style attribute into a class of its own."""
    rules: dict[str, str] = {}

    def swap(match: re.Match[str]) -> str:
        style = re.sub(r"font(-family)?: [^;]*", _font, match.group(1))
        for colour, variable in _VARIABLES.items():
            style = style.replace(colour, f"var({variable})")
        known = rules.setdefault(style, f"{name}-s{len(rules)}")
        return f'class="{known}"'

    svg = re.sub(r'style="([^"]*)"', swap, svg)
    return svg, "\n".join(f".{known} {{ {style} }}" for style, known in rules.items())


def _font(match: re.Match[str]) -> str:
    """Keep a font's weight and size, and take the page's own family."""
    size = re.search(r"([0-9.]+)px", match.group(0))
    weight = "bold " if "bold" in match.group(0) or "700" in match.group(0) else ""
    return f"font: {weight}{size.group(1)}px var(--font)" if size else "font-family: var(--font)"
