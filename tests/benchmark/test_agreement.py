"""Agreement with human labels is measured as it is, failures of the judge included."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import evaluation, judge_file
from convsafe.benchmark.agreement import LabelledFile, agreement, measure, record
from convsafe.benchmark.bootstrap import bootstrap, cluster_numbers
from convsafe.benchmark.cli import cli
from convsafe.benchmark.counted_rows import Compared
from convsafe.benchmark.evaluation import Evaluation, evaluate
from convsafe.benchmark.judge_cards import text, write_card
from convsafe.benchmark.judging import JUDGES, judge_card
from convsafe.benchmark.keyword_judges import BASELINES
from convsafe.benchmark.measures import graded_measure, harm_measure, stance_measure
from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput

from tests.conftest import SOURCES, needs_sources


def test_perfect_agreement_is_one_and_a_constant_judge_is_chance() -> None:
    labels = ["refusal", "compliance", "partial", "compliance"]
    assert agreement(labels, labels).kappa == 1.0
    assert agreement(labels, ["compliance"] * 4).kappa == 0.0
    alike = agreement(["refusal"] * 3, ["refusal"] * 3)
    assert (alike.kappa, alike.binary_kappa, alike.accuracy) == (None, None, 1.0)
    folded = agreement(["refusal", "partial"], ["partial", "refusal"])
    assert (folded.kappa, folded.binary_kappa) == (-1.0, None)
    assert agreement(["refusal"] * 3, ["compliance"] * 3).kappa == 0.0


def test_partial_counts_as_refused_in_the_binary_figure() -> None:
    found = agreement(["refusal", "compliance", "partial"], ["partial", "compliance", "refusal"])
    assert found.binary_kappa == 1.0
    assert found.kappa < 1.0
    assert found.confusion["refusal"] == {"partial": 1}


def test_an_unscored_verdict_is_wrong_not_dropped() -> None:
    found = agreement(["refusal", "compliance"] * 5, ["refusal", None] * 5)
    assert (found.n, found.unscored, found.accuracy) == (10, 5, 0.5)
    assert found.binary_kappa < 1.0


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(BadInput, match="cannot be compared"):
        agreement([], [])
    with pytest.raises(BadInput, match="cannot be compared"):
        agreement(["refusal"], [])


ROWS = [
    {"request": "How do I bake bread?", "reply": "I'm sorry, but I can't help.", "gold": "nope"},
    {"request": "How do I bake bread?", "reply": "Bake it for an hour.", "gold": "yes"},
]


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_any_columns_and_labels_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "labelled.jsonl", ROWS)
    labels = {"nope": "refusal", "yes": "compliance"}
    assert measure(LabelledFile(path, "gold", labels=labels), "rules").accuracy == 1.0
    with pytest.raises(BadInput, match=r"row 1: label 'nope' has no meaning.*--map nope=STANCE"):
        measure(LabelledFile(path, "gold"), "rules")
    with pytest.raises(BadInput, match="no column 'label'; there are request, reply, gold"):
        measure(LabelledFile(path, "label", labels=labels), "rules")
    with pytest.raises(BadInput, match="must end in"):
        measure(LabelledFile(write(tmp_path / "labelled.txt", ROWS), "gold"), "rules")


def test_a_measured_agreement_replaces_the_one_of_the_same_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(JUDGES), "folder", tmp_path)
    monkeypatch.setattr(type(JUDGES), "names", lambda _: ["rules"])
    for stances in (["refusal", "refusal"], ["refusal", "compliance"]):
        record("rules", "mine", "en", agreement(["refusal", "compliance"], stances))
    record("rules", "mine", "de", agreement(["refusal"], ["refusal"]))
    rows = judge_card("rules").agreement
    assert [(row["language"], row["accuracy"]) for row in rows] == [("de", 1.0), ("en", 1.0)]
    assert [row["kappa"] for row in rows] == [None, 1.0]


def test_kappa_is_the_one_computed_by_hand() -> None:
    # 20 and 15 on the diagonal, 5 and 10 off it: met 0.7, chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    labels = ["refusal"] * 25 + ["compliance"] * 25
    given = ["refusal"] * 20 + ["compliance"] * 5 + ["refusal"] * 10 + ["compliance"] * 15
    assert agreement(labels, given).kappa == pytest.approx(0.4)
    clusters = np.arange(50)
    found = bootstrap(clusters, stance_measure(labels, given, clusters))
    assert found["kappa"].value == pytest.approx(0.4)
    assert found["accuracy"].value == pytest.approx(0.7)
    assert found["kappa"].low < 0.4 < found["kappa"].high
    assert found == bootstrap(clusters, stance_measure(labels, given, clusters))


def test_the_figures_of_all_rows_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    labels = random.choice(["refusal", "partial", "compliance", "invalid"], 300).tolist()
    given = random.choice(["refusal", "partial", "compliance", "unscored"], 300).tolist()
    measured = stance_measure(labels, given, np.arange(300))(np.ones((1, 300)))
    plain = agreement(labels, [None if stance == "unscored" else stance for stance in given])
    for name in ("accuracy", "macro_f1", "kappa", "binary_kappa"):
        assert measured[name][0] == pytest.approx(getattr(plain, name)), name


def test_weights_count_as_repeated_rows() -> None:
    from scipy.stats import kendalltau
    from sklearn.metrics import average_precision_score, roc_auc_score

    random = np.random.default_rng(2)
    score, truth = random.integers(0, 6, 80) / 5, random.integers(0, 2, 80).astype(float)
    clusters = random.integers(0, 20, 80)
    weights = random.integers(0, 3, (1, int(clusters.max()) + 1)).astype(float)
    rows = np.repeat(np.arange(80), weights[0].astype(int)[clusters])
    found = harm_measure(score, truth, clusters)(weights)
    assert found["auc"][0] == pytest.approx(roc_auc_score(truth[rows], score[rows]))
    precision = average_precision_score(truth[rows], score[rows])
    assert found["average_precision"][0] == pytest.approx(precision)
    graded = graded_measure(score, truth, clusters)(weights)
    assert graded["kendall"][0] == pytest.approx(kendalltau(score[rows], truth[rows]).statistic)


def test_calibration_error_is_nought_where_probabilities_are_shares() -> None:
    score, truth = np.repeat([0.0, 0.5, 1.0], 10), np.array([0.0] * 10 + [0, 1] * 5 + [1] * 10)
    measured = harm_measure(score, truth, np.arange(30))(np.ones((1, 30)))
    assert measured["calibration_error"][0] == pytest.approx(0)
    measured = harm_measure(score, 1 - truth, np.arange(30))(np.ones((1, 30)))
    assert measured["calibration_error"][0] == pytest.approx(2 / 3)


def test_intervals_cover_and_those_of_clusters_are_wider() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        # All five replies to a prompt are right together; 70 % of prompts are.
        right = np.repeat(random.random(40) < 0.7, 5)
        labels, given = ["refusal"] * 200, np.where(right, "refusal", "compliance").tolist()
        clusters = np.repeat(np.arange(40), 5)
        whole = bootstrap(clusters, stance_measure(labels, given, clusters), draws=400)["accuracy"]
        covered += whole.low <= 0.7 <= whole.high
    assert covered >= 88
    rows = np.arange(200)
    alone = bootstrap(rows, stance_measure(labels, given, rows), draws=400)["accuracy"]
    assert whole.high - whole.low > 1.5 * (alone.high - alone.low)


def test_one_prompt_has_no_interval_and_one_class_no_auc() -> None:
    one = np.zeros(4, dtype=np.int64)
    found = bootstrap(one, stance_measure(["refusal"] * 4, ["refusal"] * 4, one))["accuracy"]
    assert (found.value, found.low, found.high) == (1.0, None, None)
    rows = np.arange(4)
    found = bootstrap(rows, harm_measure(np.array([0.1, 0.2, 0.3, 0.4]), np.ones(4), rows))
    assert found["auc"].value is None
    assert str(found["auc"]) == "no figure"
    assert cluster_numbers(["b", "a", "b"]).tolist() == [1, 0, 1]


Judged = Callable[..., Evaluation]


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judged:
    """Measure a judge that says what a column says."""
    rows = [
        {
            "prompt": f"Prompt {number // 2}", "response": "x" * (number + 1), "label": "refusal",
            "harmful": "no" if number % 2 else "yes", "grade": float(number),
            "lang": "de" if number > 6 else "en",
        }
        for number in range(10)
    ]  # fmt: skip

    def measured(
        stances: list,
        chances: list,
        change: dict | None = None,
        *,
        by: Sequence[str] = (),
        skip: Sequence[str] = (),
        **how: str,
    ) -> Evaluation:
        told = SimpleNamespace(
            name="rules",
            made_with={},
            VERSION="1",
            SUMMARY="Says what it is told.",
            TELLS=frozenset({"stance", "unsafe"}),
            judge=lambda _: pl.DataFrame({"stance": stances, "unsafe": chances}),
        )
        for module in (evaluation, judge_file):
            monkeypatch.setattr(module, "load_judge", lambda *_: told)
        monkeypatch.setattr(evaluation, "BASELINES", Shelf("none", tmp_path / "none", ""))
        path = write(tmp_path / "labelled.jsonl", [rows[0] | (change or {}), *rows[1:]])
        return evaluate(LabelledFile(path, "label", skip=skip), Compared(**how), by=by)

    return measured


def test_probabilities_grades_and_slices_are_measured(judged: Judged, tmp_path: Path) -> None:
    unsafe = [0.9, 0.1] * 4 + [0.9, None]
    found = judged(["refusal"] * 10, unsafe, unsafe="harmful", graded="grade", by=["lang"])
    assert found.harm.figures["auc"].value == 1.0
    assert (found.harm.n, found.harm.unscored) == (10, 1)
    assert set(found.graded.figures) == {"pearson", "spearman", "kendall"}
    assert found.graded.name == "unsafe"
    assert [(part.by, part.name, part.n) for part in found.slices[-2:]] == [
        ("lang", "de", 3),
        ("lang", "en", 7),
    ]
    assert sum(part.n for part in found.slices if part.by == "reply length") == 10
    for folder in ("one", "two"):
        write_card(found, tmp_path / folder)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {"rules.md", "rules.json", "rules.calibration.png"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    row = json.loads((tmp_path / "one" / "rules.json").read_text())
    assert len(row["of"]["sha256"]) == 64
    assert row["of"]["judge_version"] == "1"
    assert "AUC" in (tmp_path / "one" / "rules.md").read_text()
    assert "average precision" in text(found)


def test_what_cannot_be_measured_is_an_error_and_never_nought(judged: Judged) -> None:
    stances, unsafe = ["refusal"] * 10, [0.5] * 10
    with pytest.raises(BadInput, match="scored none of 10 replies: the judge gave no verdict"):
        judged([None] * 10, [None] * 10)
    with pytest.raises(BadInput, match=r"\[1\]: row 1: harmful 'perhaps' is not one of true"):
        judged(stances, unsafe, {"harmful": "perhaps"}, unsafe="harmful")
    with pytest.raises(BadInput, match="row 1: grade nan is no number"):
        judged(stances, unsafe, {"grade": math.nan}, graded="grade")
    with pytest.raises(BadInput, match="no column 'hazard'; there are prompt"):
        judged(stances, unsafe, by=["hazard"])
    with pytest.raises(BadInput, match="no column 'hazard'; there are prompt"):
        judged(stances, unsafe, graded="hazard")
    with pytest.raises(BadInput, match="every row was skipped"):
        judged(stances, unsafe, skip=["refusal"])
    none = judged(stances, [None] * 10, unsafe="harmful")
    assert none.harm.figures == {}
    assert none.harm.unscored == 10


def test_a_judge_without_probabilities_cannot_be_asked_for_them(tmp_path: Path) -> None:
    path = write(tmp_path / "labelled.jsonl", ROWS)
    labels = {"nope": "refusal", "yes": "compliance"}
    with pytest.raises(BadInput, match="judge 'rules' tells no `unsafe`"):
        evaluate(LabelledFile(path, "gold", labels=labels), Compared(unsafe="gold"), judge="rules")


def test_a_keyword_list_has_no_card_to_write_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: pytest.fail("it was measured"))
    words = ["judge-eval", str(tmp_path / "any.csv"), "--label", "label", "--judge", "gcg"]
    done = CliRunner().invoke(cli, [*words, "--write"])
    assert isinstance(done.exception, BadInput)
    assert "'gcg' is a keyword list, which has no card" in str(done.exception)


def test_a_column_of_lists_is_neither_a_label_nor_a_slice(tmp_path: Path) -> None:
    rows = [row | {"tags": ["a"], "label": "refusal"} for row in ROWS]
    path = write(tmp_path / "labelled.jsonl", rows)
    with pytest.raises(BadInput, match="column 'tags' holds List"):
        evaluate(LabelledFile(path, "tags"))
    with pytest.raises(BadInput, match="column 'tags' holds List"):
        evaluate(LabelledFile(path, "label"), by=["tags"])


def test_kappa_of_one_class_alone_is_no_figure() -> None:
    rows = np.arange(4)
    found = bootstrap(rows, stance_measure(["refusal"] * 4, ["refusal"] * 4, rows))
    assert (found["accuracy"].value, found["kappa"].value) == (1.0, None)


@needs_sources
def test_xstest_is_measured_with_keyword_lists_beside(tmp_path: Path) -> None:
    path = Path(str(SOURCES)) / "xstest" / "labelled_completions.csv"
    arguments = ["judge-eval", str(path), "--label", "final_label", "--by", "model"]
    out, card = tmp_path / "verdicts.jsonl", tmp_path / "card"
    done = CliRunner().invoke(cli, [*arguments, "--out", str(out), "--card", str(card), "--json"])
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout)
    assert (row["of"]["prompts"], row["of"]["left_out"]) == (91, 358)
    for name in ("accuracy", "macro_f1", "kappa", "binary_kappa"):
        figure = row["intervals"][name]
        assert figure["value"] == row[name]
        assert figure["low"] < figure["value"] < figure["high"]
    kappas = {part["name"]: part["figures"]["binary_kappa"]["value"] for part in row["baselines"]}
    assert set(kappas) == set(BASELINES.names())
    assert max(kappas.values()) < row["binary_kappa"]
    assert len(out.read_text().splitlines()) == 540
    assert "| mistralinstruct | 91 | 0 |" in (card / "embedded.md").read_text()


@needs_sources
def test_the_published_agreement_is_what_the_judge_reaches() -> None:
    path = Path(str(SOURCES)) / "xstest" / "labelled_completions.csv"
    found = measure(LabelledFile(path, "final_label"), "rules")
    assert found.binary_kappa >= 0.80
    published = next(row for row in judge_card("rules").agreement if row["dataset"] == "xstest")
    assert published["kappa"] == round(found.kappa, 4)
    assert published["n"] == found.n == 540
