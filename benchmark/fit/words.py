"""Fit the models over words: what people called toxic, and what asks for harm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.fit.logistic import DIGITS, balanced, logistic
from convsafe.benchmark.fit.rows import kept
from convsafe.benchmark.judges._phrases import normal
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# How much each set counts; texts are judged alone, so their requests do not matter.
SETS = {"openai_moderation_1680": 1.0, "cold_test": 0.1}
REACH, LEAST, MOST, STRENGTH = 600, 5, 6000, 0.2
# Of requests: in how many a phrase must stand, and the penalty's inverse.
REQUEST = (3, 0.3)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")


def toxicity_rows(labels: Path) -> pl.DataFrame:
    """Return source, cluster, language, text in normal form, toxic (0 or 1), and kept.

    Raises:
        BadInput: If none of the sets is in the file.
    """
    import polars as pl

    columns = ["source", "cluster", "language", "response", "unsafe"]
    rows = pl.read_parquet(labels, columns=columns).filter(
        pl.col("source").is_in(list(SETS)), pl.col("unsafe").is_not_null()
    )
    if rows.is_empty():
        raise BadInput(f"none of {', '.join(SETS)} is here", file=labels)
    return rows.select(
        "source",
        "cluster",
        "language",
        text=normal(pl.col("response")),
        toxic=pl.col("unsafe").cast(pl.Int8),
        kept=kept(),
    )


def fit_toxicity(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the weights of phrases, the constant, and how far a text is read.

    Args:
        rows: What `toxicity_rows` returns, or some of it; what is kept is not fitted on.
    """
    rows = rows.filter(~rows["kept"])
    truth = rows["toxic"].to_numpy().astype(float)
    weights = balanced(rows["source"].to_list(), truth, SETS)
    return _phrase_model(rows["text"].to_list(), truth, weights, LEAST, STRENGTH)


def fit_request(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the same of requests: which words and phrases ask for what would do harm.

    Args:
        rows: Columns prompt, kept, and `harmful`, true, false or null where nobody said. Each
            request counts once.
    """
    import numpy as np
    import polars as pl

    told = rows.filter(pl.col("harmful").is_not_null() & ~pl.col("kept"))
    asked = told.unique("prompt", maintain_order=True).select(
        "harmful", text=normal(pl.col("prompt"))
    )
    truth = asked["harmful"].to_numpy().astype(float)
    return _phrase_model(asked["text"].to_list(), truth, np.ones(len(truth)), *REQUEST)


def _phrase_model(
    texts: Sequence[str], truth: Floats, weights: Floats, least: int, strength: float
) -> dict[str, Any]:
    """Fit on words and phrases that at least some texts hold, and keep the weightiest."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(analyzer=_phrases, min_df=least, binary=True)
    features = counts.fit_transform(texts)
    found, constant = logistic(features, truth, weights, np.zeros(len(truth)), strength)
    names: Sequence[str] = counts.get_feature_names_out()
    # The weightiest are kept; equal ones in the order of their letters.
    order = sorted(range(len(names)), key=lambda at: (-abs(found[at]), names[at]))[:MOST]
    table = {names[at]: round(float(found[at]), DIGITS) for at in order}
    return {
        "constant": round(constant, DIGITS),
        "reach": REACH,
        "weights": {name: table[name] for name in sorted(table) if table[name]},
    }


def _phrases(text: str) -> Iterator[str]:
    """Yield every word and pair of words, between spaces, and up to three Chinese characters."""
    opening = text[:REACH]
    words = _HAN.sub(" ", opening).split()
    yield from (f" {word} " for word in words)
    yield from (f" {first} {second} " for first, second in pairwise(words))
    for run in _HAN.findall(opening):
        yield from (run[at : at + n] for n in (1, 2, 3) for at in range(len(run) - n + 1))
