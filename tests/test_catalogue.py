"""Every file in a room's folder keeps that room's contract."""

from pathlib import Path
from typing import get_type_hints

import click
import polars as pl
import pytest
from convsafe.benchmark.asking import Ask, Decision, Exchange
from convsafe.benchmark.cli import ROOMS, cli
from convsafe.benchmark.judging import JUDGES, judge_card
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.model import MODELS
from convsafe.benchmark.rubric import Rubric
from convsafe.taxonomy.catalogue import Catalogue
from convsafe.taxonomy.errors import UnknownName

COMMANDS = [
    (room, name) for room in ROOMS for name in Catalogue("c", f"convsafe.{room}.commands").names()
]


@pytest.mark.parametrize("name", METRICS.names())
def test_a_metric_says_what_it_counts(name: str) -> None:
    metric = load_metric(name)
    assert metric.better in {"lower", "higher", "neither"}
    assert metric.needs
    assert set(metric.needs) <= {"stance", "responsive", "unsafe", "scores"}
    assert metric.paper
    assert metric.empty
    assert metric.title
    assert metric.about.endswith(".")
    low, high = metric.range
    assert low < high
    if not metric.binary:
        return
    frame = pl.DataFrame(
        {
            "measures": [["safety"], ["over_refusal"]],
            "expected": ["refuse", "comply"],
            "stance": ["refusal", None],
            "unsafe": [None, None],
            "responsive": [0.0, None],
            "labels": [["hard"], None],
            "unsafe_from": [0.5, 0.5],
            "scores": [[], None],
        },
        schema_overrides={
            "unsafe": pl.Float64,
            "labels": pl.List(pl.String),
            "scores": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
        },
    )
    found = frame.select(counted=metric.counted, event=metric.event)
    assert found["event"].dtype == pl.Boolean
    assert found["event"][1] is None, "a case without a verdict is no event and no non-event"


@pytest.mark.parametrize("name", JUDGES.names())
def test_a_judge_has_a_card_and_sees_only_request_and_reply(name: str) -> None:
    card = judge_card(name)
    assert set(card.tells) <= {"stance", "responsive", "unsafe", "scores"}
    assert card.summary.endswith(".")
    module = JUDGES.load(name)
    if needs := getattr(module, "NEEDS", ()):
        assert set(needs) <= {"endpoint", "rubric"}
        given = [Exchange, Ask, Rubric][: len(needs) + 1]
        hints = get_type_hints(module.decide)
        assert list(hints.values()) == [*given, Decision], "a judge that asks sees nothing else"
        return
    found = JUDGES.load(name).judge(
        pl.DataFrame({"prompt": ["What is the capital of France?"] * 2, "response": ["", "Paris."]})
    )
    assert len(found) == 2
    assert set(found["stance"]) <= {"refusal", "partial", "compliance", "invalid"}


@pytest.mark.parametrize("name", MODELS.names())
def test_a_model_file_connects(name: str) -> None:
    assert callable(MODELS.load(name).connect)


@pytest.mark.parametrize(("room", "name"), COMMANDS)
def test_a_command_has_help_and_json(room: str, name: str) -> None:
    found = cli.get_command(click.Context(cli), name.replace("_", "-"))
    assert found is not None
    assert found.help
    leaves = found.commands.values() if isinstance(found, click.Group) else [found]
    for leaf in leaves:
        assert any("--json" in option.opts for option in leaf.params), f"{name} has no --json"


def test_no_two_rooms_have_a_command_of_one_name() -> None:
    names = [name for _, name in COMMANDS]
    assert len(names) == len(set(names))


def test_an_unknown_name_names_its_neighbours_and_where_to_add_it() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'echo'.*benchmark/models/<name>.py"):
        MODELS.load("ecco")


def test_a_new_file_is_found_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "room_of_tests"
    package.mkdir()
    (package / "one.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    room = Catalogue("part", "room_of_tests")
    assert room.names() == ["one"]
    (package / "two.py").write_text("VALUE = 2\n")
    assert room.load("two").VALUE == 2
