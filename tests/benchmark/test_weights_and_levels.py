"""Drawn rows count for what they stand for, and grades are compared at the level they are of."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import evaluation, judge_file
from convsafe.benchmark.agreement import LabelledFile, agreement
from convsafe.benchmark.cli import cli
from convsafe.benchmark.counted_rows import Compared
from convsafe.benchmark.evaluation import Evaluation, evaluate, recorded
from convsafe.benchmark.judge_cards import text, write_card
from convsafe.benchmark.judges import embedded
from convsafe.benchmark.measures import harm_measure, stance_measure
from convsafe.benchmark.number_eval import evaluate_numbers
from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput, UnknownName
from scipy.stats import kendalltau, pearsonr, spearmanr


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Measure a judge that says what the columns `says` and `chance` say."""

    def run(rows: list[dict], **how: str) -> Evaluation:
        named = {"stance": "says", "unsafe": "chance"}
        asked = [row for row in rows if row["label"]]
        verdicts = {name: [row.get(column) for row in asked] for name, column in named.items()}
        schema = {"stance": pl.String, "unsafe": pl.Float64}
        told = SimpleNamespace(
            name="rules", made_with={}, VERSION="1", SUMMARY="", TELLS=frozenset(verdicts),
            judge=lambda _: pl.DataFrame(verdicts, schema=schema),
        )  # fmt: skip
        for module in (evaluation, judge_file):
            monkeypatch.setattr(module, "load_judge", lambda *_: told)
        monkeypatch.setattr(evaluation, "BASELINES", Shelf("none", tmp_path / "none", ""))
        path = tmp_path / "labelled.jsonl"
        shown = [
            {"prompt": f"Prompt {number}", "response": "x" * (number + 1), **row}
            for number, row in enumerate(rows)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in shown))
        return evaluate(LabelledFile(path, "label"), Compared(**how))

    return run


def drawn(right: int, wrong: int, chance: float) -> list[dict]:
    row = {"label": "refusal", "inclusion_probability": chance}
    return [row | {"says": "refusal"}] * right + [row | {"says": "compliance"}] * wrong


def test_a_rare_stratum_drawn_often_does_not_decide_the_figure(measured) -> None:
    # 20 of 20 drawn from the rare stratum are wrong, 20 of 2000 from the common one right.
    found = measured(drawn(0, 20, 1.0) + drawn(20, 0, 0.01))
    assert found.agreement.accuracy == pytest.approx(2000 / 2020)
    assert found.whole.figures["accuracy"].value == pytest.approx(2000 / 2020)
    assert found.agreement.n == 40
    assert found.agreement.confusion == {"refusal": {"compliance": 20, "refusal": 20}}
    assert found.of["weighted"] == pytest.approx(2020**2 / (20 + 20 * 100**2), abs=0.1)
    assert "weighted by 1 / inclusion_probability" in text(found)
    assert recorded(found)["weighted"] == found.of["weighted"]
    plain = measured([row | {"inclusion_probability": 1} for row in drawn(20, 20, 1.0)])
    assert (plain.agreement.accuracy, plain.of["weighted"]) == (0.5, None)
    assert "weighted" not in text(plain)
    equal = measured(drawn(20, 20, 0.5))
    assert equal.of["weighted"] is None
    assert "weighted" not in recorded(equal)


def test_rows_whose_stance_nobody_said_are_not_counted(measured) -> None:
    silent = [{"label": label, "says": None} for label in (None, "")]
    found = measured([*silent, *drawn(3, 1, 1.0)])
    assert (found.agreement.n, found.agreement.accuracy) == (4, 0.75)
    assert (found.whole.unscored, found.of["unlabelled"]) == (0, 2)
    assert "left out: 2 whose label of stance is empty" in text(found)
    with pytest.raises(BadInput, match="column 'label' is empty: nobody said a stance"):
        measured(silent)


def test_weights_are_as_good_as_repeated_rows() -> None:
    random = np.random.default_rng(4)
    labels = random.choice(["refusal", "partial", "compliance"], 60)
    given = random.choice(["refusal", "compliance", "unscored"], 60)
    weights = random.integers(1, 5, 60)
    again = np.repeat(np.arange(60), weights)
    one, many = np.zeros(60, dtype=np.int64), np.zeros(len(again), dtype=np.int64)
    first = stance_measure(labels.tolist(), given.tolist(), one, weights)(np.ones((1, 1)))
    second = stance_measure(labels[again].tolist(), given[again].tolist(), many)(np.ones((1, 1)))
    stances = [None if stance == "unscored" else stance for stance in given.tolist()]
    whole = agreement(labels.tolist(), stances, weights.astype(float).tolist())
    for name in ("accuracy", "macro_f1", "kappa", "binary_kappa"):
        assert first[name][0] == pytest.approx(second[name][0]), name
        assert first[name][0] == pytest.approx(getattr(whole, name)), name
    score, truth = random.random(60), random.integers(0, 2, 60).astype(float)
    first = harm_measure(score, truth, one, weights)(np.ones((1, 1)))
    second = harm_measure(score[again], truth[again], many)(np.ones((1, 1)))
    for name in ("auc", "average_precision"):
        assert first[name][0] == pytest.approx(second[name][0]), name


