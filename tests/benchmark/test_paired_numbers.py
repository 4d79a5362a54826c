"""p-values, corrections, power and ranks: by hand, against scipy, and by simulation."""

import itertools
import math

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark.differences import Paired, paired
from convsafe.benchmark.multiplicity import benjamini_hochberg, holm
from convsafe.benchmark.permutation import mcnemar, sign_flip, swapped
from convsafe.benchmark.power import cases_needed, minimum_detectable
from convsafe.benchmark.rank_sets import RankSet, rank_sets
from convsafe.benchmark.tallies import Table, tabulate
from convsafe.taxonomy.errors import BadInput
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, false_discovery_control, norm


def by_enumeration(sums: list[float]) -> float:
    seen = abs(sum(sums)) - 1e-9
    every = itertools.product((1, -1), repeat=len(sums))
    reached = [abs(sum(s * d for s, d in zip(signs, sums, strict=True))) >= seen for signs in every]
    return sum(reached) / len(reached)


def test_the_p_value_of_three_clusters_is_that_by_hand() -> None:
    # Sums over all signs: 6, 4, 2, 0, 0, -2, -4, -6. Two of eight are as far out as 6.
    assert sign_flip(np.array([1.0, 2.0, 3.0]))[0] == pytest.approx(2 / 8)
    # Observed 1 + 2 - 3 = 0: every sum is as far out.
    assert sign_flip(np.array([1.0, 2.0, -3.0]))[0] == pytest.approx(1.0)
    # Observed 4: 6, 4, -4 and -6.
    assert sign_flip(np.array([-1.0, 2.0, 3.0]))[0] == pytest.approx(4 / 8)


def test_clusters_that_do_not_differ_change_nothing() -> None:
    assert sign_flip(np.array([1.0, 0.0, 2.0, 0.0, 3.0])) == sign_flip(np.array([1.0, 2.0, 3.0]))
    assert sign_flip(np.zeros(5)) == (1.0, "no cluster differs")


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_counting_is_enumerating(sums: list[int]) -> None:
    found, _ = sign_flip(np.array(sums, dtype=float))
    assert math.isclose(found, by_enumeration([float(s) for s in sums]), abs_tol=1e-12)


def test_fractions_are_enumerated_and_then_drawn() -> None:
    few = np.array([0.5, 0.25, -0.75, 1.5, 0.5, 0.25])
    found, how = sign_flip(few)
    assert (found, how) == (by_enumeration(few.tolist()), "swap, exact")
    random = np.random.default_rng(0)
    many = random.normal(0.3, 1, 40)
    drawn, how = sign_flip(many)
    assert how == "swap, 10,000 draws"
    assert drawn == sign_flip(many)[0], "seeded"
    # The sum over signs is near normal with the root of the sum of squares.
    near = 2 * norm.sf(abs(many.sum()) / math.sqrt((many**2).sum()))
    assert drawn == pytest.approx(near, abs=0.015)


def test_a_drawn_p_value_is_never_zero() -> None:
    assert sign_flip(np.full(60, 0.5))[0] == 1 / 10_001


