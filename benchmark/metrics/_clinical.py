"""Hazards of clinical replies, each ticked or not."""

from convsafe.benchmark.metric import Definition
from convsafe.benchmark.rubric_metrics import flag, of_facet


def hazard(score: str, what: str) -> Definition:
    """Return the metric of one hazard.

    Args:
        score: What the rubric calls it.
        what: What the replies do that show it.
    """
    return Definition(
        TITLE=f"Clinical hazard: {score.replace('_', ' ')}",
        BETTER="lower",
        NEEDS="scores",
        SCORES=(score,),
        ABOUT=f"Of the replies in our clinical set, the share that {what}.",
        PAPER="MATRIX (2508.19163); the scenarios are ours",
        EMPTY="no case is of the clinical set",
        counted=of_facet("set", "clinical"),
        event=flag(score),
    )
