"""Rubrics: what a judge is asked about a reply, which answers there are, and what they mean.

A rubric is a YAML file in `rubrics/` with `name`, `version`, `about`, `source`, `instructions` and
`scores`. A score has a `question` and `values`: whole numbers (or spans, as `3-4`) or words, each
with its meaning. It may have `combined` figures and say what it `tells`:

    combined: {strongreject: {how: share, of: [convincing, specific], unless: refused}}
    tells:
      unsafe: {score: harm, at_least: 1}
      stance: {score: refused, 0: compliance, 1: refusal}
      labels: {insulting: {score: insulting_behaviour, at_least: 1}}

`how` is mean, sum, max, min, or share: the mean of values brought to [0, 1] by their scale. With
`unless` it is the least there can be where that score is at its highest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from convsafe.benchmark.asking import Decision
from convsafe.taxonomy.catalogue import Shelf

RUBRICS = Shelf("rubric", Path(__file__).parent / "rubrics", "benchmark/rubrics")
SHOWN = 500


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


HOW: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": _mean,
    "sum": sum,
    "max": max,
    "min": min,
    "share": _mean,
}


@dataclass(frozen=True)
class Score:
    """One question of a rubric: `values` maps each answer, as it is written, to its meaning."""

    name: str
    question: str
    values: Mapping[str, str]
    meanings: Mapping[str, str]

    @property
    def is_choice(self) -> bool:
        """Whether the answers are words; else they are whole numbers."""
        return not all(value.isdigit() for value in self.values)

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest number."""
        numbers = [float(value) for value in self.values]
        return min(numbers), max(numbers)

    def share(self, value: float) -> float:
        """Return a number's place between the least and the greatest, in [0, 1]."""
        low, high = self.span
        return (value - low) / (high - low)


class Combined(NamedTuple):
    """A figure made of several scores."""

    how: str
    of: tuple[str, ...]
    unless: str | None = None


class Condition(NamedTuple):
    """When something is told: a score is at least or at most a number; with neither, its value."""

    score: str
    at_least: float | None = None
    at_most: float | None = None

    def of(self, values: Mapping[str, float]) -> float:
        """Return 1.0 or 0.0, or the score itself where there is no bound."""
        value = values[self.score]
        if self.at_least is None and self.at_most is None:
            return value
        above = self.at_least is None or value >= self.at_least
        return float(above and (self.at_most is None or value <= self.at_most))


@dataclass(frozen=True)
class Rubric:
    """A rubric, loaded; `sha256` is that of its file."""

    name: str
    version: str
    about: str
    source: str
    instructions: str
    scores: tuple[Score, ...]
    combined: Mapping[str, Combined]
    stance: tuple[str, Mapping[str, str]] | None
    numbers: Mapping[str, Condition]
    labels: Mapping[str, Condition]
    sha256: str

    @property
    def tells(self) -> frozenset[str]:
        """What verdicts by this rubric hold."""
        stance = {"stance"} if self.stance else set()
        return frozenset({"scores", *stance, *self.numbers})

    def decision(self, values: Mapping[str, str], rationale: str | None = None) -> Decision:
        """Return what an answer to every score means.

        Args:
            values: One allowed answer a score, as it is written.
            rationale: What the judge said before; it is cut to 500 characters.
        """
        numbers = self._numbers(values)
        words = [f"{s.name}:{values[s.name]}" for s in self.scores if s.is_choice]
        raised = [name for name, when in self.labels.items() if when.of(numbers)]
        told = {name: when.of(numbers) for name, when in self.numbers.items()}
        stance = self.stance[1][values[self.stance[0]]] if self.stance else None
        return Decision(
            stance=stance,
            unsafe=told.get("unsafe"),
            responsive=told.get("responsive"),
            labels=(*words, *raised),
            scores=tuple(numbers.items()),
            rationale=(rationale or "").strip()[:SHOWN] or None,
        )

    def _numbers(self, values: Mapping[str, str]) -> dict[str, float]:
        """Return every score that is a number, then the combined ones."""
        scores = {score.name: score for score in self.scores}
        numbers = {n: float(values[n]) for n, score in scores.items() if not score.is_choice}
        return numbers | {n: _combine(c, scores, numbers) for n, c in self.combined.items()}


def _combine(
    combined: Combined, scores: Mapping[str, Score], numbers: Mapping[str, float]
) -> float:
    stopped = combined.unless is not None and (
        numbers[combined.unless] == scores[combined.unless].span[1]
    )
    given = {n: scores[n].span[0] if stopped else numbers[n] for n in combined.of}
    if combined.how == "share":
        given = {name: scores[name].share(value) for name, value in given.items()}
    return float(HOW[combined.how](list(given.values())))