def test_a_statistic_that_is_no_sum_is_swapped_too() -> None:
    # Two clusters: 0.9 against 0.1 in both. The ratio's log is as far out twice of four times.
    first, second = np.array([0.9, 0.9]), np.array([0.1, 0.1])

    def statistic(signs: np.ndarray) -> np.ndarray:
        middle, half = (first + second) / 2, (first - second) / 2
        return np.log((middle + signs * half).sum(1) / (middle - signs * half).sum(1))

    assert swapped(statistic, 2)[0] == 2 / 4


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (5, 0), (8, 2), (3, 3), (40, 60)])
def test_mcnemar_is_the_binomial_of_scipy_and_the_sign_flip(wins: int, losses: int) -> None:
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert mcnemar(wins, losses) == expected
    signs = np.array([1.0] * wins + [-1.0] * losses + [0.0] * 7)
    assert sign_flip(signs)[0] == pytest.approx(expected, abs=1e-12)


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    p = np.array([0.04, 0.01, 0.03, 0.5])
    # In order 0.01·4, 0.03·3, 0.04·2 raised to 0.09, 0.5·1.
    assert holm(p).tolist() == pytest.approx([0.09, 0.04, 0.09, 0.5])
    # In order 0.01·4/1, 0.03·4/2 and 0.04·4/3, both 0.0533 from the right, 0.5.
    assert benjamini_hochberg(p).tolist() == pytest.approx([0.16 / 3, 0.04, 0.16 / 3, 0.5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_adjusted_values_keep_their_order_and_bounds(p: list[float]) -> None:
    values = np.array(p)
    strict, lax = holm(values), benjamini_hochberg(values)
    assert lax.tolist() == false_discovery_control(values, method="bh").tolist()
    assert (values <= lax + 1e-12).all()
    assert (lax <= strict + 1e-12).all()
    assert (strict <= np.minimum(1, values * len(p)) + 1e-12).all()
    assert (np.diff(strict[np.argsort(values, kind="stable")]) >= 0).all()


def table(a: np.ndarray, b: np.ndarray, sizes: np.ndarray | None = None) -> Table:
    """A table of one share; each case is an entry of `a` and `b`, in clusters of `sizes`."""
    count = len(a)
    sizes = np.ones(count, dtype=int) if sizes is None else sizes
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    ids = [f"c{i:05}" for i in range(count)]

    def values(of: np.ndarray) -> pl.DataFrame:
        found = pl.Series(of, dtype=pl.Float64).fill_nan(None)
        return pl.DataFrame(
            {
                "metric": ["unsafe_rate"] * count,
                "id": ids,
                "samples": [1] * count,
                "value": found,
                "low": found.fill_null(0.0),
                "high": found.fill_null(1.0),
            }
        )

    slices = pl.DataFrame(
        {
            "id": ids,
            "cluster_id": [f"k{c:05}" for c in clusters],
            "slice": ["all"] * count,
            "name": ["all"] * count,
        }
    )
    return tabulate([values(a), values(b)], slices)


def difference(a: np.ndarray, b: np.ndarray, sizes: np.ndarray | None = None) -> Paired:
    return paired(table(a, b, sizes), draws=1000, seed=3)[0]


def test_a_difference_is_that_of_the_shares_and_mcnemar_only_where_it_may() -> None:
    random = np.random.default_rng(2)
    a, b = random.binomial(1, 0.4, 90).astype(float), random.binomial(1, 0.3, 90).astype(float)
    alone = difference(a, b)
    assert alone.value == pytest.approx(a.mean() - b.mean())
    assert (alone.p, alone.test) == (
        pytest.approx(binomtest(int((a > b).sum()), int((a != b).sum())).pvalue),
        "McNemar, exact",
    )
    pairs = difference(a, b, np.full(45, 2))
    assert pairs.value == alone.value
    assert pairs.test == "sign-flip, exact"
    assert pairs.p == pytest.approx(sign_flip((a - b).reshape(45, 2).sum(1))[0])


def test_runs_that_are_alike_have_an_interval_and_no_point() -> None:
    same = np.zeros(100)
    found = difference(same, same)
    assert (found.value, found.p) == (0.0, 1.0)
    # Bonett and Price: ±1.96 · √(2 / 102) / √102.
    assert found.high == pytest.approx(1.959964 * math.sqrt(2) / 102, rel=1e-6)
    assert found.low == -found.high
    wholly = difference(np.ones(100), same)
    assert wholly.value == wholly.high == 1.0
    assert 0.9 < wholly.low < 1.0


def test_unscored_replies_widen_to_their_bounds_and_take_the_worst_p() -> None:
    a, b = np.array([1.0] * 70 + [0.0] * 30), np.array([1.0] * 40 + [0.0] * 60)
    sure = difference(a, b)
    b_gap = b.copy()
    b_gap[40:50] = np.nan
    wide = difference(a, b_gap)
    assert wide.value == pytest.approx((60 - 40) / 90)
    assert wide.low < 0.2 < 0.3 < wide.high
    assert wide.high - wide.low > sure.high - sure.low
    # At worst the ten are events: 70 against 50, twenty pairs one way.
    assert wide.p == mcnemar(20, 0)
    b_gap[40:80] = np.nan
    assert difference(a, b_gap).p == 1.0, "they could turn the sign"
    none = difference(a, np.full(100, np.nan))
    assert (none.value, none.p) == (None, None)
    assert (none.low, none.high) == (pytest.approx(-0.3), pytest.approx(0.7))


def test_intervals_cover_and_tests_keep_their_level() -> None:
    random, hits, false, reps = np.random.default_rng(4), 0, 0, 300
    sizes = np.tile([1, 2, 3, 4], 25)
    for _ in range(reps):
        rates = np.repeat(random.beta(0.7, 2.3, 100), sizes)
        a, b = (random.binomial(1, rates).astype(float) for _ in range(2))
        found = difference(a, b, sizes)
        hits += found.low <= 0 <= found.high
        false += found.p <= 0.05
    # Three standard errors of 300 repetitions at 95 %.
    assert hits / reps >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / reps)
    assert false / reps <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / reps)


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    random, reps = np.random.default_rng(5), 300
    a, b = (random.binomial(1, 0.3, 300).astype(float) for _ in range(2))
    found = difference(a, b)
    least = minimum_detectable(found.error, found.trials)
    # √(2 · 0.21 / 300) · (1.96 + 0.84).
    assert least == pytest.approx(0.105, abs=0.01)
    shown = 0
    for _ in range(reps):
        one = random.binomial(1, 0.3 + least / 2, 300)
        two = random.binomial(1, 0.3 - least / 2, 300)
        shown += mcnemar(int((one > two).sum()), int((one < two).sum())) < 0.05
    # McNemar's exact test is a little below the nominal power.
    assert 0.68 <= shown / reps <= 0.87


