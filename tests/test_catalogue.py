"""Every file in a room's folder keeps that room's contract."""

from pathlib import Path
from typing import get_type_hints

import click
import polars as pl
import pytest
from convsafe.benchmark.asking import Ask, Decision, Exchange
from convsafe.benchmark.cli import ROOMS, cli
from convsafe.benchmark.judging import JUDGES, conformed, judge_card, verdict_schema
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.model import MODELS
from convsafe.benchmark.per_case import known_cases, metric_rows, per_case
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
    assert set(metric.needs) <= {"stance", "responsive", "unsafe", "scores", "option", "trace"}
    assert metric.paper
    assert metric.empty
    assert metric.title
    assert metric.about.endswith(".")
    cases = known_cases(
        pl.DataFrame(
            {
                "id": ["a", "b"],
                "cluster_id": ["a", "b"],
                "measures": [["safety"], ["over_refusal"]],
                "hazards": [["drugs"], ["drugs"]],
            }
        )
    )
    verdicts = conformed(
        pl.DataFrame({"id": ["a", "b"], "sample": 0, "stance": ["refusal", None]}), verdict_schema()
    )
    frame = per_case(cases, verdicts, [metric], 0.5)
    assert cases.select(counted=metric.counted)["counted"].dtype == pl.Boolean
    assert len(metric_rows(metric, frame)) <= 2
    if metric.event is not None:
        beside = verdicts.join(cases, on="id").with_columns(unsafe_from=0.5)
        found = beside.select(event=metric.event)["event"]
        assert found.dtype == pl.Boolean
        assert found[1] is None, "a case without a verdict is no event and no non-event"


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
