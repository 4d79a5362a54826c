"""The coverage simulation: it simulates what it says, and its contract holds in some cells."""

import json
from typing import Any

import numpy as np
import pytest
from convsafe.benchmark.perf import coverage
from convsafe.benchmark.perf.cluster_patterns import SIZE, Chances, draw, patterns
from convsafe.benchmark.perf.coverage_pages import as_json, in_contract, page
from convsafe.benchmark.two_phase import moments

REPETITIONS = 300


def spelled_out(counts: Any, chances: tuple[float, float]) -> tuple[Any, ...]:
    """Return the columns of cases that counts of patterns stand for."""
    cases, labelled = patterns()
    columns = []
    for cluster, pattern in enumerate(np.repeat(np.arange(len(counts)), counts)):
        for answer, (truth, judged) in enumerate(((1, 1), (1, 0), (0, 1), (0, 0))):
            for place in range(cases[pattern, answer]):
                seen = place < labelled[pattern, answer]
                columns.append(
                    (judged, truth if seen else np.nan, 1 / chances[1 - judged], cluster)
                )
    judged, human, weight, clusters = np.array(columns).T
    return judged, human, weight, clusters.astype(int)


def test_counted_patterns_have_the_moments_of_the_cases_they_stand_for() -> None:
    chances, seed = (0.5, 0.2), 8

    class Fixed:
        def multinomial(self, n: int, likely: Any) -> Any:
            self.counts = np.random.default_rng(seed).multinomial(n, likely)
            return self.counts

    fixed: Any = Fixed()
    given = Chances(*(np.array([chance]) for chance in chances))
    found = draw(fixed, 50, 0.3, np.array([0.9]), np.array([0.8]), given, 0.3)
    expected = moments(*spelled_out(fixed.counts[0], chances))
    for one, other in zip(found, expected, strict=True):
        assert one[0] == pytest.approx(other)


def test_patterns_have_the_rate_quality_and_correlation_asked_for() -> None:
    rng = np.random.default_rng(9)
    ones = np.ones(1)
    found = draw(rng, 400_000, 0.2, 0.9 * ones, 0.8 * ones, Chances(0.5 * ones, 0.5 * ones), 0.3)
    cases, judged, no, missed, yes, hit = found.totals[0]
    assert cases == 400_000 * SIZE
    assert (missed + hit) / cases == pytest.approx(0.2, abs=0.003)
    assert judged / cases == pytest.approx(0.2 * 0.9 + 0.8 * 0.2, abs=0.003)
    assert hit / (hit + missed) == pytest.approx(0.9, abs=0.004)
    assert (no + yes) / cases == pytest.approx(1, abs=0.004)
    everything = Chances(*[(1 - 1e-12) * ones] * 2)
    whole = draw(rng, 400_000, 0.2, ones - 1e-9, ones - 1e-9, everything, 0.3)
    per_cluster = whole.products[0][5, 5] / 400_000
    # A cluster's events: mean 0.8, variance 4 p q (1 + 3 * 0.3).
    assert per_cluster - 0.8**2 == pytest.approx(4 * 0.16 * 1.9, rel=0.02)


@pytest.mark.parametrize(
    "cell",
    [
        ("good", 1200, "equal", 100, 0.2),
        ("middling", 10_000, "by answer", 400, 0.05),
        ("weak", 10_000, "equal", 1000, 0.02),
        ("good", 1200, "by answer", 50, 0.01),
    ],
)
def test_corrected_intervals_hold_the_truth(cell: tuple[Any, ...]) -> None:
    found = coverage.label_cell(REPETITIONS, *cell)
    assert found["coverage"] >= 0.93
    assert found["width"] <= 1.02 * found["labels_alone_width"]


def test_the_normal_interval_does_not_hold_where_harm_is_rare() -> None:
    found = coverage.label_cell(REPETITIONS, "good", 1200, "equal", 50, 0.01)
    assert found["normal"] < 0.6 < 0.93 <= found["coverage"]


def test_the_card_holds_where_plugging_in_does_not() -> None:
    found = coverage.card_cell(100, "middling", 10_000, 0.1)
    assert found["coverage"] >= 0.9
    assert max(found["plug_in"], found["uncorrected"]) < 0.6
    assert coverage.card_cell(100, "weak", 10_000, 0.1)["refused"] > 0.8


@pytest.mark.parametrize("epsilon", [0.01, 0.2])
def test_the_exact_bound_passes_no_more_often_than_delta(epsilon: float) -> None:
    found = coverage.bound_cell(2000, "0/1", 100, epsilon, 0.1)
    assert max(found["clopper_pearson"], found["hoeffding"], found["empirical_bernstein"]) <= 0.1
    # Where harm is rare, Student's t is no guarantee: that is why it is for scores.
    assert (found["student_t"] > 0.15) == (epsilon == 0.01)


def test_the_page_tells_whether_the_contract_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RATES": (0.01, 0.2), "LABELS": (50, 100), "CASES": (1200, 10_000)}.items():
        monkeypatch.setattr(coverage, name, value)
    monkeypatch.setattr(coverage, "JUDGES", {"good": (0.95, 0.99)})
    found = coverage.simulate(50)
    assert [in_contract(cell) for cell in found["labels"][:4]] == [False, False, False, True]
    found |= {"date": "2026-01-01", "system": "", "cores": 1, "python": "", "seconds": 1}
    table = json.loads(as_json(found))["labels"]
    cells = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    assert cells == found["labels"]
    kept = [cell | {"coverage": 0.95} for cell in found["labels"]]
    assert "among them **holds**: the lowest of 4 cells is 95.0%" in page(found | {"labels": kept})
    kept[-1]["coverage"] = 0.92
    assert "**does not hold**: the lowest of 4 cells is 92.0%" in page(found | {"labels": kept})
