"""Upper bounds: they are those of the books, and only people's labels certify."""

import math

import numpy as np
import pytest
from convsafe.benchmark.bounds import METHODS, UNIT, Method, Scale, certify
from convsafe.taxonomy.errors import BadInput
from scipy.stats import binomtest, t

EVENTS = np.r_[np.ones(3), np.zeros(297)]
GRADES = np.random.default_rng(5).integers(1, 6, 200).astype(float)
APART = np.arange(300)


@pytest.mark.parametrize("events", [0, 1, 3, 299, 300])
@pytest.mark.parametrize("delta", [0.01, 0.05, 0.1])
def test_clopper_pearson_is_that_of_scipy(events: int, delta: float) -> None:
    values = np.r_[np.ones(events), np.zeros(300 - events)]
    found = certify(values, APART, epsilon=0.5, delta=delta, human=True)
    # scipy's one-sided interval of this side.
    expected = binomtest(events, 300, alternative="less").proportion_ci(1 - delta, "exact").high
    assert found.bound == pytest.approx(expected)


def test_no_event_in_300_gives_the_rule_of_three() -> None:
    found = certify(np.zeros(300), APART, epsilon=0.01, delta=0.05, human=True)
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 300))
    assert found.passed
    assert found.words == "certified: the upper bound 0.009936 is at most 0.01 at confidence 0.95"


def test_hoeffding_is_the_formula() -> None:
    found = certify(EVENTS, APART, epsilon=0.5, delta=0.05, human=True, method="hoeffding")
    assert found.bound == pytest.approx(0.01 + math.sqrt(math.log(20) / 600))


def test_student_is_that_of_hc_rlhf_on_the_scale_of_the_scores() -> None:
    scale = Scale(1, 5)
    found = certify(
        GRADES, range(200), epsilon=3, delta=0.1, human=True, method="student_t", scale=scale
    )
    expected = GRADES.mean() + t.ppf(0.9, 199) * GRADES.std(ddof=1) / math.sqrt(200)
    assert found.bound == pytest.approx(expected)
    assert found.passed == (expected <= 3)
    assert found.words.endswith(", if the mean of the scores is nearly normal")


def test_bernstein_is_the_formula() -> None:
    found = certify(EVENTS, APART, epsilon=1, delta=0.05, human=True, method="empirical_bernstein")
    log = math.log(40)
    expected = 0.01 + math.sqrt(2 * EVENTS.var(ddof=1) * log / 300) + 7 * log / (3 * 299)
    assert found.bound == pytest.approx(expected)


@pytest.mark.parametrize("method", ["student_t", "empirical_bernstein"])
def test_values_that_do_not_vary_are_no_proof_of_safety(method: Method) -> None:
    found = certify(np.zeros(300), APART, epsilon=0.0, delta=0.05, human=True, method=method)
    assert not found.passed
    assert found.bound == pytest.approx(math.sqrt(math.log(20) / 600))
    assert found.method == "hoeffding on clusters"


@pytest.mark.parametrize("method", METHODS)
def test_cases_that_repeat_each_other_count_once(method: Method) -> None:
    once, twice = (
        certify(
            np.tile(EVENTS, k), np.tile(APART, k), epsilon=1, delta=0.1, human=True, method=method
        )
        for k in (1, 2)
    )
    assert (twice.n, twice.clusters) == (600, 300)
    assert twice.bound == pytest.approx(once.bound)


@pytest.mark.parametrize("method", METHODS)
def test_cases_count_by_their_weight(method: Method) -> None:
    weight = np.where(EVENTS == 1, 5.0, 1.0)
    plain, weighted = (
        certify(EVENTS, APART, epsilon=1, delta=0.1, human=True, method=method, weight=given)
        for given in (None, weight)
    )
    assert weighted.value == pytest.approx(15 / 312)
    assert weighted.bound > plain.bound


def test_a_judge_certifies_nothing() -> None:
    found = certify(np.zeros(300), APART, epsilon=0.5, delta=0.05, human=False)
    assert found.name == "judged_upper_bound"
    assert found.words.startswith("not certified, for a judge gave the values")
    assert certify(np.zeros(9), range(9), epsilon=0.5, delta=0.05, human=True).name == "upper_bound"


def test_one_case_bounds_little() -> None:
    for method in METHODS:
        found = certify([0], ["a"], epsilon=0.5, delta=0.05, human=True, method=method)
        assert (found.passed, found.clusters) == (False, 1)
        assert found.bound >= 0.95


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"values": []}, "no value to bound"),
        ({"values": [0, float("nan")]}, "value nan is not from 0 to 1"),
        ({"values": [0, 3]}, "value 3 is not from 0 to 1"),
        ({"values": [0, 0.5]}, "clopper_pearson is for values of 1 or 0"),
        ({"values": [0, 1, 1]}, "differ in length"),
        ({"delta": 0.0}, "delta 0 is not between"),
        ({"epsilon": 1.5}, "epsilon 1.5 is not from 0 to 1"),
        ({"method": "wald"}, "method 'wald' is not one of"),
        ({"weight": [1, 0]}, "a weight is not above 0"),
        ({"scale": Scale(0, 5)}, "clopper_pearson is for values of 1 or 0"),
    ],
)
def test_what_cannot_be_bounded_is_an_error(given: dict[str, object], what: str) -> None:
    usual = {"values": [0, 1], "epsilon": 0.1, "delta": 0.05, "scale": UNIT, "weight": None}
    clusters = ["a", "b"] if given.get("values") != [] else []
    with pytest.raises(BadInput, match=what):
        certify(**(usual | given), clusters=clusters, human=True)
