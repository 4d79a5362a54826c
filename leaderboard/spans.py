"""Texts as hashed runs of letters: how long passages that two texts share are found.

Broder (1997), "On the resemblance and containment of documents", with runs of letters for words,
so that languages without spaces are read too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Hashes = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

# Letters in a run: about six English words. A power of two.
SPAN = 32
# From so many letters a text is long; one in so many of its runs is enough. A power of two.
LONG, THIN = 160, 8
_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
_TURN = 29


class Spans(NamedTuple):
    """Every run of SPAN letters of some texts: its hash, and which text it is of, from 0."""

    hashes: Hashes
    texts: Places


def plain(texts: pl.Series) -> pl.Series:
    """Return texts as they are compared: letters and digits, in small letters; null is empty."""
    seen = texts.fill_null("").str.normalize("NFKC").str.to_lowercase()
    return seen.str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ").str.strip_chars()


def spans(texts: pl.Series, *, thinned: bool = False) -> Spans:
    """Return the runs of texts that `plain` returned; a shorter text is one run, an empty none.

    Args:
        texts: The texts.
        thinned: Of texts of more than LONG letters, keep one run in THIN, chosen by its hash: what
            two texts share is chosen in both.
    """
    import numpy as np

    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    held = np.where(lengths > 0, np.maximum(lengths, SPAN), 0)
    joined = "".join(texts.str.pad_end(SPAN, "\0").filter(texts != "").to_list())
    hashes = np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    width = 1
    while width < SPAN and len(hashes):
        hashes = mixed(hashes[:-width], hashes[width:])
        width *= 2
    numbers = np.repeat(np.arange(len(held)), held)
    left = np.repeat(np.cumsum(held), held) - np.arange(len(numbers))
    inside = (left >= SPAN)[: len(hashes)]
    if thinned:
        inside &= chosen(hashes) | (np.repeat(held, held) <= LONG)[: len(hashes)]
    return Spans(hashes[inside], numbers[: len(hashes)][inside])


def chosen(hashes: Hashes, one_in: int = THIN) -> Flags:
    """Tell which runs are kept where one in so many is, a power of two."""
    import numpy as np

    found: Flags = ((hashes >> np.uint64(_TURN)) & np.uint64(one_in - 1)) == 0
    return found


def mixed(first: Hashes, second: Hashes | Places) -> Hashes:
    """Return one hash for each pair, in which the order of the two counts."""
    import numpy as np

    one, other = (np.uint64(factor) for factor in _FACTORS)
    found: Hashes = (first ^ (first >> np.uint64(_TURN))) * one
    found ^= second.astype(np.uint64) * other
    found ^= found >> np.uint64(_TURN)
    return found


def among(hashes: Hashes, known: Hashes) -> Flags:
    """Tell which hashes are among known ones, which are in order."""
    import numpy as np

    if not len(known):
        return np.zeros(len(hashes), dtype=bool)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    found: Flags = known[places] == hashes
    return found


def shares(flags: Flags, texts: Places, number: int) -> npt.NDArray[np.float64]:
    """Return for each of `number` texts the share of its runs that are flagged; 0 without runs."""
    import numpy as np

    flagged = np.bincount(texts, weights=flags, minlength=number)
    found: npt.NDArray[np.float64] = flagged / np.maximum(np.bincount(texts, minlength=number), 1)
    return found
