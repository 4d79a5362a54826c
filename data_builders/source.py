"""What a source is: its card, its checked files, and rows that know where they stand."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from convsafe.data_builders.places import find
from convsafe.taxonomy.catalogue import Catalogue
from convsafe.taxonomy.crosswalk import load_crosswalk
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Case, Message
from convsafe.taxonomy.tree import load_tree

SOURCES = Catalogue("source", "convsafe.data_builders.sources")


@dataclass(frozen=True)
class SourceFile:
    """One upstream file: its name here, its pinned sum, and where it is published.

    `convert` turns the published bytes into the file whose `sha256` is pinned, where the two
    differ; the sum is checked after conversion. A file that was never seen here has no sum (the
    manifest records the one it had), one that is published in no single file has no url.
    """

    path: str
    sha256: str | None
    url: str
    convert: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True)
class SourceCard:
    """Everything about an upstream set that a user must be able to cite and check.

    Args:
        name: The file's name here and the folder's name in a mirror.
        prefix: How its case ids begin.
        title: Its name in papers.
        home: Its public home.
        revision: The pinned upstream commit, 40 hex digits.
        license: SPDX id of the prompts' licence.
        redistributable: Whether the prompts may be published in a release.
        bibtex: Its entry, or None where upstream publishes none.
        templated: True where prompts are one template over many terms, so that near-duplicates
            inside it are different cases.
        verified: False where the builder was written against a published schema and never ran on
            the data. Such a source is read only when asked for, and counts in no total.
        gated: True where the home asks for accepted terms and a token.
        access: How a user gets the data, in one sentence; empty where anybody can.
    """

    name: str
    prefix: str
    title: str
    home: str
    revision: str
    license: str
    redistributable: bool
    files: tuple[SourceFile, ...]
    bibtex: str | None = None
    templated: bool = False
    notes: str = ""
    verified: bool = True
    gated: bool = False
    access: str = ""

    @property
    def variable(self) -> str:
        """The environment variable by which a user gives the path of an unverified source."""
        return f"CONVSAFE_{self.name.upper()}"


class SourceModule(Protocol):
    """The contract of `data_builders/sources/<name>.py`."""

    CARD: SourceCard

    def cases(self, reader: Reader) -> Iterator[Case]:
        """Yield the source's cases from its checked files."""
        ...


@dataclass
class Row:
    """One upstream record with the place it was read from.

    `keys` are the keys and places that lead to it inside a nested JSON file.
    """

    values: dict[str, Any]
    file: Path
    line: int
    keys: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int, tuple[str, ...]]:
        """What tells this row from every other of its source."""
        return self.file.name, self.line, self.keys

    def __getitem__(self, column: str) -> str:
        """Return a text column, stripped.

        Raises:
            BadInput: If the column is missing or holds a NUL, naming file and line.
        """
        value = self.values.get(column)
        if not isinstance(value, str):
            raise self.error(f"no text in column {column!r}")
        if "\0" in value:
            raise self.error(f"column {column!r} holds a NUL character")
        return value.strip()

    def text(self, column: str) -> str:
        """Return a text column that must not be empty."""
        value = self[column]
        if not value:
            raise self.error(f"column {column!r} is empty")
        return value

    def error(self, what: str) -> BadInput:
        """Return an error that names this row's place."""
        return BadInput(what, file=self.file, line=self.line)


class Dropped(NamedTuple):
    """An upstream row that is no case, where it stands and by which rule."""

    source: str
    file: str
    line: int
    place: str
    reason: str