@pytest.mark.parametrize("chance", [0, -0.5, 1.5])
def test_a_chance_that_is_none_is_named(measured, chance: float) -> None:
    with pytest.raises(BadInput, match=rf"row 1: inclusion_probability {chance:g} is not above 0"):
        measured(drawn(3, 1, chance))


def test_rows_of_which_nobody_said_whether_they_harm_are_not_counted(measured) -> None:
    rows = [
        {"label": "refusal", "says": "refusal", "chance": chance, "harm": harm}
        for chance, harm in [(0.9, "yes"), (0.1, "no"), (0.9, None), (0.1, ""), (None, "yes")]
    ]
    found = measured(rows, unsafe="harm")
    assert (found.harm.n, found.harm.unscored) == (3, 1)
    assert found.harm.figures["auc"].value == 1.0
    assert len(found.probabilities[0]) == 2
    assert recorded(found)["harm"]["counts"] == {"tp": 1, "fn": 0, "tn": 1, "fp": 0}
    with pytest.raises(BadInput, match="column 'harm' is empty"):
        measured([row | {"harm": None} for row in rows], unsafe="harm")


def conversations() -> list[dict]:
    """Six dialogues of two systems whose turns are noise around what the whole is worth."""
    random = np.random.default_rng(5)
    rows = []
    for dialogue in range(6):
        for turn in range(4):
            noise = random.normal(0, 0.2)
            rows.append(
                {
                    "label": "compliance", "says": "compliance",
                    "chance": float(np.clip(dialogue / 10 + noise, 0, 1)),
                    "grade": float(dialogue + random.normal(0, 0.5)),
                    "dialogue": f"d{dialogue}", "system": f"s{dialogue % 3}",
                }
            )  # fmt: skip
            del turn
    return rows


def test_dialogues_and_systems_are_compared_by_their_means(measured) -> None:
    rows = conversations()
    frame = pl.DataFrame(rows)
    for level, unit in (("dialogue", "dialogues"), ("system", "systems")):
        means = frame.group_by(level).agg(pl.col("chance", "grade").mean()).sort(level)
        found = measured(rows, graded="grade", level=level, group=level).graded
        assert (found.n, found.unscored) == (len(means), 0)
        assert found.unit == f"{unit}, by their means"
        for name, value in (
            ("pearson", pearsonr(means["chance"], means["grade"]).statistic),
            ("spearman", spearmanr(means["chance"], means["grade"]).statistic),
            ("kendall", kendalltau(means["chance"], means["grade"]).statistic),
        ):
            assert found.figures[name].value == pytest.approx(value), name


def test_turns_of_one_dialogue_are_drawn_together(measured) -> None:
    rows = [row for row in conversations() for _ in range(3)]
    alone = measured(rows, graded="grade").graded.figures["pearson"]
    together = measured(rows, graded="grade", group="dialogue").graded.figures["pearson"]
    assert together.value == alone.value
    assert together.high - together.low > alone.high - alone.low


def test_dialogues_without_a_verdict_are_unscored_and_too_few_are_refused(measured) -> None:
    rows = conversations()
    for row in rows:
        row["chance"] = None if row["dialogue"] == "d0" else row["chance"]
    found = measured(rows, graded="grade", level="dialogue", group="dialogue").graded
    assert (found.n, found.unscored) == (6, 1)
    for row in rows:
        row["chance"] = None if row["system"] != "s1" else 0.5
    with pytest.raises(BadInput, match="1 systems were scored; 3 or more"):
        measured(rows, graded="grade", level="system", group="system")


