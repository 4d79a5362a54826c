"""Human labels: a known sample, raters who see no verdict, and the whole round."""

import codecs
import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import load_suite, run, score
from convsafe.benchmark.cli import cli
from convsafe.benchmark.human_labels import export_labels, import_labels
from convsafe.benchmark.label_commands import export_labels_command, import_labels_command
from convsafe.benchmark.label_files import COLUMNS, defuse
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, read_jsonl
from convsafe.taxonomy.tree import NEVER_SHOWN, load_tree

from tests.labelling import FORMULA, RTL, rated, refused, rows_of


def test_the_sample_says_what_was_drawn_and_the_raters_see_no_verdict(
    judged: Run, tmp_path: Path
) -> None:
    sample = export_labels(judged, tmp_path / "labels", n=40, seed=3)
    assert sample == read_json(tmp_path / "labels" / "sample.json")
    assert (sample["n"], sample["seed"], len(sample["rows"])) == (40, 3, 40)
    assert sample["run"]["ids_sha256"] == judged.settings["ids_sha256"]
    assert sample["judge"]["name"] == "embedded"
    assert sum(row["n"] for row in sample["strata"]) == 40
    assert all(row["n"] >= 1 for row in sample["strata"])
    assert {row["area"] for row in sample["strata"]} <= {area.id for area in load_tree().areas}
    rows = rows_of(tmp_path / "labels" / "labels.csv")
    assert [row["id"] for row in rows] == [row["id"] for row in sample["rows"]]
    assert list(rows[0]) == list(COLUMNS)
    assert {row["stance"] + row["unsafe"] + row["note"] for row in rows} == {""}
    weights = sum(1 / row["inclusion_probability"] for row in sample["rows"])
    assert weights == pytest.approx(120)


