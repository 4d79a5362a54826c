"""A telegram: small words left out."""

import re

from convsafe.data_builders.transform import NotApplicable

ABOUT = "Articles, forms of `to be` and fillers left out; what carries the meaning stays."
AFTER = "ours"
LANGUAGES = ("en",)
_SMALL = re.compile(
    r"\b(?:a|an|the|is|are|am|was|were|be|been|please|just|really|very|quite|then|some)\b(?!['’])\s*",
    re.IGNORECASE,
)


def rewrite(text: str, key: str) -> str:  # noqa: ARG001 - the contract of a style
    """Return the text without its small words.

    Raises:
        NotApplicable: If it has none.
    """
    short = re.sub(r"\s+([,.!?;:])", r"\1", _SMALL.sub("", text)).strip()
    if short == text or not re.search(r"\w", short):
        raise NotApplicable("no small words to leave out")
    return short[0].upper() + short[1:]
