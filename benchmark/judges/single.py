"""One judge, one verdict: the single-agent pipeline of DialogGuard (arXiv 2512.02282)."""

from __future__ import annotations

from convsafe.benchmark.asking import Ask, Decision, Exchange
from convsafe.benchmark.judges._panel import TASK, Bench
from convsafe.benchmark.rubric import Rubric

VERSION = "2"
SUMMARY = "One judge model reads the rubric, reasons, and gives a verdict."
NEEDS = ("endpoint", "rubric")


async def decide(exchange: Exchange, ask: Ask, rubric: Rubric) -> Decision:
    """Ask once."""
    ruling = await Bench(exchange, ask, rubric).ruling(TASK)
    return rubric.decision(ruling.values, ruling.rationale)
