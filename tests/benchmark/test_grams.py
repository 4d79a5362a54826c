"""Weighed phrases: which are found where, how often they count; and reading is as fitting."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark.fit.holding import holding, phrases_of
from convsafe.benchmark.judges import _grams
from convsafe.benchmark.judges._grams import (
    HEARD,
    PLACES,
    Grams,
    counts_for,
    words,
)
from convsafe.benchmark.judges._phrases import normalized


def found(*pairs: tuple[str, str]) -> pl.DataFrame:
    frame = pl.DataFrame(pairs, schema=["request", "reply"], orient="row")
    heard = frame["reply"].str.contains("cannot")
    return frame.select(normalized(frame["request"]), normalized(frame["reply"]), heard=heard)


def odds(table: dict[str, dict[str, float]], *pairs: tuple[str, str]) -> list[float]:
    return Grams.of([table]).odds(found(*pairs))[0].to_list()


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a phrase count the same among however many words."""
    monkeypatch.setattr(_grams, "counts_for", lambda words, usual: words * 0 + 1.0)


@pytest.mark.usefixtures("alike")
def test_a_phrase_counts_once_in_each_place_it_stands_in() -> None:
    table = {"opening": {"i cannot": 1.0}, "whole": {"i cannot": 0.25}, "tail": {"cannot": 4.0}}
    assert odds(table, ("", "I cannot. I cannot!"), ("", "I can."), ("", "")) == [5.25, 0, 0]


@pytest.mark.usefixtures("alike")
def test_the_opening_ends_and_the_whole_goes_on() -> None:
    table = {"opening": {"no": 1.0}, "whole": {"no": 0.25}}
    within, reach = PLACES["opening"].words, PLACES["whole"].words
    replies = [("", "so " * before + "no") for before in (within - 1, within, reach - 1, reach)]
    assert odds(table, *replies) == [1.25, 0.25, 0.25, 0]


@pytest.mark.usefixtures("alike")
def test_phrases_share_words_and_do_not_cross_rows() -> None:
    table = {"whole": {"a b c": 1.0, "b": 0.5, "b c": 0.25}}
    assert odds(table, ("", "a b c"), ("", "a b"), ("", "c b c"), ("", "x a")) == [
        1.75,
        0.5,
        0.75,
        0,
    ]


@pytest.mark.usefixtures("alike")
def test_what_is_asked_counts_apart_from_what_is_said() -> None:
    table = {"request": {"lock": 1.0}, "whole": {"lock": 0.25}}
    assert odds(table, ("A lock", "No"), ("No", "A lock")) == [1.0, 0.25]


@pytest.mark.usefixtures("alike")
def test_scripts_without_spaces_are_read_by_the_character() -> None:
    assert words(found(("", "\u6211\u4e0d\u80fd help")), "whole").to_list() == [
        ["\u6211", "\u4e0d", "\u80fd", "help"]
    ]
    assert odds({"whole": {"\u4e0d \u80fd": 2.0}}, ("", "\u6211\u4e0d\u80fd\u5e2e")) == [2.0]


@pytest.mark.usefixtures("alike")
def test_models_are_summed_apart_and_an_empty_one_weighs_nothing() -> None:
    grams = Grams.of([{"whole": {"yes": 1.0}}, {}, {"whole": {"yes": -2.0, "no": 3.0}}])
    told = grams.odds(found(("", "yes no"), ("", "no")))
    assert [series.to_list() for series in told] == [[1, 0], [0, 0], [1, 3]]


@pytest.mark.usefixtures("alike")
def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    grams = Grams.of([{"whole": {"a b": 1.5, "b": -0.25}, "tail": {"b": 2.0}}, {}])
    np.savez(tmp_path / "grams.npz", **grams.arrays())
    texts = found(("", "a b"), ("", "b a"), ("", "nothing"))
    again = Grams.read(tmp_path / "grams.npz").odds(texts)
    assert [series.to_list() for series in again] == [[3.25, 1.75, 0], [0, 0, 0]]


@pytest.mark.usefixtures("alike")
def test_many_phrases_and_rows_are_all_found() -> None:
    # More than share a slot, and more rows than are looked through at once.
    phrases = [f"w{one} w{two}" for one in range(120) for two in range(120)]
    table = {"whole": {phrase: at + 1.0 for at, phrase in enumerate(phrases)}}
    told = odds(table, *(("", phrase) for phrase in phrases))
    assert told == [at + 1.0 for at in range(len(phrases))]


def test_no_rows_give_no_sums() -> None:
    none = pl.DataFrame(schema={"request": pl.String, "reply": pl.String, "heard": pl.Boolean})
    assert [len(series) for series in Grams.of([{"whole": {"a": 1.0}}]).odds(none)] == [0]


def test_a_phrase_counts_less_among_more_words() -> None:
    usual = PLACES["whole"].usual
    replies = [("", "word " * (size - 1) + "no") for size in (1, usual, usual * 2)]
    once, as_usual, less = odds({"whole": {"no": 1.0}}, *replies)
    assert as_usual == 1
    assert once == pytest.approx(usual**0.25)
    assert less == pytest.approx(0.5**0.25)
    assert counts_for(np.array([0, 16 * usual]), usual).tolist() == [pytest.approx(once), 0.5]


@pytest.mark.usefixtures("alike")
def test_after_a_denial_a_phrase_may_weigh_something_besides() -> None:
    table = {"whole": {"help": 1.0}, f"{HEARD}whole": {"help": 0.5, "you": 0.25}}
    replies = (("", "I help you"), ("", "I cannot help you"), ("", "cannot"))
    assert odds(table, *replies) == [1.0, 1.75, 0.0]


@pytest.mark.parametrize("place", PLACES)
def test_reading_weighs_what_fitting_counted(place: str) -> None:
    random = np.random.default_rng(5)
    vocabulary = np.array(["i", "can", "not", "help", "\u6211", "\u4e0d", "\u80fd", ".", "sure"])
    texts = [" ".join(random.choice(vocabulary, size)) for size in random.integers(0, 400, 60)]
    frame = found(*zip(texts, reversed(texts), strict=True))
    phrases = phrases_of(frame, place, 2)
    held = holding(frame, place, phrases)
    weights = random.normal(size=len(phrases)).round(3)
    told = Grams.of([{place: dict(zip(phrases, weights.tolist(), strict=True))}]).odds(frame)[0]
    assert np.allclose(told.to_numpy(), held @ weights, atol=1e-9)
    assert held.nnz > 0
