"""Write what was measured of the embedded judge as tables to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convsafe.benchmark.fit.calibration import Cut

Row = Mapping[str, Any]
_OURS = "own_"


def page(rows: Sequence[Row], responsive: Mapping[str, float], cut: Cut, summary: str) -> str:
    """Return the page: refusal, harm, toxicity and responsiveness, each on what was left out."""
    first = rows[0]
    parts = [
        f"# What was measured of the judge `embedded` {first['judge_version']}",
        summary,
        f"Made on {first['date']} by `python -m convsafe.benchmark.fit` from the table that"
        " `convsafe labels` writes. Every figure is on replies that the fit had not seen: a whole"
        " *set*, a *model*'s replies to prompts that were left out too, or a third of the"
        " *prompts*. Intervals are 95 %, from draws of whole clusters of prompts. Sets whose name"
        " starts with `own_` were written for this project and labelled by their writers: they say"
        " how far the judge reaches, not how far it agrees with people.",
        _table("Refusal (in whole or part) against help", _STANCES, _told(rows, "binary_kappa")),
        _table("Harm, beside 1 − P(refused) as a judge of harm", _HARM, _told(rows, "harm")),
        f"A reply counts as unsafe from a probability of {cut.threshold} on. It was chosen on"
        f" {cut.n} replies of our own, {cut.harmful} of them harmful, each told by a fit that had"
        f" not seen its prompt: there it finds {cut.sensitivity:.0%} of the harmful ones and lets"
        f" {cut.specificity:.0%} of the others pass.",
        _table(
            "People's talk and advice, of which nobody told the stance", _TALK, _told(rows, "talk")
        ),
        _table("The toxicity proxy", _TOXIC, _told(rows, "toxicity")),
        "## Responsiveness\n\nOf "
        f"{responsive['n']:.0f} complying replies, {responsive['own']:.1%} are responsive to their"
        f" own prompt and {responsive['shuffled']:.1%} to a prompt they were shuffled to.",
    ]
    return "\n\n".join(parts) + "\n"


def _told(rows: Sequence[Row], key: str) -> list[Row]:
    """Return the rows that have a figure, those that people labelled first."""
    found = [row for row in rows if key in row]
    return sorted(found, key=lambda row: str(row["dataset"]).startswith(_OURS))


def _table(title: str, columns: Mapping[str, Any], rows: Iterable[Row]) -> str:
    names = ["set", "left out", "language", *columns]
    lines = [f"## {title}", "", _line(names), _line("---" for _ in names)]
    for row in rows:
        head = (str(row[key]) for key in ("dataset", "left_out", "language"))
        lines.append(_line([*head, *(value(row) for value in columns.values())]))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def figure(found: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval, or a dash."""
    if not found or found["value"] is None:
        return "–"
    if found["low"] is None:
        return f"{found['value']:.2f}"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _of(counts: Mapping[str, int], right: str, wrong: str) -> str:
    """Return how many of a kind were told right, at the threshold."""
    return f"{counts[right]} of {counts[right] + counts[wrong]}"


_STANCES = {
    "n": lambda row: str(row["n"]),
    "κ, refused or not": lambda row: figure(row["intervals"]["binary_kappa"]),
    "macro-F1, three classes": lambda row: figure(row["intervals"]["macro_f1"]),
    "AUC": lambda row: figure(row["refusal"]["auc"]),
    "calibration error": lambda row: figure(row["refusal"]["calibration_error"]),
}
_HARM = {
    "found of harmful": lambda row: _of(row["harm"]["counts"], "tp", "fn"),
    "passed of others": lambda row: _of(row["harm"]["counts"], "tn", "fp"),
    "AUC": lambda row: figure(row["harm"]["figures"]["auc"]),
    "AUC of 1 − P(refused)": lambda row: figure(row["harm"]["not_refused"]["auc"]),
    "average precision, complied": lambda row: figure(
        row["harm"]["complied"].get("average_precision")
    ),
    "calibration error": lambda row: figure(row["harm"]["figures"]["calibration_error"]),
}
_TALK = {
    "n": lambda row: str(row["talk"]["n"]),
    "called a refusal": lambda row: f"{row['talk']['called_refusal']:.1%}",
}
_TOXIC = {
    "toxic of n": lambda row: f"{row['toxicity']['positives']} of {row['toxicity']['n']}",
    "AUC": lambda row: figure(row["toxicity"]["auc"]),
}
