"""The page of the coverage simulation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Cell = Mapping[str, Any]
# What must hold: at least this coverage in every cell with so many labels and expected positives.
LEAST, FEWEST_LABELS, FEWEST_POSITIVES = 0.93, 100, 20


def in_contract(cell: Cell) -> bool:
    """Tell whether a cell has enough labels and expected positives among them."""
    labels: int = cell["labels"]
    # Rounded, for a product of floats may fall just short.
    return labels >= FEWEST_LABELS and round(labels * cell["rate"], 6) >= FEWEST_POSITIVES


def as_json(found: Mapping[str, Any]) -> str:
    """Return the tables as JSON: the names of the columns once, and one line a row."""
    parts = (
        f"{json.dumps(name)}: {_rows(value) if isinstance(value, list) else json.dumps(value)}"
        for name, value in found.items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _rows(cells: Sequence[Cell]) -> str:
    lines = ",\n".join(json.dumps(list(cell.values())) for cell in cells)
    return f'{{"columns": {json.dumps(list(cells[0]))}, "rows": [\n{lines}\n]}}'


def page(found: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Coverage of corrected intervals",
        "",
        f"Written by `python -m convsafe.benchmark.perf.coverage --repetitions"
        f" {found['repetitions']}` on {found['date']} ({found['system']}, {found['cores']} cores,"
        f" Python {found['python']}, {found['seconds']} s): {found['repetitions']:,} repetitions a"
        " cell, nominal 95 %. Its docstring says what is simulated; `coverage.json` has all cells.",
        *_labels(found["labels"]),
        *_card(found["card"]),
        *_bounds(found["bounds"]),
    ]
    return "\n".join(lines) + "\n"


def _labels(cells: Sequence[Cell]) -> list[str]:
    kept = [cell for cell in cells if in_contract(cell)]
    worst, rest = min(map(_coverage, kept)), min(map(_coverage, cells))
    held = "holds" if worst >= LEAST else "does not hold"
    return [
        "",
        "## From labels of the run",
        "",
        f"At least {LEAST:.0%} in every cell with {FEWEST_LABELS} labels or more and"
        f" {FEWEST_POSITIVES} expected positives or more among them **{held}**: the lowest of"
        f" {len(kept)} cells is {worst:.1%}. The lowest of all {len(cells)} cells is {rest:.1%}.",
        "",
        "Lowest coverage over three judges, two numbers of cases and two draws; in brackets the"
        " mean share of intervals that are from the labels alone:",
        "",
        *_grid(cells, lambda some: f"{_lowest(some, 'coverage')} ({_average(some, 'alone', 0)})"),
        "",
        "The same of the normal interval of PPI++:",
        "",
        *_grid(cells, lambda some: _lowest(some, "normal")),
        "",
        "Mean width at 10,000 cases with equal chances, from the labels alone and corrected with a"
        " good, a middling and a weak judge:",
        "",
        *_grid(_where(cells, cases=10_000, draw="equal"), _widths),
    ]


def _grid(cells: Iterable[Cell], text: Callable[[list[Cell]], str]) -> list[str]:
    """Return a table of labels by rates."""
    cells = list(cells)
    rates = sorted({cell["rate"] for cell in cells})
    rows = [
        (f"{labels} labels", *(text(_where(cells, labels=labels, rate=rate)) for rate in rates))
        for labels in sorted({cell["labels"] for cell in cells})
    ]
    return _table(["rate", *map(str, rates)], rows)


def _widths(cells: list[Cell]) -> str:
    alone = sum(cell["labels_alone_width"] for cell in cells) / len(cells)
    return " / ".join(f"{width:.3f}" for width in (alone, *(cell["width"] for cell in cells)))


def _card(cells: Sequence[Cell]) -> list[str]:
    columns = {
        "judge": "judge",
        "cases": "cases",
        "rate": "rate",
        "refused": "refused",
        "coverage": "corrected_assumed",
        "width": "width",
        "uncorrected": "uncorrected",
        "uncorrected_width": "width",
        "plug_in": "plug-in",
        "plug_in_width": "width",
        "plug_in_zero": "plug-in [0, 0]",
    }
    used = [cell for cell in cells if cell["coverage"] is not None]
    often = [cell for cell in used if cell["refused"] < 0.5]
    return [
        "",
        "## From the judge card",
        "",
        "`corrected_assumed` beside the judged rate as it is, and beside sensitivity and"
        " specificity plugged in as if they were certain. Coverage is of the intervals given; the"
        f" rest is refused in words. The lowest is {min(map(_coverage, often)):.1%} where fewer"
        f" than half are refused, and {min(map(_coverage, used)):.1%} anywhere: the cards of a weak"
        " judge that are let through are those that make it look strong. Of all runs of a cell, at"
        f" most {max(map(_misled, used)):.1%} get an interval without the truth.",
        "",
        *_table(
            list(columns.values()),
            [tuple(_shown(name, cell[name]) for name in columns) for cell in cells],
        ),
    ]


def _bounds(cells: Sequence[Cell]) -> list[str]:
    return [
        "",
        "## False passes of the upper bound",
        "",
        "How often a model whose mean is just epsilon passes; it must not be more often than delta."
        " Clusters are of four cases. Student's t passes too often where harm is rare: it is no"
        " guarantee there. `0/1` and `grades` (five steps) are from people, the rest is"
        " `judged_upper_bound`, which certifies nothing: a judge that overlooks harm passes models"
        " at any delta.",
        "",
        *_table(
            [name.replace("_", " ") for name in cells[0]],
            [tuple(_shown(name, value) for name, value in cell.items()) for cell in cells],
        ),
    ]


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str | int) or name in ("rate", "epsilon", "delta"):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:.3f}" if name.endswith("width") else f"{value:.1%}"


def _coverage(cell: Cell) -> float:
    found: float = cell["coverage"]
    return found


def _misled(cell: Cell) -> float:
    """Return the share of all runs that get an interval, and one without the truth."""
    found: float = (1 - cell["refused"]) * (1 - cell["coverage"])
    return found


def _lowest(cells: Sequence[Cell], name: str) -> str:
    return f"{min(cell[name] for cell in cells):.1%}"


def _average(cells: Sequence[Cell], name: str, places: int) -> str:
    return f"{sum(cell[name] for cell in cells) / len(cells):.{places}%}"


def _where(cells: Iterable[Cell], **wanted: Any) -> list[Cell]:
    return [cell for cell in cells if all(cell[name] == value for name, value in wanted.items())]


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in (heading, *rows)]
    return [lines[0], "| --- " + "| ---: " * (len(heading) - 1) + "|", *lines[1:]]
