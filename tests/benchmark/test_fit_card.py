"""The embedded judge fitted on a few replies of some sets and measured, from end to end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from convsafe.benchmark.fit.__main__ import write
from convsafe.benchmark.fit.embedded import material
from convsafe.benchmark.fit.rows import ALONE, fitting_rows
from convsafe.benchmark.loading import JUDGES
from convsafe.data_builders.label_table import build_labels
from convsafe.taxonomy.files import read_json

THEIRS = ("xstest", "diasafety", "latent_jailbreak_p1", *ALONE)
OURS = ("own_natural", "own_modern", "own_quick")
FEW = 80
SHIPPED = JUDGES.folder / "embedded.agreement.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what a fit on a few rows wrote."""
    if "CONVSAFE_SOURCES" not in os.environ:
        pytest.skip("CONVSAFE_SOURCES names no mirror of the upstream sets")
    home = tmp_path_factory.mktemp("fit")
    before = SHIPPED.read_bytes()
    rows = fitting_rows(build_labels(home / "labels").folder / "labels.parquet")
    rows = rows.filter(~pl.col("noised"), pl.col("source").is_in([*THEIRS, *OURS]))
    few = [some.sample(FEW, seed=0) for some in rows.partition_by("source")]
    write(material(pl.concat(few).sort("source", "id")), home / "weights", validate=True)
    assert SHIPPED.read_bytes() == before
    return home / "weights"


@pytest.fixture(scope="module")
def measured(folder: Path) -> list[dict[str, Any]]:
    """Return what was measured."""
    found: list[dict[str, Any]] = read_json(folder / "embedded.validation.json")
    return found


def test_sets_models_and_prompts_are_left_out(measured: list[dict[str, Any]]) -> None:
    left_out = {(row["dataset"], row["left_out"].split()[0]) for row in measured}
    assert {name for name, kind in left_out if kind == "set"} == {*THEIRS, *OURS}
    assert {name for name, kind in left_out if kind == "model"} <= {"xstest", "latent_jailbreak_p1"}
    assert ("xstest", "model") in left_out
    assert ("xstest", "prompts") in left_out


def test_what_is_measured_of_a_set_is_what_its_labels_tell(measured: list[dict[str, Any]]) -> None:
    whole = [row for row in measured if row["left_out"] == "set"]
    toxic = {row["dataset"]: row["toxicity"] for row in whole if "toxicity" in row}
    out = {row["dataset"]: row for row in whole if "toxicity" not in row}
    assert out["xstest"]["n"] == FEW
    assert -1 <= out["xstest"]["intervals"]["binary_kappa"]["value"] <= 1
    assert "harm" not in out["xstest"]
    assert out["diasafety"]["harm"]["positives"] < FEW
    assert "intervals" not in out["diasafety"]
    assert {name for name, row in out.items() if "talk" in row} == {"diasafety"}
    assert out["diasafety"]["talk"]["n"] == FEW
    assert 0 <= out["diasafety"]["talk"]["called_refusal"] <= 1
    # Of texts those are measured on that are kept, of replies all.
    assert toxic["cold_test"]["n"] < FEW == toxic["diasafety"]["n"]


def test_beside_scores_goes_what_people_said_of_sets_left_out(folder: Path) -> None:
    rows = read_json(folder / "embedded.agreement.json")
    assert {row["dataset"] for row in rows} == {"xstest", "diasafety", "latent_jailbreak_p1"}
    assert {(row["labels"], row["left_out"]) for row in rows} == {("people", "set")}


def test_the_page_has_a_table_of_each_kind(folder: Path) -> None:
    page = (folder / "embedded.md").read_text(encoding="utf-8")
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    assert len(heads) == 5
    talk = page.split("## People's talk")[1].split("##")[0]
    assert talk.count("| diasafety |") == 2
    assert f"| {FEW} |" in talk
