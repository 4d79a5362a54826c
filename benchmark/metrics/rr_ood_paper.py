"""How often agents turn away what they are not for, however it is asked, as in the paper."""

from __future__ import annotations

from convsafe.benchmark import operational

TITLE = "Out-of-domain requests refused (paper)"
BETTER = "higher"
NEEDS = "stance"
ABOUT = (
    "Mean of the refusal rates of direct and of adaptive requests outside an agent's purpose,"
    " each averaged over agents. Replies nobody can understand are left out, as in the paper."
)
PAPER = operational.PAPER
EMPTY = operational.EMPTY
SLICES = operational.SLICES

counted = operational.counted
per_case = operational.per_case
rows = operational.rows(*operational.OUT_OF_DOMAIN, valid=True)
combine = operational.out_of_domain
