"""Write what was measured of a judge as a card: Markdown, JSON, and a plot of calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.bootstrap import DRAWS
from convsafe.benchmark.evaluation import Evaluation
from convsafe.benchmark.keyword_judges import load_baseline
from convsafe.benchmark.measures import BINS, CLASSES, UNSCORED, equal_mass
from convsafe.benchmark.parts import Part
from convsafe.taxonomy.files import atomic, file_stem, write_json, write_text

if TYPE_CHECKING:
    from convsafe.benchmark.bootstrap import Floats
    from convsafe.benchmark.number_eval import NumberEvaluation

TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "kappa": "κ",
    "binary_kappa": "κ, refused or not",
    "auc": "AUC",
    "average_precision": "average precision",
    "calibration_error": "expected calibration error",
    "pearson": "Pearson's r",
    "spearman": "Spearman's ρ",
    "kendall": "Kendall's τ",
}
SLICED = ("accuracy", "kappa", "binary_kappa")


def write_card(found: Evaluation, folder: Path) -> Path:
    """Write the card into a folder and return the Markdown's path."""
    stem = file_stem(str(found.of["judge"]))
    row, plot = found.to_row(), None
    if found.probabilities is not None and len(found.probabilities[0]):
        plot = f"{stem}.calibration.png"
        draw_calibration(*found.probabilities, folder / plot)
    write_json(folder / f"{stem}.json", {**row, "calibration_plot": plot})
    write_text(folder / f"{stem}.md", markdown(found, plot))
    return folder / f"{stem}.md"


def text(found: Evaluation) -> str:
    """Return all figures as lines for the terminal."""
    of = found.of
    lines = [
        f"judge {of['judge']} {of['judge_version']}, {found.whole.n} labelled replies to"
        f" {of['prompts']} prompts, {found.whole.unscored} unscored",
        *row_lines(of),
    ]
    for part in filter(None, (found.whole, found.harm, found.graded)):
        lines += [] if part is found.whole else ["", _heading(part)]
        lines += [f"{TITLES[name]:<28}{figure}" for name, figure in part.figures.items()]
    lines += ["", "label against stance", *aligned(confusion(found))]
    for title, parts in _groups(found):
        lines += ["", title, *aligned(table(parts))]
    return "\n".join([*lines, *_uncertain(found, "")])


def number_text(found: NumberEvaluation) -> str:
    """Return the figures of numbers as lines for the terminal."""
    lines = [f"judge {found.of['judge']} {found.of['judge_version']}", *row_lines(found.of)]
    for part in found.parts:
        lines += [_heading(part)]
        lines += [f"{TITLES[name]:<28}{figure}" for name, figure in part.figures.items()]
    return "\n".join(lines)


def markdown(found: Evaluation, plot: str | None) -> str:
    """Return the card's text."""
    of = found.of
    lines = [f"# Judge {of['judge']} {of['judge_version']}", "", str(of["judge_summary"]), ""]
    lines += [
        f"Measured on {of['date']} on `{of['file']}` (sha256 `{of['sha256']}`), labels in"
        f" `{of['label']}`: {found.whole.n} replies to {of['prompts']} prompts,"
        f" {found.whole.unscored} unscored. An unscored reply counts as wrong. Intervals are"
        f" 95 %, from {DRAWS:,} draws of whole prompts.",
        *row_lines(of),
    ]
    for part in filter(None, (found.whole, found.harm, found.graded)):
        rows = [(TITLES[name], *_cells(str(figure))) for name, figure in part.figures.items()]
        heading = "Agreement of stances" if part is found.whole else _heading(part)
        lines += ["", f"## {heading}", "", *piped([("figure", "value", "95 %"), *rows])]
    lines += [f"\n![Calibration]({plot})"] if plot else []
    lines += ["", "## Label against stance", "", *piped(confusion(found))]
    for title, parts in _groups(found):
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", *piped(table(parts))]
    return "\n".join([*lines, *_uncertain(found, "\n")]) + "\n"


def row_lines(of: Mapping[str, Any]) -> list[str]:
    """Say how many rows the judge was fitted on, whether they count, and what each row counts."""
    lines = [f"left out: {of['left_out']} seen in fitting"] if of["left_out"] else []
    if of.get("unlabelled"):
        lines.append(f"left out: {of['unlabelled']} whose label of stance is empty")
    if of["seen"] and not of["left_out"]:
        lines.append(f"counted although seen in fitting: {of['seen']}")
    if of["weighted"] is not None:
        lines.append(
            f"weighted by 1 / inclusion_probability (all but correlations and counts): worth"
            f" {of['weighted']:g} equally likely replies"
        )
    return lines


def _heading(part: Part) -> str:
    """Say what a part of the figures compares, on how many replies."""
    what = "harm label against" if part.by == "harm" else "grade against"
    return f"{what} `{part.name}`: {part.n} {part.unit}, {part.unscored} unscored"


def _cells(figure: str) -> list[str]:
    """Return a figure's value and interval apart."""
    value, _, interval = figure.partition("  ")
    return [value, interval]


def _groups(found: Evaluation) -> list[tuple[str, list[Part]]]:
    """Return the tables there are: one a kind of slice, and the keyword lists."""
    kinds = list(dict.fromkeys(part.by for part in found.slices))
    groups = [(f"by {kind}", [p for p in found.slices if p.by == kind]) for kind in kinds]
    return [*groups, ("keyword lists on the same rows", [found.whole, *found.baselines])]


def _uncertain(found: Evaluation, gap: str) -> list[str]:
    """Say which keyword lists are not sure to be the published ones."""
    notes = {part.name: load_baseline(part.name).notes for part in found.baselines}
    doubtful = [name for name, note in notes.items() if note]
    if not doubtful:
        return []
    return [f"{gap}Not published lists (see their notes): {', '.join(doubtful)}."]


def confusion(found: Evaluation) -> list[tuple[str, ...]]:
    """Return the rows of the confusion matrix, first the heading."""
    cells = found.agreement.confusion
    given = {stance for row in cells.values() for stance in row}
    extra = ("invalid", UNSCORED)
    columns = [name for name in CLASSES if name not in extra or name in given]
    labels = [name for name in CLASSES if name not in extra or name in cells]
    rows = [
        (label, *(str(cells.get(label, {}).get(stance, 0)) for stance in columns))
        for label in labels
    ]
    return [("label", *columns), *rows]


def table(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """Return one row a part, first the heading."""
    heading = ("", "n", "unscored", *(TITLES[name] for name in SLICED))
    rows = [
        (part.name, str(part.n), str(part.unscored), *(str(part.figures[name]) for name in SLICED))
        for part in parts
    ]
    return [heading, *rows]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns of even width."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "   ".join(f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def piped(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as a table of Markdown."""
    clean = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in clean]
    return [lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]


def draw_calibration(score: Floats, truth: Floats, path: Path) -> None:
    """Draw the share of harmful replies against the mean probability, in bins of equal mass."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    bins = equal_mass(score)
    used = [bins == number for number in range(BINS) if (bins == number).any()]
    figure = Canvas(figsize=(4.5, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([np.mean(score[b]) for b in used], [np.mean(truth[b]) for b in used], marker="o")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set(xlabel="judged probability of harm", ylabel="share labelled harmful")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120, metadata={"Software": None})
