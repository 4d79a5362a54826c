r"""UTF-8 bytes: every byte as \xXX."""

from convsafe.data_builders.ciphers import decode_bytes, encode_bytes

ABOUT = r"Each byte of the text in UTF-8 is written as \xXX."
AFTER = "Yuan et al., 2024"
ALPHABET = None
EXPLAINED = {
    "en": (
        "UTF-8 code",
        r"Each byte of the text in UTF-8 is written in the form \xXX with hexadecimal digits.",
    ),
    "zh": ("UTF-8 编码", r"文字按 UTF-8 的每个字节都写成 \xXX 形式的十六进制。"),
}


def encode(text: str) -> str:
    """Return the text as bytes written out."""
    return encode_bytes(text, "utf-8")


def decode(text: str) -> str:
    """Return the text that the bytes stand for.

    Raises:
        Undecodable: If there is no such byte.
    """
    return decode_bytes(text, "utf-8")
