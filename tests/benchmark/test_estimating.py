"""The engine: intervals against scipy, against the truth, and against the order of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark import resampling
from convsafe.benchmark.estimating import Rows, estimates
from convsafe.benchmark.metric import load_metric
from convsafe.benchmark.resampling import acceleration, bca_quantiles
from convsafe.taxonomy.records import Estimate
from scipy.stats import bootstrap

from tests.benchmark.scoring_frames import case, figure, figures, verdict

Array = np.ndarray[Any, Any]
# Of 400, one seed in eight finds a cell that covers 94.8 % below 93 %: its error is 1.1 points.
REPETITIONS = 2000


def rows(events: Array, n: Array, part: str = "") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of repetitions by clusters, each repetition a name of its own."""
    repetitions, clusters = n.shape
    table = pl.DataFrame(
        {
            "case": np.arange(n.size),
            "cluster": np.tile(np.arange(clusters), repetitions),
            "num": events.ravel().astype(float),
            "den": n.ravel().astype(float),
        }
    ).with_columns(
        part=pl.lit(part), low="num", high="num", full="den", n="den", unscored=pl.lit(0.0)
    )
    name = np.repeat(np.arange(repetitions), clusters).astype(str)
    return table, pl.DataFrame({"case": np.arange(n.size), "name": name})


def clustered(rate: float, n: Array, correlation: float, random: np.random.Generator) -> Array:
    """Events of a beta-binomial: replies of one cluster are correlated."""
    spread = (1 - correlation) / correlation
    return random.binomial(n, random.beta(rate * spread, (1 - rate) * spread, n.shape))


def found_in(events: Array, n: Array, **options: int) -> list[Estimate]:
    table, names = rows(events, n)
    entry = Rows(load_metric("unsafe_rate"), table)
    return list(estimates([entry], "repetition", names, n.shape[1], **options))


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_interval_is_as_wide_as_that_of_scipy(rate: float) -> None:
    random = np.random.default_rng(3)
    n = random.integers(1, 7, (1, 300))
    events = clustered(rate, n, 0.3, random)
    (ours,) = found_in(events, n)
    assert ours.method == "cluster bootstrap"
    theirs = bootstrap(
        (events[0], n[0]),
        lambda x, m, axis: x.sum(axis) / m.sum(axis),
        paired=True, vectorized=True, n_resamples=9999, batch=1000, method="BCa", random_state=1,
    ).confidence_interval  # fmt: skip
    assert ours.value == events.sum() / n.sum()
    assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.1)
    assert ours.low == pytest.approx(theirs.low, abs=0.1 * (theirs.high - theirs.low))


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.2, 0.5])
@pytest.mark.parametrize(
    ("clusters", "sizes"), [(20, (1, 2, 100)), (60, (1, 2, 3, 4, 5, 6)), (200, (1, 1, 1, 20))]
)
def test_intervals_cover_the_truth(clusters: int, sizes: Sequence[int], rate: float) -> None:
    random = np.random.default_rng(11)
    n = random.choice(sizes, (REPETITIONS, clusters))
    found = found_in(clustered(rate, n, 0.3, random), n, draws=1000)
    assert len(found) == REPETITIONS
    assert np.mean([entry.low <= rate <= entry.high for entry in found]) >= 0.93


def test_intervals_of_a_composed_figure_cover_the_truth() -> None:
    unsafe, helpful = 0.3, 0.5
    random = np.random.default_rng(5)
    n = random.integers(1, 4, (REPETITIONS, 150))
    harm, names = rows(clustered(unsafe, n, 0.3, random), n, "unsafe")
    help, _ = rows(clustered(helpful, n, 0.3, random), n, "helpful")
    entry = Rows(load_metric("safety_helpfulness"), pl.concat([harm, help]))
    found = list(estimates([entry], "repetition", names, 150, draws=1000))
    truth = 2 * (1 - unsafe) * helpful / (1 - unsafe + helpful)
    assert len(found) == REPETITIONS
    assert np.mean([entry.low <= truth <= entry.high for entry in found]) >= 0.93


def test_one_giant_cluster_is_not_many_trials() -> None:
    n = np.array([[1] * 39 + [1000]])
    events = np.array([[0, 1] * 19 + [0, 1000]])
    (entry,) = found_in(events, n)
    # Kish: (sum of sizes)^2 / sum of squares is 1.08 clusters of one size.
    assert entry.method == "clopper-pearson on clusters"
    assert entry.low < 0.1