def test_the_page_holds_requests_and_replies_and_no_verdict(judged: Run, tmp_path: Path) -> None:
    export_labels(judged, tmp_path / "labels", n=1000)
    text = (tmp_path / "labels" / "form.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    rows = json.loads(found[1])["rows"]
    assert {tuple(sorted(row)) for row in rows} == {("before", "id", "prompt", "response")}
    turns = dict(judged.cases().select("id", "messages").iter_rows())
    assert all(row["before"] == turns[row["id"]][:-1] for row in rows)
    assert any(row["before"] for row in rows)


def test_raters_see_a_reply_as_the_judge_did(own_release: Path, tmp_path: Path) -> None:
    suite = load_suite(own_release, limit=300)
    done = run("echo", suite, tmp_path / "run")
    score(done)
    export_labels(done, tmp_path / "labels", n=1000)
    rows = {row["id"]: row for row in rows_of(tmp_path / "labels" / "labels.csv")}
    wrapped = [case for case in suite.cases if case.messages[-1].content != case.prompt]
    assert wrapped
    for case in suite.cases:
        assert rows[case.id]["prompt"] == defuse(case.prompt)
    copies = [case for case in wrapped if rows[case.id]["response"] == defuse(case.prompt)]
    assert copies, "a copy of a wrapped request reads as one of the plain request"


def test_the_same_seed_gives_the_same_files(judged: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_labels(judged, tmp_path / name, n=20)
    for name in ("labels.csv", "form.html", "sample.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert not list((tmp_path / "one").glob(".*"))


def test_what_is_never_shown_and_what_has_no_text_is_left_out(hostile: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for path in hostile.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    cases = pl.read_parquet(folder / "cases.parquet")
    banned = cases["id"][:9].to_list()
    hazards = pl.when(pl.col("id").is_in(banned)).then(
        pl.concat_list("hazards", pl.lit(NEVER_SHOWN))
    )
    cases.with_columns(hazards.otherwise(pl.col("hazards")).alias("hazards")).write_parquet(
        folder / "cases.parquet"
    )
    sample = export_labels(folder, tmp_path / "labels", n=1000)
    assert sample["left_out"]["never_shown"] == 9
    silent = hostile.generations().filter((pl.col("response") == "") & ~pl.col("id").is_in(banned))
    assert sample["left_out"]["no_text"] == len(silent) > 5
    assert sample["n"] == 120 - sum(sample["left_out"].values())
    for name in ("labels.csv", "form.html", "sample.json"):
        text = (tmp_path / "labels" / name).read_text(encoding="utf-8")
        assert not [id for id in banned if re.search(rf'["\n]{re.escape(id)}[",]', text)]


def test_formulas_are_defused_and_other_text_is_kept(exported: Path) -> None:
    rows = rows_of(exported / "labels.csv")
    assert (exported / "labels.csv").read_bytes().startswith(codecs.BOM_UTF8)
    replies = {row["response"] for row in rows}
    assert {"'" + FORMULA, RTL, "I can't help."} <= replies
    assert not [row for row in rows for text in row.values() if re.match(r"\s*[=+\-@\t\r]", text)]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", " \n=1", "\r", "＝1", "\ufeff=1"])
def test_every_beginning_of_a_formula_is_defused(text: str) -> None:
    assert defuse(text) == "'" + text
    assert defuse("a" + text) == "a" + text


def test_labels_are_never_overwritten(judged: Run, exported: Path) -> None:
    with pytest.raises(BadInput, match=r"holds labels\.csv already.*another folder"):
        export_labels(judged, exported)


@pytest.mark.parametrize("n", [0, -1])
def test_nothing_to_draw_is_an_error(judged: Run, tmp_path: Path, n: int) -> None:
    with pytest.raises(BadInput, match="draw one or more"):
        export_labels(judged, tmp_path / "labels", n=n)


def test_a_run_that_is_not_wholly_judged_says_what_to_do(
    label_suite: Suite, tmp_path: Path
) -> None:
    done = run("always_refuse", label_suite, tmp_path / "run")
    with pytest.raises(BadInput, match="run `convsafe score`"):
        export_labels(done, tmp_path / "labels")
    score(done)
    path = done.verdicts_path("embedded")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[2:]))
    with pytest.raises(
        BadInput, match=r"verdicts-embedded\.jsonl \[.+\]: 2 replies have no verdict"
    ):
        export_labels(done, tmp_path / "labels")
    assert not (tmp_path / "labels").exists()


def test_a_run_without_any_text_has_nothing_to_label(label_suite: Suite, tmp_path: Path) -> None:
    done = run("always_refuse", label_suite, tmp_path / "run")
    rows = [row | {"response": ""} for _, row in read_jsonl(done.generations_path)]
    done.generations_path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score(done)
    with pytest.raises(BadInput, match="no reply of this run can be labelled"):
        export_labels(done, tmp_path / "labels")


def test_labels_come_back_as_they_were_given(exported: Path, tmp_path: Path) -> None:
    def anna(number: int, _: dict[str, str]) -> dict[str, str]:
        return {"stance": "Refusal " if number % 2 else "partial", "unsafe": "", "note": "=1"}

    def ben(number: int, _: dict[str, str]) -> dict[str, str]:
        return {"stance": "", "unsafe": "YES"} if number < 5 else {}

    files = [
        rated(exported, tmp_path / "labels-anna.csv", anna),
        rated(exported, tmp_path / "ben.csv", ben, "utf-8-sig", delimiter=";"),
    ]
    found = import_labels(exported, files)
    assert (found.raters, found.n) == (("anna", "ben"), 60)
    chances = {
        row["id"]: row["inclusion_probability"]
        for row in read_json(exported / "sample.json")["rows"]
    }
    lines = [row for _, row in read_jsonl(exported / "labels.jsonl")]
    assert len(lines) == 65
    assert list(lines[0]) == ["id", "rater", "stance", "unsafe", "inclusion_probability"]
    assert all(row["inclusion_probability"] == chances[row["id"]] for row in lines)
    assert [row["stance"] for row in lines[:3]] == ["partial", "refusal", "partial"]
    assert [row["unsafe"] for row in lines[60:]] == [True] * 5
    assert found.majority[0] == {"id": lines[0]["id"], "stance": "partial", "unsafe": True}
    assert found.majority[9]["unsafe"] is None
    assert found.alpha == {"stance": None, "unsafe": None}, "nobody labelled the same field"


def test_raters_who_agree_have_alpha_one_and_the_majority_is_theirs(
    exported: Path, tmp_path: Path
) -> None:
    def fill(number: int, _: dict[str, str]) -> dict[str, str]:
        return {
            "stance": ("refusal", "compliance")[number % 2],
            "unsafe": ("no", "yes")[number % 2],
        }

    files = [rated(exported, tmp_path / f"{name}.csv", fill) for name in "abc"]
    found = import_labels(exported, files)
    assert found.alpha == {"stance": 1.0, "unsafe": 1.0}
    assert {row["stance"] for row in found.majority} == {"refusal", "compliance"}
    assert found.to_row()["raters"] == ["a", "b", "c"]


def test_one_rater_has_no_alpha(exported: Path, tmp_path: Path) -> None:
    found = import_labels(exported, [rated(exported, tmp_path / "a.csv", refused)])
    assert found.alpha == {"stance": None, "unsafe": None}
    assert found.majority[0]["stance"] == "refusal"
    assert found.majority[0]["unsafe"] is False


def test_the_commands_do_the_whole_round(judged: Run, tmp_path: Path) -> None:
    out = tmp_path / "labels"
    options = [str(judged.folder), "--out", str(out), "--n", "12", "--seed", "5"]
    done = CliRunner().invoke(export_labels_command, [*options, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["seed"] == 5
    files = [str(rated(out, tmp_path / f"{name}.csv", refused)) for name in "ab"]
    done = CliRunner().invoke(import_labels_command, [str(out), *files])
    assert "12 replies labelled by a, b" in done.output
    assert "α, stance: undefined" in done.output
    done = CliRunner().invoke(import_labels_command, [str(out), *files, "--json"])
    assert json.loads(done.output)["n"] == 12


def test_imported_labels_are_what_a_judge_is_measured_on(hostile: Run, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    export_labels(hostile, folder, n=30)

    def split(number: int, _: dict[str, str]) -> dict[str, str]:
        return {"stance": "compliance" if number < 4 else "refusal", "unsafe": ""}

    files = [rated(folder, tmp_path / "a.csv", refused), rated(folder, tmp_path / "b.csv", split)]
    done = CliRunner().invoke(cli, ["judge", "import-labels", str(folder), *map(str, files)])
    assert "no stance in labelled.jsonl: 4 without a majority\n" in done.output
    path = folder / "labelled.jsonl"
    assert f"judge-eval {path} --label stance" in done.output
    rows = [row for _, row in read_jsonl(path)]
    assert len(rows) == 30
    assert {row["unsafe"] for row in rows} == {False}
    rows = [row for row in rows if row["stance"] is not None]
    assert len(rows) == 26
    # Texts are those of the run, not those that were made safe for spreadsheets.
    assert FORMULA in {row["response"] for row in rows}
    drawn = {row["id"]: row for row in read_json(folder / "sample.json")["rows"]}
    assert all(row.items() >= drawn[row["id"]].items() for row in rows)
    done = CliRunner().invoke(cli, ["judge-eval", str(path), "--label", "stance", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    weights = [1 / row["inclusion_probability"] for row in rows]
    assert (found["n"], found["of"]["unlabelled"]) == (26, 4)
    worth = sum(weights) ** 2 / sum(weight**2 for weight in weights)
    assert found["of"]["weighted"] == pytest.approx(worth, abs=0.1)
    done = CliRunner().invoke(cli, ["judge-eval", str(path), "--label", "stance"])
    assert "weighted by 1 / inclusion_probability" in done.stdout


def test_labels_of_harm_alone_are_kept(hostile: Run, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    export_labels(hostile, folder, n=12)

    def harm(number: int, _: dict[str, str]) -> dict[str, str]:
        return {"unsafe": "yes" if number % 2 else "no"}

    path = rated(folder, tmp_path / "a.csv", harm)
    done = CliRunner().invoke(cli, ["judge", "import-labels", str(folder), str(path)])
    assert "no stance in labelled.jsonl: 12 not given\n" in done.output
    assert "--label" not in done.output
    assert f"judge-eval {folder / 'labelled.jsonl'} --unsafe unsafe" in done.output
    rows = [row for _, row in read_jsonl(folder / "labelled.jsonl")]
    assert [row["unsafe"] for row in rows] == [False, True] * 6
    command = ["judge-eval", str(folder / "labelled.jsonl"), "--unsafe", "unsafe", "--json"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["harm"]["n"] == 12


def test_raters_whose_labels_are_dropped_are_named(hostile: Run, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    export_labels(hostile, folder, n=12)
    anna, ben = (rated(folder, tmp_path / f"labels-{n}.csv", refused) for n in ("anna", "ben"))
    assert import_labels(folder, [anna]).dropped == ()
    assert import_labels(folder, [anna, ben]).dropped == ()
    found = CliRunner().invoke(cli, ["judge", "import-labels", str(folder), str(ben)])
    assert "no longer here: the labels of anna; to keep them, import" in found.output
    assert {row["rater"] for _, row in read_jsonl(folder / "labels.jsonl")} == {"ben"}
    assert import_labels(folder, [anna]).to_row()["dropped"] == ["ben"]
