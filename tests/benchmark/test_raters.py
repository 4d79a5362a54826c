"""The draw and the agreement of raters, by what is known of them.

The examples are of Krippendorff, “Computing Krippendorff's alpha-reliability” (2011).
"""

from collections import Counter

import pytest
from convsafe.benchmark.raters import alpha, majority
from convsafe.benchmark.stratified import allocate, draw


def test_every_stratum_gives_one_and_the_probabilities_add_up() -> None:
    strata = {
        ("a", "x"): [f"a{n}" for n in range(90)],
        ("b", "x"): ["b0"],
        ("c", "y"): ["c0", "c1"],
    }
    drawn = draw(strata, 10, seed=0)
    assert len(drawn) == 10
    assert {id[0] for id in drawn} == {"a", "b", "c"}
    for ids in strata.values():
        weights = [1 / drawn[id] for id in drawn.keys() & set(ids)]
        assert sum(weights) == pytest.approx(len(ids))


def test_with_fewer_rows_than_strata_the_strata_are_drawn_too() -> None:
    strata = {(str(n),): [f"{n}-{m}" for m in range(n + 1)] for n in range(8)}
    counts: Counter[str] = Counter()
    for seed in range(2000):
        drawn = draw(strata, 3, seed)
        assert len(drawn) == 3
        assert all(drawn[id] == pytest.approx(3 / 8 / (int(id[0]) + 1)) for id in drawn)
        counts.update(drawn.keys())
    assert counts["0-0"] / 2000 == pytest.approx(3 / 8, abs=0.04)
    assert counts["7-3"] / 2000 == pytest.approx(3 / 64, abs=0.02)


def test_a_stated_probability_is_the_one_with_which_a_row_is_drawn() -> None:
    strata = {("a",): [f"a{n}" for n in range(7)], ("b",): [f"b{n}" for n in range(3)]}
    stated = {id[0]: chance for id, chance in draw(strata, 5, 0).items()}
    counts = Counter(id for seed in range(3000) for id in draw(strata, 5, seed))
    for ids in strata.values():
        for id in ids:
            assert counts[id] / 3000 == pytest.approx(stated[id[0]], abs=0.04)


def test_the_draw_depends_on_seed_and_ids_alone() -> None:
    strata = {("a",): [f"a{n}" for n in range(50)], ("b",): [f"b{n}" for n in range(50)]}
    other = {name: ids[::-1] for name, ids in reversed(strata.items())}
    assert list(draw(strata, 20, 1).items()) == list(draw(other, 20, 1).items())
    assert draw(strata, 20, 1) != draw(strata, 20, 2)
    assert draw(strata, 500, 1) == dict.fromkeys([*strata[("a",)], *strata[("b",)]], 1.0)


def test_shares_are_whole_and_never_more_than_there_are() -> None:
    for n in range(3, 31):
        sizes = {("a",): 1, ("b",): 9, ("c",): 20}
        found = allocate(sizes, n)
        assert sum(found.values()) == n
        assert all(1 <= found[name] <= size for name, size in sizes.items())


def units(*raters: str) -> list[list[str | None]]:
    rows = [[None if value == "*" else value for value in rater.split()] for rater in raters]
    return [list(unit) for unit in zip(*rows, strict=True)]


def test_alpha_of_two_observers_and_two_values_is_as_published() -> None:
    found = alpha(units("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"))
    assert found == pytest.approx(0.095, abs=0.0005)


def test_alpha_of_two_observers_and_five_values_is_as_published() -> None:
    found = alpha(units("a a b b d c c c e d d a", "b a b b b c c c e d d d"))
    assert found == pytest.approx(0.692, abs=0.0005)


def test_alpha_of_four_observers_with_missing_values_is_as_published() -> None:
    found = alpha(
        units(
            "1 2 3 3 2 1 4 1 2 * * *",
            "1 2 3 3 2 2 4 1 2 5 * 3",
            "* 3 3 3 2 3 4 2 2 5 1 *",
            "1 2 3 3 2 4 4 1 2 5 1 *",
        )
    )
    assert found == pytest.approx(0.743, abs=0.0005)


def test_alpha_is_one_for_agreement_zero_for_chance_and_less_for_worse() -> None:
    assert alpha(units("a b b *", "a b b a")) == 1.0
    assert alpha(units("a b b b", "b b b b")) == 0.0
    assert (alpha(units("a b a b", "b a b a")) or 0) < 0


@pytest.mark.parametrize("raters", [("a a", "a a"), ("a *", "* b"), ("* *", "* *")])
def test_alpha_is_undefined_where_there_is_nothing_to_tell_apart(raters: tuple[str, str]) -> None:
    assert alpha(units(*raters)) is None


def test_alpha_of_truth_values_counts_false_as_a_value() -> None:
    assert alpha([[True, True], [False, False], [None, True]]) == 1.0


def test_a_majority_is_more_than_half_of_those_who_said_something() -> None:
    assert majority(["a", "a", "b", None]) == "a"
    assert majority(["a", "b"]) is None
    assert majority(["a", "a", "b", "c"]) is None
    assert majority([False, None]) is False
    assert majority([None]) is None
