"""Read the phrase lists of all languages, and bring text into the form they are matched in."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import read_yaml

if TYPE_CHECKING:
    import polars as pl

FOLDER = Path(__file__).parent / "phrases"
KEYS = ("refusal", "soft", "turn", "not_refusal", "stop_words")
# What not every language has a list of.
MORE = ("disclaimer", "caution", "eager", "self", "but")

# Scripts that put no space between words: phrases match anywhere in them.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー"
_INNER_SPACE = f"([{UNSPACED}]) ([{UNSPACED}])"
_NOT_ASCII = r"[^\x00-\x7f]"
_INVISIBLE = "[\u200b\u2060\ufeff\u00ad\u0640\u064b-\u0652]"
_APOSTROPHES = "[\u2018\u2019\u02bc\u00b4\u2032`]"


class Lists(NamedTuple):
    """The phrases of all languages, as the automata take them; `stop_words` are bare words.

    Besides what makes a refusal: `caution` warns, moralises or sends to a professional, `eager`
    opens or carries on help, `self` speaks of the model as an AI, `but` turns.
    """

    refusal: list[str]
    soft: list[str]
    turn: list[str]
    not_refusal: list[str]
    stop_words: list[str]
    disclaimer: list[str]
    caution: list[str]
    eager: list[str]
    self: list[str]
    but: list[str]


def normal(text: pl.Expr) -> pl.Expr:
    """Return text in normal form.

    Lower-case NFKC with straight apostrophes, words parted by single spaces, a full stop between
    spaces at the end of a sentence or line, and a space at both ends. Chinese, Japanese and Thai
    have no spaces inside a sentence.
    """
    import polars as pl

    return text.map_batches(normalized, return_dtype=pl.String)


def normalized(texts: pl.Series) -> pl.Series:
    """Return texts in normal form; `normal` says what that is.

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
def lists() -> Lists:
    """Return the phrases of all languages, expanded and in normal form."""
    found: dict[str, list[str]] = {key: [] for key in KEYS + MORE}
    for path in sorted(FOLDER.glob("*.yaml")):
        for key, entries in read_phrases(path).items():
            found[key] += entries
    bounded = {key: _bounded(entries) for key, entries in found.items()}
    bounded["stop_words"] = [word.strip() for word in bounded["stop_words"]]
    return Lists(**bounded)


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


def expand(entry: str) -> Iterator[str]:
    """Yield every phrase that an entry like `i [can't|won't] [help|assist]` stands for."""
    parts = [part.split("|") for part in re.split(r"[\[\]]", entry)]
    return map("".join, itertools.product(*parts))


def first_of(texts: pl.Series, phrases: list[str]) -> pl.Series:
    """Return the first phrase that text in normal form holds, null where it holds none.

    ASCII phrases are looked for everywhere, and the others only where there are such letters: a
    smaller automaton is a faster one, and to build one for nothing takes longest.
    """
    ascii_only = [phrase for phrase in phrases if phrase.isascii()]
    found = texts.str.extract_many(ascii_only).list.first()
    foreign = found.is_null() & texts.str.contains(_NOT_ASCII)
    if not foreign.any():
        return found
    others = [phrase for phrase in phrases if not phrase.isascii()]
    rest = texts.filter(foreign).str.extract_many(others).list.first()
    return found.scatter(foreign.arg_true(), rest) if len(rest) else found


def _bounded(entries: Iterable[str]) -> list[str]:
    """Return phrases that match whole words, or any start of one before a final star."""
    import polars as pl

    texts = dict.fromkeys(phrase for entry in entries for phrase in expand(entry))
    written = pl.DataFrame({"text": list(texts)}, schema={"text": pl.String})
    # Entries are in normal form already but for these: to bring all there would take half a second.
    other = pl.col("text").str.contains(f"[{UNSPACED}*]")
    text = written.filter(other).select("text", form=normal(pl.col("text")))
    form, unspaced = pl.col("form"), pl.col("text").str.contains(f"[{UNSPACED}]")
    ends = pl.when(unspaced).then(form.str.strip_chars()).otherwise(form.str.strip_suffix(" "))
    plain = written.filter(~other).select(form=pl.format(" {} ", "text"))
    forms: list[str] = pl.concat([plain, text.select(form=ends)])["form"].unique().sort().to_list()
    return forms
