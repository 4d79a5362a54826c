"""The parts of fitting: what rows and phrases count, the regression, and signs of form."""

import numpy as np
import polars as pl
import pytest
from convsafe.benchmark.fit.embedded import _worth
from convsafe.benchmark.fit.logistic import balanced, by_set, logistic
from convsafe.benchmark.judges._reading import read, texts
from convsafe.benchmark.judges._signs import signs
from scipy import sparse
from sklearn.linear_model import LogisticRegression

SOURCES = ["a"] * 9 + ["b"] * 4 + ["none"]
SHARES = {"a": 1.0, "b": 0.5, "none": 0.0}


def test_a_set_counts_by_its_share_and_the_root_of_its_size() -> None:
    weights = by_set(SOURCES, SHARES)
    assert weights[-1] == 0
    assert weights[:9].sum() / weights[9:13].sum() == pytest.approx(3 / (0.5 * 2))
    assert weights[:13].mean() == pytest.approx(1)


def test_both_classes_of_a_set_count_alike() -> None:
    truth = np.array([1.0] + [0.0] * 8 + [1.0, 1.0, 0.0, 0.0, 1.0])
    weights = balanced(SOURCES, truth, SHARES, most=np.inf)
    assert weights[0] == pytest.approx(weights[1:9].sum())
    assert weights[9:11].sum() == pytest.approx(weights[11:13].sum())
    assert weights[13] == 0


def test_a_rare_class_of_a_set_counts_so_many_times_its_rows_at_most() -> None:
    truth = np.array([1.0] + [0.0] * 8 + [1.0, 1.0, 0.0, 0.0, 1.0])
    free = balanced(SOURCES, truth, SHARES, most=np.inf)
    held = balanced(SOURCES, truth, SHARES, most=2.0)
    assert free[0] / free[1] == pytest.approx(8)
    assert held[0] / held[1] == pytest.approx(2 * 16 / 9)
    # A class that is not rare is left alone.
    assert held[9] / held[11] == pytest.approx(1)


def test_the_regression_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    features = sparse.random(200, 12, density=0.3, random_state=1, format="csr")
    truth = (random.random(200) < 0.4).astype(float)
    weights = random.random(200)
    found, constant = logistic(features, truth, weights, np.zeros(200), 0.7)
    peer = LogisticRegression(C=0.7, tol=1e-10, max_iter=10_000).fit(features, truth, weights)
    assert found == pytest.approx(peer.coef_[0], abs=1e-4)
    assert constant == pytest.approx(peer.intercept_[0], abs=1e-4)


def test_rare_phrases_that_part_the_classes_weigh_most_freely() -> None:
    truth = np.array([1.0] * 50 + [0.0] * 50)
    rare_and_telling = np.zeros(100)
    rare_and_telling[:10] = 1
    common_and_telling = truth.copy()
    telling_nothing = np.tile([1.0, 0.0], 50)
    held = sparse.csr_matrix(
        np.column_stack([rare_and_telling, common_and_telling, telling_nothing, np.ones(100)])
    )
    worth = _worth(held, truth, np.ones(100))
    assert worth[0] > worth[1] > worth[2]
    assert worth[2:] == pytest.approx(0)
    assert (worth**2).mean() == pytest.approx(1)
    assert np.isfinite(_worth(held[:0], truth[:0], np.ones(0))).all()


def test_the_form_of_a_reply_is_read() -> None:
    replies = [
        "I can't say. What do you need? What for?",
        "1. Open it.\n2. Turn it.\n\n\n3. Close it and so on",
    ]
    rows = pl.DataFrame({"prompt": ["How?"] * 2, "response": replies})
    found = signs(read(texts(rows)))
    assert found["words"].to_list() == ["1", "2"]
    assert found["speaker"].to_list() == ["3", "0"]
    assert found["spoken_to"].to_list() == ["3", "0"]
    assert found["begins"].to_list() == ["first 2", "other 0"]
    assert found["asks"].to_list() == ["2 last", "0"]
    assert found["items"].to_list() == ["0", "2"]
    assert found["lines"].to_list() == ["0", "1"]
    assert found["ends"].to_list() == ["as a sentence", "otherwise"]


@pytest.mark.parametrize(
    ("request_", "reply", "answer", "asked"),
    [
        ("Is the moon made of cheese?", "No, it is rock.", "whether no", "whether none"),
        ("Is the moon made of cheese?", "Yes!", "whether yes", "whether none"),
        ("Why is it cheese?", "It's not cheese at all.", "what not so", "what none"),
        ("Can you bake it?", "I cannot help with that.", "of you other", "of you hard"),
        ("Bake it.", "As an AI, I am no baker.", "other self", "other none"),
        ("Käse?", "Nein.", "other other", "other none"),
        ("Is it? " + "No. " * 99, "No.", "much no", "much none"),
    ],
)
def test_what_is_asked_is_read_with_the_answer(
    request_: str, reply: str, answer: str, asked: str
) -> None:
    found = signs(read(texts(pl.DataFrame({"prompt": [request_], "response": [reply]}))))
    assert (found["answer"][0], found["asked"][0]) == (answer, asked)


def test_blank_lines_at_the_end_change_no_sign() -> None:
    rows = pl.DataFrame({"prompt": ["How?"] * 2, "response": ["Turn it.", "Turn it." + "\n" * 99]})
    found = signs(read(texts(rows)))
    assert found[0].equals(found[1])
