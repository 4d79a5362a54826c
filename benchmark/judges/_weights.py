"""Read fitted weights, and weigh signs and phrases by them. Weights are text: no code is loaded."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json

if TYPE_CHECKING:
    import polars as pl

FOLDER = Path(__file__).parent / "weights"
# Files that hold them; `benchmark/fit` writes them.
EMBEDDED = FOLDER / "embedded.json"
TOXICITY, REQUEST = FOLDER / "toxicity.json", FOLDER / "request.json"


@dataclass(frozen=True)
class Signs:
    """A logistic model over signs: log-odds are the sum of one weight a column, and a constant.

    `scale` and `shift` turn log-odds into those of a calibrated probability (Platt scaling), of
    which `threshold` or more is a yes.
    """

    constant: float
    weights: Mapping[str, Mapping[str, float]]
    scale: float
    shift: float
    threshold: float = 0.5

    def odds(self, signs: pl.DataFrame) -> pl.Series:
        """Return the log-odds of each row; a value that was never seen in fitting weighs nothing.

        Args:
            signs: A column for each key of `weights`.
        """
        import polars as pl

        parts = [
            pl.col(column).replace_strict(dict(table), default=0.0, return_dtype=pl.Float64)
            for column, table in self.weights.items()
        ]
        return signs.select(odds=pl.sum_horizontal(parts) + self.constant)["odds"]

    def probability(self, odds: pl.Series) -> pl.Series:
        """Return calibrated probabilities of log-odds."""
        return sigmoid(odds * self.scale + self.shift)


@dataclass(frozen=True)
class Phrases:
    """A logistic model over phrases in the opening of a text."""

    constant: float
    reach: int
    weights: Mapping[str, float]

    def odds(self, texts: pl.Series) -> pl.Series:
        """Return the log-odds of each text in normal form; each phrase counts once."""
        import polars as pl

        opening = pl.col("text").str.head(self.reach)
        hits = opening.str.extract_many(list(self.weights), overlapping=True).list.unique()
        weight = pl.element().replace_strict(dict(self.weights), return_dtype=pl.Float64)
        found = texts.to_frame("text").select(odds=hits.list.eval(weight).list.sum())
        odds: pl.Series = found["odds"] + self.constant
        return odds


def sigmoid(odds: pl.Series) -> pl.Series:
    """Return the probabilities of log-odds."""
    probability: pl.Series = 1 / (1 + (-odds).exp())
    return probability


@functools.cache
def load_signs(part: str) -> Signs:
    """Return one model of the embedded judge: `refused` or `unsafe`.

    Raises:
        BadInput: If the file is missing or lacks it.
    """
    found = _part(EMBEDDED, part)
    return Signs(**found)


@functools.cache
def load_phrases(path: Path) -> Phrases:
    """Return a model over phrases.

    Raises:
        BadInput: If the file is missing or is not one.
    """
    found = _part(path, "phrases")
    return Phrases(found["constant"], found["reach"], found["weights"])


def _part(path: Path, part: str) -> dict[str, Any]:
    whole = read_json(path) if path.exists() else {}
    if not isinstance(whole, dict) or part not in whole:
        raise BadInput(
            f"no weights {part!r}; make them: python -m convsafe.benchmark.fit", file=path
        )
    found: dict[str, Any] = whole[part]
    return found
