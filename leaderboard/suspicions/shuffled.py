"""Replies that stand under other cases' ids.

A reply shares words with what it answers. Each reply is held against the prompts of all clusters:
the words it shares, weighed by how rare they are (tf-idf; Spärck Jones 1972, "A statistical
interpretation of term specificity"). Told is how often another cluster's prompt is matched well
and the reply's own is not: chance matches are rare, so that a share of the replies is enough to
see. Languages without spaces, refusals and constant replies match nothing and do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convsafe.leaderboard.evidence import Asked, Evidence, Limit
from convsafe.leaderboard.records import Finding

if TYPE_CHECKING:
    import polars as pl
    from convsafe.leaderboard.evidence import Floats
    from convsafe.leaderboard.spans import Places

ABOUT = "Replies stand under other cases' ids."
PAPER = "Spärck Jones (1972), A statistical interpretation of term specificity"
LIMIT = Limit(0.2, "share of well matched replies that match another case, not their own", "")
# A good match shares so much of a prompt's weight of words; a bad one so much less of it.
_GOOD, _BAD = 0.35, 0.4
_LEAST = 4


def look(evidence: Evidence) -> Finding | None:
    """Flag replies that answer other cases' prompts."""
    own, best, others = matches(evidence)
    good = own.clip(min=best) >= _GOOD
    astray = good & (own < _BAD * best)
    share = astray.sum() / max(good.sum(), 1)
    if astray.sum() < _LEAST or share < LIMIT.value:
        return None
    first = int(astray.argmax())
    text = (
        f"{astray.sum()} of {good.sum()} replies that share many words with a prompt share them"
        f" with another case's and not with their own ({share:.0%}; flagged from"
        f" {LIMIT.value:.0%}). The first says {evidence.quote(first)} where"
        f" {evidence.prompt_of(int(others[first]))} fits better"
    )
    return evidence.flag("shuffled", text, astray)


def matches(evidence: Evidence) -> tuple[Floats, Floats, Places]:
    """Return how well each reply matches its own cluster, the best other one, and which that is.

    A match is the share of a prompt's weight of words that the reply holds, in [0, 1].
    """
    import numpy as np

    weights, prompts, clusters = _prompts(evidence.asked)
    shared = (_words(evidence.replies["text"], weights) @ prompts.T).toarray()
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    best = np.maximum.reduceat(shared[:, order], starts, axis=1)
    own = (np.arange(len(best)), evidence.replies["cluster"].to_numpy())
    mine = best[own].copy()
    best[own] = -1.0
    return mine, best.max(1), best.argmax(1)


def _prompts(asked: Asked) -> tuple[pl.DataFrame, Any, Any]:
    """Return each word's number and weight, the words of distinct prompts, and their clusters."""
    import numpy as np
    import polars as pl
    from convsafe.leaderboard.spans import plain
    from scipy import sparse

    table = asked.table.with_columns(text=plain(asked.table["prompt"]))
    table = table.unique(["text", "cluster"], maintain_order=True).with_row_index("prompt_number")
    held = (
        table.select("prompt_number", "cluster", word=pl.col("text").str.split(" "))
        .explode("word")
        .unique(["prompt_number", "word"], maintain_order=True)
    )
    weights = (
        held.group_by("word", maintain_order=True)
        .agg(weight=(asked.clusters / pl.col("cluster").n_unique()).log())
        .with_row_index("number")
    )
    held = held.join(weights, on="word", maintain_order="left").with_columns(
        share=pl.col("weight") / pl.col("weight").sum().over("prompt_number")
    )
    places = (held["prompt_number"].to_numpy(), held["number"].to_numpy())
    matrix = sparse.csr_matrix((held["share"].to_numpy(), places), shape=(len(table), len(weights)))
    return weights, matrix, np.asarray(table["cluster"])


def _words(texts: pl.Series, weights: pl.DataFrame) -> Any:
    """Return which of the words each text holds."""
    import numpy as np
    import polars as pl
    from scipy import sparse

    held = (
        pl.DataFrame({"text": texts})
        .with_row_index("place")
        .select("place", word=pl.col("text").str.split(" "))
        .explode("word")
        .unique()
        .join(weights, on="word")
    )
    places = (held["place"].to_numpy(), held["number"].to_numpy())
    ones = np.ones(len(held))
    return sparse.csr_matrix((ones, places), shape=(len(texts), len(weights)))
