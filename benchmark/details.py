"""What generations tell beside their words: time, tokens, reasoning, and the trace of each."""

from __future__ import annotations

import json
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

    tokens = pl.Struct({"prompt_tokens": pl.Int64, "completion_tokens": pl.Int64})
    schema: dict[str, Any] = {
        "id": pl.String,
        "sample": pl.Int64,
        "outcome": pl.String,
        "finish_reason": pl.String,
        "seconds": pl.Float64,
        "usage": tokens,
        "reasoning": pl.String,
        "trace": pl.String,
    }
    if not path.exists() or not path.stat().st_size:
        found = pl.DataFrame(schema=schema)
    else:
        try:
            found = pl.scan_ndjson(path, schema=schema).collect(engine="streaming")
        except pl.exceptions.PolarsError:
            # Some texts, as lone surrogates, only Python's own reader takes.
            found = pl.DataFrame([_row(row) for _, row in read_jsonl(path)], schema=schema)
    return found.with_columns(
        pl.col("sample").fill_null(0), pl.col("outcome").fill_null("answered")
    ).unnest("usage")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    texts = ("id", "outcome", "finish_reason", "reasoning")
    found = {name: row[name] if isinstance(row.get(name), str) else None for name in texts}
    usage = row.get("usage") or {}
    tokens = {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}
    trace = json.dumps(row["trace"]) if row.get("trace") else None
    seconds = row.get("seconds")
    rest = {"sample": row.get("sample", 0), "seconds": seconds, "usage": tokens, "trace": trace}
    return {name: _clean(text) for name, text in found.items()} | rest


def _clean(text: str | None) -> str | None:
    """Return a text that can be written as UTF-8."""
    return text and text.encode("utf-8", "replace").decode()


def trace_of(text: str | None) -> list[dict[str, Any]]:
    """Return a trace's entries in order; what is no entry is left out."""
    entries = json.loads(text) if text else None
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("kind")]
