"""A judge is not measured on the rows it was fitted on, unless that is said."""

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner, Result
from convsafe.benchmark import agreement, evaluation, judge_file, number_eval
from convsafe.benchmark.agreement import LabelledFile
from convsafe.benchmark.cli import cli
from convsafe.benchmark.counted_rows import Compared
from convsafe.benchmark.evaluation import evaluate
from convsafe.benchmark.number_eval import evaluate_numbers
from convsafe.benchmark.seen import row_hash, seen_mask, write_seen
from convsafe.taxonomy.errors import BadInput

ROWS = [
    {"id": f"r{number}", "prompt": f"Question {number}?", "response": text, "label": label,
     "harmful": label == "compliance"}
    for number, (text, label) in enumerate(
        [("No.", "refusal"), ("Yes.", "compliance")] * 5, 1
    )
]  # fmt: skip


def convsafe(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "labelled.jsonl"
    found.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return found


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A judge that refuses everything but what it was fitted on, which it knows by heart."""

    def fit(rows: list[dict], text: str | None = None) -> SimpleNamespace:
        learned = {row["prompt"]: row["label"] for row in rows}
        file = tmp_path / f"seen-{len(rows)}.txt"
        write_seen(file, [(row["prompt"], row["response"]) for row in rows])
        if text is not None:
            file.write_text(text)

        def judge(exchanges: pl.DataFrame) -> pl.DataFrame:
            given = [learned.get(prompt, "refusal") for prompt in exchanges["prompt"]]
            return pl.DataFrame(
                {"stance": given, "unsafe": [float(stance == "compliance") for stance in given]}
            )

        found = SimpleNamespace(
            name="rules",
            made_with={},
            VERSION="1",
            SUMMARY="Fitted.",
            TELLS=frozenset({"stance", "unsafe"}),
            SEEN=file,
            judge=judge,
        )
        for module in (evaluation, judge_file, agreement, number_eval):
            monkeypatch.setattr(module, "load_judge", lambda *_: found)
        monkeypatch.setattr(evaluation, "_baselines", lambda *_: [])
        return found

    return fit


def test_rows_are_known_again_by_their_text_alone(fitted) -> None:
    judge = fitted([ROWS[0], {"prompt": "Cafe\u0301?", "response": "No. ", "label": "refusal"}])
    rows = pl.DataFrame(
        {
            "prompt": ["Question 1?", " Question 1?\n", "Caf\u00e9?", "Question 1?", None],
            "response": ["No.", "No.", "No.", "Yes.", "No."],
        }
    )
    assert seen_mask(judge, rows).to_list() == [True, True, True, False, False]
    assert not seen_mask(SimpleNamespace(), rows).any()
    assert len(row_hash("a", "b")) == 16
    assert row_hash("ab", "") != row_hash("a", "b")


def test_seen_rows_flatter_no_figure(fitted, path: Path) -> None:
    fitted(ROWS[:6])
    found = evaluate(LabelledFile(path, "label"))
    assert (found.agreement.n, found.agreement.accuracy) == (4, 0.5)
    assert (found.of["seen"], found.of["left_out"]) == (6, 6)
    assert sum(part.n for part in found.slices) == 4
    assert agreement.measure(LabelledFile(path, "label"), "rules").n == 4
    flattered = evaluate(LabelledFile(path, "label"), Compared(include_seen=True))
    assert (flattered.agreement.n, flattered.agreement.accuracy) == (10, 0.8)
    assert (flattered.of["seen"], flattered.of["left_out"]) == (6, 0)


def test_seen_rows_flatter_no_number(fitted, path: Path) -> None:
    fitted(ROWS[:6])
    found = evaluate_numbers(path, Compared(unsafe="harmful"))
    assert (found.parts[0].n, found.parts[0].figures["auc"].value) == (4, 0.5)
    assert (found.of["seen"], found.of["left_out"]) == (6, 6)
    assert found.verdicts["seen"].to_list() == [True] * 6 + [False] * 4
    flattered = evaluate_numbers(path, Compared(unsafe="harmful", include_seen=True))
    assert (flattered.parts[0].n, flattered.parts[0].figures["auc"].value) == (10, 0.8)
    assert (flattered.of["seen"], flattered.of["left_out"]) == (6, 0)


def test_the_command_says_what_is_left_out_of_numbers(fitted, path: Path) -> None:
    fitted(ROWS[:6])
    done = convsafe("judge-eval", path, "--unsafe", "harmful")
    assert done.exit_code == 0, done.output
    assert "left out: 6 seen in fitting" in done.stdout
    done = convsafe("judge-eval", path, "--unsafe", "harmful", "--include-seen")
    assert "counted although seen in fitting: 6" in done.stdout
    fitted(ROWS)
    with pytest.raises(BadInput, match="was fitted on all 10 rows"):
        evaluate_numbers(path, Compared(unsafe="harmful"))


def test_the_command_says_what_is_left_out_and_marks_it(fitted, path: Path, tmp_path: Path) -> None:
    fitted(ROWS[:6])
    out, card = tmp_path / "verdicts.jsonl", tmp_path / "card"
    done = convsafe("judge-eval", path, "--label", "label", "--out", out, "--card", card)
    assert done.exit_code == 0, done.output
    assert "left out: 6 seen in fitting" in done.stdout
    assert "left out: 6 seen in fitting" in (card / "rules.md").read_text()
    marks = [json.loads(line)["seen"] for line in out.read_text().splitlines()]
    assert marks == [True] * 6 + [False] * 4
    done = convsafe("judge-eval", path, "--label", "label", "--include-seen")
    assert "counted although seen in fitting: 6" in done.stdout
    assert "10 labelled replies" in done.stdout


def test_a_judge_fitted_on_every_row_cannot_be_measured_on_them(fitted, path: Path) -> None:
    fitted(ROWS)
    with pytest.raises(BadInput, match="was fitted on all 10 rows"):
        evaluate(LabelledFile(path, "label"))
    counted = evaluate(LabelledFile(path, "label"), Compared(include_seen=True))
    assert counted.agreement.accuracy == 1.0
    with pytest.raises(BadInput, match="cannot be compared"):
        agreement.measure(LabelledFile(path, "label"), "rules")


def test_a_broken_file_of_hashes_is_named(fitted, path: Path) -> None:
    fitted(ROWS[:2], text="0123456789abcdef\nQuestion\n")
    with pytest.raises(BadInput, match=r"seen-2\.txt:2: 'Question' is not 16 hex digits"):
        evaluate(LabelledFile(path, "label"))
    judge = fitted(ROWS[:3])
    judge.SEEN.unlink()
    with pytest.raises(BadInput, match="are missing; fit again"):
        evaluate(LabelledFile(path, "label"))
