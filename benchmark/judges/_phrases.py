"""Read the phrase lists of all languages, and bring text into the form they are matched in."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import read_yaml

if TYPE_CHECKING:
    import polars as pl

FOLDER = Path(__file__).parent / "phrases"
# `caution` warns, moralises or sends to a professional, `eager` opens or carries on help, `self`
# speaks of the model as an AI, `but` turns, `aside` promises or disowns what stands beside it; the
# others say what makes a refusal or takes it back.
KEYS = ("refusal", "soft", "turn", "not_refusal", "stop_words")
# What not every language has a list of.
MORE = ("disclaimer", "caution", "eager", "self", "but", "aside")

# Up to how many texts it pays to look for what stands in them first.
FEW = 5000

# Scripts that put no space between words: phrases match anywhere in them.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー"
_INNER_SPACE = f"([{UNSPACED}]) ([{UNSPACED}])"
# In phrases of such scripts, as they are written.
_STOPS, _PAUSES = "[.!?;:。]+", "[、，,… ]+"
_NOT_ASCII = r"[^\x00-\x7f]"
_INVISIBLE = "[\u200b\u2060\ufeff\u00ad\u0640\u064b-\u0652]"
_APOSTROPHES = "[\u2018\u2019\u02bc\u00b4\u2032`]"


def normalized(texts: pl.Series) -> pl.Series:
    """Return texts in normal form.

    Lower-case NFKC with straight apostrophes, words parted by single spaces, a full stop between
    spaces at the end of a sentence or line, and a space at both ends. Chinese, Japanese and Thai
    have no spaces inside a sentence.

    Step by step: in one expression a step would be taken anew wherever it is referred to.
    """
    import polars as pl

    texts = where(texts, "`", lambda some: some.str.replace_all("`", "'", literal=True))
    # Costly steps see nothing of plain ASCII; an empty text costs nothing.
    texts = where(texts, _NOT_ASCII, _wide)
    flat = (
        texts.str.to_lowercase()
        .str.replace_all(r"[.!?;:。।؟\n]+", " . ")
        .str.replace_all(r"\B'|'\B", "")
        # A single space, which most are, is left as it is.
        .str.replace_all(r"[^\w'. ][^\w'.]*| [^\w'.]+", " ")
        .str.strip_chars(" .")
    )
    unspaced = where(flat, _INNER_SPACE, _closed)
    found: pl.Series = pl.select(
        pl.concat_str(pl.lit(" "), pl.lit(unspaced), pl.lit(" "))
    ).to_series()
    return found.alias(texts.name)


def where(texts: pl.Series, pattern: str, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return texts changed where they hold a pattern; the others cost a look and no more."""
    import polars as pl

    held: pl.Series = texts.str.contains(pattern).fill_null(False)
    if not held.any():
        return texts
    some = texts.zip_with(held, pl.repeat("", len(texts), eager=True))
    found: pl.Series = change(some).zip_with(held, texts)
    return found


def _wide(texts: pl.Series) -> pl.Series:
    plain = texts.str.replace_all(_APOSTROPHES, "'")
    return plain.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")


def _closed(texts: pl.Series) -> pl.Series:
    # Twice, as a letter that ends one match cannot begin the next.
    once = texts.str.replace_all(_INNER_SPACE, "$1$2")
    return once.str.replace_all(_INNER_SPACE, "$1$2")


@functools.cache
def phrases(name: str) -> pl.Series:
    """Return the phrases of a list in all languages, as they are looked for in normal form.

    Args:
        name: One of KEYS or MORE; stop words are bare words.
    """
    found = _forms(phrase for entry in _entries()[name] for phrase in expand(entry))
    return found.str.strip_chars() if name == "stop_words" else found


@functools.cache
def _entries() -> dict[str, list[str]]:
    """Return the lists of all languages as they are written."""
    found: dict[str, list[str]] = {key: [] for key in KEYS + MORE}
    for path in sorted(FOLDER.glob("*.yaml")):
        for key, entries in read_phrases(path).items():
            found[key] += entries
    return found


def read_phrases(path: Path) -> dict[str, list[str]]:
    """Return one language's lists as they are written, in the order of KEYS and MORE.

    Raises:
        BadInput: If the file is not a mapping of all of KEYS, and any of MORE, to lists of text.
    """
    entries = read_yaml(path)
    if (
        not isinstance(entries, dict)
        or set(KEYS) - set(entries)
        or set(entries)
        - {
            *KEYS,
            *MORE,
        }
    ):
        what = f"a phrase file has the keys {', '.join(KEYS)}, and may have {', '.join(MORE)}"
        raise BadInput(what, file=path)
    for key, values in entries.items():
        if not values or not all(isinstance(value, str) and value for value in values):
            raise BadInput(f"{key} is not a list of texts", file=path)
    return {key: entries.get(key, []) for key in KEYS + MORE}


