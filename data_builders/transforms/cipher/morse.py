"""Morse code (ITU-R M.1677-1): letters apart by a space, words by a slash."""

import re

from convsafe.data_builders.ciphers import Undecodable

ABOUT = "International Morse code; letters lose their case."
AFTER = "Yuan et al., 2024"
_CODES = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz0123456789.,?'!/()&:;=+-_\"$@",
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
            "-----",
            ".----",
            "..---",
            "...--",
            "....-",
            ".....",
            "-....",
            "--...",
            "---..",
            "----.",
            ".-.-.-",
            "--..--",
            "..--..",
            ".----.",
            "-.-.--",
            "-..-.",
            "-.--.",
            "-.--.-",
            ".-...",
            "---...",
            "-.-.-.",
            "-...-",
            ".-.-.",
            "-....-",
            "..--.-",
            ".-..-.",
            "...-..-",
            ".--.-.",
        ],
        strict=True,
    )
)
_SPACE, _LINE = "/", ".-.-"
_LETTERS = {code: letter for letter, code in _CODES.items()} | {_SPACE: " ", _LINE: "\n"}
ALPHABET = frozenset(_CODES) | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ \n")
EXPLAINED = {
    "en": (
        "Morse code",
        "Each letter is its code of dots and dashes, letters stand apart by a space and words by"
        " a slash between spaces.",
    )
}


def fold(text: str) -> str:
    """Return what of a text survives: its letters in lower case."""
    return text.lower()


def encode(text: str) -> str:
    """Return the text in Morse code."""
    codes = _CODES | {" ": _SPACE, "\n": _LINE}
    return " ".join(codes[letter] for letter in text.lower())


def decode(text: str) -> str:
    """Return the text read from Morse code; what is no code is left out.

    Raises:
        Undecodable: If nothing of it is a code.
    """
    spaced = re.sub(r"\s*[/|]\s*", f" {_SPACE} ", text.replace("−", "-").replace("·", "."))
    codes = [code for code in spaced.split() if code in _LETTERS]
    if text.strip() and not codes:
        raise Undecodable
    return "".join(_LETTERS[code] for code in codes)
