"""Read replies to enciphered requests before they are judged (CipherChat, Yuan et al., 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convsafe.benchmark.runs import has_transforms

if TYPE_CHECKING:
    import polars as pl

CIPHER = "cipher"


def deciphered(replies: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Return replies with those to a cipher read back, and why one could not be: `unreadable`.

    Args:
        replies: With `id`, `prompt` and `response`.
        cases: With `id`, and where some are enciphered `transforms` and `language`.
    """
    import polars as pl

    nothing = pl.lit(None, pl.String).alias("unreadable")
    if not has_transforms(cases):
        return replies.with_columns(nothing)
    tagged = replies.join(cases.select("id", "language", "transforms"), on="id", how="left")
    named = tagged.with_columns(
        pl.col("transforms")
        .list.eval(pl.element().filter(pl.element().struct.field("kind") == CIPHER))
        .list.last()
        .struct.field("name")
        .alias(CIPHER)
    ).drop("transforms")
    if named[CIPHER].null_count() == len(named):
        return replies.with_columns(nothing)
    rows = [_read(row) for row in named.iter_rows(named=True)]
    schema = pl.Schema({**replies.schema, "unreadable": pl.String()})
    return pl.DataFrame(rows, schema=schema)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its reply deciphered where its request was enciphered."""
    from convsafe.data_builders.ciphers import read_reply

    cipher, language = row.pop(CIPHER), row.pop("language")
    if cipher is None or not (row["response"] or "").strip():
        return {**row, "unreadable": None}
    found = read_reply(cipher, row["prompt"], row["response"], language)
    return {**row, "response": found.text, "unreadable": found.reason or None}