@dataclass
class Reader:
    """A source's files, already checked against their sums.

    Every row it yields must become a case or be dropped with a reason; `read` counts the rows
    of each file, `dropped` holds those that are no case.
    """

    card: SourceCard
    paths: dict[str, Path] = field(default_factory=dict)
    read: Counter[str] = field(default_factory=Counter)
    dropped: list[Dropped] = field(default_factory=list)
    _open: dict[tuple[str, int, tuple[str, ...]], Row] = field(default_factory=dict)
    _matches: dict[str, str] = field(default_factory=dict)

    def csv(self, name: str, columns: Sequence[str], *, header: bool = True) -> Iterator[Row]:
        """Yield the rows of a CSV file that must have `columns`.

        Without a header, `columns` names what each line holds; further cells must be empty.
        """
        path = self.paths[name]
        text = io.StringIO(_decoded(path), newline="")
        table = csv.DictReader(text, None if header else columns)
        if missing := set(columns) - set(table.fieldnames or ()):
            raise BadInput(f"columns missing: {', '.join(sorted(missing))}", file=path)
        while (values := _next(table, path)) is not None:
            row = Row(values, path, table.line_num)
            if any(values.pop(None, ())):
                raise row.error("more cells than columns")
            yield self._opened(row)

    def jsonl(self, name: str) -> Iterator[Row]:
        """Yield the objects of a JSONL file."""
        path = self.paths[name]
        for number, line in enumerate(io.StringIO(_decoded(path), newline=None), 1):
            try:
                values = json.loads(line)
            except ValueError as error:
                raise BadInput(f"not JSON: {error}", file=path, line=number) from None
            if not isinstance(values, dict):
                raise BadInput("not a JSON object", file=path, line=number)
            yield self._opened(Row(values, path, number))

    def json(self, name: str, *steps: str) -> Iterator[Row]:
        """Yield what stands at `steps` of a JSON file; `*` is every key or place.

        A value that is no object becomes a row whose column `text` holds it.
        """
        path = self.paths[name]
        self.document(name)
        for keys, value, line in find(_decoded(path), steps):
            values = value if isinstance(value, dict) else {"text": value}
            yield self._opened(Row(values, path, line, keys))

    def document(self, name: str) -> Any:
        """Return a whole JSON file, for looking things up; nothing of it counts as a row."""
        path = self.paths[name]
        try:
            return json.loads(_decoded(path))
        except json.JSONDecodeError as error:
            raise BadInput(f"not JSON: {error.msg}", file=path, line=error.lineno) from None

    def drop(self, row: Row, reason: str) -> None:
        """Leave a row out by a rule that `reason` states; the build reports and counts it."""
        self._open.pop(row.place, None)
        place = "/".join(row.keys)
        self.dropped.append(Dropped(self.card.name, row.file.name, row.line, place, reason))

    def used(self, row: Row) -> None:
        """Say that a row went into cases that `case` did not make."""
        self._open.pop(row.place, None)

    def finish(self) -> None:
        """Raise `BadInput` if a row became neither a case nor a counted drop."""
        for row in self._open.values():
            raise row.error("this row became no case and was not dropped with a reason")

    def _opened(self, row: Row) -> Row:
        self.read[row.file.name] += 1
        self._open[row.place] = row
        return row

    def hazards(self, row: Row, native: str) -> tuple[str, ...]:
        """Return our hazards for a native category of this source.

        Raises:
            BadInput: If the category is not in the source's crosswalk, naming file and line.
        """
        try:
            crosswalk = load_crosswalk(self.card.name)
            self._matches.update(crosswalk.get(native).links)
            return crosswalk.hazards(native)
        except UnknownName as error:
            raise row.error(str(error)) from None

    def _tag_source(self, hazard: str) -> str:
        """Return where a hazard's tag is from: the relation it was last mapped by."""
        match = self._matches.get(hazard)
        return f"crosswalk:{match}" if match else "builder"

    def case(self, row: Row, source_id: str, prompt: str, **fields: Any) -> Case:
        """Return a base case of this source; `fields` are the Case's own.

        The id defaults to `prefix-source_id`, the messages to the prompt alone, severity to the
        primary hazard's (none where the expected answer is to comply).
        """
        self._open.pop(row.place, None)
        id = fields.pop("id", f"{self.card.prefix}-{source_id.lower()}")
        hazards = fields["hazards"]
        if hazards and fields.get("expected") != "comply":
            fields.setdefault("severity", default_severity(hazards[0]))
        defaults = {
            "base_id": id,
            "cluster_id": id,
            "language": "en",
            "messages": (Message("user", prompt),),
            "hazard_sources": tuple(self._tag_source(hazard) for hazard in hazards),
        }
        try:
            case = Case(
                **defaults | fields,
                id=id,
                prompt=prompt,
                source=self.card.name,
                source_id=source_id,
                license=self.card.license,
            )
            case.check()
        except BadInput as error:
            raise row.error(str(error)) from None
        return case


def _decoded(path: Path) -> str:
    """Return a UTF-8 file's text, line ends as they are."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8", file=path, line=line) from None


def _next(table: csv.DictReader[str], path: Path) -> dict[Any, Any] | None:
    """Return the next row, or None at the end."""
    try:
        return next(table, None)
    except csv.Error as error:
        # Python 3.10 refuses a NUL here, later versions let the row say so.
        raise BadInput(f"not CSV: {error}", file=path, line=table.line_num + 1) from None


def default_severity(hazard: str) -> str | None:
    """Return the severity of a leaf, or None for an area."""
    return getattr(load_tree().get(hazard), "severity", None)


def verified_names() -> list[str]:
    """Return the names of the sources whose builders ran on their data."""
    return [name for name in SOURCES.names() if load_source(name).CARD.verified]


def load_source(name: str) -> SourceModule:
    """Import one source's builder by name."""
    module: Any = SOURCES.load(name)
    found: SourceModule = module
    return found


def core_card() -> SourceCard:
    """Return the card of our own prompts, which need no file from outside."""
    return SourceCard(
        name="core",
        prefix="core",
        title="convsafe-bench core prompts",
        home="data_builders/prompts",
        revision="",
        license="CC-BY-4.0",
        redistributable=True,
        files=(),
    )
