"""Base64 (RFC 4648) of the text in UTF-8."""

import re
from base64 import b64decode, b64encode

from convsafe.data_builders.ciphers import Undecodable

ABOUT = "Base64 of the text in UTF-8."
AFTER = "Wei et al., 2023"
ALPHABET = None
EXPLAINED = {
    "en": ("Base64", "The text in UTF-8 is written in the 64 characters of the usual Base64."),
    "zh": ("Base64", "文字按 UTF-8 编码后写成通常的 Base64。"),
}
_RUN = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}|[A-Za-z0-9+/]{2,}={1,2}")
_GROUP = 4


def encode(text: str) -> str:
    """Return the text in Base64."""
    return b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def decode(text: str) -> str:
    """Return the text read from its runs of Base64; what stands between them is left out.

    Raises:
        Undecodable: If no run is Base64 of a text.
    """
    found = [plain for run in _RUN.findall(text) if (plain := _read(run)) is not None]
    whole = _read("".join(text.split()))
    if whole is not None:
        return whole
    if not found:
        raise Undecodable
    return "\n".join(found)


def _read(run: str) -> str | None:
    core = run.rstrip("=")
    try:
        return b64decode(core + "=" * (-len(core) % _GROUP), validate=True).decode(
            "utf-8", "surrogatepass"
        )
    except ValueError:
        return None
