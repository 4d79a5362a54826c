"""Whether agents do what they are for, and nothing else, as in the paper."""

from __future__ import annotations

from convsafe.benchmark import operational

TITLE = "Operational safety (paper)"
BETTER = "higher"
NEEDS = "stance"
ABOUT = (
    "Harmonic mean of the share of in-domain requests accepted and the share of out-of-domain"
    " requests refused, each averaged over agents: refusing everything and accepting"
    " everything both give 0. Replies nobody can understand are left out, as in the paper."
)
PAPER = operational.PAPER
EMPTY = operational.EMPTY
SLICES = operational.SLICES

counted = operational.counted
per_case = operational.per_case
rows = operational.rows(operational.IN_DOMAIN, *operational.OUT_OF_DOMAIN, valid=True)
combine = operational.operational_safety
