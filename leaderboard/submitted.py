"""What the generations of a submission look like, as Parquet and as JSONL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("id", "response")


def submitted_schema() -> pa.Schema:
    """Return the columns of a submission's generations; all but `id` and `response` may be left out.

    What a model wrote for itself, and what stood around it, is no part of a submission.
    """
    import pyarrow as pa

    text, count = pa.string(), pa.int64()
    turn = pa.struct([("role", text), ("content", text)])
    usage = pa.struct([("prompt_tokens", count), ("completion_tokens", count)])
    return pa.schema(
        {
            "id": text,
            "sample": count,
            "outcome": text,
            "response": text,
            "messages": pa.list_(turn),
            "model": text,
            "finish_reason": text,
            "usage": usage,
            "seconds": pa.float64(),
        }
    )
