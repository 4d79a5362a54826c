"""The trivial baselines of a board: models that a rule answers for, listed beside every entry."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING

from convsafe.benchmark.model import MODELS, Scripted
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.records import Manifest
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

CONTACT = "convsafe-bench"


def replies(name: str, board: Board) -> pl.DataFrame:
    """Return what a baseline replies to every case: id, sample, outcome, response.

    Raises:
        UnknownName: If there is no such model.
        BadInput: If it is one that asks a server.
    """
    import polars as pl

    model = MODELS.load(name).connect("")
    if not isinstance(model, Scripted):
        raise BadInput(f"`{name}` is no baseline: it does not answer by rule")
    found = pl.DataFrame(
        [(case.id, model.answer(case.messages)) for case in board.suite.cases],
        schema={"id": pl.String, "response": pl.String},
        orient="row",
    )
    every = pl.DataFrame({"sample": range(board.samples)}, schema={"sample": pl.Int64})
    return found.join(every, how="cross").with_columns(outcome=pl.lit("answered"))


def manifest(name: str, generations: pl.DataFrame, board: Board) -> Manifest:
    """Return the manifest of a baseline's replies."""
    text = "".join(f"{id}\0{reply}\0" for id, reply in generations.select("id", "response").rows())
    return Manifest(
        name=name,
        contact=CONTACT,
        license="Apache-2.0",
        statement="A baseline that answers by rule.",
        model=name,
        samples=board.samples,
        release=board.release,
        cases=len(board.ids),
        ids_sha256=board.ids_sha256,
        generations_sha256=hashlib.sha256(text.encode()).hexdigest(),
        convsafe=version("convsafe-bench"),
        created="",
    )
