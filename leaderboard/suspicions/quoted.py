"""Replies that hold what their model was never sent: other cases' prompts, ids, or rubrics.

A model sees one case at a time. A passage of another cluster's prompt, the name of a case, or the
rubric that says what a good answer does can only come from the set itself. (Contamination as
looked for by shared n-grams: Brown et al. 2020, "Language models are few-shot learners", app. C.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.leaderboard.evidence import Evidence, Limit
from convsafe.leaderboard.records import Finding
from convsafe.leaderboard.spans import LONG, THIN, among

if TYPE_CHECKING:
    from convsafe.leaderboard.spans import Flags

ABOUT = "Replies quote the prompt set."
PAPER = "Brown et al. (2020), Language models are few-shot learners, appendix C"
LIMIT = Limit(
    0.01,
    "share of replies that quote the set, and at least two of them",
    "no reply of 30 honest runs quotes the set; two may by chance",
)
_LEAST = 2
# So many runs in a reply make a passage of 40 letters; of a long one fewer are kept.
_PASSAGE = 9


def look(evidence: Evidence) -> Finding | None:
    """Flag replies that quote prompts of other clusters, rubrics, or ids of cases."""
    import numpy as np

    found = {
        "a passage of another case's prompt": _foreign(evidence),
        "what a rubric says of a good answer": _rubrics(evidence),
        "the id of a case": _ids(evidence),
    }
    quoting = np.logical_or.reduce(list(found.values()))
    if quoting.sum() < max(_LEAST, LIMIT.value * len(quoting)):
        return None
    parts = [f"{flags.sum()} hold {what}" for what, flags in found.items() if flags.any()]
    text = (
        f"{quoting.sum()} of {len(quoting)} replies quote the set ({', '.join(parts)}; flagged from"
        f" {LIMIT.value:.0%}, at least {_LEAST}), as {evidence.quote(int(quoting.argmax()))}"
    )
    return evidence.flag("quoted", text, quoting)


def _foreign(evidence: Evidence) -> Flags:
    import numpy as np

    hashes, clusters = evidence.asked.prompts
    texts = evidence.spans.texts
    places = np.minimum(np.searchsorted(hashes, evidence.spans.hashes), len(hashes) - 1)
    of = evidence.replies["cluster"].to_numpy()[texts]
    foreign = (hashes[places] == evidence.spans.hashes) & (clusters[places] != of) & ~evidence.own
    return _passages(evidence, foreign)


def _rubrics(evidence: Evidence) -> Flags:
    return _passages(evidence, among(evidence.spans.hashes, evidence.asked.rubrics))


def _passages(evidence: Evidence, runs: Flags) -> Flags:
    import numpy as np

    number = len(evidence.replies)
    counts = np.bincount(evidence.spans.texts[runs], minlength=number)
    long = (evidence.replies["text"].str.len_chars() > LONG).to_numpy()
    found: Flags = counts >= np.where(long, _PASSAGE // THIN + 1, _PASSAGE)
    return found


def _ids(evidence: Evidence) -> Flags:
    # A short id may be a word.
    names = [name for name in evidence.asked.cases["id"] if len(name) >= 10 and "-" in name]
    found: Flags = evidence.replies["response"].str.contains_any(names).to_numpy()
    return found
