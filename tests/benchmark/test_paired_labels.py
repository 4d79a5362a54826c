"""People's labels of a run meet its verdicts: every id once, or an error that names it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from convsafe.benchmark.correction import LABELS_ALONE, corrected
from convsafe.benchmark.human_labels import export_labels, import_labels
from convsafe.benchmark.paired_labels import Paired, paired_labels
from convsafe.benchmark.runs import Run
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, read_jsonl, write_json, write_jsonl

from tests.labelling import rated

Rows = list[dict[str, Any]]
N = 60


def by_id(_: int, row: dict[str, str]) -> dict[str, str]:
    """Call a reply compliant and unsafe where its id ends in an even number, by no judge's word."""
    even = len(row["id"]) % 2 == 0
    return {"stance": "compliance" if even else "refusal", "unsafe": "yes" if even else "no"}


@pytest.fixture(scope="module")
def labelled(judged: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paired") / "labels"
    export_labels(judged, folder, n=N)
    import_labels(folder, [rated(folder, folder.parent / "labels-anna.csv", by_id)])
    return folder


@pytest.fixture
def changed(labelled: Path, tmp_path: Path) -> Callable[[Callable[[Rows], Rows]], Path]:
    """Give the file of labels after a change to its lines."""
    folder = shutil.copytree(labelled, tmp_path / "labels")

    def change(edit: Callable[[Rows], Rows]) -> Path:
        path = folder / "labels.jsonl"
        write_jsonl(path, iter(edit([row for _, row in read_jsonl(path)])))
        return path

    return change


def known(found: Paired) -> pl.DataFrame:
    return found.frame.filter(pl.col("human").is_not_nan())


def test_labels_become_the_event_of_the_metric(judged: Run, labelled: Path) -> None:
    found = paired_labels(judged, "refusal_rate", labels=labelled / "labels.jsonl")
    assert (found.n_labels, found.never_shown) == (N, 0)
    # always_refuse: the judge says refused of all, people by the length of the id.
    assert found.frame["judged"].to_list() == [1.0] * 120
    rows = known(found)
    assert rows["human"].to_list() == [float(len(id) % 2) for id in rows["id"]]
    chances = {
        r["id"]: r["inclusion_probability"] for r in read_json(labelled / "sample.json")["rows"]
    }
    assert dict(rows.select("id", "chance").iter_rows()) == chances
    assert (1 / rows["chance"]).sum() == pytest.approx(120)
    clusters = dict(judged.cases().select("id", "cluster_id").iter_rows())
    assert dict(found.frame.select("id", "cluster_id").iter_rows()) == clusters


def test_a_metric_takes_its_own_cases_and_its_own_label(judged: Run, labelled: Path) -> None:
    found = paired_labels(judged, "unsafe_rate", labels=labelled / "labels.jsonl")
    measured = judged.cases().filter(pl.col("measures").list.contains("safety"))["id"]
    assert set(found.frame["id"]) == set(measured) < set(judged.cases()["id"])
    assert found.frame["judged"].sum() == 0
    assert known(found)["human"].sum() == sum(len(id) % 2 == 0 for id in known(found)["id"])


def test_the_frame_is_what_a_correction_takes(judged: Run, labelled: Path) -> None:
    frame = paired_labels(judged, "unsafe_rate", labels=labelled / "labels.jsonl").frame
    found = corrected(frame["judged"], frame["human"], frame["chance"], frame["cluster_id"])
    assert found.value is not None
    assert 0.2 < found.low < found.value < found.high < 0.8
    only = frame.head(12)
    few = corrected(only["judged"], only["human"], only["chance"], only["cluster_id"])
    assert (few.n, few.method) == (12, LABELS_ALONE)


def test_the_majority_of_several_raters_counts(judged: Run, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    export_labels(judged, folder, n=20)
    said = {"anna": "refusal", "ben": "compliance", "cleo": "compliance"}
    files = [
        rated(folder, tmp_path / f"labels-{rater}.csv", lambda *_, s=stance: {"stance": s})
        for rater, stance in said.items()
    ]
    import_labels(folder, files)
    found = paired_labels(judged, "refusal_rate", labels=folder / "labels.jsonl")
    assert known(found)["human"].to_list() == [0.0] * 20
    import_labels(folder, files[:2])
    with pytest.raises(BadInput, match="raters are split over stance: refusal, compliance"):
        paired_labels(judged, "refusal_rate", labels=folder / "labels.jsonl")
    with pytest.raises(BadInput, match="was drawn and has no unsafe"):
        paired_labels(judged, "unsafe_rate", labels=folder / "labels.jsonl")


def test_replies_without_a_text_are_settled_by_rule(hostile: Run, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    sample = export_labels(hostile, folder, n=30)
    import_labels(folder, [rated(folder, tmp_path / "labels-anna.csv", by_id)])
    found = paired_labels(hostile, "refusal_rate", labels=folder / "labels.jsonl")
    empty = hostile.generations().filter(pl.col("response") == "")["id"]
    settled = found.frame.filter(pl.col("id").is_in(empty.implode()))
    assert len(settled) == sample["left_out"]["no_text"] > 0
    assert settled["human"].to_list() == settled["judged"].to_list() == [0.0] * len(settled)
    assert settled["chance"].to_list() == [1.0] * len(settled)
    assert (len(known(found)), found.n_labels) == (30 + len(settled), 30)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda rows: rows[1:], "drawn and has no stance; label it"),
        (lambda rows: [{**rows[0], "stance": None}, *rows[1:]], "drawn and has no stance"),
        (lambda rows: [*rows, {**rows[0], "id": "nobody"}], "not drawn; take the line out"),
        (lambda rows: [*rows, rows[3]], "anna labelled this in line 4 too"),
        (lambda rows: [*rows[:-1], {**rows[-1], "stance": "no idea"}], "'no idea' is no label"),
        (lambda rows: [*rows[:-1], {**rows[-1], "stance": True}], "True is no label"),
    ],
)
def test_missing_unknown_and_doubled_ids_are_errors_that_name_them(
    judged: Run, changed: Callable[..., Path], edit: Callable[[Rows], Rows], what: str
) -> None:
    before: Rows = []
    changed(lambda rows: before.extend(rows) or rows)  # type: ignore[func-returns-value]
    path = changed(edit)
    with pytest.raises(BadInput, match=what) as caught:
        paired_labels(judged, "refusal_rate", labels=path)
    assert caught.value.id in {*(row["id"] for row in before), "nobody"}
    assert Path(str(caught.value.file)) == path


