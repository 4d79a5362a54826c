"""A table of our own: letters replaced by a fixed shuffle that no model has read about."""

from convsafe.data_builders.ciphers import PRINTABLE, back, letters

ABOUT = "Each letter is replaced by another one after a table that the prompt gives."
AFTER = "Yuan et al., 2024"
ALPHABET = PRINTABLE
_SHUFFLED = "qhzkvbtxgyrmwdpclnfosjeiau"
EXPLAINED = {
    "en": (
        "the Harbour table",
        "The letters a to z are written, in this order, as"
        f" {' '.join(_SHUFFLED)}; all other marks stay.",
    )
}
_TABLE = letters(_SHUFFLED)
_BACK = back(_TABLE)


def encode(text: str) -> str:
    """Return the text enciphered."""
    return text.translate(_TABLE)


def decode(text: str) -> str:
    """Return the text deciphered."""
    return text.translate(_BACK)
