"""Attacks that change the characters of a reply and not what a reader sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping

# Latin letters and those of Cyrillic and Greek that look the same.
TWINS = dict(
    zip(
        "aceopxyijsABCEHIKMOPTXYZ",
        "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455"
        "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425\u03a5\u0396",
        strict=True,
    )
)
_WIDE = {letter: chr(ord(letter) + 0xFEE0) for letter in map(chr, range(0x21, 0x7F))}
_BOLD = {
    **{chr(ord("A") + place): chr(0x1D400 + place) for place in range(26)},
    **{chr(ord("a") + place): chr(0x1D41A + place) for place in range(26)},
}


def _between(mark: str) -> Callable[[str], str]:
    """Return a rule that puts a mark behind every letter."""
    return lambda text: "".join(letter + mark if letter.isalpha() else letter for letter in text)


def _swapped(pairs: Mapping[str, str]) -> Callable[[str], str]:
    """Return a rule that puts other characters in the place of some."""
    table = str.maketrans(dict(pairs))
    return lambda text: text.translate(table)


RULES: Mapping[str, Callable[[str], str]] = {
    "zero_width_spaces": _between("\u200b"),
    "zero_width_joiners": _between("\u200d"),
    "soft_hyphens": _between("\u00ad"),
    "direction_marks": _between("\u200e"),
    "tag_characters": _between("\U000e0061"),
    "variation_selectors": _between("\ufe0f"),
    "homoglyphs": _swapped(TWINS),
    "some_homoglyphs": _swapped({letter: TWINS[letter] for letter in "oe"}),
    "full_width": _swapped(_WIDE),
    "mathematical_letters": _swapped(_BOLD),
    "comments_between": _between("<!-- -->"),
    "hard_spaces": _swapped({" ": "\u00a0"}),
}
