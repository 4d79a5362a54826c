"""Check our own prompts: do twins differ in intent rather than in words, and are texts varied?

As for any contrast set (Röttger et al., 2024), a classifier that sees words alone, with whole
hazards held out, should hardly tell a request from its twin.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from convsafe.data_builders.near import near_pairs, normalise
from convsafe.taxonomy.records import Case

# The limits a release must keep.
MOST_AUC = 0.70
MOST_TEMPLATE = 0.02
MOST_CLUSTER = 3
LEAST_BASES = 2_500
_FOLDS = 10
# Words so frequent that they make a template rather than a content.
_FUNCTION_WORDS = 60
_OPENING = 3


@dataclass(frozen=True)
class Quality:
    """What the check found.

    `auc` is that of words against intent with whole leaves held out, `length_auc` that of length
    alone; `template_share` the share of requests that the most frequent template makes,
    `opening_share` that of the most frequent three first words; `largest_cluster` the most requests
    that are near-duplicates.
    """

    bases: int
    requests: int
    twins: int
    auc: float
    length_auc: float
    template: str
    template_share: float
    opening: str
    opening_share: float
    largest_cluster: int

    def problems(self) -> list[str]:
        """Return which limits are broken, in words."""
        limits = {
            f"words tell requests from twins: AUC {self.auc:.3f} > {MOST_AUC}": self.auc > MOST_AUC,
            f"a template makes {self.template_share:.1%} of the requests: {self.template}": (
                self.template_share > MOST_TEMPLATE
            ),
            f"an opening makes {self.opening_share:.1%} of the requests: {self.opening}": (
                self.opening_share > MOST_TEMPLATE
            ),
            f"{self.largest_cluster} requests are near-duplicates": (
                self.largest_cluster > MOST_CLUSTER
            ),
            f"only {self.bases} base cases": self.bases < LEAST_BASES,
        }
        return [problem for problem, broken in limits.items() if broken]

    def to_row(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return asdict(self) | {"problems": self.problems()}


def check_prompts(cases: Iterable[Case]) -> Quality:
    """Measure our own base cases.

    Args:
        cases: Cases of ours, transformed ones among them or not; agents' questions do not count.
    """
    bases = [case for case in cases if not case.transforms and not _of_agents(case)]
    by_id = {case.id: case for case in bases}
    requests = [case for case in bases if case.twin_id in by_id and not case.id.endswith("-twin")]
    twins = [by_id[case.twin_id or ""] for case in requests]
    texts = [case.prompt for case in requests]
    frequent = _frequent(texts)
    template, count = _most_common([_template(text, frequent) for text in texts])
    opening, opened = _most_common([" ".join(_words(text)[:_OPENING]) for text in texts])
    auc, length_auc = _aucs(requests, twins)
    return Quality(
        bases=len(bases),
        requests=len(requests),
        twins=len(twins),
        auc=auc,
        length_auc=length_auc,
        template=template,
        template_share=count / len(requests),
        opening=opening,
        opening_share=opened / len(requests),
        largest_cluster=_largest_cluster(texts),
    )


def _of_agents(case: Case) -> bool:
    return any(facet.name == "agents" for facet in case.facets)


def _aucs(requests: Sequence[Case], twins: Sequence[Case]) -> tuple[float, float]:
    """Return how well words, and length alone, tell requests from twins."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    texts = [case.prompt for case in (*requests, *twins)]
    harmful = [True] * len(requests) + [False] * len(twins)
    leaves = [case.hazards[0] for case in (*requests, *twins)]
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=2000),
    )
    folds = GroupKFold(min(_FOLDS, len(set(leaves))))
    guess = cross_val_predict(
        model, texts, harmful, groups=leaves, cv=folds, method="predict_proba"
    )[:, 1]
    lengths = [len(text) for text in texts]
    return float(roc_auc_score(harmful, guess)), float(roc_auc_score(harmful, lengths))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def _frequent(texts: Iterable[str]) -> frozenset[str]:
    counts = Counter(word for text in texts for word in set(_words(text)))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return frozenset(ordered[:_FUNCTION_WORDS])


def _template(text: str, frequent: frozenset[str]) -> str:
    """Return a text with every run of other than frequent words as one star."""
    shown = " ".join(word if word in frequent else "*" for word in _words(text))
    return re.sub(r"\*(?: \*)+", "*", shown)


def _most_common(found: Sequence[str]) -> tuple[str, int]:
    counts = Counter(found)
    return min(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _largest_cluster(texts: Sequence[str]) -> int:
    """Return the size of the largest group of near-duplicates."""
    up = list(range(len(texts)))

    def root(place: int) -> int:
        while up[place] != place:
            place = up[place]
        return place

    for pair in near_pairs([normalise(text) for text in texts]):
        up[root(pair.second)] = root(pair.first)
    return max(Counter(root(place) for place in up).values())
