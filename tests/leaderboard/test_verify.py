"""A submission is data: what is wrong with it is said, and nothing in it runs, hangs or crashes."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import load_suite, run, score
from convsafe.benchmark.runs import Run
from convsafe.leaderboard import apart, checking
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.checking import Checked, check, names_beside, verify
from convsafe.leaderboard.packing import About, pack
from convsafe.leaderboard.pages import unpacked_size
from convsafe.leaderboard.verify_text import report
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.leaderboard import hostile

ABOUT = About("Honest 1", "someone@example.org", "Apache-2.0", url="https://example.org/model")
TAKEN = {"known-model-7b": "Known Model 7B"}
SEEN = [pytest.param(spoil, code, id=name) for name, spoil, code in hostile.every()]
WARNED = [pytest.param(*case, id=name) for name, case in hostile.WARNINGS.items()]


@pytest.fixture(scope="module")
def board(core_release: Path) -> Board:
    return Board(
        limit=40,
        most_bytes=hostile.MOST_BYTES,
        longest_reply=hostile.LONGEST,
        baselines=("always_refuse",),
        folder=core_release,
    )


@pytest.fixture(scope="module")
def done(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("always_refuse", board.suite, tmp_path_factory.mktemp("done") / "run")


@pytest.fixture(scope="module")
def good(done: Run, board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "submission"
    pack(done.folder, ABOUT, folder, board)
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return shutil.copytree(good, tmp_path / "submission")


def codes(checked: Checked, level: str = "error") -> set[str]:
    return {finding.code for finding in checked.findings if finding.level == level}


def test_a_good_submission_is_fine(good: Path, board: Board) -> None:
    checked = check(good, board, TAKEN)
    assert checked.findings == ()
    assert checked.generations is not None
    assert len(checked.generations) == len(board.ids)


def test_there_are_at_least_sixty_and_each_has_its_own_name() -> None:
    names = [name for name, _, _ in hostile.every()]
    assert len(names) == len(set(names)) >= 150


@pytest.mark.parametrize(("spoil", "code"), SEEN)
def test_what_is_malformed_or_hostile_is_named(
    spoil: hostile.Spoil, code: str, folder: Path, board: Board
) -> None:
    spoil(folder)
    checked = check(folder, board, TAKEN)
    assert code in codes(checked), checked.findings
    assert "unreadable" not in codes(checked)
    assert not (folder.parent / "sprung").exists()
    # What is said can be printed anywhere: no colour, no line end, no turn of direction.
    assert all(line.isprintable() for line in report(checked).split("\n"))
    assert json.loads(json.dumps(checked.to_row()["findings"], allow_nan=False))


@pytest.mark.parametrize(("spoil", "code"), WARNED)
def test_what_is_only_odd_is_told_and_taken(
    spoil: hostile.Spoil, code: str, folder: Path, board: Board
) -> None:
    spoil(folder)
    checked = check(folder, board, TAKEN)
    assert code in codes(checked, "warning")
    assert checked.accepted


def test_replies_may_hold_markup_and_formulas(folder: Path, board: Board) -> None:
    hostile.first("response", "<script>alert(1)</script> =1+1 \u202e \x1b[31m")(folder)
    assert check(folder, board, TAKEN).findings == ()


def test_a_line_of_two_gigabytes_is_not_read_into_memory(folder: Path, core_release: Path) -> None:
    wide = Board(limit=40, most_bytes=4 << 30, longest_reply=hostile.LONGEST, folder=core_release)
    hostile.lines(lambda good: good)(folder)
    path = folder / hostile.LINES
    os.truncate(path, hostile.GIGABYTES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "sha256_of", lambda _: "0" * 64)
        checked = check(folder, wide, TAKEN)
    found = next(one for one in checked.findings if one.code == "long_line")
    assert found.line == len(wide.ids) + 1


def test_a_type_that_a_pickle_defines_is_never_loaded(folder: Path, board: Board) -> None:
    hostile.Trap.path = str(folder.parent / "sprung")
    hostile.table(hostile.pickled_type)(folder)
    check(folder, board, TAKEN)
    assert not (folder.parent / "sprung").exists()


def test_what_nobody_foresaw_is_a_finding(
    folder: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError("no room \x1b[31m")

    monkeypatch.setattr(checking, "read_columns", fail)
    checked = check(folder, board, TAKEN)
    assert codes(checked) == {"unreadable"}
    assert "generations.parquet cannot be read: MemoryError: no room \\x1b[31m" in report(checked)


def test_a_file_that_ends_its_reader_is_a_finding_and_the_next_one_is_read(
    good: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart._APART.end()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        checked = check(good, board, TAKEN)
    assert codes(checked) == {"damaged"}
    assert "reading it ends the program that does" in report(checked)
    assert check(good, board, TAKEN).accepted


def test_findings_name_the_ids_and_count_them(folder: Path, board: Board) -> None:
    hostile.table(lambda found: found.slice(7))(folder)
    found = next(one for one in check(folder, board, TAKEN).findings if one.code == "missing_ids")
    assert found.count == 7
    assert found.ids == tuple(sorted(board.ids)[:5])


def test_a_wrong_line_is_named_by_number_and_id(folder: Path, board: Board) -> None:
    id = board.ids[3]
    line = json.dumps({"id": id, "response": 5}).encode() + b"\n"
    hostile.lines(lambda good: [*good[:3], line, *good[4:]])(folder)
    found = next(one for one in check(folder, board, TAKEN).findings if one.code == "types")
    assert (found.line, found.ids, found.count) == (4, (id,), 1)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["manifest.json", "generations.parquet"]), st.data())
def test_no_change_of_bytes_crashes_it(
    good: Path, board: Board, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    folder = shutil.copytree(good, tmp_path / "submission", dirs_exist_ok=True)
    found = bytearray((good / name).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=8)):
        found[at] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(found)
    checked = check(folder, board, TAKEN)
    assert checked.findings or bytes(found) == (good / name).read_bytes() or checked.accepted


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_no_name_crashes_it_or_is_printed_raw(folder: Path, board: Board, name: str) -> None:
    hostile.said(name=name)(folder)
    said = report(check(folder, board, TAKEN))
    assert all(line.isprintable() for line in said.split("\n"))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "zstd"])
def test_pages_say_what_the_file_unpacks_to(
    version: str, codec: str, good: Path, tmp_path: Path
) -> None:
    found = parquet.read_table(good / "generations.parquet")
    path = tmp_path / "x.parquet"
    parquet.write_table(
        found, path, compression=codec, data_page_version=version, row_group_size=9,
        use_dictionary=codec == "zstd", write_page_checksum=True,
    )  # fmt: skip
    meta = parquet.read_metadata(path)
    chunks = [
        meta.row_group(group).column(at)
        for group in range(meta.num_row_groups)
        for at in range(meta.num_columns)
    ]
    size = unpacked_size(path.read_bytes(), meta)
    # A column's size counts the headers of its pages too.
    told = sum(chunk.total_uncompressed_size for chunk in chunks)
    assert told - 200 * len(chunks) < size.bytes < told
    assert size.values == len(found)


def test_names_beside_are_taken(folder: Path, board: Board) -> None:
    other = shutil.copytree(folder, folder.parent / "other")
    hostile.said(name="Hοnest 1")(other)
    (folder.parent / "broken").mkdir()
    (folder.parent / "broken" / "manifest.json").write_text("[")
    assert list(names_beside(folder).values()) == ["Hοnest 1"]
    assert codes(check(folder, board)) == {"name_alike"}


def test_a_submission_lies_in_the_folder_of_its_name(folder: Path, board: Board) -> None:
    there = folder.parent / "submissions" / "someone-elses"
    shutil.copytree(folder, there)
    assert codes(check(there, board)) == {"folder_name"}
    assert check(there.rename(there.with_name("honest-1")), board).accepted


def test_figures_are_made_from_scratch_and_are_those_of_the_run(
    good: Path, board: Board, done: Run
) -> None:
    mine = verify(good, board, TAKEN)
    theirs = score(done)
    assert mine.accepted
    said = {(one.metric, one.slice, one.name): one for one in mine.figures}
    for metric in ("refusal_rate", "over_refusal_rate", "helpful_rate"):
        assert said[metric, "all", "all"] == theirs.get(metric)


def test_what_is_not_accepted_is_not_scored(folder: Path, board: Board) -> None:
    hostile.said(samples=2)(folder)
    assert verify(folder, board, TAKEN).figures == ()


def test_a_board_of_every_case_has_the_ids_of_the_release(core_release: Path) -> None:
    board = Board.load(release=core_release)
    suite = load_suite(core_release)
    assert list(board.ids) == [case.id for case in suite.cases] == board.cases["id"].to_list()
    assert board.ids_sha256 == suite.ids_sha256
    assert board.baselines == ("always_refuse", "always_comply", "echo", "constant")
