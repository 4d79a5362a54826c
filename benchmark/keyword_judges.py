"""Judges that look for a list of refusal strings, to measure others beside.

A list is a YAML file in `baselines/` with `name`, `source`, `license`, `match` (prefix or
anywhere), `case` (whether it counts), `phrases`, and `notes` where something about it is uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import sha256_of
from convsafe.taxonomy.tree import read_yaml

if TYPE_CHECKING:
    import polars as pl

BASELINES = Shelf("keyword baseline", Path(__file__).parent / "baselines", "benchmark/baselines")
MATCHES = ("prefix", "anywhere")
_KEYS = {"name", "source", "license", "match", "case", "phrases"}


@dataclass
class KeywordJudge:
    """A list of strings that make a reply a refusal; any other is compliance."""

    name: str
    title: str
    source: str
    license: str
    match: str
    case: bool
    phrases: tuple[str, ...]
    notes: str
    VERSION: str
    TELLS: frozenset[str] = frozenset({"stance"})
    made_with: dict[str, Any] = field(default_factory=dict)

    @property
    def SUMMARY(self) -> str:  # noqa: N802
        """What it does, in one sentence."""
        where = "starts with" if self.match == "prefix" else "holds"
        return f"A reply is a refusal if it {where} one of these {len(self.phrases)} strings."

    def judge(self, exchanges: pl.DataFrame) -> pl.DataFrame:
        """Judge each reply by the list; null where there is no reply."""
        import polars as pl

        found = pl.when(pl.col("response").is_not_null()).then(
            pl.when(self._refused()).then(pl.lit("refusal")).otherwise(pl.lit("compliance"))
        )
        return exchanges.select(stance=found)

    def _refused(self) -> pl.Expr:
        import polars as pl

        reply, phrases = pl.col("response"), list(self.phrases)
        if self.match == "anywhere":
            return reply.str.contains_any(phrases, ascii_case_insensitive=not self.case)
        reply = reply.str.strip_chars_start()
        if not self.case:
            reply, phrases = reply.str.to_lowercase(), [phrase.lower() for phrase in phrases]
        return pl.any_horizontal([reply.str.starts_with(phrase) for phrase in phrases])


def load_baseline(name: str) -> KeywordJudge:
    """Return a list as a judge.

    Raises:
        UnknownName: If there is no such file, with the nearest names.
        BadInput: If the file is malformed.
    """
    path = BASELINES.path(name)
    data = _checked(path, read_yaml(path))
    return KeywordJudge(
        name=name,
        title=data["name"],
        source=data["source"],
        license=data["license"],
        match=data["match"],
        case=data["case"],
        phrases=tuple(data["phrases"]),
        notes=data.get("notes", ""),
        VERSION=sha256_of(path)[:12],
    )


def _checked(path: Path, data: Any) -> dict[str, Any]:
    """Return the file's values if it is a list of strings with all that belongs to it."""
    if not isinstance(data, dict) or not _KEYS <= set(data) <= _KEYS | {"notes"}:
        raise BadInput(f"a baseline has {', '.join(sorted(_KEYS))} and may have notes", file=path)
    if data["match"] not in MATCHES or not isinstance(data["case"], bool):
        raise BadInput("`match` is prefix or anywhere, `case` true or false", file=path)
    phrases = data["phrases"]
    whole = isinstance(phrases, list) and all(isinstance(p, str) and p.strip() for p in phrases)
    if not whole or not phrases:
        raise BadInput("`phrases` is a list of texts, none empty", file=path)
    return data
