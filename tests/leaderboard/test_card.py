"""What a model's card says of a score is what the Hub reads, and no more than was measured."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from convsafe.data_builders.canary import CANARY
from convsafe.data_builders.eval_file import TASKS, eval_file
from convsafe.leaderboard.card import eval_results, model_index, read_scored
from convsafe.leaderboard.commands.card import command
from convsafe.taxonomy.errors import BadInput

from tests.leaderboard.small_board import HOSTILE, estimate, result


def of(tmp_path: Path, row: dict[str, Any]) -> Path:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(row))
    return path


def scores(**changes: Any) -> dict[str, Any]:
    told = result("local", 0.8)
    run = {
        "model": "http://localhost:8000/v1#otter",
        "release": told["release"],
        "started": told["scored"],
        "cases": 2,
    }
    row = {"run": run, "judge": told["judge"], "missing": 0, "estimates": told["figures"]}
    return {**row, **changes}


def run_of(tmp_path: Path, row: dict[str, Any]) -> Path:
    (tmp_path / "scores.json").write_text(json.dumps(row))
    return tmp_path


def test_the_hub_s_own_reader_takes_the_scores(tmp_path: Path) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    scored = read_scored(of(tmp_path, result("Otter 1", 0.8)))
    text = eval_results(scored, "org/x", source="https://example.org/board", revision="f" * 40)
    entries = huggingface_hub.parse_eval_result_entries(yaml.safe_load(text))
    assert [(each.task_id, each.value) for each in entries] == [
        ("safety_helpfulness", 80.0),
        ("helpful_rate", 40.0),
    ]
    assert {each.dataset_id for each in entries} == {"org/x"}
    assert entries[0].dataset_revision == "f" * 40
    assert entries[0].date == "2026-11-02"
    assert entries[0].source_url == "https://example.org/board"
    assert entries[0].notes == (
        "95 % interval 40.0 to 80.0, n 200, unsafe 20.0 % (10.0 to 20.0), over-refusal 25.0 %"
        " (12.5 to 25.0), release 1.0.0 (2 cases), judge embedded 1.0.0, scored by the board"
    )
    written = huggingface_hub.eval_result_entries_to_yaml(entries)
    assert written == yaml.safe_load(text)


def test_the_older_form_is_read_back_by_the_hub_s_client(tmp_path: Path) -> None:
    from huggingface_hub.repocard_data import model_index_to_eval_results

    scored = read_scored(of(tmp_path, result(HOSTILE, 0.8)))
    front = yaml.safe_load(model_index(scored, "org/x", source="https://example.org/board"))
    name, results = model_index_to_eval_results(front["model-index"])
    assert name == HOSTILE
    assert [(each.metric_type, each.metric_value) for each in results] == [
        ("safety_helpfulness", 80.0),
        ("helpful_rate", 40.0),
    ]
    assert all(each.metric_args["notes"].startswith("95 % interval") for each in results)
    assert {(each.dataset_config, each.dataset_split) for each in results} == {("core", "test")}


def test_every_task_of_a_score_is_one_of_the_benchmark_s(tmp_path: Path) -> None:
    told = yaml.safe_load(eval_file())
    tasks = {task["id"]: (task["config"], task["split"]) for task in told["tasks"]}
    assert set(tasks) == set(TASKS)
    assert set(tasks.values()) == {("core", "test")}
    assert CANARY in eval_file()
    scored = read_scored(of(tmp_path, result("Otter 1", 0.8)))
    used = {each["dataset"]["task_id"] for each in yaml.safe_load(eval_results(scored))}
    assert used <= set(tasks)


def test_a_metric_without_a_value_is_left_out(tmp_path: Path) -> None:
    row = result("Otter 1", 0.8)
    row["figures"] = [estimate("safety_helpfulness", None), estimate("helpful_rate", 0.5)]
    text = eval_results(read_scored(of(tmp_path, row)))
    assert [each["value"] for each in yaml.safe_load(text)] == [50.0]


def test_a_run_says_that_its_submitter_scored_it(tmp_path: Path) -> None:
    scored = read_scored(run_of(tmp_path, scores()))
    assert scored.model == "otter"
    assert "scored by the submitter" in eval_results(scored)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (result("x", 0.8, ranked=False), "does not rank it"),
        (result("x", 0.8, figures=[]), "holds no safety_helpfulness"),
        (result("x", 0.8, figures=[estimate("safety_helpfulness", None)]), "holds no"),
        (
            result("x", 0.8, release={"version": "1", "config": "full", "split": "test"}),
            "full/test",
        ),
        ({}, "neither a result nor scores"),
        ([], "neither a result nor scores"),
    ],
)
def test_what_a_card_must_not_say_is_refused(row: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=words):
        read_scored(of(tmp_path, row))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"missing": 3}, "3 cases missing"),
        ({"run": {**scores()["run"], "sample": {"limit": 2, "seed": 0}}}, "not a part of it"),
        ({"estimates": [estimate("safety_helpfulness", 0.8, unscored=3)]}, "3 of 200 replies"),
    ],
)
def test_a_run_that_is_not_whole_is_refused(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=words):
        read_scored(run_of(tmp_path, scores(**changes)))


def test_the_command_prints_each_form_and_writes_into_a_model_s_repository(tmp_path: Path) -> None:
    path = str(of(tmp_path, result("Otter 1", 0.8)))
    done = CliRunner().invoke(command, [path, "--out", str(tmp_path / "model"), "--json"])
    texts = json.loads(done.output)
    written = (tmp_path / "model" / ".eval_results" / "convsafe-bench.yaml").read_text()
    assert texts[".eval_results/convsafe-bench.yaml"] == written
    assert "model-index:" in texts["README.md of the model"]
    others = CliRunner().invoke(command, ["--form", "eval-yaml", "--form", "space"])
    assert eval_file() in others.output
    assert "sdk: gradio" in others.output
    assert isinstance(CliRunner().invoke(command, []).exception, BadInput)
