"""Find weighed phrases of one to four words in parts of a request and a reply, and add them up.

A word is what stands between spaces in the normal form; in scripts that put no spaces, a character.
A phrase counts once in a part, however often it stands there. Phrases are a trie of word numbers:
all words of a table are looked up at once, then the words that follow those found, and so on, so
that no automaton is built and the cost grows with the words, not with the phrases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.judges._phrases import UNSPACED, where

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    # Of one model: the weight of each phrase in each place.
    Tables = Mapping[str, Mapping[str, float]]


class Place(NamedTuple):
    """A part of a text, and how long phrases in it are."""

    column: str
    words: int
    at_end: bool
    longest: int


PLACES = {
    "opening": Place("reply", 45, at_end=False, longest=4),
    "whole": Place("reply", 220, at_end=False, longest=3),
    "tail": Place("reply", 28, at_end=True, longest=3),
    "request": Place("request", 60, at_end=True, longest=2),
}
# A text is cut to as many characters a word before it is split.
_WIDE = 8


def words(found: pl.DataFrame, place: str) -> pl.Series:
    """Return the words of a place as a list for each row.

    Args:
        found: Columns `request` and `reply`, texts in normal form.
        place: One of PLACES.
    """
    column, most, at_end, _ = PLACES[place]
    text = found[column]
    text = text.str.tail(most * _WIDE) if at_end else text.str.head(most * _WIDE)
    apart = where(text, f"[{UNSPACED}]", lambda some: some.str.replace_all(_LETTER, " $0 "))
    split = apart.str.replace_all("  +", " ").str.strip_chars(" ").str.split(" ")
    return split.list.tail(most) if at_end else split.list.head(most)


_LETTER = f"[{UNSPACED}]"


class Grams:
    """The phrases of several models: finds each in a text, and adds up what it weighs in each."""

    def __init__(self, models: Sequence[Tables]) -> None:
        """Build one trie for each stretch of text that is read.

        Args:
            models: Of each, the weights of phrases by place; phrases are words with single spaces.
        """
        self._models = len(models)
        # Opening and whole begin at the same word: one pass over the text serves both.
        self._tries = {
            place: _Trie(
                [
                    (number, inside, table.get(inside, {}))
                    for number, table in enumerate(models)
                    for inside in places
                ]
            )
            for place, places in _PASSES.items()
        }

    def odds(self, found: pl.DataFrame) -> list[pl.Series]:
        """Return, for each model, the sum of the weights of all phrases in each row.

        Args:
            found: Columns `request` and `reply`, texts in normal form.
        """
        import numpy as np
        import polars as pl

        total = np.zeros((self._models, len(found)))
        for place, trie in self._tries.items():
            trie.add(words(found, place), total)
        return [pl.Series("odds", row) for row in total]


_PASSES = {"whole": ("opening", "whole"), "tail": ("tail",), "request": ("request",)}


class _Trie:
    """Phrases as numbered nodes: a node is its first words' node and its last word."""

    def __init__(self, tables: Sequence[tuple[int, str, Mapping[str, float]]]) -> None:
        import numpy as np
        import polars as pl

        phrases = sorted({phrase for _, _, table in tables for phrase in table})
        lists = pl.Series("phrase", phrases, pl.String).str.split(" ")
        self._words = lists.explode(empty_as_null=False).unique().sort()
        self._size = len(self._words) + 1
        self._longest = max((phrase.count(" ") + 1 for phrase in phrases), default=0)
        self._keys, ends = self._nodes(lists)
        number = {phrase: at for at, phrase in enumerate(phrases)}
        self._weights: dict[int, list[tuple[int, Floats]]] = {}
        for model, place, table in tables:
            weights = np.zeros(len(self._keys) + 1)
            weights[ends[[number[phrase] for phrase in table]]] = list(table.values())
            if table:
                self._weights.setdefault(model, []).append((PLACES[place].words, weights))

    def _nodes(self, lists: pl.Series) -> tuple[Integers, Integers]:
        """Return the keys of all nodes in order, and the node at which each phrase ends.

        A node's number is the place of its key, from 1 on. A word's node comes after that of the
        words before it, so that keys of longer phrases are greater.
        """
        import numpy as np

        lengths = lists.list.len().to_numpy()
        ids, starts = self._numbers(lists), np.cumsum(lengths) - lengths
        node, keys = np.zeros(len(lists), np.int64), [np.zeros(0, np.int64)]
        for length in range(self._longest):
            goes = lengths > length
            steps = node[goes] * self._size + ids[starts[goes] + length]
            level, place = np.unique(steps, return_inverse=True)
            node[goes] = sum(map(len, keys)) + 1 + place
            keys.append(level)
        return np.concatenate(keys), node

    def _numbers(self, lists: pl.Series) -> Integers:
        """Return the number of each word in turn, 0 where no phrase has it."""
        import polars as pl

        flat = lists.explode(empty_as_null=False)
        numbers = pl.Series(range(1, self._size), dtype=pl.Int64)
        ids = flat.replace_strict(self._words, numbers, default=0, return_dtype=pl.Int64)
        found: Integers = ids.to_numpy()
        return found

    def add(self, lists: pl.Series, total: Floats) -> None:
        """Add what the phrases in each row's words weigh to `total`, a row a model."""
        import numpy as np

        if not self._longest or not len(lists):
            return
        rows, places, nodes = self._found(lists)
        # The first of its kind in a row is kept: that is the one that ends earliest.
        _, first = np.unique(rows * (len(self._keys) + 1) + nodes, return_index=True)
        rows, places, nodes = rows[first], places[first], nodes[first]
        for model, tables in self._weights.items():
            found = sum(weights[nodes] * (places < reach) for reach, weights in tables)
            total[model] += np.bincount(rows, found, minlength=total.shape[1])

    def _found(self, lists: pl.Series) -> tuple[Integers, Integers, Integers]:
        """Return row, place of the last word, and node of each phrase that is found."""
        import numpy as np

        lengths = lists.list.len().to_numpy().astype(np.int64)
        ids = self._numbers(lists)
        row = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        at = np.flatnonzero(ids)
        node = self._step(np.zeros(len(at), np.int64), ids[at])
        found = []
        for length in range(1, self._longest + 1):
            held = node > 0
            at, node = at[held], node[held]
            found.append((row[at], place[at], node))
            goes = (at + 1 < len(ids)) & (length < self._longest)
            at, node = at[goes] + 1, node[goes]
            same = place[at] >= length
            at, node = at[same], node[same]
            node = self._step(node, ids[at])
        rows, places, nodes = zip(*found, strict=True)
        return np.concatenate(rows), np.concatenate(places), np.concatenate(nodes)

    def _step(self, node: Integers, word: Integers) -> Integers:
        """Return the node that a word leads to from a node, 0 where there is none."""
        import numpy as np

        keys = node * self._size + word
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        step: Integers = np.where((self._keys[at] == keys) & (word > 0), at + 1, 0)
        return step


def phrases_of(
    found: pl.DataFrame, place: str, least: int, counting: pl.Series
) -> tuple[Any, list[str]]:
    """Return which row holds which phrase of a place, as a sparse matrix of 0 and 1, and phrases.

    Args:
        found: Columns `request` and `reply`, texts in normal form.
        place: One of PLACES.
        least: In how many of the rows that count a phrase must stand.
        counting: Which rows count, true or false.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(
        ngram_range=(1, PLACES[place].longest),
        min_df=least,
        binary=True,
        tokenizer=str.split,
        token_pattern=None,
        lowercase=False,
    )
    spoken = words(found, place).list.join(" ")
    counts.fit(spoken.filter(counting))
    held = counts.transform(spoken)
    return held.astype(float), list(counts.get_feature_names_out())
