"""A run, or a bare file from somebody who never installed us, becomes a submission."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import run
from convsafe.benchmark.cli import cli
from convsafe.benchmark.runs import Run
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.checking import check
from convsafe.leaderboard.packing import About, pack
from convsafe.taxonomy.errors import BadInput, UnknownName

ABOUT = About("Bare 1", "someone@example.org", "CC-BY-4.0", params={"temperature": 0.5})
WHO = ("--name", "Bare 1", "--contact", "someone@example.org", "--license", "CC-BY-4.0")
BOARD = "limit: 40\nbaselines: [echo]\nlongest_reply: 50000\n"
REPLY = "No, “sorry”.\nReally, =1+1"


@pytest.fixture(scope="module")
def board_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("board") / "board.yaml"
    path.write_text(BOARD)
    return path


@pytest.fixture(scope="module")
def board(board_file: Path, core_release: Path) -> Board:
    return Board.load(board_file, core_release)


@pytest.fixture(scope="module")
def done(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("echo", board.suite, tmp_path_factory.mktemp("done") / "run")


def as_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    # As Excel writes it: with a byte order mark and carriage returns.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)


def as_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pl.DataFrame(rows).write_parquet(path)


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], None]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
}


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("column", ["response", "completion"])
def test_a_bare_file_becomes_a_submission(
    ending: str, column: str, board: Board, tmp_path: Path
) -> None:
    path = tmp_path / f"replies.{ending}"
    WRITERS[ending](path, [{"id": id, column: REPLY} for id in reversed(board.ids)])
    manifest = pack(path, ABOUT, tmp_path / "out", board)
    checked = check(tmp_path / "out", board)
    assert checked.findings == ()
    assert checked.manifest == manifest
    assert manifest.release == board.release
    assert manifest.ids_sha256 == board.ids_sha256
    assert checked.generations is not None
    assert set(checked.generations["response"]) == {REPLY}
    assert set(checked.generations["outcome"]) == {"answered"}


def test_a_run_says_itself_how_it_was_made(done: Run, board: Board, tmp_path: Path) -> None:
    manifest = pack(done.folder, ABOUT, tmp_path / "out")
    assert manifest.model == "echo"
    assert manifest.params == {"temperature": 0.5, "max_tokens": 512, "seed": 0}
    assert manifest.created == done.settings["started"]
    checked = check(tmp_path / "out", board)
    assert checked.findings == ()
    assert checked.generations is not None
    mine = checked.generations.select("id", "sample", "outcome", "response")
    theirs = done.generations().select("id", "sample", "outcome", "response")
    assert mine.equals(theirs.sort("id", "sample"))


def test_the_same_run_gives_the_same_bytes(done: Run, tmp_path: Path) -> None:
    first, second = (pack(done.folder, ABOUT, tmp_path / name) for name in "ab")
    assert first == second
    names = ("manifest.json", "generations.parquet")
    assert all(
        (tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names
    )


def test_an_empty_cell_is_an_empty_reply(board: Board, tmp_path: Path) -> None:
    rows = [{"id": id, "response": " " * (at % 2)} for at, id in enumerate(board.ids)]
    as_csv(tmp_path / "a.csv", rows)
    pack(tmp_path / "a.csv", ABOUT, tmp_path / "out", board)
    found = check(tmp_path / "out", board)
    assert found.accepted
    assert found.generations is not None
    assert set(found.generations["outcome"]) == {"empty"}


def test_several_samples_are_counted(board: Board, tmp_path: Path) -> None:
    rows = [{"id": id, "response": "no", "sample": at} for id in board.ids for at in (0, 1)]
    as_csv(tmp_path / "a.csv", rows)
    assert pack(tmp_path / "a.csv", ABOUT, tmp_path / "out", board).samples == 2
    assert {one.code for one in check(tmp_path / "out", board).findings} == {"samples"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"id,score\na,1\n", "no column named response"),
        ("a.csv", b"case,response\na,b\n", "no column named id"),
        ("a.csv", b"id,response\na,caf\xe9\n", "not UTF-8"),
        ("a.csv", b"id,response,sample\na,b,first\n", "`sample` must be a number"),
        ("a.csv", b"", "not a csv file"),
        ("a.jsonl", b'{"id": "a"', "not a JSON object"),
        ("a.jsonl", b'{"id": "a", "response": "\\ud800"}', "half a surrogate pair"),
        ("a.jsonl", b"[" * 90_000, "recursion"),
        ("a.parquet", b"PAR1", "not a parquet file"),
        ("a.pkl", b"\x80\x04", "must end in"),
        ("b", b"", "must end in"),
    ],
)
def test_a_file_that_cannot_be_packed_says_why(
    name: str, data: bytes, said: str, board: Board, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput, match=said):
        pack(tmp_path / name, ABOUT, tmp_path / "out", board)
    assert not (tmp_path / "out").exists()


def test_the_commands_pack_check_and_score(
    done: Run, board_file: Path, core_release: Path, tmp_path: Path
) -> None:
    where = ("--rules", str(board_file), "--release", str(core_release))
    out = str(tmp_path / "out")
    packed = CliRunner().invoke(cli, ["submit", str(done.folder), *WHO, "--out", out, *where])
    assert packed.exit_code == 0, packed.output
    assert "Bare 1: fine" in packed.output
    assert f"convsafe verify {out}" in packed.output
    found = CliRunner().invoke(cli, ["verify", out, *where])
    assert found.exit_code == 0, found.output
    assert "over_refusal_rate" in found.output
    (tmp_path / "out" / "notes.txt").write_text("hello")
    found = CliRunner().invoke(cli, ["verify", out, "--no-score", "--json", *where])
    assert found.exit_code == 3
    assert [one["code"] for one in json.loads(found.output)["findings"]] == ["extra_file"]


def test_a_submission_with_errors_is_packed_told_and_exits_with_3(
    board: Board, board_file: Path, core_release: Path, tmp_path: Path
) -> None:
    as_csv(tmp_path / "a.csv", [{"id": id, "response": "no"} for id in board.ids[1:]])
    where = ("--rules", str(board_file), "--release", str(core_release))
    given = ("--out", str(tmp_path / "out"), "--temperature", "0.2", *where)
    found = CliRunner().invoke(cli, ["submit", str(tmp_path / "a.csv"), *WHO, *given])
    assert found.exit_code == 3
    assert "error missing_ids: generations.parquet: 1 cases" in found.output
    assert board.ids[0] in found.output


def test_a_run_takes_no_decoding_options(done: Run, tmp_path: Path) -> None:
    given = [str(done.folder), *WHO, "--temperature", "1", "--out", str(tmp_path / "out")]
    found = CliRunner().invoke(cli, ["submit", *given])
    assert isinstance(found.exception, BadInput)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("judge: 3", "`judge` is not of its kind: str"),
        ("limit: yes", "`limit` is not of its kind"),
        ("samples: -1", "`samples` is not of its kind"),
        ("baselines: echo", "`baselines` is not of its kind"),
        ("[a]", "a board is a mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_a_board_that_is_none_says_why(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(text)
    with pytest.raises(BadInput, match=said):
        Board.load(tmp_path / "board.yaml")


def test_an_unknown_value_of_a_board_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text("jugde: embedded")
    with pytest.raises(UnknownName, match="Did you mean 'judge'"):
        Board.load(tmp_path / "board.yaml")
