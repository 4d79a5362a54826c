"""ASCII codes: every character as its decimal number."""

import re

from convsafe.data_builders.ciphers import PRINTABLE, Undecodable

ABOUT = "Each character is its ASCII code in decimal digits."
AFTER = "Yuan et al., 2024"
ALPHABET = PRINTABLE
EXPLAINED = {
    "en": (
        "ASCII code",
        "Each character, blanks too, is written as its decimal ASCII number, with a blank between"
        " two numbers.",
    )
}
_LAST = 127


def encode(text: str) -> str:
    """Return the text as numbers."""
    return " ".join(str(ord(letter)) for letter in text)


def decode(text: str) -> str:
    """Return the text that the numbers stand for.

    Raises:
        Undecodable: If there is no such number.
    """
    found = [int(number) for number in re.findall(r"\b\d{1,3}\b", text)]
    codes = [code for code in found if code == ord("\n") or ord(" ") <= code < _LAST]
    if not codes and text.strip():
        raise Undecodable
    return "".join(map(chr, codes))
