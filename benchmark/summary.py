"""A run's figures for the terminal: the headline first, and what to mind when reading them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill
from typing import Any

from convsafe.benchmark.comparison import UNSCORED
from convsafe.benchmark.corrections import BY_CARD, BY_LABELS, CERTIFIED
from convsafe.benchmark.figure_text import interval, percent
from convsafe.benchmark.metric import HEADLINES, listed, load_metric
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.scoring import HEADLINE, Scores
from convsafe.benchmark.trust import languages_of, nearest, trust
from convsafe.benchmark.trust import listed as some_of
from convsafe.taxonomy.records import Estimate
from convsafe.taxonomy.tree import load_tree

# How many areas are listed, and from how few cases a share says little.
_WORST, _FEW, _WIDTH = 5, 30, 100
_BLOCKS = ((HEADLINE, "mean of hazard areas"), (ALL, "all cases"))
Line = tuple[str, ...]


def summary(scores: Scores) -> str:
    """Return the rates as a table, the worst areas, corrected rates, and warnings."""
    release = scores.run["release"]
    head = (
        f"{scores.run['model']} on {release['config']} {release['version']}: {scores.cases} cases,"
        f" judge {scores.judge.name} {scores.judge.version}"
    )
    parts = [
        [head],
        _table(scores) or [_nothing(scores)],
        list(_judge(scores)),
        _areas(scores),
        list(_corrected(scores)),
        [f"{scores.certificate.name}: {scores.certificate.words}"] if scores.certificate else [],
        list(_warnings(scores)),
    ]
    return "\n\n".join("\n".join(map(_wrapped, part)) for part in parts if part)


def _wrapped(line: str) -> str:
    """Return a line of words broken where the terminal ends; rows of a table stay whole."""
    return line if "  " in line else fill(line, _WIDTH, subsequent_indent="  ")


def _nothing(scores: Scores) -> str:
    told = ", ".join(scores.judge.tells)
    return f"no rate: this judge tells {told}; its verdicts are beside the run's scores"


def _table(scores: Scores) -> list[str]:
    """Return the headlines as means of areas, then every metric on all cases."""
    judge, languages = scores.judge.to_row(), languages_of(scores.estimates)
    names = listed(_of(scores, ALL))
    found: list[Line] = []
    for slice, title in _BLOCKS:
        told = _of(scores, slice)
        rows = [_row(told[name], judge, languages) for name in names if _in(told, name, slice)]
        found += [(title, "", "", "", "", ""), *rows] if rows else []
    heading = ("", "rate", "95 % interval", "n", "unscored", "judge")
    return _aligned([heading, *found], ">", "<", ">", ">", "<") if found else []


def _of(scores: Scores, slice: str) -> dict[str, Estimate]:
    """Return the figures of a slice as a whole, by metric."""
    return {e.metric: e for e in scores.estimates if (e.slice, e.name) == (slice, ALL)}


def _in(told: dict[str, Estimate], name: str, slice: str) -> bool:
    if name not in told or not told[name].n:
        return False
    return slice == ALL or (name in HEADLINES and load_metric(name).better != "neither")


def _row(entry: Estimate, judge: dict[str, Any], languages: Sequence[str]) -> Line:
    metric = load_metric(entry.metric)
    known = trust(judge, languages, metric.rests_on).short
    counts = (f"{entry.n:,}", f"{entry.unscored:,}")
    return (f"  {metric.title}", percent(entry), interval(entry), *counts, known)


def _judge(scores: Scores) -> Iterator[str]:
    """Yield how far the judge agrees with people, on which sets."""
    judge, languages = scores.judge.to_row(), languages_of(scores.estimates)
    for needs, what in (("stance", "refused or not"), ("unsafe", "harm")):
        if needs in scores.judge.tells:
            known = trust(judge, languages, needs)
            said = "; ".join(filter(None, (known.figure, known.note)))
            yield f"judge against people, {what}: {said}"


def _areas(scores: Scores) -> list[str]:
    """Return the areas that are surest to do harm, and what they refuse of the harmless."""
    by = {(e.metric, e.name): e for e in scores.estimates if e.slice == "area" and e.n}
    metric = next((m for m in (CERTIFIED, "compliance_rate") if any(m == k for k, _ in by)), None)
    harm = [entry for (name, _), entry in by.items() if name == metric and entry.value]
    # By the lower end: of few cases a high rate may be chance.
    worst = sorted(harm, key=lambda e: (-(e.low or 0), -(e.value or 0), e.name))[:_WORST]
    if metric is None or not worst:
        return []
    titles = {node.id: node.name for node in load_tree().areas}
    rows = []
    for entry in worst:
        refused = by.get(("over_refusal_rate", entry.name))
        refusals = (percent(refused), interval(refused), f"{refused.n:,}") if refused else ("",) * 3
        name = f"  {titles.get(entry.name, entry.name)}"
        rows.append((name, percent(entry), interval(entry), f"{entry.n:,}", *refusals))
    told = load_metric(metric).title.lower()
    heading = ("worst areas", told, "", "n", "harmless refused", "", "n")
    return _aligned([heading, *rows], ">", "<", ">", ">", "<", ">")


def _corrected(scores: Scores) -> Iterator[str]:
    """Yield the corrected rates; of the rate that may be certified, also why there is none."""
    found = [e for e in scores.estimates if e.metric.startswith(BY_LABELS)]
    certified = [e.metric for e in found if e.metric.endswith(f"_{CERTIFIED}")]
    for entry in found:
        by = BY_CARD if entry.metric.startswith(BY_CARD) else BY_LABELS
        name = entry.metric.removeprefix(by)
        said = "the judge's card" if by == BY_CARD else "people's labels"
        title = load_metric(name).title
        if entry.value is not None:
            yield f"{title}, corrected by {said}: {percent(entry)} ({interval(entry)}), n {entry.n}"
        elif name == CERTIFIED and (by == BY_LABELS or len(certified) == 1):
            yield f"{title}, not corrected by {said}: {entry.method.removeprefix('none: ')}"


def _warnings(scores: Scores) -> Iterator[str]:
    if scores.missing:
        yield f"PARTIAL: {scores.missing} of {scores.cases} cases have no generation"
    whole = [entry for entry in _of(scores, ALL).values() if entry.n]
    gaps = [entry for entry in whole if entry.unscored > UNSCORED * entry.n]
    if gaps:
        yield f"over {100 * UNSCORED:g} % unscored: {_titles(gaps)}; such rates are not ranked"
    few = [e for e in whole if e.n < _FEW and e.metric in (CERTIFIED, "over_refusal_rate")]
    if few:
        yield f"under {_FEW} cases: {_titles(few)}; run more before you rely on them"
    unknown = [
        name
        for name in languages_of(scores.estimates)
        if not nearest(scores.judge.agreement, name)
        and not nearest(scores.judge.agreement, name, "unsafe")
    ]
    if unknown:
        yield f"the judge was never measured in {some_of(unknown)}"


def _titles(entries: Iterable[Estimate]) -> str:
    return some_of([load_metric(entry.metric).title for entry in entries])


def _aligned(rows: Sequence[Line], *sides: str) -> list[str]:
    """Return rows as lines with columns of even width, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{side}{width}}"
            for cell, side, width in zip(row, ("<", *sides), widths, strict=True)
        ).rstrip()
        for row in rows
    ]
