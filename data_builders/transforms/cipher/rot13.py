"""ROT13: every letter thirteen places on."""

import string

from convsafe.data_builders.ciphers import PRINTABLE, letters

ABOUT = "Each letter is replaced by the thirteenth after it."
AFTER = "Xie et al., 2025 (SORRY-Bench's encodings); the usual ROT13"
ALPHABET = PRINTABLE
EXPLAINED = {
    "en": (
        "ROT13",
        "Each letter is replaced by the one thirteen places further on in the alphabet, so the"
        " same step writes and reads it; all other marks stay.",
    )
}
_TABLE = letters(string.ascii_lowercase[13:] + string.ascii_lowercase[:13])


def encode(text: str) -> str:
    """Return the text enciphered."""
    return text.translate(_TABLE)


decode = encode
