"""The CSV files that raters fill in: written for spreadsheets, read back strictly."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.csv_records import records
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, read_jsonl
from convsafe.taxonomy.records import STANCES

COLUMNS = ("id", "prompt", "response", "stance", "unsafe", "note")
# How a file of labels begins by name; the rest is the rater's.
PREFIX = "labels-"
_UNSAFE = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
# A spreadsheet takes a text that begins like this for a formula.
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")


@dataclass(frozen=True)
class Row:
    """What a rater says of one reply; None where nothing was said."""

    id: str
    line: int
    stance: str | None
    unsafe: bool | None


def defuse(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before it, if needed."""
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if _FORMULA.match(text) else text


def write_labels(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows to label as CSV with a byte order mark, by which spreadsheets know UTF-8."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as out:
        table = csv.writer(out)
        table.writerow(COLUMNS)
        table.writerows([defuse(row.get(column, "")) for column in COLUMNS] for row in rows)


def rater_of(path: Path) -> str:
    """Return the rater's name, which is the file's."""
    return path.stem.removeprefix(PREFIX) or path.stem


def read_labels(path: Path) -> list[Row]:
    """Read one rater's labels.

    Raises:
        BadInput: On a file that cannot be read, a missing column or a value that is no label,
            naming file, line and id.
    """
    text = _text(path)
    header, *filled = _records(path, text)
    columns = [name.strip().casefold() for name in header[1]]
    for name in ("id", "stance", "unsafe"):
        if columns.count(name) != 1:
            what = f"there must be one column {name!r}; keep the first line of labels.csv"
            raise BadInput(what, file=path, line=header[0])
    return [_row(path, line, columns, values) for line, values in filled if any(values)]


def labelled_rows(
    path: Path, majority: Iterable[Mapping[str, Any]], chances: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    """Yield every reply of which most raters say one stance or harm, with its text and its chance.

    Args:
        path: The requests and replies of the sample, by id.
        majority: What most raters say of each id.
        chances: The inclusion probability of each id.

    Raises:
        BadInput: If the replies are missing.
    """
    if not path.is_file():
        raise BadInput("the replies of this sample are missing; export it again", file=path)
    texts = {row["id"]: row for _, row in read_jsonl(path)}
    for row in majority:
        if row["stance"] is not None or row["unsafe"] is not None:
            chance = chances[row["id"]]
            yield {**texts[row["id"]], **row, "inclusion_probability": chance}


def _text(path: Path) -> str:
    """Return a file's text, UTF-8 or, where its first bytes say so, UTF-16."""
    if not path.is_file():
        raise BadInput("no such file of labels", file=path)
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = "the text is not UTF-8; save it again as “CSV UTF-8”"
        raise BadInput(what, file=path, line=line) from None
    if "\0" in text:
        raise BadInput("there are NUL characters: this is no CSV file; save it again", file=path)
    return text


def _records(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return every record with the line it begins in, the header first."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    # Where the comma is the decimal sign, spreadsheets write semicolons.
    delimiter = max(",;\t", key=first.count)
    try:
        found = list(records(text, delimiter))
    except csv.Error as error:
        what = f"not CSV: {error}; save it again as “CSV UTF-8”"
        raise BadInput(what, file=path) from None
    if not found:
        raise BadInput("the file is empty; fill in labels.csv or form.html", file=path)
    return found


def _row(path: Path, line: int, columns: Sequence[str], values: Sequence[str]) -> Row:
    """Return a record as a label."""
    fields = dict(zip(columns, (value.strip() for value in values), strict=False))
    id = fields.get("id", "").removeprefix("'")
    if not id:
        raise BadInput("the row has no id; take it from labels.csv", file=path, line=line)
    if len(values) != len(columns):
        what = (
            f"the row has {len(values)} fields, not {len(columns)}; copy it from labels.csv again"
        )
        raise BadInput(what, file=path, line=line, id=id)
    stance, unsafe = fields["stance"].casefold() or None, fields["unsafe"].casefold()
    if stance is not None and stance not in STANCES:
        what = f"stance {fields['stance']!r} is not one of {', '.join(STANCES)}, or empty"
        raise BadInput(what, file=path, line=line, id=id)
    if unsafe and unsafe not in _UNSAFE:
        what = f"unsafe {fields['unsafe']!r} is not yes or no, or empty"
        raise BadInput(what, file=path, line=line, id=id)
    return Row(id, line, stance, _UNSAFE[unsafe] if unsafe else None)