def test_labels_of_another_run_are_refused(judged: Run, hostile: Run, labelled: Path) -> None:
    with pytest.raises(BadInput, match="of a run with another model"):
        paired_labels(hostile, "refusal_rate", labels=labelled / "labels.jsonl")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"id": "nobody", "inclusion_probability": 0.5}, "1 ids are no case of the run"),
        ({"id": "nobody", "inclusion_probability": 0}, "inclusion_probability 0 is not above 0"),
        ({"id": "nobody"}, "this is no sample"),
    ],
)
def test_a_wrong_sample_is_refused(
    judged: Run, changed: Callable[..., Path], row: dict[str, Any], what: str
) -> None:
    path = changed(lambda rows: rows)
    sample = read_json(path.parent / "sample.json")
    write_json(path.parent / "sample.json", {**sample, "rows": [*sample["rows"], row]})
    with pytest.raises(BadInput, match=what):
        paired_labels(judged, "refusal_rate", labels=path)


def test_a_run_without_labels_says_what_to_do(judged: Run, labelled: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        paired_labels(judged, "refusal_rate")
    shutil.copy(labelled / "sample.json", tmp_path)
    with pytest.raises(BadInput, match="import-labels"):
        paired_labels(judged, "refusal_rate", labels=tmp_path / "labels.jsonl")


def test_a_metric_that_labels_do_not_tell_is_refused(judged: Run, labelled: Path) -> None:
    with pytest.raises(BadInput, match="labels tell stance and unsafe, and helpful_rate needs"):
        paired_labels(judged, "helpful_rate", labels=labelled / "labels.jsonl")


def test_a_verdict_that_is_missing_or_doubled_is_named(judged: Run, tmp_path: Path) -> None:
    run = Run.open(shutil.copytree(judged.folder, tmp_path / "run"))
    path = run.verdicts_path("embedded")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="1 ids have a reply or a verdict alone") as caught:
        paired_labels(run, "refusal_rate")
    assert caught.value.id == json.loads(lines[0])["id"]
    path.write_text("\n".join([*lines, lines[0]]) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="more than one verdict"):
        paired_labels(run, "refusal_rate")
