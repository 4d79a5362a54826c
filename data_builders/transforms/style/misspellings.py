"""Misspellings: in some longer words two inner letters change places."""

import hashlib
import re

from convsafe.data_builders.transform import NotApplicable

ABOUT = "In about every third longer word two neighbouring inner letters change places."
AFTER = "Xie et al., 2025 (misspellings)"
LANGUAGES = ("en", "de", "fr", "es", "it")
_LONG = re.compile(r"[^\W\d_]{5,}")
_SHARE = 3


def rewrite(text: str, key: str) -> str:
    """Return the text with slips; first and last letters stay, so that words can be known again.

    Raises:
        NotApplicable: If it has no word of five letters with two that differ inside.
    """
    words = list(_LONG.finditer(text))
    can = [match for match in words if _places(match[0])]
    if not can:
        raise NotApplicable("no word long enough to misspell")
    start = hashlib.sha256(f"misspellings:{key}".encode()).digest()[0] % min(_SHARE, len(can))
    slipped = {match.start(): _slip(match[0], key) for match in can[start::_SHARE]}
    return _LONG.sub(lambda match: slipped.get(match.start(), match[0]), text)


def _places(word: str) -> list[int]:
    """Return where two neighbouring inner letters differ."""
    return [at for at in range(1, len(word) - 2) if word[at].lower() != word[at + 1].lower()]


def _slip(word: str, key: str) -> str:
    places = _places(word)
    at = places[hashlib.sha256(f"{key}:{word}".encode()).digest()[0] % len(places)]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
