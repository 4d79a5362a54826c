"""Replies that stand under other cases' ids.

A reply shares words with what it answers. Each reply is held against the prompts of all clusters:
the words it shares, weighed by how rare they are (tf-idf; Spärck Jones 1972, "A statistical
interpretation of term specificity"). Told is how often another cluster's prompt is matched well
and the reply's own is not: chance matches are rare, so that a share of the replies is enough to
see. Languages without spaces, refusals and constant replies match nothing and do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.leaderboard.evidence import Evidence, Limit
from convsafe.leaderboard.records import Finding

if TYPE_CHECKING:
    from convsafe.leaderboard.evidence import Floats
    from convsafe.leaderboard.spans import Places

ABOUT = "Replies stand under other cases' ids."
PAPER = "Spärck Jones (1972), A statistical interpretation of term specificity"
LIMIT = Limit(
    0.25,
    "share of well matched replies that match another case, not their own",
    "30 honest runs had 21 % at most, shuffled ones about 75 %",
)
# A good match shares so much of a prompt's weight of words; a bad one so much less of it.
_GOOD, _BAD = 0.25, 0.2
_LEAST = 3
# Letters of a reply that are read: what it is about shows early.
_READ = 400


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

    prompts = evidence.asked.weighed
    shared = (prompts.held(evidence.replies["text"].str.head(_READ)) @ prompts.shares.T).toarray()
    starts = np.flatnonzero(np.diff(prompts.clusters, prepend=-1))
    best = np.maximum.reduceat(shared, starts, axis=1)
    own = (np.arange(len(best)), evidence.replies["cluster"].to_numpy())
    mine = best[own].copy()
    best[own] = -1.0
    return mine, best.max(1), best.argmax(1)
