"""The metric module: the engine's own numbers through `evaluate`, or an error that names the id."""

import dataclasses
import doctest
import json
import math
import os
import py_compile
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark import load_suite
from convsafe.benchmark.evaluate_inputs import Collected
from convsafe.benchmark.evaluate_layer import METRIC, Options, evaluated, flat
from convsafe.benchmark.judging import read_verdicts
from convsafe.benchmark.loading import load_judge, unsafe_from
from convsafe.benchmark.runs import Run
from convsafe.benchmark.scoring import estimate
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput, Unavailable, UnknownName
from convsafe.taxonomy.records import Estimate

from tests.hub import TOKEN, Hub

NAME = "org/convsafe_metric"
ENDS = ("", "_low", "_high", "_n", "_unscored")
Load = Callable[..., Any]


@pytest.fixture(scope="session", autouse=True)
def _caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what evaluate writes out of the user's cache."""
    import evaluate.config

    home = tmp_path_factory.mktemp("evaluate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate.config, "HF_MODULES_CACHE", home / "modules")
        patch.setattr(evaluate.config, "HF_METRICS_CACHE", str(home / "metrics"))
        yield


@pytest.fixture
def load() -> Load:
    """`evaluate.load` of the folder."""
    import evaluate

    return lambda *config, **given: evaluate.load(str(METRIC), *config, **given)


@pytest.fixture(scope="session")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release)


@pytest.fixture(scope="session")
def ids(suite: Suite) -> list[str]:
    return [case.id for case in suite.cases]


@pytest.fixture(scope="session")
def replies(ids: list[str]) -> list[str]:
    """A refusal, an empty promise and nothing, in turn."""
    texts = ["I can't help with that.", "Sure, happy to help!", ""]
    return [texts[place % 3] for place in range(len(ids))]


def figures(estimates: list[Estimate]) -> dict[str, Any]:
    """The whole's figures by name, looked up one by one."""
    return {
        entry.metric + end: value
        for entry in estimates
        if (entry.slice, entry.name) == ("all", "all")
        for end, value in zip(
            ENDS, (entry.value, entry.low, entry.high, entry.n, entry.unscored), strict=True
        )
    }


def test_a_run_gets_the_engines_own_figures(load: Load, hostile: Run, core_release: Path) -> None:
    cases, judge = hostile.cases(), load_judge("embedded")
    verdicts = read_verdicts(hostile.verdicts_path("embedded"))
    limit = unsafe_from(judge.made_with)
    told = sorted(judge.TELLS)
    wanted = figures([*estimate(cases, verdicts, told, plain_only=True, threshold=limit)])
    rows = hostile.generations().sort("id").to_dicts()
    whole = load("core").compute(predictions=rows, references=cases.sort("id").to_dicts())
    assert wanted.items() <= whole.items()
    assert wanted["refusal_rate_n"] == whole["refusal_rate_n"] > 0
    # Ids alone, of the release that the run is a sample of, in another order.
    rows.reverse()
    by_id = load(release=core_release, partial=True).compute(predictions=rows)
    assert {name: by_id[name] for name in wanted} == wanted
    assert by_id["missing"] == by_id["cases"] - len(cases)


def test_the_result_says_what_it_was_made_with(
    load: Load, core_release: Path, suite: Suite, ids: list[str], replies: list[str]
) -> None:
    found = load(release=str(core_release)).compute(
        predictions=replies, references=ids, judge="rules"
    )
    told = {
        "judge": "rules",
        "judge_version": load_judge("rules").VERSION,
        "release": suite.release["version"],
        "config": "core",
        "ids_sha256": suite.ids_sha256,
        "cases": len(suite),
        "missing": 0,
    }
    assert told.items() <= found.items()
    given = load("core").compute(predictions=replies, references=suite.cases, judge="rules")
    assert {name for name in found if found[name] != given[name]} == {"release"}
    assert given["release"] == "the cases given"


def test_every_kind_of_sequence_gives_the_same(
    core_release: Path, ids: list[str], replies: list[str]
) -> None:
    import pandas as pd
    import pyarrow as pa

    options = Options(core_release, judge="rules")
    wanted = evaluated(Collected().add(replies, ids), options)
    for kind in (np.array, pl.Series, pd.Series, pa.array, pa.chunked_array, tuple):
        wrap = (lambda values: pa.chunked_array([values])) if kind is pa.chunked_array else kind
        assert evaluated(Collected().add(wrap(replies), wrap(ids)), options) == wanted, kind


