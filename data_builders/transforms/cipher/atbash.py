"""Atbash: the alphabet turned round."""

import string

from convsafe.data_builders.ciphers import PRINTABLE, letters

ABOUT = "The first letter is replaced by the last, the second by the last but one, and so on."
AFTER = "Yuan et al., 2024"
ALPHABET = PRINTABLE
EXPLAINED = {
    "en": (
        "the Atbash cipher",
        "The alphabet is turned round: a is written as z, b as y and so on; all other marks stay.",
    )
}
_TABLE = letters(string.ascii_lowercase[::-1])


def encode(text: str) -> str:
    """Return the text enciphered."""
    return text.translate(_TABLE)


decode = encode
