"""Caesar: every letter three places on."""

import string

from convsafe.data_builders.ciphers import PRINTABLE, back, letters

ABOUT = "Each letter is replaced by the third after it."
AFTER = "Yuan et al., 2024"
ALPHABET = PRINTABLE
EXPLAINED = {
    "en": (
        "the Caesar cipher",
        "Each letter is replaced by the one three places further on in the alphabet, and after z"
        " it begins again with a; all other marks stay.",
    )
}
_TABLE = letters(string.ascii_lowercase[3:] + string.ascii_lowercase[:3])
_BACK = back(_TABLE)


def encode(text: str) -> str:
    """Return the text enciphered."""
    return text.translate(_TABLE)


def decode(text: str) -> str:
    """Return the text deciphered."""
    return text.translate(_BACK)