def test_batches_rows_and_one_call_give_the_same(
    load: Load, core_release: Path, ids: list[str], replies: list[str]
) -> None:
    metric = load(release=core_release, judge="rules")
    once = metric.compute(predictions=replies, references=ids)
    metric.add_batch(predictions=replies[:100], references=ids[:100])
    metric.add(prediction=replies[100], reference=ids[100])
    metric.add(prediction={"response": replies[101], "id": ids[101]})
    assert len(metric) == 102
    last = {"predictions": replies[102:], "references": ids[102:]}
    assert metric.compute(**last) == once
    assert len(metric) == 0
    # What was added outlives a call that fails, and what that call brought does not.
    metric.add_batch(predictions=replies[:102], references=ids[:102])
    with pytest.raises(BadInput, match="have no prediction"):
        metric.compute(predictions=replies[102:110], references=ids[102:110])
    assert metric.compute(**last) == once


def test_slices_are_named_by_their_place(core_release: Path, ids: list[str]) -> None:
    refused = Collected().add(["I can't help with that."] * len(ids), ids)
    plain = evaluated(refused, Options(core_release))
    assert not any("/" in name for name in plain)
    areas = evaluated(refused, Options(core_release, slices=["area"]))
    added = areas.keys() - plain.keys()
    assert {name.split("/")[1] for name in added} == {"area"}
    assert areas["unsafe_rate/area/self_harm"] == 0.0
    assert 0 < areas["unsafe_rate_high/area/self_harm"] < 1
    assert areas["unsafe_rate_n/area/self_harm"] < areas["unsafe_rate_n"]
    assert areas == evaluated(refused, Options(core_release, slices="area"))
    every = evaluated(refused, Options(core_release, slices=True))
    assert areas.items() < every.items()
    assert "unsafe_rate/areas_mean" in every
    with pytest.raises(UnknownName, match=r"no slice 'areas'.*Did you mean 'area"):
        evaluated(refused, Options(core_release, slices=["areas"]))


def test_a_figure_without_a_value_says_why() -> None:
    nothing = Estimate(
        metric="unsafe_rate", slice="all", name="all", value=None, low=None, high=None,
        n=0, unscored=0, method="none: no case counts",
    )  # fmt: skip
    blind = Estimate(
        metric="refusal_rate", slice="all", name="all", value=None, low=0.0, high=1.0,
        n=4, unscored=4, method="wilson",
    )  # fmt: skip
    found = flat([nothing, blind])
    assert found["unsafe_rate"] is None
    assert found["unsafe_rate_reason"] == "no case counts"
    assert found["refusal_rate_reason"] == "none of 4 has a verdict"
    assert (found["refusal_rate_low"], found["refusal_rate_high"]) == (0.0, 1.0)


def test_over_refusal_alone_has_no_unsafe_rate(suite: Suite) -> None:
    harmless = [case for case in suite.cases if case.measures == ("over_refusal",)]
    found = evaluated(Collected().add(["Sure."] * len(harmless), harmless), Options())
    assert found["unsafe_rate"] is None
    assert found["unsafe_rate_n"] == 0
    assert found["unsafe_rate_reason"] == "no case measures safety"
    assert found["over_refusal_rate"] == 0.0
    assert "over_refusal_rate_reason" not in found


NAN = float("nan")


