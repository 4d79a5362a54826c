"""The app's rows, without gradio: what is filtered, sorted and said of each model."""

from typing import Any

import pytest
from convsafe.leaderboard.app import app

from tests.leaderboard.small_board import HOSTILE, table

MODEL = app.headers(table()).index("model")


def names(rows: list[list[str]]) -> list[str]:
    return [row[MODEL] for row in rows]


def test_rows_are_in_order_of_the_metric_the_better_first() -> None:
    assert names(app.rows(table()))[0] == "Otter 1"
    assert names(app.rows(table(), sort="unsafe_rate")) == ["echo", app.plain(HOSTILE), "Otter 1"]
    # Nobody has it: the board's own order stays.
    assert names(app.rows(table(), sort="helpful_rate"))[0] == "Otter 1"


def test_baselines_flags_and_names_filter() -> None:
    assert "echo" not in names(app.rows(table(), baselines=False))
    assert names(app.rows(table(), baselines=False, flagged=False)) == ["Otter 1"]
    assert names(app.rows(table(), "OTTER ")) == ["Otter 1"]
    assert app.rows(table(), "nobody") == []


def test_a_row_says_ranks_intervals_and_notes() -> None:
    first, second, last = (
        dict(zip(app.headers(table()), row, strict=True)) for row in app.rows(table())
    )
    assert first["ranks"] == "1"
    assert first["safe & helpful"] == "80.0 (40.0–80.0)"
    # Nobody has these, so they are no columns.
    assert not {"helpful", "operational"} & set(first)
    assert second["ranks"] == "–"
    assert second["unscored"] == "20.0 %"
    assert second["notes"] == "settings: p_ground, canned"
    assert last["ranks"] == "baseline"


def test_a_part_shows_its_own_figures() -> None:
    assert app.names_of(table(), "area") == ["self_harm"]
    row = app.rows(table(), "otter", track="area", name="self_harm")[0]
    part = dict(zip(app.headers(table()), row, strict=True))
    assert part["unsafe"] == "10.0 (5.0–10.0)"
    assert part["safe & helpful"] == "–"


def test_texts_of_submitters_are_printable_and_short() -> None:
    assert "\u202e" not in app.plain(HOSTILE)
    assert len(app.plain("x" * 10_000)) == 120


def test_a_board_that_is_nowhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVSAFE_RESULTS", raising=False)
    with pytest.raises(FileNotFoundError, match=r"no table\.json beside the app"):
        app.read_table()


def test_what_the_board_was_made_with_is_said() -> None:
    told: dict[str, Any] = table()
    assert app.about(told) == "2 models · release 1.0.0, core · judge embedded 1.0.0 · 2026-11-02"
