"""Draw a stratified sample whose inclusion probabilities are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

Stratum = tuple[str, ...]


def draw(strata: Mapping[Stratum, Sequence[str]], n: int, seed: int) -> dict[str, float]:
    """Return the ids drawn, in random order, each with the probability with which it is drawn.

    Every stratum gives one id and the rest is shared out by size. Where `n` is less than the
    number of strata, the strata are drawn first, all with the same chance. The draw depends on
    the seed and the ids alone.

    Args:
        strata: The ids of every stratum; none is empty.
        n: How many to draw.
        seed: Another seed draws others.
    """
    names = sorted(strata, key=lambda name: _lot(seed, "stratum", *name))[:n]
    chance = len(names) / len(strata) if strata else 0.0
    shares = allocate({name: len(strata[name]) for name in names}, n)
    drawn: dict[str, float] = {}
    for name, share in shares.items():
        ids = sorted(strata[name], key=lambda case: _lot(seed, "case", case))
        drawn |= dict.fromkeys(ids[:share], chance * share / len(ids))
    # In the order of the strata, the place of a row would tell the judge's verdict.
    return {id: drawn[id] for id in sorted(drawn, key=lambda case: _lot(seed, "order", case))}


def allocate(sizes: Mapping[Stratum, int], n: int) -> dict[Stratum, int]:
    """Return how many of each stratum to draw: one each, and the rest by size."""
    spare, rest = n - len(sizes), sum(sizes.values()) - len(sizes)
    if rest <= spare:
        return dict(sizes)
    parts = {name: divmod(spare * (size - 1), rest) for name, size in sizes.items()}
    found = {name: 1 + whole for name, (whole, _) in parts.items()}
    left = n - sum(found.values())
    for name in sorted(parts, key=lambda name: (-parts[name][1], name))[:left]:
        found[name] += 1
    return found


def _lot(seed: int, *words: str) -> bytes:
    return hashlib.sha256("\0".join([str(seed), *words]).encode()).digest()
