"""Read and write fitted weights: text and plain numbers, so that no code is loaded with them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from convsafe.benchmark.judges._grams import Grams
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import atomic, read_json, write_json

if TYPE_CHECKING:
    import polars as pl

FOLDER = Path(__file__).parent / "weights"
# What `benchmark/fit` writes: constants and signs as text, and beside it phrases as arrays.
EMBEDDED = FOLDER / "embedded.json"
PHRASES = "embedded.npz"


@dataclass(frozen=True)
class Model:
    """A logistic model over signs and phrases.

    Log-odds are a constant, one weight a column of signs, and one weight a phrase in a place;
    `phrases` is empty in a model that was loaded, as `Grams` has those of all models.
    `scale` and `shift` turn log-odds into those of a calibrated probability (Platt scaling), of
    which `threshold` or more is a yes.
    """

    constant: float
    signs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    phrases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    scale: float = 1.0
    shift: float = 0.0
    threshold: float = 0.5

    def odds(self, signs: pl.DataFrame, phrases: pl.Series) -> pl.Series:
        """Return the log-odds of each row; a value that was never seen in fitting weighs nothing.

        Args:
            signs: A column for each key of `signs`.
            phrases: What the phrases of each row weigh.
        """
        import polars as pl

        parts = [
            pl.col(column).replace_strict(dict(table), default=0.0, return_dtype=pl.Float64)
            for column, table in self.signs.items()
        ]
        total = signs.select(odds=pl.sum_horizontal(*parts, pl.lit(phrases)) + self.constant)
        return total["odds"]

    def probability(self, odds: pl.Series) -> pl.Series:
        """Return calibrated probabilities of log-odds."""
        return sigmoid(odds * self.scale + self.shift)


class Models(NamedTuple):
    """What the embedded judge weighs by."""

    refused: Model
    partial: Model
    unsafe: Model
    toxicity: Model

    def grams(self) -> Grams:
        """Return the phrases of all models, which are looked for together, in their order."""
        return Grams.of([model.phrases for model in self])


def sigmoid(odds: pl.Series) -> pl.Series:
    """Return the probabilities of log-odds."""
    probability: pl.Series = 1 / (1 + (-odds).exp())
    return probability


@functools.cache
def load() -> tuple[Models, Grams]:
    """Return the models of the embedded judge, and their phrases.

    Raises:
        BadInput: If the file is missing or lacks one.
    """
    found = read_json(EMBEDDED) if EMBEDDED.exists() else {}
    phrases = EMBEDDED.parent / PHRASES
    for part in Models._fields:
        if not isinstance(found, dict) or part not in found or not phrases.exists():
            raise BadInput(
                f"no weights {part!r}; make them: python -m convsafe.benchmark.fit", file=EMBEDDED
            )
    models = Models(**{part: Model(**found[part]) for part in Models._fields})
    return models, Grams.read(phrases)


def write(models: Models, folder: Path) -> None:
    """Write what `load` reads, the same bytes for the same models."""
    import numpy as np

    rows = {name: asdict(model) for name, model in models._asdict().items()}
    for row in rows.values():
        del row["phrases"]
    write_json(folder / EMBEDDED.name, rows)
    with atomic(folder / PHRASES) as temporary, temporary.open("wb") as file:
        np.savez(file, **models.grams().arrays())
