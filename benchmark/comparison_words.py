"""Say in words and lines what a comparison found."""

from __future__ import annotations

from itertools import combinations

from convsafe.benchmark.comparison import Comparison, Difference
from convsafe.benchmark.intervals import LEVEL
from convsafe.benchmark.judge_cards import aligned
from convsafe.benchmark.paired import BALANCE, HELPFUL
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.scoring import HEADLINE
from convsafe.benchmark.tallies import better, needs, order, title
from convsafe.benchmark.trust import Trust, languages_of, trust

# What is said of the better and of the other run, in metrics that sentences are made of.
_SAFER = {
    "unsafe_rate": "is safer than",
    "compliance_rate": "complies with fewer harmful requests than",
}
_OPEN = {
    "unsafe_rate": "Which of {one} and {two} is safer is not shown",
    "compliance_rate": "Which of {one} and {two} complies with fewer harmful requests is not shown",
}


def points(share: float, signed: bool = False) -> str:
    """Return a difference of shares in points; rounding never makes it look like none."""
    if 0 < abs(share) < 0.0005:
        return "<0.1" if share > 0 else ">−0.1"
    text = f"{100 * share:{'+' if signed else ''}.1f}"
    return text.replace("-", "−") if float(text) else "0.0"


def span(low: float, high: float) -> str:
    """Return an interval in points as people read it."""
    return f"{points(low)} to {points(high)}"


def chance(p: float | None) -> str:
    """Return a p-value as people read it, with its sign."""
    if p is None:
        return "no test"
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}" if p < 0.01 else f"p = {p:.2f}"


def bare(p: float | None) -> str:
    """Return a p-value for a table."""
    return "–" if p is None else chance(p).removeprefix("p ").removeprefix("= ")


def pairs(found: Comparison) -> list[tuple[str, str]]:
    """Return the pairs of runs in the order they were compared."""
    return list(combinations(found.names, 2))


def slice_title(entry: Difference) -> str:
    """Return where a difference is of."""
    if entry.slice == HEADLINE:
        return "mean of areas"
    return "all cases" if entry.slice == ALL else f"{entry.slice} {entry.name}"


def sentences(found: Comparison, first: str, second: str) -> list[str]:
    """Say which of two runs is safer and which refuses more, each with what it is worth."""
    by = {entry.metric: entry for entry in found.headline(first, second)}
    harm = by.get(harm_metric(found))
    told = [_safer(harm)] if harm else ["This judge cannot tell which run is safer."]
    if "over_refusal_rate" in by:
        told.append(_refusal(by["over_refusal_rate"], harm))
    if BALANCE in by:
        told.append(_balance(by[BALANCE]))
    return told


def _sides(entry: Difference) -> tuple[str, str, float, float, float]:
    """Return the better run, the other, and by how much with its interval."""
    flip = better(entry.metric) == "lower"
    ahead = entry.gain >= 0
    low, high = (-entry.high, -entry.low) if flip else (entry.low, entry.high)
    if ahead:
        return entry.first, entry.second, entry.gain, low, high
    return entry.second, entry.first, -entry.gain, -high, -low


def _worth(entry: Difference, low: float, high: float) -> str:
    if entry.shown:
        return f"({span(low, high)}), {chance(entry.holm)} (Holm)"
    return f"({span(low, high)}; {chance(entry.p)}, after Holm {bare(entry.holm)})"


def _unranked(entry: Difference, what: str) -> str:
    share = 100 * entry.unscored / entry.n
    return (
        f"{what}: {share:.1f} % is unscored, so the two are not ranked; the difference lies"
        f" somewhere from {span(entry.low, entry.high)} points."
    )


def _safer(entry: Difference) -> str:
    open_ = _OPEN[entry.metric].format(one=entry.first, two=entry.second)
    if not entry.ranked:
        return _unranked(entry, open_)
    one, two, gain, low, high = _sides(entry)
    if entry.shown:
        lead = f"{one} {_SAFER[entry.metric]} {two} by {points(gain)} points"
        return f"{lead} {_worth(entry, low, high)}."
    return (
        f"{open_}: {_apart(one, gain)} {_worth(entry, low, high)}. With so many cases a true"
        f" difference of {points(entry.detectable or 1.0)} points is shown four times in five."
    )


def _apart(one: str, gain: float) -> str:
    return f"{one} is {points(gain)} points better" if gain else "they differ by 0.0 points"


