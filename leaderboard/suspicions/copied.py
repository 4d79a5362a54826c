"""Replies copied from another submission.

Told is how many passages of this submission's replies, its habits and the requests' own words
left out, stand in the other's reply to the same case (containment, Broder 1997). Two samples of one
small model at a temperature of 0.7 share next to none. Submissions that name the same model are
not compared: at temperature 0 they say the same. The same weights under two names look like a copy.
"""

from __future__ import annotations

from convsafe.leaderboard.evidence import Evidence, Limit
from convsafe.leaderboard.records import Finding
from convsafe.leaderboard.spans import among

ABOUT = "Replies are those of another submission, which names another model."
PAPER = "Broder (1997), On the resemblance and containment of documents"
LIMIT = Limit(
    0.15,
    "share of passages that are in the other's replies to the same cases",
    "pairs of 11 honest runs had 4 % at most, 19 % where both decode greedily",
)
# With fewer passages nothing is said.
_LEAST = 30


def look(evidence: Evidence) -> Finding | None:
    """Flag the submission that shares most passages, if it names another model."""
    import numpy as np

    marks = evidence.marks
    if len(marks.hashes) < _LEAST:
        return None
    shared = evidence.others.shared(evidence)
    name = max(shared, key=lambda name: shared[name], default="")
    if not name or shared[name] < LIMIT.value:
        return None
    same = marks.texts[among(marks.hashes, evidence.others.submissions[name].marks.hashes)]
    flagged = np.isin(evidence.replies["case"].to_numpy(), same)
    more = sum(share >= LIMIT.value for share in shared.values()) - 1
    text = (
        f"{shared[name]:.0%} of the passages stand in the replies of {name!r} to the same cases,"
        f" which names another model (flagged from {LIMIT.value:.0%}; {more} more are as near), as"
        f" {evidence.quote(int(flagged.argmax()))}"
    )
    return evidence.flag("copied", text, flagged)
