"""What generations tell beside their words: time, tokens, reasoning, and the trace of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.files import read_jsonl

if TYPE_CHECKING:
    import polars as pl


def read_details(path: Path) -> pl.DataFrame:
    """Return what a file of generations tells beside their words, one row each.

    Returns:
        id, sample, outcome, finish_reason, seconds, prompt_tokens, completion_tokens, reasoning,
        and trace as a JSON text; what a generation does not tell is null. A file that is not there
        holds none.
    """
    import polars as pl

    schema: dict[str, Any] = {
        "id": pl.String,
        "sample": pl.Int64,
        "outcome": pl.String,
        "finish_reason": pl.String,
        "seconds": pl.Float64,
        "prompt_tokens": pl.Int64,
        "completion_tokens": pl.Int64,
        "reasoning": pl.String,
        "trace": pl.String,
    }
    # By Python's reader: polars makes no right JSON of an object whose keys hold quotes.
    rows = [_row(row) for _, row in read_jsonl(path)] if path.exists() else []
    return pl.DataFrame(rows, schema=schema, orient="row")


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    usage, trace = row.get("usage") or {}, row.get("trace")
    return (
        _clean(row.get("id")),
        row.get("sample", 0),
        _clean(row.get("outcome", "answered")),
        _clean(row.get("finish_reason")),
        row.get("seconds"),
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        _clean(row.get("reasoning")),
        _clean(json.dumps(trace, ensure_ascii=False)) if trace else None,
    )


def _clean(text: Any) -> str | None:
    """Return a text that can be written as UTF-8; lone surrogates cannot."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None


def trace_of(text: str | None) -> list[dict[str, Any]]:
    """Return a trace's entries in order; what is no entry is left out."""
    entries = json.loads(text) if text else None
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("kind")]


def turn_of(entry: Mapping[str, Any]) -> int:
    """Return the turn that an entry belongs to; 0 where it says none."""
    turn = entry.get("turn")
    return turn if isinstance(turn, int) else 0
