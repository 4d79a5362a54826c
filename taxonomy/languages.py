"""How many resources a language has: the tiers of MultiJail (Deng et al., 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from convsafe.taxonomy.tree import read_yaml

TIERS = ("high", "medium", "low")
_FILE = Path(__file__).with_name("languages.yaml")


@cache
def tiers() -> Mapping[str, str]:
    """Return the tier of every language that has one, by its primary tag."""
    return {tag: tier for tier in TIERS for tag in read_yaml(_FILE)[tier]}
