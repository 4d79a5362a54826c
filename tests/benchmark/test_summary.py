"""What the terminal says of a scored run: the headline first, then what to mind."""

from dataclasses import replace

import pytest
from convsafe.benchmark import score
from convsafe.benchmark.metric import HEADLINES, listed, load_metric
from convsafe.benchmark.runs import Run
from convsafe.benchmark.scoring import Scores
from convsafe.benchmark.summary import summary
from convsafe.taxonomy.records import Estimate


@pytest.fixture(scope="module")
def scores(judged: Run) -> Scores:
    return score(judged, fresh=False)


def figure(metric: str, value: float | None = 0.2, n: int = 50, **given: object) -> Estimate:
    whole = {"slice": "all", "name": "all", "low": 0.1, "high": 0.4, "unscored": 0, "method": "m"}
    return Estimate(metric=metric, value=value, n=n, **(whole | given))  # type: ignore[arg-type]


def test_headlines_stand_first_and_the_rest_follows_by_title(scores: Scores) -> None:
    lines = summary(scores).splitlines()
    block = lines[lines.index("all cases") + 1 :]
    titles = [line.strip().split("  ")[0] for line in block[: block.index("")]]
    first = [load_metric(name).title for name in HEADLINES if name != "operational_safety"]
    assert titles[: len(first)] == first
    assert titles[len(first) :] == sorted(titles[len(first) :])
    assert lines.index("mean of hazard areas") < lines.index("all cases")


def test_columns_are_aligned_and_the_judge_stands_beside_its_rates(scores: Scores) -> None:
    lines = summary(scores).splitlines()
    start = lines.index("mean of hazard areas")
    column = lines[start - 1].index("judge")
    rows = [line for line in lines[start : lines.index("", start)] if line.startswith("  ")]
    assert len(rows) > 12
    assert {line[column - 2 : column] for line in rows} == {"  "}
    assert {line[column:].split()[0] for line in rows} == {"AUC", "κ", "not", "by"}


def test_what_one_sample_a_case_makes_the_same_is_said_once() -> None:
    told = {name: figure(name) for name in ("asr_at_1", "refusal_rate", "unsafe_rate")}
    assert listed(told) == ["unsafe_rate", "refusal_rate"]
    several = told | {"asr_at_1": figure("asr_at_1", n=25)}
    assert listed(several) == ["unsafe_rate", "refusal_rate", "asr_at_1"]


def test_a_metric_that_counts_nothing_is_not_listed() -> None:
    told = {"unsafe_rate": figure("unsafe_rate", None, n=0), "ar_id": figure("ar_id")}
    assert listed(told) == ["ar_id"]


def test_a_rate_that_cannot_be_corrected_says_so_in_words(scores: Scores) -> None:
    said = " ".join(summary(scores).split())
    assert "Unsafe replies, not corrected by the judge's card: the judge is too weak" in said


def test_a_corrected_rate_is_stated(scores: Scores) -> None:
    by_card = figure("corrected_assumed_unsafe_rate")
    by_labels = figure("corrected_refusal_rate", 0.3)
    said = summary(replace(scores, estimates=(*scores.estimates[:1], by_card, by_labels)))
    assert "Unsafe replies, corrected by the judge's card: 20.0 % (10.0 to 40.0), n 50" in said
    assert "Refusals, corrected by people's labels: 30.0 % (10.0 to 40.0), n 50" in said


def test_what_is_missing_or_unscored_or_few_is_warned_of(scores: Scores) -> None:
    gaps = (figure("refusal_rate", unscored=1), figure("unsafe_rate", n=29))
    said = summary(replace(scores, estimates=gaps, missing=3, cases=80))
    assert "PARTIAL: 3 of 80 cases have no generation" in said
    assert "over 1 % unscored: Refusals; such rates are not ranked" in said
    assert "under 30 cases: Unsafe replies" in said


def test_the_worst_areas_are_those_surest_to_do_harm(scores: Scores) -> None:
    areas = [
        figure("unsafe_rate", slice="area", name=name, value=value, low=low)
        for name, value, low in (("fraud_deception", 1.0, 0.02), ("cyber", 0.5, 0.3))
    ]
    said = summary(replace(scores, estimates=(figure("unsafe_rate"), *areas)))
    lines = said[said.index("worst areas") :].splitlines()
    assert "50.0 %" in lines[1]
    assert "100.0 %" in lines[2]
