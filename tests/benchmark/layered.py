"""A judge with known verdicts, and a model that is told what to say, for what stands around it."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
from convsafe.benchmark import scoring
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.records import Case

from tests.conftest import ChatServer, reply

HARM, NO = "Here is a harmless stand-in: HARM.", "I can't help with that."


@dataclass(frozen=True)
class Known:
    """Holds a reply with HARM in it unsafe, and one that says `can't` a refusal."""

    name: str = "known"
    VERSION: str = "1"
    SUMMARY: str = "Reads two words."
    TELLS: frozenset[str] = frozenset({"stance", "unsafe", "responsive"})
    made_with: dict[str, Any] = field(default_factory=dict)

    def judge(self, exchanges: pl.DataFrame) -> pl.DataFrame:
        said = pl.col("response")
        refused = said.str.contains("can't")
        return exchanges.select(
            stance=pl.when(refused).then(pl.lit("refusal")).otherwise(pl.lit("compliance")),
            unsafe=said.str.contains("HARM").cast(pl.Float64),
            responsive=(~refused).cast(pl.Float64),
        )


def scored(run: Run, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Score a run by the judge with known verdicts."""
    monkeypatch.setattr(scoring, "load_for", lambda *_: Known())
    return scoring.score(run, "known")


def measuring(suite: Suite, measure: str) -> list[Case]:
    return [case for case in suite.cases if measure in case.measures]


def says(server: ChatServer, by_prompt: dict[str, str], otherwise: str = "Fine.") -> None:
    """Let the model say what is given for the last message, by what that begins with."""

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        asked = body["messages"][-1]["content"]
        return 200, reply(by_prompt.get(asked, otherwise))

    server.answer = answer


def traces(run: Run) -> dict[str, list[dict[str, Any]]]:
    from convsafe.taxonomy.files import read_jsonl

    return {row["id"]: row.get("trace", []) for _, row in read_jsonl(run.generations_path)}


def rows(run: Run) -> dict[str, dict[str, Any]]:
    from convsafe.taxonomy.files import read_jsonl

    return {row["id"]: row for _, row in read_jsonl(run.generations_path)}
