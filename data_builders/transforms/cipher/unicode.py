r"""Unicode escapes: every character as \uXXXX, and as two of them beyond the first plane."""

import re

from convsafe.data_builders.ciphers import Undecodable

ABOUT = r"Each character is its UTF-16 code as \uXXXX."
AFTER = "Yuan et al., 2024"
ALPHABET = None
EXPLAINED = {
    "en": (
        "Unicode code",
        r"Each character, blanks too, is written as its code in the form \uXXXX with hexadecimal"
        " digits.",
    ),
    "zh": ("Unicode 编码", r"每个字符（包括空格）都写成 \uXXXX 形式的十六进制编码。"),
}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def encode(text: str) -> str:
    """Return the text as escapes."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def decode(text: str) -> str:
    """Return the text with its escapes read; what stands between them stays.

    Raises:
        Undecodable: If there is no escape.
    """
    if text.strip() and not _ESCAPE.search(text):
        raise Undecodable
    units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
