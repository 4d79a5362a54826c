"""Leetspeak: six letters written as digits."""

from convsafe.data_builders.ciphers import PRINTABLE, back

ABOUT = "Six letters are written as digits; letters lose their case."
AFTER = "Wei et al., 2023"
_TABLE = str.maketrans("aeiost", "431057")
# A digit could not be told from a letter.
ALPHABET = PRINTABLE - frozenset("0123456789")
_BACK = back(_TABLE)
EXPLAINED = {
    "en": ("leetspeak", "The letters a, e, i, o, s and t are written as 4, 3, 1, 0, 5 and 7.")
}


def fold(text: str) -> str:
    """Return what of a text survives: its letters in lower case."""
    return text.lower()


def encode(text: str) -> str:
    """Return the text in leetspeak."""
    return text.lower().translate(_TABLE)


def decode(text: str) -> str:
    """Return the text read from leetspeak."""
    return text.lower().translate(_BACK)
