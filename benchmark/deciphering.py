"""Read replies to enciphered requests before they are judged (CipherChat, Yuan et al., 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.benchmark.runs import has_transforms

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    coded = cases.select("id", "language", cipher=_cipher()).drop_nulls(CIPHER)
    rows = replies.with_row_index("row")
    asked = rows.join(coded, on="id", how="inner").drop_nulls("response")
    if asked.is_empty():
        return replies.with_columns(nothing)
    schema = pl.Schema({"row": rows.schema["row"], "text": pl.String(), "unreadable": pl.String()})
    found = pl.DataFrame(list(_read(asked)), schema=schema, orient="row")
    return (
        rows.join(found, on="row", how="left", maintain_order="left")
        .with_columns(response=pl.coalesce("text", "response"))
        .select(*replies.columns, "unreadable")
    )


def _cipher() -> pl.Expr:
    """Return the name of the last cipher that a case was put through, null for none."""
    import polars as pl

    tag = pl.element().struct
    ciphers = pl.col("transforms").list.eval(pl.element().filter(tag.field("kind") == CIPHER))
    return ciphers.list.last().struct.field("name")


def _read(asked: pl.DataFrame) -> Iterator[tuple[int, str, str | None]]:
    """Yield row, text and why it cannot be read, for each reply that is not blank."""
    from convsafe.data_builders.ciphers import cipher, read_with

    # A cipher is looked up once a table: that looks into its folder.
    decoders = {name: cipher(name).decode for name in asked[CIPHER].unique()}
    columns = asked.select("row", CIPHER, "prompt", "response", "language")
    for row, name, prompt, response, language in columns.iter_rows():
        if response.strip():
            found = read_with(decoders[name], prompt, response, language)
            yield row, found.text, found.reason or None
