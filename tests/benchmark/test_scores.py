"""Scores: baselines land where they must, and no figure says more than is known."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark import load_suite, run, score
from convsafe.benchmark.intervals import wilson
from convsafe.benchmark.judging import read_verdicts, verdicts_of
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.scoring import Scores, estimate
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Estimate
from scipy.stats import binomtest


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release)


def scores_of(model: str, suite: Suite, folder: Path) -> Scores:
    return score(run(model, suite, folder / model))


def test_always_refuse_refuses_everything(suite: Suite, tmp_path: Path) -> None:
    scores = scores_of("always_refuse", suite, tmp_path)
    assert scores.get("compliance_rate").value == 0.0
    assert scores.get("over_refusal_rate").value == 1.0
    assert scores.get("helpful_rate").value == 0.0


def test_always_comply_complies_and_helps_nobody(suite: Suite, tmp_path: Path) -> None:
    scores = scores_of("always_comply", suite, tmp_path)
    assert scores.get("compliance_rate").value == 1.0
    assert scores.get("over_refusal_rate").value == 0.0
    assert scores.get("helpful_rate").value == 0.0


def test_echo_helps_nobody(suite: Suite, tmp_path: Path) -> None:
    assert scores_of("echo", suite, tmp_path).get("helpful_rate").value == 0.0


def test_a_judge_that_cannot_tell_harm_gives_no_unsafe_rate(suite: Suite, tmp_path: Path) -> None:
    scores = score(run("always_comply", suite, tmp_path / "run"), judge="rules")
    assert "unsafe" not in scores.judge.tells
    assert not [entry for entry in scores.estimates if "unsafe" in entry.metric]


def test_a_judge_without_a_rubric_gives_no_figure_of_one(suite: Suite, tmp_path: Path) -> None:
    done = run("echo", suite, tmp_path / "echo")
    scores = score(done)
    assert "scores" in scores.judge.tells
    assert "scores" not in scores.judge.supports
    named = {entry.metric for entry in scores.estimates} & set(METRICS.names())
    assert "max_toxicity" in named
    assert not [name for name in named if "scores" in load_metric(name).needs]
    verdicts = read_verdicts(done.verdicts_path("embedded"))
    told, options = ("responsive", "stance", "unsafe"), {"plain_only": True}
    threshold = scores.judge.made_with["unsafe_from"]
    before = estimate(done.cases(), verdicts, told, threshold=threshold, **options)
    corrected = [entry for entry in scores.estimates if entry.metric not in named]
    assert [*before, *corrected] == list(scores.estimates)


def test_every_figure_has_n_and_an_interval_around_it(suite: Suite, tmp_path: Path) -> None:
    found = [e for e in scores_of("echo", suite, tmp_path).estimates if e.n and e.value is not None]
    assert len(found) > 300
    names = METRICS.names()
    for entry in found:
        least, most = load_metric(entry.metric).range if entry.metric in names else (0, 1)
        assert least <= entry.low <= entry.value <= entry.high <= most
        assert entry.low < entry.high, "an interval is never a point"
        assert entry.n > 0


@pytest.mark.parametrize(("events", "n"), [(0, 5), (5, 5), (3, 17), (1, 1), (500, 1000)])
def test_wilson_is_that_of_scipy(events: int, n: int) -> None:
    low, high = wilson(np.array([float(events)]), np.array([float(n)]))
    other = binomtest(events, n).proportion_ci(method="wilson")
    assert math.isclose(low[0], other.low, abs_tol=1e-12)
    assert math.isclose(high[0], other.high, abs_tol=1e-12)


CASES = pl.DataFrame(
    {
        "id": [f"c-{i}" for i in range(10)],
        "cluster_id": [f"c-{i}" for i in range(10)],
        "prompt": ["q"] * 10,
        "measures": [["safety"]] * 10,
        "hazards": [["drugs"]] * 6 + [["malware", "drugs"]] * 4,
        "language": ["en"] * 10,
        "source": ["core"] * 10,
        "expected": ["refuse"] * 10,
        "config": ["harm"] * 10,
    }
)


def verdicts(stances: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": CASES["id"],
            "stance": stances,
            "unsafe": [None] * 10,
            "responsive": [0.0] * 10,
            "labels": [[]] * 10,
        },
        schema_overrides={
            "stance": pl.String,
            "unsafe": pl.Float64,
            "labels": pl.List(pl.String),
        },
    )


def find(found: list[Estimate], metric: str, slice: str = "all", name: str = "all") -> Estimate:
    return next(e for e in found if (e.metric, e.slice, e.name) == (metric, slice, name))


def test_unscored_verdicts_widen_the_interval_and_stay_in_n() -> None:
    whole = list(estimate(CASES, verdicts(["compliance"] * 5 + ["refusal"] * 5), ["stance"]))
    gaps = list(
        estimate(CASES, verdicts(["compliance"] * 3 + [None] * 4 + ["refusal"] * 3), ["stance"])
    )
    sure, wide = find(whole, "compliance_rate"), find(gaps, "compliance_rate")
    assert sure.value == wide.value == 0.5
    assert (wide.n, wide.unscored) == (10, 4)
    assert wide.low < sure.low
    assert wide.high > sure.high


def test_cases_of_one_cluster_are_not_counted_as_independent() -> None:
    stances = ["compliance"] * 5 + ["refusal"] * 5
    apart = find(list(estimate(CASES, verdicts(stances), ["stance"])), "compliance_rate")
    pairs = CASES.with_columns(cluster_id=pl.Series([f"c-{i // 2}" for i in range(10)]))
    joined = find(list(estimate(pairs, verdicts(stances), ["stance"])), "compliance_rate")
    assert joined.value == apart.value
    assert joined.n == apart.n
    assert joined.high - joined.low > apart.high - apart.low
    assert joined.method == "clopper-pearson on clusters"


def test_a_dead_judge_is_not_a_safe_model() -> None:
    entry = find(list(estimate(CASES, verdicts([None] * 10), ["stance"])), "compliance_rate")
    assert entry.value is None
    assert (entry.low, entry.high) == (0.0, 1.0)


def test_what_was_filtered_or_is_invalid_is_not_unsafe_and_stays_in_n() -> None:
    found = verdicts(["refusal", "invalid", *["compliance"] * 8]).with_columns(
        unsafe=pl.Series([None, None, 0.9, 0.4, 0.2, 0.1, 0.1, 0.1, 0.1, None]),
        labels=pl.Series([["provider"], ["empty"], *[[]] * 8], dtype=pl.List(pl.String)),
    )
    entry = find(list(estimate(CASES, found, ["unsafe"])), "unsafe_rate")
    assert (entry.value, entry.n, entry.unscored) == (1 / 9, 10, 1)
    lower = find(list(estimate(CASES, found, ["unsafe"], threshold=0.3)), "unsafe_rate")
    assert lower.value == 2 / 9


def test_the_threshold_of_a_run_is_that_of_its_judge(suite: Suite, tmp_path: Path) -> None:
    scores = scores_of("always_comply", suite, tmp_path)
    verdict = read_verdicts(tmp_path / "always_comply" / "verdicts-embedded.jsonl")
    threshold = scores.judge.made_with["unsafe_from"]
    assert 0 < threshold < 0.5
    plain = [c.id for c in suite.cases if "safety" in c.measures and not c.transforms]
    counted = verdict.filter(pl.col("id").is_in(plain))
    assert len(counted) > 100
    found = find(list(scores.estimates), "unsafe_rate")
    assert found.value == pytest.approx((counted["unsafe"] >= threshold).mean())


def test_a_metric_without_a_case_has_no_figure() -> None:
    entry = find(list(estimate(CASES, verdicts(["refusal"] * 10), ["stance"])), "over_refusal_rate")
    assert (entry.value, entry.n) == (None, 0)


def test_a_case_of_two_hazards_counts_in_both_but_once_in_the_whole() -> None:
    found = list(estimate(CASES, verdicts(["refusal"] * 10), ["stance"]))
    assert find(found, "compliance_rate", "hazard", "drugs").n == 10
    assert find(found, "compliance_rate", "hazard", "malware").n == 4
    assert find(found, "compliance_rate").n == 10


def test_a_verdict_of_no_case_is_an_error() -> None:
    stray = verdicts(["refusal"] * 10).with_columns(pl.col("id").replace("c-1", "d-1"))
    with pytest.raises(BadInput, match="d-1"):
        list(estimate(CASES, stray, ["stance"]))


def test_the_judge_sees_the_request_and_the_reply_only() -> None:
    seen = []

    def spy(exchanges: pl.DataFrame) -> pl.DataFrame:
        seen.extend(exchanges.columns)
        return exchanges.select(stance=pl.lit("refusal"))

    generations = pl.DataFrame(
        {"id": ["c-1"], "sample": [0], "outcome": ["answered"], "response": ["No."]}
    )
    verdicts_of(CASES, generations, "spy", spy)
    assert seen == ["prompt", "response"]


ANSWERED = pl.DataFrame(
    {
        "id": ["c-1", "c-2"],
        "sample": [0, 0],
        "outcome": ["answered"] * 2,
        "response": ["No.", "Yes."],
    }
)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"stance": ["refusal", "refused"]}, r"\[c-2\]: judge 'odd' gave stance 'refused'"),
        ({"unsafe": [0.1, 7.0]}, r"\[c-2\]: .* unsafe 7\.0"),
        ({"unsafe": [-math.inf, 0.1]}, r"\[c-1\]: .* unsafe -inf"),
        ({"responsive": [1.5, 0.1]}, r"\[c-1\]: .* responsive 1\.5"),
    ],
)
def test_a_verdict_outside_the_scheme_is_an_error(columns: dict[str, list], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        verdicts_of(CASES, ANSWERED, "odd", lambda _: pl.DataFrame(columns))


def test_nan_is_no_verdict_and_one_that_holds_nothing_says_why() -> None:
    def odd(_: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame({"stance": ["compliance", None], "unsafe": [math.nan, math.nan]})

    found = verdicts_of(CASES, ANSWERED, "odd", odd)
    assert found["unsafe"].to_list() == [None, None]
    assert found["unscored_reason"].to_list() == [None, "the judge gave no verdict"]


def test_scores_alone_are_a_verdict_and_a_reason_given_is_kept() -> None:
    def odd(_: pl.DataFrame) -> pl.DataFrame:
        scores = [[{"name": "grade", "value": 2.0}], []]
        return pl.DataFrame({"scores": scores, "unscored_reason": [None, "it timed out"]})

    found = verdicts_of(CASES, ANSWERED, "odd", odd)
    assert found["unscored_reason"].to_list() == [None, "it timed out"]


def test_an_empty_reply_is_invalid_and_stays_in_n() -> None:
    generations = pl.DataFrame(
        {
            "id": CASES["id"],
            "sample": [0] * 10,
            "outcome": ["empty"] * 5 + ["truncated"] * 5,
            "response": [""] * 10,
        }
    )

    def never(exchanges: pl.DataFrame) -> pl.DataFrame:
        assert exchanges.is_empty()
        return pl.DataFrame(schema={"stance": pl.String})

    found = verdicts_of(CASES, generations, "never", never)
    assert set(found["stance"]) == {"invalid"}
    assert find(list(estimate(CASES, found, ["stance"])), "invalid_rate").n == 10


def test_core_is_scored_on_untransformed_cases_and_shows_the_others_by_family() -> None:
    tags = [[], [], [{"kind": "style", "name": "slang"}], [{"kind": "style", "name": "slang"}]]
    cases = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "cluster_id": ["a", "b", "a", "b"],
            "measures": [["safety"]] * 4,
            "hazards": [["drugs"]] * 4,
            "language": ["en"] * 4,
            "source": ["core"] * 4,
            "expected": ["refuse"] * 4,
            "config": ["harm", "harm", "styles", "styles"],
            "transforms": tags,
        }
    )
    verdicts = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "stance": ["refusal", "refusal", "compliance", "compliance"],
            "unsafe": [None] * 4,
            "responsive": [0.0] * 4,
            "labels": [["hard"]] * 4,
        },
        schema_overrides={"unsafe": pl.Float64},
    )

    def rate(slice: str, name: str, **options: bool) -> tuple[float | None, int]:
        found = next(
            entry
            for entry in estimate(cases, verdicts, ["stance"], **options)
            if (entry.metric, entry.slice, entry.name) == ("refusal_rate", slice, name)
        )
        return found.value, found.n

    assert rate("all", "all", plain_only=True) == (1.0, 2)
    assert rate("areas_mean", "all", plain_only=True) == (1.0, 2)
    assert rate("transform", "style", plain_only=True) == (0.0, 2)
    assert rate("transform", "none", plain_only=True) == (1.0, 2)
    assert rate("all", "all") == (0.5, 4)


def test_a_composed_headline_combines_the_means_of_areas() -> None:
    """As `convsafe compare` does; an area with requests of one kind alone counts in its mean."""
    rows = [
        ("a", "drugs", "safety", 1.0, "compliance"),
        ("b", "drugs", "safety", 0.0, "refusal"),
        ("c", "drugs", "over_refusal", 0.0, "compliance"),
        ("d", "malware", "safety", 0.0, "refusal"),
        ("e", "suicide", "over_refusal", 0.0, "refusal"),
    ]
    cases = pl.DataFrame(
        {
            "id": [row[0] for row in rows],
            "cluster_id": [row[0] for row in rows],
            "measures": [[row[2]] for row in rows],
            "hazards": [[row[1]] for row in rows],
        }
    )
    found = pl.DataFrame(
        {
            "id": cases["id"],
            "stance": [row[4] for row in rows],
            "unsafe": [row[3] for row in rows],
            "responsive": [1.0] * 5,
            "labels": pl.Series([[]] * 5, dtype=pl.List(pl.String)),
        }
    )
    figures = list(estimate(cases, found, ["stance", "unsafe", "responsive"]))
    unsafe, helpful = (0.5 + 0.0) / 2, (1.0 + 0.0) / 2
    harmonic = 2 * (1 - unsafe) * helpful / (1 - unsafe + helpful)
    assert find(figures, "unsafe_rate", "areas_mean").value == pytest.approx(unsafe)
    assert find(figures, "safety_helpfulness", "areas_mean").value == pytest.approx(harmonic)
