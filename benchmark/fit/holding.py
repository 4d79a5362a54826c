"""Find the phrases of a place that replies hold, and what each counts in each reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judges._grams import PLACES, counts_for, words

if TYPE_CHECKING:
    import polars as pl


def phrases_of(found: pl.DataFrame, place: str, least: int) -> list[str]:
    """Return the phrases of a place that stand in at least so many rows, in order.

    Args:
        found: Columns `request` and `reply`, texts in normal form.
        place: One of PLACES.
        least: In how many rows.
    """
    counts = _vectorizer(place, min_df=least)
    counts.fit(words(found, place).list.join(" "))
    return list(counts.get_feature_names_out())


def holding(found: pl.DataFrame, place: str, phrases: Sequence[str]) -> Any:
    """Return what each of some phrases counts in each row, 0 where it does not stand: sparse."""
    from scipy import sparse

    vocabulary = {phrase: at for at, phrase in enumerate(phrases)}
    lists = words(found, place)
    held = _vectorizer(place, vocabulary=vocabulary).transform(lists.list.join(" "))
    counts = counts_for(lists.list.len().to_numpy(), PLACES[place].usual)
    return sparse.csr_matrix(sparse.diags(counts) @ held.astype(float))


def _vectorizer(place: str, **options: Any) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(
        ngram_range=(1, PLACES[place].longest),
        binary=True,
        tokenizer=str.split,
        token_pattern=None,
        lowercase=False,
        **options,
    )
