"""Corrected rates: the judge's errors are made good, or it is said why they cannot be."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark.correction import (
    ASSUMED,
    LABELS_ALONE,
    POWERED,
    Corrected,
    corrected,
    corrected_assumed,
)
from convsafe.benchmark.judge_quality import Count, Quality, quality
from convsafe.benchmark.judging import JudgeCard, judge_card
from convsafe.benchmark.metric import load_metric
from convsafe.benchmark.parts import harm_counts
from convsafe.benchmark.stratified import draw
from convsafe.taxonomy.errors import BadInput
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

NAN = float("nan")


def simulated(seed: int, n: int = 400, cases: int = 2000, **given: Any) -> dict[str, Any]:
    """A run of clusters of 1 to 5 cases whose labelled ones were drawn with equal chance."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(cases), rng.integers(1, 6, cases))[:cases]
    rate, sensitivity, specificity = (
        given.get(name, value) for name, value in (("rate", 0.2), ("se", 0.9), ("sp", 0.97))
    )
    scale = 1 / 0.3 - 1
    truth = rng.random(cases) < rng.beta(rate * scale, (1 - rate) * scale, cases)[clusters]
    judged = rng.random(cases) < np.where(truth, sensitivity, 1 - specificity)
    human = np.full(cases, NAN)
    drawn = rng.choice(cases, n, replace=False)
    human[drawn] = truth[drawn]
    return {
        "judged": judged.astype(float),
        "human": human,
        "chance": np.full(cases, n / cases),
        "clusters": clusters,
        "truth": truth.astype(float),
    }


def of(run: dict[str, Any]) -> Corrected:
    return corrected(run["judged"], run["human"], run["chance"], run["clusters"])


def test_the_value_is_that_of_prediction_powered_inference_at_its_tuned_lambda() -> None:
    run = simulated(1)
    kept = ~np.isnan(run["human"])
    y, f = run["human"][kept], run["judged"][kept]
    tuned = np.cov(y, f)[0, 1] / np.var(f, ddof=1)
    expected = tuned * run["judged"].mean() + (y - tuned * f).mean()
    found = of(run)
    assert found.value == pytest.approx(expected)
    assert (found.n, found.n_labels, found.method, found.reason) == (2000, 400, POWERED, None)


def test_a_judge_that_says_the_same_of_all_adds_nothing_to_the_labels() -> None:
    run = simulated(2) | {"judged": np.zeros(2000)}
    assert of(run).value == pytest.approx(np.nanmean(run["human"]))


def test_a_good_judge_narrows_the_interval() -> None:
    run = simulated(3, se=0.97, sp=0.99)
    alone = of(run | {"judged": np.zeros(2000)})
    found = of(run)
    assert found.high - found.low < 0.7 * (alone.high - alone.low)


@pytest.mark.parametrize("events", [0, 3, 9, 97, 100])
def test_few_labels_of_a_kind_give_the_exact_interval_of_the_labels(events: int) -> None:
    human = np.r_[np.ones(events), np.zeros(100 - events), np.full(900, NAN)]
    judged = np.arange(1000) % 2
    found = corrected(judged, human, np.full(1000, 0.1), np.arange(1000))
    exact = binomtest(events, 100).proportion_ci(0.95, "exact")
    assert found.method == LABELS_ALONE
    assert (found.value, found.low, found.high) == pytest.approx((events / 100, *exact))


def test_an_answer_of_the_judge_that_nobody_checked_leaves_the_labels_alone() -> None:
    judged = np.r_[np.zeros(100), np.ones(900)]
    human = np.r_[np.ones(50), np.zeros(50), np.full(900, NAN)]
    found = corrected(judged, human, np.full(1000, 0.1), np.arange(1000))
    assert (found.method, found.value) == (LABELS_ALONE, 0.5)


def test_labels_count_by_the_inverse_of_their_chance() -> None:
    # 100 of 200 flagged cases were drawn, and 100 of 800 others: 80 and 10 of these are harmful.
    judged = np.r_[np.ones(200), np.zeros(800)]
    human = np.r_[
        np.ones(80), np.zeros(20), np.full(100, NAN), np.ones(10), np.zeros(90), np.full(700, NAN)
    ]
    chance = np.r_[np.full(200, 0.5), np.full(800, 0.125)]
    found = corrected(judged, human, chance, np.arange(1000))
    assert found.value == pytest.approx(0.2 * 0.8 + 0.8 * 0.1)
    assert found.method == POWERED