def test_bags_of_clusters_give_about_the_same_width(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(9)
    n = random.integers(1, 4, (1, 12_000))
    events = clustered(0.2, n, 0.3, random)
    (bagged,) = found_in(events, n, draws=2000)
    monkeypatch.setattr(resampling, "UNITS", 20_000)
    (direct,) = found_in(events, n, draws=2000)
    assert bagged.value == direct.value
    assert bagged.high - bagged.low == pytest.approx(direct.high - direct.low, rel=0.08)
    assert (bagged.low, bagged.high) != (direct.low, direct.high)


def test_the_order_of_rows_moves_no_figure() -> None:
    random = np.random.default_rng(2)
    cases = [case(f"s{n}", cluster_id=f"k{n // 3}") for n in range(150)]
    cases += [case(f"h{n}", "over_refusal", cluster_id=f"k{n // 3}") for n in range(150)]
    told = [
        verdict(one["id"], k, unsafe=float(random.random() < 0.3), responsive=random.random())
        for one in cases
        for k in range(2)
    ]
    first = figures(cases, told)
    again = figures(
        [cases[k] for k in random.permutation(len(cases))],
        [told[k] for k in random.permutation(len(told))],
    )
    assert first == again
    assert first["safety_helpfulness", "all", "all"].method == "cluster bootstrap"


def test_samples_of_a_case_are_one_cluster() -> None:
    random = np.random.default_rng(4)
    cases = [case(f"s{n}") for n in range(80)]
    unsafe = random.random(80) < 0.4
    once = [verdict(one["id"], unsafe=float(bad)) for one, bad in zip(cases, unsafe, strict=True)]
    # The same reply five times over tells no more than once.
    often = [{**one, "sample": k} for one in once for k in range(5)]
    single, repeated = figure(cases, once, "unsafe_rate"), figure(cases, often, "unsafe_rate")
    assert (single.n, repeated.n) == (80, 400)
    assert repeated.value == single.value == unsafe.mean()
    assert single.method == "wilson"
    assert repeated.method == "cluster bootstrap"
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=0.1)


def test_ends_without_skewness_or_bias_are_quantiles() -> None:
    draws = np.random.default_rng(0).normal(0, 1, (3, 1000))
    draws[1, ::7] = np.nan
    found = bca_quantiles(draws, (0.025, 0.975), np.nanmedian(draws, axis=1), np.zeros(3))
    assert found == pytest.approx(np.nanquantile(draws, [0.025, 0.975], axis=1).T, abs=0.01)
    # What nothing moves has no skewness to correct for, and takes its quantiles as they are.
    found = bca_quantiles(draws, (0.1, 0.6), np.full(3, 9.0), np.full(3, np.nan))
    assert found == pytest.approx(np.nanquantile(draws, [0.1, 0.6], axis=1).T, abs=1e-12)


def test_the_corrected_end_moves_with_bias_and_skewness() -> None:
    draws = np.random.default_rng(0).normal(0, 1, (1, 20_000))
    even, skewed = np.array([1.0, -1.0] * 50), np.array([9.0] + [-0.1] * 90)
    middle = np.median(draws, axis=1)
    (plain,) = bca_quantiles(draws, (0.025, 0.975), middle, np.array([acceleration(even)]))
    assert plain == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.01)
    ((low, high),) = bca_quantiles(draws, (0.025, 0.975), middle, np.array([acceleration(skewed)]))
    assert low > plain[0]
    assert high > plain[1]
    assert bca_quantiles(draws, (0.975,), np.array([0.5]), np.zeros(1))[0, 0] > plain[1]


def test_corrected_ends_are_those_of_scipy() -> None:
    random = np.random.default_rng(8)
    sample = random.exponential(1, 60)
    theirs = bootstrap((sample,), np.mean, n_resamples=9999, method="BCa", random_state=1)
    values, skew = np.array([sample.mean()]), np.array([acceleration(sample - sample.mean())])
    draws = theirs.bootstrap_distribution[None, :]
    (ours,) = bca_quantiles(draws, (0.025, 0.975), values, skew)
    assert ours == pytest.approx(theirs.confidence_interval, rel=2e-3)


def test_a_mean_over_names_is_of_the_same_draws() -> None:
    random = np.random.default_rng(6)
    n = random.integers(1, 4, (1, 300))
    table, names = rows(clustered(0.4, n, 0.3, random), n)
    entry = Rows(load_metric("unsafe_rate"), table)
    again = pl.concat([names, names.with_columns(name=pl.lit("twice"))])
    one, same, mean = estimates([entry], "area", again, 300, mean="areas_mean")
    assert (one.value, one.low, one.high) == (same.value, same.low, same.high)
    assert (mean.value, mean.low, mean.high) == pytest.approx((one.value, one.low, one.high), 1e-6)
    assert (mean.n, mean.method) == (one.n, "mean of 2, cluster bootstrap")
