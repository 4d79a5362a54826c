"""What a run took: requests, tokens, money and time, and what came of what was asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.plots import INK, LINE, SOFT, Drawing, blank, drawing
from convsafe.benchmark.run_log import RunLog
from convsafe.taxonomy.files import read_jsonl
from convsafe.taxonomy.records import OUTCOMES

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.runs import Run

# From this share of replies cut short on, the page warns.
_TOO_MANY_CUT = 0.01
_REASONS, _LONGEST_REASON, _BINS = 5, 160, 24
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True)
class Effort:
    """What a run took, as the page shows it.

    `facts` are pairs of a name and a figure; `outcomes` have a name, a count and a share of all
    replies that were asked for; `failed` are reasons and counts; `cut` is the share of replies
    that were cut short, where that is too many, else None.
    """

    facts: tuple[tuple[str, str], ...]
    outcomes: tuple[tuple[str, int, float], ...]
    failed: tuple[tuple[str, int], ...]
    cut: float | None
    times: Drawing | None


def effort(run: Run, details: pl.DataFrame) -> Effort:
    """Return what a run took.

    Args:
        run: The run.
        details: As `read_details` gives them.
    """
    log = RunLog.read(run.folder)
    total = run.settings["cases"] * run.samples
    counts = dict(details["outcome"].value_counts().iter_rows())
    failed = _failed(run, details)
    counts["failed"] = counts.get("failed", 0) + failed.total()
    counts["not asked"] = total - sum(counts.values())
    outcomes = [(name, counts.get(name, 0)) for name in (*OUTCOMES, "not asked")]
    cut = counts.get("truncated", 0) / len(details) if len(details) else 0.0
    return Effort(
        facts=(*_asked(log), *_tokens(log, details), *_times(log, details)),
        outcomes=tuple((name, count, count / total) for name, count in outcomes if count > 0),
        failed=tuple(failed.most_common(_REASONS)),
        cut=cut if cut > _TOO_MANY_CUT else None,
        times=_histogram(details),
    )


def _failed(run: Run, details: pl.DataFrame) -> Counter[str]:
    """Return why replies that are still missing failed, as was said the last time."""
    path = run.folder / "failures.jsonl"
    if not path.exists():
        return Counter()
    known = set(details.select("id", "sample").iter_rows())
    last = {(row["id"], row.get("sample", 0)): row["reason"] for _, row in read_jsonl(path)}
    reasons = (str(reason) for key, reason in last.items() if key not in known)
    return Counter(reason[:_LONGEST_REASON] for reason in reasons)


def _asked(log: RunLog) -> list[tuple[str, str]]:
    if not log.lines:
        return []
    errors = log.total("errors")
    retried = max(0, errors - log.total("failed"))
    times = "once" if len(log.lines) == 1 else f"{len(log.lines)} times"
    return [
        ("requests", f"{log.total('requests'):,}"),
        ("errors", f"{errors:,}, {retried:,} tried again" if errors else "0"),
        ("started", f"{times}, last ended: {log.last.get('how', 'not known')}"),
    ]


def _tokens(log: RunLog, details: pl.DataFrame) -> list[tuple[str, str]]:
    facts = []
    for title, name in (("in", "prompt_tokens"), ("out", "completion_tokens")):
        # Each leaves something out: the log a part that was killed, the replies those that failed.
        found = max(int(details[name].sum() or 0), log.usage.get(name, 0))
        if found:
            facts.append((f"tokens {title}", f"{found:,}"))
    cost = "no price is known" if log.cost is None else f"{log.cost:.2f} {log.currency}"
    if log.cost is not None and log.unpriced:
        cost += f", without {' and '.join(log.unpriced)} (no price is known)"
    return [*facts, ("cost", cost)]


def _times(log: RunLog, details: pl.DataFrame) -> list[tuple[str, str]]:
    facts = []
    if spent := sum(_between(line) for line in log.lines):
        facts.append(("time in all", _duration(spent)))
    seconds = details["seconds"].drop_nulls()
    if len(seconds):
        middle, late = (seconds.quantile(share, "nearest") or 0.0 for share in (0.5, 0.95))
        facts.append(("seconds a reply", f"median {middle:.2f}, 95 % within {late:.2f}"))
    return facts


def _between(line: Any) -> float:
    try:
        ended, began = (datetime.fromisoformat(line[name]) for name in ("ended", "began"))
    except (KeyError, TypeError, ValueError):
        return 0.0
    return (ended - began).total_seconds()


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def _histogram(details: pl.DataFrame) -> Drawing | None:
    """Draw how long replies took; the slowest hundredth is left out of the axis."""
    from matplotlib.ticker import MaxNLocator

    seconds = details["seconds"].drop_nulls()
    most = seconds.quantile(0.99, "higher") if len(seconds) else None
    if not most:
        return None
    figure, axes = blank(5.2, 1.9)
    axes.hist(seconds.to_numpy(), bins=_BINS, range=(0, most), color=SOFT)
    for share, name, side in ((0.5, "median ", "right"), (0.95, " 95 %", "left")):
        at = seconds.quantile(share, "nearest") or 0.0
        axes.axvline(at, color=INK, linewidth=1.2, linestyle=(0, (3, 3)))
        top = axes.get_xaxis_transform()
        axes.text(at, 1.0, name, transform=top, ha=side, va="bottom", color=INK, fontsize=10)
    axes.set_xlabel("seconds a reply", color=INK, fontsize=11)
    axes.set_ylabel("replies", color=INK, fontsize=11)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.margins(x=0.02)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=10, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return drawing(figure, "times", "Seconds a reply")
