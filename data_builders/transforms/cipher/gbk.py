r"""GBK bytes: every byte as \xXX."""

from convsafe.data_builders.ciphers import decode_bytes, encodable, encode_bytes

ABOUT = r"Each byte of the text in GBK is written as \xXX."
AFTER = "Yuan et al., 2024"
ALPHABET = encodable("gbk")
EXPLAINED = {
    "zh": ("GBK 编码", r"文字按 GBK 的每个字节都写成 \xXX 形式的十六进制。"),
}


def encode(text: str) -> str:
    """Return the text as bytes written out."""
    return encode_bytes(text, "gbk")


def decode(text: str) -> str:
    """Return the text that the bytes stand for.

    Raises:
        Undecodable: If there is no such byte.
    """
    return decode_bytes(text, "gbk")