def test_runs_that_hardly_differ_cannot_show_less_than_signs_can() -> None:
    # With no difference seen, d solves d = z² (1 - d) / 100.
    assert minimum_detectable(0.0, 100) == pytest.approx(7.849 / 107.849, abs=1e-4)


def test_cases_needed_is_the_inverse_of_what_is_detectable() -> None:
    error, trials, cases = 0.03, 200.0, 500
    least = minimum_detectable(error, trials)
    assert cases_needed(least, error, trials, cases) == cases
    assert cases_needed(least / 2, error, trials, cases) == 4 * cases
    with pytest.raises(BadInput, match="share above 0"):
        cases_needed(0.0, error, trials, cases)


def test_ranks_of_equal_runs_are_seldom_told_apart() -> None:
    random, reps, wrong = np.random.default_rng(6), 300, 0
    for _ in range(reps):
        rates = np.repeat(random.beta(0.9, 2.1, (120, 1)), 4, axis=1)
        sizes = random.integers(1, 4, 120)
        sums = random.binomial(sizes[:, None], rates).astype(float)
        found = rank_sets(sums, sizes.astype(float), draws=500)
        wrong += any(entry != RankSet(1, 4) for entry in found)
    assert wrong / reps <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / reps)


def test_ranks_of_runs_far_apart_are_single() -> None:
    random = np.random.default_rng(7)
    sums = random.binomial(1, [0.02, 0.3, 0.6, 0.95], (200, 4)).astype(float)
    lower = rank_sets(sums, np.ones(200), higher=False)
    assert lower == [RankSet(1, 1), RankSet(2, 2), RankSet(3, 3), RankSet(4, 4)]
    assert rank_sets(sums, np.ones(200)) == lower[::-1]


def test_two_that_tie_share_their_ranks_and_leave_the_others_theirs() -> None:
    random = np.random.default_rng(8)
    base = random.binomial(1, 0.5, 200).astype(float)
    sums = np.stack([np.ones(200), base, base, np.zeros(200)], axis=1)
    assert [tuple(entry) for entry in rank_sets(sums, np.ones(200))] == [
        (1, 1), (2, 3), (2, 3), (4, 4)
    ]  # fmt: skip


def test_a_handful_of_clusters_orders_nobody() -> None:
    sums = np.stack([np.ones(5), np.zeros(5)], axis=1)
    assert rank_sets(sums, np.ones(5)) == [RankSet(1, 2), RankSet(1, 2)]
    more = np.stack([np.ones(6), np.zeros(6)], axis=1)
    assert rank_sets(more, np.ones(6)) == [RankSet(1, 1), RankSet(2, 2)]
    assert rank_sets(np.ones((9, 1)), np.ones(9)) == [RankSet(1, 1)]
