"""The words of prompts, weighed by how rare they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import polars as pl
    from convsafe.leaderboard.spans import Places


class Weighed(NamedTuple):
    """Distinct prompts in order of their clusters, and what each word is worth in each.

    Args:
        words: Every word of a prompt with its number.
        shares: Sparse, (prompts, words): the word's share of the weight of the prompt's words.
        clusters: The cluster of each prompt.
    """

    words: pl.DataFrame
    shares: Any
    clusters: Places

    def held(self, texts: pl.Series) -> Any:
        """Return which of the words texts hold: sparse, (texts, words), ones."""
        split = _split(texts).join(self.words, on="word").select("place", "number").unique()
        return _sparse(split, [1.0] * len(split), (len(texts), len(self.words)))


def weigh(texts: pl.Series, clusters: pl.Series) -> Weighed:
    """Return the words of prompts with the logarithm of how few clusters have them as weight.

    Args:
        texts: Prompts as `plain` returns them.
        clusters: The number of each one's cluster.
    """
    import polars as pl

    table = pl.DataFrame({"text": texts, "cluster": clusters}).unique().sort("cluster", "text")
    held = _split(table["text"]).unique()
    held = held.with_columns(cluster=table["cluster"].gather(held["place"]))
    words = (
        held.group_by("word")
        .agg(weight=(table["cluster"].n_unique() / pl.col("cluster").n_unique()).log())
        .sort("word")
        .with_row_index("number")
    )
    found = held.join(words, on="word").sort("place", "number")
    shares = found.select(pl.col("weight") / pl.col("weight").sum().over("place")).to_series()
    matrix = _sparse(found, shares.fill_nan(0.0), (len(table), len(words)))
    return Weighed(words.select("word", "number"), matrix, table["cluster"].to_numpy())


def _split(texts: pl.Series) -> pl.DataFrame:
    """Return each text's words with the text's place."""
    import polars as pl

    return pl.DataFrame({"word": texts.str.split(" ")}).with_row_index("place").explode("word")


def _sparse(places: pl.DataFrame, values: Any, shape: tuple[int, int]) -> Any:
    from scipy import sparse

    at = (places["place"].to_numpy(), places["number"].to_numpy())
    return sparse.csr_matrix((values, at), shape=shape)