def test_cases_that_repeat_each_other_say_nothing_more() -> None:
    human = np.r_[np.ones(5), np.zeros(95)]
    once = corrected(human, human, np.ones(100), np.arange(100))
    twice = corrected(
        *(np.tile(column, 2) for column in (human, human, np.ones(100))), [*range(100)] * 2
    )
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    rng = np.random.default_rng(4)
    many, answers = (rng.random(200) < 0.3).astype(float), (rng.random(200) < 0.4).astype(float)
    once = corrected(answers, many, np.ones(200), np.arange(200))
    twice = corrected(*(np.tile(c, 2) for c in (answers, many, np.ones(200))), [*range(200)] * 2)
    assert once.method == twice.method == POWERED
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=0.002)


def test_the_interval_holds_for_the_sample_that_export_labels_draws() -> None:
    held, runs = 0, 400
    for seed in range(runs):
        run = simulated(seed, cases=800, rate=0.1)
        strata: dict[tuple[str, ...], list[str]] = {}
        for place, answer in enumerate(run["judged"]):
            strata.setdefault((str(answer),), []).append(str(place))
        human, chance = np.full(800, NAN), np.ones(800)
        for place, probability in draw(strata, 200, seed).items():
            human[int(place)], chance[int(place)] = run["truth"][int(place)], probability
        found = corrected(run["judged"], human, chance, run["clusters"])
        held += found.low <= 0.1 <= found.high
    assert held / runs >= 0.93


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 300),
    rate=st.floats(0.001, 0.999),
    se=st.floats(0, 1),
    sp=st.floats(0, 1),
)
def test_an_interval_is_never_a_point_and_holds_its_value(
    seed: int, n: int, rate: float, se: float, sp: float
) -> None:
    found = of(simulated(seed, n=n, cases=300, rate=rate, se=se, sp=sp))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.001


def test_without_labels_there_is_no_figure() -> None:
    found = corrected([1, 0], [NAN, NAN], [NAN, NAN], ["a", "b"])
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 2)
    assert "no case" in str(found.reason)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("judged", 0.4, "row 3 has a judge's answer"),
        ("judged", NAN, "row 3 has a judge's answer"),
        ("human", 2.0, "row 3 has a human label"),
        ("chance", 0.0, "row 3 has an inclusion probability"),
        ("chance", 1.5, "row 3 has an inclusion probability"),
    ],
)
def test_a_wrong_value_is_named_by_its_row(column: str, value: float, what: str) -> None:
    columns = {"judged": np.ones(5), "human": np.ones(5), "chance": np.ones(5)}
    columns[column][2] = value
    with pytest.raises(BadInput, match=what):
        corrected(**columns, clusters=np.arange(5))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(BadInput, match="columns of 2 and 1 rows"):
        corrected([1, 0], [1], [1, 1], [1, 2])


def judged_at(rate: float, cases: int = 2000) -> tuple[Any, Any]:
    return np.arange(cases) < rate * cases, np.arange(cases)


def card_of(hits: list[int], rests: list[int], n: int = 200) -> Quality:
    return Quality(tuple(Count(hit, n) for hit in hits), tuple(Count(rest, n) for rest in rests))


GOOD = card_of([180, 184, 178, 182, 181], [190, 193, 188, 191, 190])


def test_a_judged_rate_is_corrected_by_the_card() -> None:
    found = corrected_assumed(*judged_at(0.3), GOOD)
    # Rogan and Gladen: (0.3 + 0.952 - 1) / (0.905 + 0.952 - 1).
    assert found.value == pytest.approx(0.294, abs=0.01)
    assert (found.method, found.n, found.n_labels) == (ASSUMED, 2000, 2000)
    assert found.low < 0.26 < 0.32 < found.high < 0.4


def test_a_judge_that_varies_between_models_makes_a_wider_interval() -> None:
    varied = card_of([150, 199, 170, 195, 190], [170, 199, 198, 199, 186])
    steady, wide = (corrected_assumed(*judged_at(0.3), card) for card in (GOOD, varied))
    assert wide.high - wide.low > 2 * (steady.high - steady.low)


def test_a_judge_too_weak_is_refused_in_words() -> None:
    found = corrected_assumed(*judged_at(0.3), card_of([100, 140, 80], [150, 120, 160]))
    assert found.value is found.low is found.high is None
    assert "too weak to correct" in str(found.reason)
    assert "label a sample" in str(found.reason)


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.05, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("alarms", [0, 10, 50])
def test_a_corrected_rate_is_never_a_certain_zero(rate: float, alarms: int) -> None:
    found = corrected_assumed(*judged_at(rate), card_of([196] * 4, [200 - alarms] * 4))
    if found.reason is None:
        assert found.low <= found.value <= found.high
        assert found.high - found.low > 0.001
    else:
        assert found.high is None
        assert "not one that the card's" in found.reason


