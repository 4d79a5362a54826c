"""Transforms whose text stays upstream: it is read from the checked source when it is used."""

from __future__ import annotations

from functools import cache

from convsafe.data_builders.fetch import fetch
from convsafe.data_builders.sources import red_eval_harmfulqa
from convsafe.data_builders.transform import (
    Changed,
    NotApplicable,
    Part,
    last_request,
    with_request,
)
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case

_QUESTION = "<question>"


def redeval(name: str, about: str) -> Part:
    """Return a RED-EVAL framing (Bhardwaj and Poria, 2023)."""
    card = red_eval_harmfulqa.CARD

    def change(case: Case) -> Changed:
        text = last_request(case)
        if not case.language.startswith("en"):
            raise NotApplicable(f"no template in {case.language}")
        return Changed(with_request(case, _template(name).replace(_QUESTION, text)))

    return Part(about, "Bhardwaj and Poria, 2023", change, card.name, card.license)


@cache
def _template(name: str) -> str:
    text = red_eval_harmfulqa.template(fetch(red_eval_harmfulqa.CARD), name).strip()
    if text.count(_QUESTION) != 1:
        raise BadInput(f"the template does not hold {_QUESTION} once", id=name)
    return text