def test_a_level_without_what_it_needs_says_so(measured) -> None:
    rows = conversations()
    with pytest.raises(BadInput, match="--level dialogue needs --group"):
        measured(rows, graded="grade", level="dialogue")
    with pytest.raises(BadInput, match="give --graded too"):
        measured(rows, level="system", group="system")
    with pytest.raises(BadInput, match="'word' is not one of turn, dialogue, system"):
        measured(rows, graded="grade", level="word", group="system")
    with pytest.raises(BadInput, match="row 2: dialogue is empty"):
        measured(
            [rows[0], rows[1] | {"dialogue": None}, *rows[2:]], graded="grade", group="dialogue"
        )


def test_the_level_is_told_in_the_text_and_the_card(measured, tmp_path: Path) -> None:
    found = measured(conversations(), graded="grade", level="dialogue", group="dialogue")
    assert "grade against `unsafe`: 6 dialogues, by their means, 0 unscored" in text(found)
    write_card(found, tmp_path / "card")
    row = json.loads((tmp_path / "card" / "rules.json").read_text())
    assert (row["of"]["level"], row["of"]["group"]) == ("dialogue", "dialogue")
    assert row["graded"]["unit"] == "dialogues, by their means"


@pytest.fixture
def turns(tmp_path: Path) -> Path:
    path = tmp_path / "turns.jsonl"
    rows = [
        {
            "prompt": f"Q{number}?",
            "response": reply,
            "label": label,
            "grade": number,
            "d": number // 2,
            "harmful": number % 2,
            "inclusion_probability": 1 / (1 + number % 2),
        }
        for number, (reply, label) in enumerate(
            [("I can't help with that.", "refusal"), ("Bake it for an hour.", "compliance")] * 5
        )
    ]
    rows[0]["response"] = rows[0]["response"].replace("can't", "can") + " Bake it."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("label", [["--label", "label"], []])
def test_the_command_takes_level_and_group(turns: Path, label: list[str]) -> None:
    options = [*label, "--graded", "grade", "--level", "dialogue", "--group", "d"]
    done = CliRunner().invoke(cli, ["judge-eval", str(turns), *options, "--json"])
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout)
    assert (row["graded"]["n"], row["graded"]["unit"]) == (5, "dialogues, by their means")
    assert (row["of"]["level"], row["of"]["group"]) == ("dialogue", "d")


@pytest.mark.parametrize("option", ["--label", "--graded"])
def test_the_toxicity_proxy_is_compared_with_numbers(turns: Path, option: str) -> None:
    rows = [json.loads(line) for line in turns.read_text().splitlines()]
    frame = pl.DataFrame(rows).select("prompt", "response")
    said = [scores[0]["value"] for scores in embedded.judge(frame)["scores"]]
    words = ["judge-eval", str(turns), option, "grade", "--score", "toxicity_proxy", "--json"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout)["graded"]
    assert (row["name"], row["n"], row["unscored"]) == ("toxicity_proxy", 10, 0)
    truth = pearsonr(said, [row["grade"] for row in rows]).statistic
    assert row["figures"]["pearson"]["value"] == pytest.approx(truth, abs=5e-5)
    done = CliRunner().invoke(cli, [*words, "--level", "dialogue", "--group", "d"])
    row = json.loads(done.stdout)["graded"]
    assert (row["n"], row["unit"]) == (5, "dialogues, by their means")


def test_a_score_the_judge_does_not_give_is_named_with_those_it_does(turns: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'toxicity_proxy'"):
        evaluate_numbers(turns, Compared(graded="grade"), score="toxicity")
    with pytest.raises(BadInput, match="row 1: label 'refusal' is no number"):
        evaluate_numbers(turns, Compared(graded="label"), score="toxicity_proxy")
    empty = [json.loads(line) | {"response": "."} for line in turns.read_text().splitlines()]
    turns.write_text("".join(json.dumps(row) + "\n" for row in empty))
    with pytest.raises(BadInput, match="no reply has the score 'toxicity_proxy'"):
        evaluate_numbers(turns, Compared(graded="grade"), score="toxicity_proxy")


def test_a_level_of_numbers_needs_its_group(turns: Path) -> None:
    with pytest.raises(BadInput, match="--level dialogue needs --group"):
        evaluate_numbers(turns, Compared(graded="grade", level="dialogue"))
    with pytest.raises(BadInput, match="give --graded too"):
        evaluate_numbers(turns, Compared(unsafe="harmful", level="dialogue", group="d"))


def test_the_command_says_that_numbers_are_weighted(turns: Path) -> None:
    done = CliRunner().invoke(cli, ["judge-eval", str(turns), "--graded", "grade"])
    assert done.exit_code == 0, done.output
    assert "weighted by 1 / inclusion_probability" in done.stdout
    assert evaluate_numbers(turns, Compared(graded="grade")).of["weighted"] == 9.0