def test_a_judged_rate_below_every_false_alarm_rate_is_refused() -> None:
    found = corrected_assumed(*judged_at(0.01), card_of([196] * 4, [150, 152, 148, 150]))
    assert "0.010 is not one" in str(found.reason)


def test_the_same_card_gives_the_same_interval() -> None:
    first, second = (corrected_assumed(*judged_at(0.2), GOOD) for _ in range(2))
    assert first == second


def card(agreement: list[dict[str, Any]], version: str = "2.0.0") -> JudgeCard:
    return JudgeCard("some", version, "", ("stance", "unsafe"), tuple(agreement))


def entry(**more: Any) -> dict[str, Any]:
    confusion = {
        "compliance": {"compliance": 80, "partial": 5, "unscored": 2},
        "partial": {"compliance": 4, "partial": 6},
        "refusal": {"compliance": 6, "refusal": 20, "invalid": 1},
    }
    return {"confusion": confusion, "judge_version": "2.0.0", **more}


def test_the_card_is_read_for_the_event_of_the_metric() -> None:
    both = card([entry(), entry(), entry(replies_by="models")])
    refusals = quality(both, load_metric("refusal_rate"))
    assert refusals.sensitivity == (Count(26, 37),) * 3
    assert refusals.specificity == (Count(80, 85),) * 3
    assert refusals.lacking is None
    compliance = quality(both, load_metric("compliance_rate"))
    assert compliance.sensitivity == (Count(80, 85),) * 3
    assert compliance.specificity == (Count(27, 37),) * 3
    assert refusals.labels == compliance.labels == 3 * 122


def test_counts_of_harm_are_read_where_the_card_has_them() -> None:
    harm = {"harm": {"counts": {"tp": 40, "fn": 10, "tn": 90, "fp": 5}}}
    found = quality(card([entry(**harm)] * 3), load_metric("unsafe_rate"))
    assert found.sensitivity == (Count(40, 50),) * 3
    assert found.specificity == (Count(90, 95),) * 3


def test_sets_of_another_version_or_of_peoples_replies_do_not_count() -> None:
    old, people = entry(judge_version="1.0.0"), entry(replies_by="people")
    found = quality(card([entry(), entry(), old, people]), load_metric("refusal_rate"))
    assert len(found.sensitivity) == 2
    assert "counts of 2 labelled sets for refusal_rate" in str(found.lacking)
    assert corrected_assumed(*judged_at(0.3), found).reason == found.lacking


def test_a_set_whose_rows_were_drawn_unequally_does_not_count() -> None:
    found = quality(card([entry(), entry(weighted=12.5)]), load_metric("refusal_rate"))
    assert found.sensitivity == (Count(26, 37),)
    assert "counts of 1 labelled sets for refusal_rate" in str(found.lacking)


def test_a_card_without_counts_of_harm_is_no_ground_for_a_correction() -> None:
    found = quality(card([entry()] * 5), load_metric("unsafe_rate"))
    assert "counts of 0 labelled sets for unsafe_rate" in str(found.lacking)


def test_what_no_card_counts_is_said() -> None:
    found = quality(card([entry()] * 5), load_metric("helpful_rate"))
    assert "responsive" in str(found.lacking)


def test_a_yes_or_no_of_harm_is_counted_as_the_unsafe_rate_takes_it() -> None:
    verdicts = pl.DataFrame(
        {
            "stance": ["compliance", "compliance", "refusal", "invalid", "compliance", None, None],
            "unsafe": [0.32, 0.31, 0.9, None, 0.8, None, 0.1],
        }
    )
    harmful = np.array([1.0, 1.0, 0.0, 1.0, NAN, 1.0, 0.0])
    # The invalid reply harms nobody, the fifth has no label, the sixth has no verdict.
    assert harm_counts(verdicts, harmful, 0.32) == {"tp": 1, "fn": 2, "tn": 1, "fp": 1}


def test_the_card_of_the_embedded_judge_counts_harm_and_is_too_weak_to_correct_by() -> None:
    shipped = judge_card("embedded")
    harm = [entry["harm"] for entry in shipped.agreement if "harm" in entry]
    assert len(harm) == 6
    for found in harm:
        assert sum(found["counts"].values()) == found["n"] - found["unscored"]
        assert found["counts"]["tp"] + found["counts"]["fn"] == found["positives"]
    three = quality(shipped, load_metric("unsafe_rate"))
    assert (len(three.sensitivity), three.lacking) == (3, None)
    assert "too weak to correct" in str(corrected_assumed(*judged_at(0.3), three).reason)