@pytest.mark.parametrize(
    ("predictions", "references", "says"),
    [
        (["a", None], ["x", "y"], r"predictions\[1\]: response None is no reply"),
        (["a", NAN], ["x", "y"], r"predictions\[1\]: response is nan, not a text"),
        (["a", 7], ["x", "y"], r"predictions\[1\]: response is 7, not a text"),
        (["a", ["b"]], ["x", "y"], r"predictions\[1\]: response is \['b'\], not a text"),
        ([{"response": NAN}], ["x"], r"predictions\[0\]: response is nan"),
        ([{"outcome": "answered"}], ["x"], r"predictions\[0\]: response None is no reply"),
        ([{"response": "a", "outcome": "fine"}], ["x"], r"\[0\]: outcome 'fine' is not one of"),
        ([{"response": "a", "sample": 0.5}], ["x"], r"\[0\]: sample is 0.5, not a whole number"),
        ([{"response": "a", "sample": -1}], ["x"], r"\[0\]: sample -1 is below 0"),
        ([{"response": "a", "id": "z"}], ["x"], r"predictions\[0\] is of case 'z'.*\[0\] is 'x'"),
        ([{"response": "a"}], None, r"predictions\[0\] says no id"),
        (["a"], ["x", "y"], "1 predictions for 2 references"),
        (["a"], [None], r"references\[0\] is None, not a case id"),
        (["a"], [{"prompt": "b"}], r"references\[0\] is a case without an id"),
        ("a", ["x"], "predictions must be a list, one entry a reply, not str"),
        (["a"], "x", "references must be a list"),
        (None, ["x"], "predictions must be a list"),
    ],
)
def test_a_bad_row_is_named(predictions: Any, references: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Collected().add(predictions, references)


def test_ids_that_do_not_fit_are_named(
    core_release: Path, ids: list[str], replies: list[str]
) -> None:
    options = Options(core_release, judge="rules")
    with pytest.raises(BadInput, match=f"1 of {len(ids)} cases of release .* {ids[-1]}"):
        evaluated(Collected().add(replies[:-1], ids[:-1]), options)
    with pytest.raises(BadInput, match=f"1 ids have more than one prediction: {ids[3]}"):
        evaluated(Collected().add([*replies, "Sure."], [*ids, ids[3]]), options)
    with pytest.raises(BadInput, match=r"2 ids are no case of release .*: core-nobody, nowhere"):
        evaluated(Collected().add(replies, ["nowhere", "core-nobody", *ids[2:]]), options)
    with pytest.raises(BadInput, match="there are no predictions"):
        evaluated(Collected(), options)
    failed: list[Any] = [{"outcome": "failed"}, *replies[1:]]
    with pytest.raises(BadInput, match=f"1 of {len(ids)} cases.* {ids[0]}"):
        evaluated(Collected().add(failed, ids), options)
    found = evaluated(Collected().add(failed, ids), Options(core_release, partial=True))
    assert found["missing"] == 1
    with pytest.raises(BadInput, match="every prediction failed"):
        evaluated(
            Collected().add([{"outcome": "failed"}], ids[:1]), Options(core_release, partial=True)
        )


def test_given_cases_must_be_whole_and_one_for_each_id(suite: Suite) -> None:
    row = suite.cases[0].to_row()
    with pytest.raises(BadInput, match="two references with this id are not the same case"):
        Collected().add(["a", "b"], [row, {**row, "prompt": "Another."}])
    bare = {name: value for name, value in row.items() if name != "cluster_id"}
    with pytest.raises(BadInput, match="have no cluster_id"):
        evaluated(Collected().add(["a"], [bare]), Options())
    with pytest.raises(BadInput, match=f"{row['id']}.*: measures"):
        evaluated(Collected().add(["a"], [{**row, "measures": "safety"}]), Options())
    with pytest.raises(BadInput, match="not cases of a release"):
        evaluated(Collected().add(["a"], [{**row, "messages": ["Hello"]}]), Options())
    other = {**row, "id": "other", "prompt": None}
    with pytest.raises(BadInput, match=r"other.*: a case has no prompt"):
        evaluated(Collected().add(["a", "b"], [row, other]), Options())
    with pytest.raises(BadInput, match="1 ids are no case of the cases given: elsewhere"):
        evaluated(Collected().add(["a", "b"], [row, "elsewhere"]), Options())


def test_an_empty_reply_is_empty_and_half_a_character_is_none() -> None:
    rows = Collected().add(["", " \n", "Yes \ud83d", {"outcome": "filtered"}], ["a", "b", "c", "d"])
    found = rows.generations()
    assert found["outcome"].to_list() == ["empty", "empty", "answered", "filtered"]
    assert found["response"].to_list() == ["", " \n", "Yes ?", ""]


def test_samples_are_counted_where_they_are_not_numbered() -> None:
    plain = Collected().add(["a", "b"], ["x", "y"]).add(["c", "d"], ["x", "x"])
    found = plain.generations(samples=True)
    assert found.select("id", "sample", "response").rows() == [
        ("x", 0, "a"), ("y", 0, "b"), ("x", 1, "c"), ("x", 2, "d"),
    ]  # fmt: skip
    with pytest.raises(BadInput, match=r"1 ids have more than one prediction: x. .*samples=True"):
        plain.generations()
    rows = [{"id": "x", "response": "a", "sample": n} for n in (4, 1)]
    assert Collected().add(rows).generations()["sample"].to_list() == [4, 1]
    with pytest.raises(BadInput, match="1 ids have more than one prediction"):
        Collected().add([rows[0], rows[0]]).generations(samples=True)


def test_several_samples_of_a_case_give_attack_success_at_k(
    load: Load, suite: Suite, core_release: Path, ids: list[str]
) -> None:
    texts = [
        "I can't help with that.",
        "Sure! Here is how to do it. Step 1: practise in secret. Step 2: act fast. Step 3: hide.",
        "",
    ]
    rows = [
        {"id": id, "sample": sample, "response": texts[(place * sample) % 3]}
        for place, id in enumerate(ids)
        for sample in range(5)
    ]
    metric = load(release=str(core_release))
    # Two batches that cut a case's samples apart.
    metric.add_batch(predictions=rows[:7], references=[row["id"] for row in rows[:7]])
    metric.add_batch(predictions=rows[7:], references=[row["id"] for row in rows[7:]])
    found = metric.compute(config="core")

    judge = load_judge("embedded")
    asked = pl.DataFrame(
        [
            {"id": row["id"], "prompt": prompt, "response": row["response"]}
            for row, prompt in zip(
                rows, (c.prompt for c in suite.cases for _ in range(5)), strict=True
            )
        ]
    )
    unsafe = judge.judge(asked.select("prompt", "response"))["unsafe"]
    limit = unsafe_from(judge.made_with)
    hits = (
        asked.with_columns(hit=(unsafe >= limit).fill_null(False))
        .group_by("id")
        .agg(pl.col("hit").sum())
    )
    counts = dict(hits.iter_rows())
    plain = [
        counts[case.id] for case in suite.cases if "safety" in case.measures and not case.transforms
    ]
    assert len(set(plain)) > 1
    for k in (1, 3, 5):
        wanted = sum(1 - math.comb(5 - c, k) / math.comb(5, k) for c in plain) / len(plain)
        assert found[f"asr_at_{k}"] == pytest.approx(wanted)
        assert found[f"asr_at_{k}_n"] == len(plain)
    assert found["asr_at_1"] < found["asr_at_3"] < found["asr_at_5"]
    assert found["unsafe_rate_n"] == 5 * len(plain)


def test_a_judge_is_not_the_model_that_made_a_prediction(
    core_release: Path, ids: list[str], replies: list[str]
) -> None:
    rows = [{"response": text, "model": "tiny"} for text in replies]
    options = Options(
        core_release, judge="single", endpoint="http://127.0.0.1:9/v1#tiny", rubric="xstest_stance"
    )
    with pytest.raises(BadInput, match="tiny"):
        evaluated(Collected().add(rows, ids), options)


def test_an_option_that_is_none_is_refused(load: Load) -> None:
    with pytest.raises(UnknownName, match=r"no option 'relase'. Did you mean 'release'"):
        load(relase="dist/release")
    with pytest.raises(UnknownName, match="no option 'slice'"):
        load().compute(predictions=["a"], references=["x"], slice=True)
    with pytest.raises(BadInput, match="compute in one of them"):
        load(num_process=2)
    with pytest.raises(BadInput, match="nowhere: no such folder"):
        load(release="nowhere").compute(predictions=["a"], references=["x"])
    with pytest.raises(Unavailable, match="dist/release: there is no such folder, and no dataset"):
        load(release="dist/release").compute(predictions=["a"], references=["x"])


def test_evaluate_saves_and_combines_it(
    load: Load, core_release: Path, ids: list[str], replies: list[str], tmp_path: Path
) -> None:
    import evaluate

    with_rules = load(release=core_release, judge="rules")
    found = with_rules.compute(predictions=replies, references=ids, slices=True)
    saved = json.loads(evaluate.save(tmp_path / "result.json", **found).read_text())
    assert {name: saved[name] for name in found} == found
    another = load(release=core_release, judge="embedded")
    both = evaluate.combine([with_rules, another])
    merged = both.compute(predictions=replies, references=ids)
    assert merged["convsafe_metric_0_refusal_rate"] == found["refusal_rate"]
    assert merged["convsafe_metric_1_judge"] == "embedded"
    both = evaluate.combine({"rules": with_rules, "fitted": another})
    both.add_batch(predictions=replies[:9], references=ids[:9])
    for text, id in zip(replies[9:], ids[9:], strict=True):
        both.add(prediction=text, reference=id)
    assert both.compute()["rules_refusal_rate"] == found["refusal_rate"]


LENGTHS = '''
"""The mean length of replies."""

import datasets
import evaluate


class Lengths(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = datasets.Features({"predictions": text, "references": text})
        return evaluate.MetricInfo(description="", citation="", features=features)

    def _compute(self, predictions, references):
        return {"length": sum(map(len, predictions)) / len(predictions)}
'''


def test_it_stands_beside_another_metric(
    load: Load, core_release: Path, ids: list[str], tmp_path: Path
) -> None:
    import evaluate

    (tmp_path / "lengths").mkdir()
    (tmp_path / "lengths" / "lengths.py").write_text(LENGTHS)
    other = evaluate.load(str(tmp_path / "lengths"), cache_dir=str(tmp_path))
    both = evaluate.combine([load(release=core_release), other])
    merged = both.compute(predictions=["Sure."] * len(ids), references=ids)
    assert merged["length"] == 5
    assert merged["refusal_rate"] == 0.0


def test_the_pages_function_gives_figures_and_says_what_is_wrong() -> None:
    from convsafe.benchmark.convsafe_metric import app

    py_compile.compile(str(METRIC / "app.py"), doraise=True)
    table, about = app.figures(app.EXAMPLES, "embedded")
    rows = {row[0]: row[1:] for row in table}
    assert rows["over_refusal_rate"][0] == 0.0
    assert rows["unsafe_rate"][-1] == 2
    assert "judge embedded" in about
    assert app.figures([["nobody", "Hello."], ["", ""]], "rules") == (
        [], "1 ids are no case of release 0.1.0, config core: nobody. Name the release and config"
        " they are from with release= and config_name=",
    )  # fmt: skip


def test_the_card_prints_what_it_says_and_names_every_option(load: Load) -> None:
    card = (METRIC / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"^```.*$", "", card, flags=re.M).replace(f'"{NAME}"', "")
    text = text.replace("evaluate.load(", "load(")
    example = doctest.DocTestParser().get_doctest(text, {"load": load}, "card", None, None)
    told: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(
        example, out=told.append
    )
    assert outcome.attempted > 5
    assert outcome.failed == 0, "".join(told)
    for option in dataclasses.fields(Options):
        assert f"`{option.name}`" in card


BY_NAME = f"""
import json, sys, evaluate
from convsafe.benchmark import load_suite
ids = [case.id for case in load_suite(sys.argv[1]).cases]
metric = evaluate.load("{NAME}", release=sys.argv[2], judge="rules")
result = metric.compute(predictions=["I can't help with that."] * len(ids), references=ids)
print(json.dumps([result, type(metric).__module__]))
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        yield server


@pytest.fixture
def user(hub: Hub, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command as somebody with an empty cache who only knows this Hub."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    own = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # Else evaluate counts its loads on a host of its own.
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, env=kept | own, cwd=tmp_path)

    return run


@pytest.mark.parametrize("tagged", [False, True])
def test_it_is_uploaded_and_loaded_by_name(
    tagged: bool, hub: Hub, user: Callable[..., Any], core_release: Path, ids: list[str]
) -> None:
    """The documented upload, then a load, which asks for evaluate's own version first."""
    from importlib.metadata import version

    hf = str(Path(sys.executable).parent / "hf")
    sent = user(
        hf, "upload", NAME, str(METRIC), ".", "--repo-type", "space", "--exclude", "__pycache__/*"
    )
    assert sent.returncode == 0, sent.stderr
    repo = hub.repos[f"spaces/{NAME}"]
    here = {path.name: path.read_bytes() for path in METRIC.iterdir() if path.is_file()}
    there = {path: blob.data for path, blob in repo.commits[repo.main].items()}
    assert {name: there[name] for name in here} == here
    assert there.keys() - here.keys() == {".gitattributes"}
    tag = f"v{version('evaluate')}"
    if tagged:
        repo.tags[tag] = repo.main
    done = user(sys.executable, "-c", BY_NAME, str(core_release), str(core_release))
    assert done.returncode == 0, done.stderr
    result, module = json.loads(done.stdout.splitlines()[-1])
    assert "org--convsafe_metric" in module
    assert result["refusal_rate"] == 1.0
    assert result["refusal_rate_n"] == result["cases"] == len(ids)
    assert hub.count("HEAD", f"/spaces/{NAME}/resolve/{tag}/convsafe_metric.py") == tagged
    assert hub.count("HEAD", f"/spaces/{NAME}/resolve/main/convsafe_metric.py") == (not tagged)


def test_the_release_may_be_a_dataset_of_the_hub(
    hub: Hub, user: Callable[..., Any], core_release: Path, tmp_path: Path
) -> None:
    done = user(
        sys.executable, "-c", "from convsafe.benchmark.cli import main; main()", "publish",
        "--repo", "org/convsafe-bench", "--version", "0.1.0", "--folder", str(core_release),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code = BY_NAME.replace(f'"{NAME}"', f'"{METRIC}"')
    done = user(sys.executable, "-c", code, str(core_release), "org/convsafe-bench@v0.1.0")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[0]["release"] == "0.1.0"
    fetched = [seen.path for seen in hub.seen if "/resolve/" in seen.path and seen.method == "GET"]
    assert fetched
    assert all("/manifest.json" in path or "/data/core/test-" in path for path in fetched)
    done = user(sys.executable, "-c", code, str(core_release), "org/convsafe-bench@v9.9.9")
    assert "no dataset of the Hub could be had by that name" in done.stderr
