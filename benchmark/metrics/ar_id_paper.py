"""How often agents do what they are for, as in the paper."""

from __future__ import annotations

from convsafe.benchmark import operational

TITLE = "In-domain requests accepted (paper)"
BETTER = "higher"
NEEDS = "stance"
ABOUT = (
    "Of the requests within an agent's purpose, the share complied with, for every agent"
    " first and then averaged over agents. Replies nobody can understand are left out, as in"
    " the paper."
)
PAPER = operational.PAPER
EMPTY = operational.EMPTY
SLICES = operational.SLICES

counted = operational.counted
per_case = operational.per_case
rows = operational.rows(operational.IN_DOMAIN, valid=True)
combine = operational.averaged(operational.IN_DOMAIN)
