"""What the generations of a submission look like, as Parquet and as JSONL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.board import Board
from convsafe.taxonomy.records import Generation

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("id", "response")
# JSONL may be the file of a run as it is; Parquet has the columns of `submitted_schema` alone.
KNOWN = tuple(Generation.__dataclass_fields__)
_SPARE = 1000


def frame_schema() -> dict[str, Any]:
    """Return the columns of generations that were read, and their types.

    All but `id` and `response` may be left out of a submission. What a model wrote for itself, and
    what stood around it, is no part of one.
    """
    import polars as pl

    turn = pl.Struct({"role": pl.String, "content": pl.String})
    return {
        "id": pl.String,
        "sample": pl.Int64,
        "outcome": pl.String,
        "response": pl.String,
        "messages": pl.List(turn),
        "model": pl.String,
        "finish_reason": pl.String,
        "usage": pl.Struct({"prompt_tokens": pl.Int64, "completion_tokens": pl.Int64}),
        "seconds": pl.Float64,
    }


def submitted_schema() -> pa.Schema:
    """Return the same columns as a Parquet file has them."""
    import pyarrow as pa

    text, count = pa.string(), pa.int64()
    turn = pa.struct([("role", text), ("content", text)])
    usage = pa.struct([("prompt_tokens", count), ("completion_tokens", count)])
    special = {
        "sample": count,
        "messages": pa.list_(turn),
        "usage": usage,
        "seconds": pa.float64(),
    }
    return pa.schema([(name, special.get(name, text)) for name in frame_schema()])


def most_rows(board: Board) -> int:
    """Return how many rows of a submission are read, so that extra ids can be named."""
    return 2 * len(board.ids) * board.samples + _SPARE
