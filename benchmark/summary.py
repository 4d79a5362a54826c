"""A run's headline figures for the terminal."""

from __future__ import annotations

from functools import cache

from convsafe.benchmark.corrections import BY_CARD, BY_LABELS
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.scoring import HEADLINE, Scores
from convsafe.taxonomy.records import Estimate


def percent(estimate: Estimate) -> str:
    """Return a figure as people read it, or why there is none; shares are in percent."""
    if estimate.value is None:
        return "no figure" if estimate.n else "no case"
    if not _is_share(estimate.metric):
        return f"{estimate.value:.2f}"
    return f"{100 * estimate.value:.1f} %"


def interval(estimate: Estimate) -> str:
    """Return a figure's 95 % interval as people read it."""
    if estimate.low is None or estimate.high is None:
        return ""
    if not _is_share(estimate.metric):
        return f"{estimate.low:.2f} to {estimate.high:.2f}"
    return f"{_end(estimate.low)} to {_end(estimate.high)}"


# Of a share, of a difference of shares, and of one of such differences.
_SHARES = ((0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0))


@cache
def _is_share(name: str) -> bool:
    """Tell whether a figure is a share, or a difference of shares."""
    name = name.removeprefix(BY_CARD).removeprefix(BY_LABELS)
    # Every metric of the catalogue has a range; what else is reported is a share.
    return name not in METRICS.names() or load_metric(name).range in _SHARES


def _end(share: float) -> str:
    """Return one end in percent; rounding must not make a share look certain."""
    if 0 < share < 0.0005:
        return "<0.1"
    return ">99.9" if 0.9995 <= share < 1 else f"{100 * share:.1f}"


def summary(scores: Scores) -> str:
    """Return the rates as a small table: means of hazard areas first, then of all cases."""
    release = scores.run["release"]
    lines = [
        f"{scores.run['model']} on {release['config']} {release['version']}: {scores.cases} cases,"
        f" judge {scores.judge.name} {scores.judge.version}"
    ]
    if scores.missing:
        lines.append(f"PARTIAL: {scores.missing} of {scores.cases} cases have no generation")
    lines.append(f"{'':<46}{'rate':>8}  {'95 % interval':<15}{'n':>6}{'unscored':>10}")
    rows = [_row(scores, name, slice) for slice in (HEADLINE, ALL) for name in METRICS.names()]
    if not any(rows):
        told = ", ".join(scores.judge.tells)
        rows = [f"no rate: this judge tells {told}; its verdicts are beside the run's scores"]
    rows += [
        _corrected_row(entry) for entry in scores.estimates if entry.metric.startswith(BY_LABELS)
    ]
    if scores.certificate:
        rows += [f"{scores.certificate.name}: {scores.certificate.words}"]
    return "\n".join(lines + [row for row in rows if row])


def _corrected_row(entry: Estimate) -> str:
    """Return the line of a corrected rate; those without a value are in scores.json."""
    if entry.value is None:
        return ""
    by = BY_CARD if entry.metric.startswith(BY_CARD) else BY_LABELS
    title = load_metric(entry.metric.removeprefix(by)).title
    said = "by the judge's card" if by == BY_CARD else "by people's labels"
    line = f"{f'{title}, corrected':<46}{percent(entry):>8}  {interval(entry):<15}{entry.n:>6}"
    return f"{line}  {said}"


def _row(scores: Scores, name: str, slice: str) -> str:
    """Return one line of the table; only rates with a right direction have a mean of areas."""
    metric = load_metric(name)
    headline = slice == HEADLINE
    found = [
        e for e in scores.estimates if (e.metric, e.slice, e.name) == (name, slice, ALL) and e.n
    ]
    if not found or (headline and metric.better == "neither"):
        return ""
    entry, title = found[0], f"{metric.title}{' (areas)' if headline else ''}"
    return f"{title:<46}{percent(entry):>8}  {interval(entry):<15}{entry.n:>6}{entry.unscored:>10}"