def _refusal(entry: Difference, harm: Difference | None) -> str:
    if not entry.ranked:
        return _unranked(entry, "Over-refusal")
    one, two, gain, low, high = _sides(entry)
    if entry.shown:
        traded = harm is not None and harm.shown and _sides(harm)[0] == two
        lead = f"{'Yet ' if traded else ''}{two} refuses {points(gain)} points more of the harmless"
        return f"{lead} requests than {one} {_worth(entry, low, high)}."
    return f"Which refuses more harmless requests is not shown {_worth(entry, low, high)}."


def _balance(entry: Difference) -> str:
    values = [
        "none" if value is None else f"{100 * value:.1f}"
        for value in (entry.first_value, entry.second_value)
    ]
    return (
        f"Safety and helpfulness together: {entry.first} {values[0]}, {entry.second} {values[1]}"
        f" ({chance(entry.holm)}, Holm)."
    )


def harm_metric(found: Comparison) -> str:
    """Return the metric of harm that the judge can tell: unsafe replies, else compliance."""
    told = {entry.metric for entry in found.differences}
    return next((metric for metric in _SAFER if metric in told), "")


def judge_of(found: Comparison, metric: str) -> Trust:
    """Return what is known of the judge for a metric in the languages of the cases."""
    languages = languages_of(entry for entries in found.rates for entry in entries)
    return trust(found.runs[0].judge, languages, needs(metric))


def family_line(found: Comparison) -> str:
    """Say over what p-values are adjusted."""
    count = len(pairs(found))
    return (
        f"Holm and Benjamini–Hochberg adjust over two families of all {count} pair"
        f"{'s' if count > 1 else ''} together: {found.families['headline']} headline tests, and"
        f" {found.families['slices']} of slices × metrics."
    )


def text(found: Comparison) -> str:
    """Return the comparison as lines for the terminal."""
    release = found.runs[0].run["release"]
    known = judge_of(found, harm_metric(found) or HELPFUL)
    lines = [
        f"{len(found.runs)} runs on {release['config']} {release['version']}: {found.cases} cases,"
        f" judge {known.judge}: {known.figure}{f' ({known.note})' if known.note else ''}"
    ]
    if any(found.left_out):
        left = ", ".join(
            f"{count} of {name}" for name, count in zip(found.names, found.left_out, strict=True)
        )
        lines.append(f"SHARED CASES ONLY: left out are {left}")
    for first, second in pairs(found):
        lines += ["", *sentences(found, first, second), ""]
        lines += aligned(_headline_rows(found, first, second))
        lines += _worst_lines(found, first, second)
    lines += ["", f"ranks that hold together at {100 * LEVEL:.0f} %", *aligned(_rank_rows(found))]
    return "\n".join([*lines, "", family_line(found)])


def _headline_rows(found: Comparison, first: str, second: str) -> list[list[str]]:
    more = [] if found.detect is None else [f"n for {points(found.detect)}"]
    heading = [f"mean of areas, {first} − {second}", "points", "95 %", "p", "Holm", "BH"]
    rows = [
        [
            title(entry.metric),
            "no figure" if entry.value is None else points(entry.value, signed=True),
            span(entry.low, entry.high),
            *(bare(p) for p in (entry.p, entry.holm, entry.bh)),
            "–" if entry.detectable is None else points(entry.detectable),
            f"{entry.n}",
            f"{entry.unscored}",
            *([] if found.detect is None else [f"{entry.needed or '–'}"]),
        ]
        for entry in found.headline(first, second)
    ]
    return [[*heading, "detectable", "n", "unscored", *more], *rows]


def _rank_rows(found: Comparison) -> list[list[str]]:
    metrics = sorted({rank.metric for rank in found.ranks}, key=order)
    by = {(rank.metric, rank.run): rank for rank in found.ranks}
    rows = [[title(metric), *(by[metric, name].text for name in found.names)] for metric in metrics]
    return [["", *found.names], *rows]


def _worst_lines(found: Comparison, first: str, second: str) -> list[str]:
    lines = []
    for one, two in ((first, second), (second, first)):
        entries = found.worst(one, two, most=5)
        if not entries:
            continue
        rows = [
            [
                slice_title(entry),
                title(entry.metric),
                points(abs(entry.value or 0.0)),
                bare(entry.p),
                bare(entry.holm),
                bare(entry.bh),
                f"{entry.n}",
            ]
            for entry in entries
        ]
        heading = ["", "", "points", "p", "Holm", "BH", "n"]
        lines += ["", f"where {one} is worse than {two}", *aligned([heading, *rows])]
    return lines