def expand(entry: str, *, plain: bool = False) -> Iterator[str]:
    """Yield every phrase that an entry like `i [can't|won't] [help|assist]` stands for.

    Args:
        entry: The entry.
        plain: Whether only phrases of ASCII alone are meant.
    """
    parts = [part.split("|") for part in re.split(r"[\[\]]", entry)]
    if plain:
        parts = [[text for text in part if text.isascii()] for part in parts]
    return map("".join, itertools.product(*parts))


def all_of(texts: pl.Series, name: str) -> pl.Series:
    """Return the phrases of a list that each text holds, in order, as a list.

    ASCII phrases are looked for everywhere, and the others only where there are such letters and no
    ASCII phrase.

    Args:
        texts: Texts in normal form.
        name: The list.
    """
    import polars as pl

    found = _all(texts, standing(texts, name, foreign=False))
    foreign = (found.list.len() == 0) & texts.str.contains(_NOT_ASCII)
    if not foreign.any():
        return found
    some = standing(texts.filter(foreign), name, foreign=True)
    # An empty text costs nothing.
    apart = texts.zip_with(foreign, pl.repeat("", len(texts), eager=True))
    both: pl.Series = found.zip_with(~foreign, _all(apart, some))
    return both


def refuses(texts: pl.Series) -> pl.Series:
    """Tell texts in normal form that hold a phrase of refusal."""
    found: pl.Series = all_of(texts, "refusal").list.len() > 0
    return found


def replaced(texts: pl.Series, found: pl.Series, by: str) -> pl.Series:
    """Return texts with another text for each phrase that `all_of` found in them.

    No phrase of another text can stand in one: it would have been found there.
    """
    return texts.str.replace_many(found.explode().unique().implode(), [by])


def _all(texts: pl.Series, some: pl.Series) -> pl.Series:
    import polars as pl

    if some.is_empty():
        return pl.repeat([], len(texts), dtype=pl.List(pl.String), eager=True)
    found: pl.Series = texts.str.extract_many(some.implode())
    return found


def standing(texts: pl.Series, name: str, *, foreign: bool) -> pl.Series:
    """Return the phrases of a list that may stand in texts, as the first word of them does.

    To build an automaton of all takes longer than to look through a small table, or through the
    few texts of a large one that are in other scripts.

    Args:
        texts: Texts in normal form.
        name: The list.
        foreign: Whether phrases with other letters than ASCII are meant, or those without.
    """
    import polars as pl

    every = _headed(name, foreign)
    if len(texts) > FEW and not foreign:
        return every["phrase"]
    words = texts.str.split(" ").explode().unique()
    letters = texts.str.extract_all(f"[{UNSPACED}]").explode().unique() if foreign else words
    there = pl.concat([words, letters]).implode()
    held = every.filter(pl.col("head").is_in(there) | pl.col("head").is_null())
    return held["phrase"]


@functools.cache
def _headed(name: str, foreign: bool) -> pl.DataFrame:
    """Return phrases of a list with `head`, a word or letter without which none is there.

    The head is null for the start of a word, which any word may go on from.
    """
    if foreign:
        entries = [entry for entry in _entries()[name] if not entry.isascii()]
        every = _forms(phrase for entry in entries for phrase in expand(entry))
        found = every.filter(every.str.contains(_NOT_ASCII))
    else:
        found = _forms(phrase for entry in _entries()[name] for phrase in expand(entry, plain=True))
    rows = found.to_frame("phrase")
    phrase = rows["phrase"].str
    letter = phrase.extract(f"([{UNSPACED}])")
    word = phrase.extract(r"^ (\S+) ")
    headed: pl.DataFrame = rows.with_columns(head=letter.fill_null(word))
    return headed


def _forms(written: Iterable[str]) -> pl.Series:
    """Return phrases as they are looked for: whole words, or any start of one before a final star.

    Where no spaces stand between words, they are looked for anywhere. What is written is in normal
    form but for such spaces.
    """
    import polars as pl

    bare = pl.Series(list(written), dtype=pl.String)
    words = pl.select(pl.format(" {} ", pl.lit(bare))).to_series().str.replace(r"\* $", "")
    return where(words, f"[{UNSPACED}]", _anywhere).unique(maintain_order=True)


def _anywhere(written: pl.Series) -> pl.Series:
    """Return phrases of scripts without spaces as they stand in texts of normal form."""
    parted = written.str.replace_all(_STOPS, " . ").str.replace_all(_PAUSES, " ")
    return _closed(parted).str.strip_chars()
