"""Which names and texts of a submission may stand on the board, and which names look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from convsafe.leaderboard.findings import shown
from convsafe.leaderboard.records import NAME_LENGTH, Level

# Letters that look like Latin ones, after Unicode's table of confusables (UTS 39).
_LIKE = str.maketrans(
    "аеорсухіјѕԁһӏԛԝьвкмнтгпαοερνικυτχβηγ01|!",
    "aeopcyxijsdhlqwbbkmhtrnaoepvikutxbnyoiii",
)
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "HEBREW", "ARABIC")
_NAME = re.compile(r"[^\w .,:;+/()\[\]@#&'-]")
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&[a-zA-Z#]\w*;|\]\(|javascript:", re.IGNORECASE)
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_URL = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+(/[!-~]*)?\Z")
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .+()_-]*\Z")


class Problem(NamedTuple):
    """What is wrong with a text."""

    level: Level
    code: str
    what: str


def text_problems(text: str, most: int, *, lines: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with any text that a submitter gives.

    Args:
        text: The text.
        most: Its most characters.
        lines: Whether it may have several lines.
    """
    if len(text) > most:
        yield Problem("error", "long_text", f"has {len(text):,} characters; {most} may be")
        text = text[:most]
    kinds = {unicodedata.category(one) for one in text if not (lines and one in "\n\t")}
    if "Cs" in kinds:
        yield Problem("error", "encoding", "has half a surrogate pair, which is no text")
    if "Cc" in kinds:
        yield Problem("error", "control", "has control characters")
    if "Cf" in kinds or kinds & {"Zl", "Zp"}:
        what = "has characters that are not seen or turn the direction of writing"
        yield Problem("error", "invisible", what)
    if kinds & {"Cn", "Co"}:
        yield Problem("error", "unassigned", "has characters that mean nothing in Unicode")
    if _MARKUP.search(text):
        yield Problem("warning", "markup", "has markup; it is shown as plain text")
    if _FORMULA.match(text):
        yield Problem("warning", "formula", "begins as a formula of a spreadsheet does")


def name_problems(name: str) -> Iterator[Problem]:
    """Yield what keeps a name off the board."""
    yield from text_problems(name, NAME_LENGTH)
    name = name[:NAME_LENGTH]
    if not name.strip() or name != name.strip():
        yield Problem("error", "name", "is empty, or begins or ends with a space")
    elif not unicodedata.category(name[0]).startswith(("L", "N")):
        yield Problem("error", "name", "begins with neither a letter nor a digit")
    if found := sorted(set(_NAME.findall(_without_marks(name)))):
        listed = " ".join(shown(one) for one in found[:10])
        yield Problem("error", "name", f"has characters that a name may not have: {listed}")
    if ".." in name or "//" in name:
        yield Problem("error", "name", "reads like a path")
    if re.search(r"  ", name) or len(_marks(name)) > len(name) / 3:
        yield Problem("error", "name", "has spaces or marks piled up")
    words = re.split(r"[\W\d_]+", name)
    if word := next((word for word in words if len(_scripts(word)) > 1), None):
        mixed = " and ".join(sorted(_scripts(word))).title()
        yield Problem("error", "name_mixed", f"mixes {mixed} letters in one word")


def alike(name: str, taken: Mapping[str, str]) -> str | None:
    """Return the name among those taken that reads the same, if there is one."""
    mine = skeleton(name)
    return next((other for other in taken.values() if skeleton(other) == mine), None)


def skeleton(name: str) -> str:
    """Return what a reader sees of a name: two with the same skeleton are taken for one another."""
    bare = _without_marks(unicodedata.normalize("NFKC", name).casefold())
    parts = re.sub(r"[\W_]+", "-", bare)
    # What parts two numbers is read: 1.5 is not 15.
    joined = re.sub(r"(?<!\d)-|-(?!\d)", "", parts).translate(_LIKE)
    return joined.replace("l", "i").replace("rn", "m").replace("vv", "w")


def url_is_plain(url: str) -> bool:
    """Return whether an address is one of the web, without anything that could be code."""
    return bool(_URL.match(url))


def license_is_plain(license: str) -> bool:
    """Return whether a licence is a name as SPDX writes them, or several put together."""
    return bool(_LICENSE.match(license))


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.category(one).startswith("M"))


def _marks(text: str) -> list[str]:
    return [one for one in text if unicodedata.category(one) == "Mn"]


def _scripts(word: str) -> set[str]:
    """Return the alphabets that a word has letters of."""
    names = {unicodedata.name(one, "").partition(" ")[0] for one in word if one.isalpha()}
    return names & set(_SCRIPTS)
