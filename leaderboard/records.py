"""The words of the board: a submission's manifest, what verifying finds, and a result.

A submission is a folder of two files: `manifest.json` and `generations.parquet` (or
`generations.jsonl`), whose rows are `Generation` records. A result is one JSON file for a
submission and a judge; it is never edited: a newer one names the one it supersedes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from convsafe.taxonomy.errors import BadInput

SCHEMA = 1
MANIFEST, GENERATIONS = "manifest.json", "generations.parquet"
NAME_LENGTH = 80
Level = Literal["error", "warning", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Who submits what: everything in it is the submitter's claim.

    `release` holds `version`, `content_sha256`, `config` and `split`; `params` the decoding
    settings; `settings`, `guards` and `dialogue` how the model was run; the sums are of the ids
    in order, and of the file of generations. `convsafe` is the version that packed it, or None.
    """

    schema: int = SCHEMA
    name: str
    contact: str
    license: str
    statement: str = ""
    url: str = ""
    model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    guards: Mapping[str, str] = field(default_factory=dict)
    dialogue: str = "single"
    release: Mapping[str, Any]
    cases: int
    ids_sha256: str
    generations_sha256: str
    convsafe: str | None = None
    created: str

    def to_row(self) -> dict[str, Any]:
        """Return the manifest as one JSON object."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: dict(v) if isinstance(v, Mapping) else v for name, v in row.items()}

    @classmethod
    def from_row(cls, row: Any) -> Manifest:
        """Return the manifest a JSON value stands for.

        Raises:
            BadInput: If a field is missing, unknown, or not of its kind.
        """
        if not isinstance(row, dict):
            raise BadInput("a manifest is a JSON object")
        known = {one.name: str(one.type) for one in fields(cls)}
        if unknown := sorted(set(row) - set(known)):
            raise BadInput(f"a manifest has no {', '.join(map(repr, unknown[:5]))}")
        for name, value in row.items():
            if not _KINDS[known[name].split("[")[0]](value):
                raise BadInput(f"`{name}` of the manifest is not of its kind: {known[name]}")
        try:
            return cls(**row)
        except TypeError as error:
            raise BadInput(f"not a manifest: {str(error).partition('() ')[2]}") from None

    @property
    def slug(self) -> str:
        """The name as part of file names and links: `[a-z0-9-]`."""
        return slug(self.name)


_KINDS: Mapping[str, Any] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "str | None": lambda value: value is None or isinstance(value, str),
    "Mapping": lambda value: isinstance(value, dict),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that verifying found.

    An `error` keeps a submission off the board, a `warning` does not; a `flag` is evidence for a
    maintainer to look at and rejects nothing by itself. `code` is one word that never changes;
    `ids` are the first of `count` cases it is about.
    """

    level: Level
    code: str
    text: str
    file: str = ""
    line: int | None = None
    count: int = 0
    ids: tuple[str, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """Return the finding as one JSON object."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return row | {"ids": list(self.ids)}


def slug(name: str) -> str:
    """Return a name as part of file names and links; two names that look alike get the same."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:NAME_LENGTH] or "model"
