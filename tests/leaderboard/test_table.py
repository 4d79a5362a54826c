"""Runs are put side by side only where that means something."""

from pathlib import Path

import pytest
from convsafe.benchmark import load_suite, run, score
from convsafe.benchmark.suite import Suite
from convsafe.leaderboard import rank
from convsafe.taxonomy.errors import BadInput


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=60)


def scored(model: str, suite: Suite, folder: Path) -> Path:
    score(run(model, suite, folder))
    return folder


def test_refusing_all_and_complying_with_all_are_equally_wrong(
    suite: Suite, tmp_path: Path
) -> None:
    names = ("always_refuse", "always_comply")
    entries = rank([scored(name, suite, tmp_path / name) for name in names])
    assert [entry.error for entry in entries] == [0.5, 0.5]
    for entry in entries:
        assert entry.judged_by.startswith("embedded ")
        assert "κ 0." in entry.to_row()["judged_by"]


def test_runs_of_other_cases_are_not_compared(
    core_release: Path, suite: Suite, tmp_path: Path
) -> None:
    first = scored("echo", suite, tmp_path / "one")
    second = scored("echo", load_suite(core_release, limit=40), tmp_path / "two")
    with pytest.raises(BadInput, match="another cases than"):
        rank([first, second])


def test_a_partial_or_unscored_run_is_not_compared(suite: Suite, tmp_path: Path) -> None:
    done = run("echo", suite, tmp_path / "run")
    with pytest.raises(BadInput, match="no scores here"):
        rank([done.folder])
    lines = done.generations_path.read_text().splitlines(keepends=True)
    done.generations_path.write_text("".join(lines[1:]))
    score(done, partial=True)
    with pytest.raises(BadInput, match="partial run"):
        rank([done.folder])
