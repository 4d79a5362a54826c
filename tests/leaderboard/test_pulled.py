"""A pull request's submission is read out of its commit as data, and nothing else of it counts."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.packing import About, pack
from convsafe.leaderboard.pulled import verify_pull
from convsafe.taxonomy.errors import BadInput, Unavailable

PLACE = Path("leaderboard/submissions")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("board") / "board.yaml"
    path.write_text("limit: 30\njudge: embedded\nbaselines: [echo]\n")
    return path


@pytest.fixture(scope="module")
def submission(board: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fine submission of a made-up model."""
    folder = tmp_path_factory.mktemp("sent")
    rows = [
        {"id": id, "response": f"I can't help with request {place}."}
        for place, id in enumerate(Board.load(board).ids)
    ]
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    about = About("Otter 1", "otter@example.org", "Apache-2.0", params={"temperature": 0.0})
    pack(folder / "replies.jsonl", about, folder / "otter-1", Board.load(board))
    return folder / "otter-1"


class Repository:
    """The base with a branch of somebody else; `merge` is what GitHub would make of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        (folder / PLACE).mkdir(parents=True)
        (folder / PLACE / ".gitkeep").touch()
        (folder / "code.py").write_text("print('ours')\n")
        self.commit("base")

    def git(self, *arguments: str) -> str:
        who = {
            f"GIT_{role}_{part}": "somebody@example.org"
            for role in ("AUTHOR", "COMMITTER")
            for part in ("NAME", "EMAIL")
        }
        env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null"}
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
        return done.stdout.strip()

    def commit(self, title: str) -> str:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", title)
        return self.git("rev-parse", "HEAD")

    def merge(self, change: Callable[[Path], None]) -> str:
        self.git("checkout", "--quiet", "-b", "theirs")
        change(self.folder)
        self.commit("theirs")
        self.git("checkout", "--quiet", "main")
        self.git("checkout", "--quiet", "--detach")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", "theirs")
        merged = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "main")
        return merged


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repository").mkdir()
    return Repository(tmp_path / "repository")


def put(submission: Path, name: str = "otter-1", *files: str) -> Callable[[Path], None]:
    """Return a change that adds a submission's files."""

    def change(folder: Path) -> None:
        target = folder / PLACE / name
        target.mkdir(parents=True, exist_ok=True)
        for file in files or ("manifest.json", "generations.parquet"):
            (target / file).write_bytes((submission / file).read_bytes())

    return change


def test_a_fine_submission_is_verified_and_scored_and_never_checked_out(
    repository: Repository, submission: Path, board: Path, tmp_path: Path
) -> None:
    merged = repository.merge(put(submission))
    checked = verify_pull(merged, tmp_path / "in", repository.folder, Board.load(board))
    assert checked.accepted, checked.findings
    assert checked.manifest is not None
    assert checked.manifest.name == "Otter 1"
    assert any(one.metric == "over_refusal_rate" for one in checked.figures)
    assert not (repository.folder / PLACE / "otter-1").exists()


def test_a_manifest_alone_says_that_its_replies_come_another_way(
    repository: Repository, submission: Path, board: Path, tmp_path: Path
) -> None:
    merged = repository.merge(put(submission, "otter-1", "manifest.json"))
    checked = verify_pull(merged, tmp_path / "in", repository.folder, Board.load(board))
    assert checked.accepted
    assert "replies_elsewhere" in [one.code for one in checked.findings]
    assert not checked.figures


def also(change: Callable[[Path], None], more: Callable[[Path], object]) -> Callable[[Path], None]:
    def both(folder: Path) -> None:
        change(folder)
        more(folder)

    return both


def _link(folder: Path) -> None:
    file = folder / PLACE / "otter-1" / "generations.parquet"
    file.unlink()
    file.symlink_to("/etc/passwd")


def _link_folder(folder: Path) -> None:
    (folder / PLACE / "otter-2").symlink_to("../../..")


def _program(folder: Path) -> None:
    (folder / PLACE / "otter-1" / "manifest.json").chmod(0o755)


def _code(folder: Path) -> None:
    (folder / "code.py").write_text("print('theirs')\n")


def _attributes(folder: Path) -> None:
    (folder / PLACE / "otter-1" / ".gitattributes").write_text("* filter=run\n")


def _deeper(folder: Path) -> None:
    (folder / PLACE / "otter-1" / "more").mkdir()
    (folder / PLACE / "otter-1" / "more" / "manifest.json").write_text("{}")


def _large(folder: Path) -> None:
    (folder / PLACE / "otter-1" / "manifest.json").write_text(" " * 5_000_000)


def _nameless(folder: Path) -> None:
    (folder / PLACE / "otter-1" / "manifest.json").unlink()


def _second(folder: Path) -> None:
    (folder / PLACE / "otter-2").mkdir()
    (folder / PLACE / "otter-2" / "manifest.json").write_text("{}")


def _workflow(folder: Path) -> None:
    (folder / ".github" / "workflows").mkdir(parents=True)
    (folder / ".github" / "workflows" / "mine.yml").write_text("on: push\n")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_link, "mode"),
        (_link_folder, "other_files"),
        (_program, "mode"),
        (_code, "other_files"),
        (_attributes, "other_files"),
        (_deeper, "other_files"),
        (_large, "size"),
        (_nameless, "no_manifest"),
        (_second, "many_submissions"),
        (_workflow, "other_files"),
    ],
)
def test_whatever_else_a_pull_request_brings_is_an_error(
    spoil: Callable[[Path], object],
    code: str,
    repository: Repository,
    submission: Path,
    board: Path,
    tmp_path: Path,
) -> None:
    merged = repository.merge(also(put(submission), spoil))
    checked = verify_pull(merged, tmp_path / "in", repository.folder, Board.load(board))
    assert not checked.accepted
    assert code in [one.code for one in checked.findings if one.level == "error"]
    assert checked.generations is None


def test_names_of_the_base_are_taken(
    repository: Repository, submission: Path, board: Path, tmp_path: Path
) -> None:
    put(submission, "otter-1", "manifest.json")(repository.folder)
    repository.commit("the first")
    told = json.loads((submission / "manifest.json").read_text())

    def second(folder: Path) -> None:
        (folder / PLACE / "0tter-1").mkdir()
        text = json.dumps(told | {"name": "0tter 1"})
        (folder / PLACE / "0tter-1" / "manifest.json").write_text(text)

    merged = repository.merge(second)
    checked = verify_pull(merged, tmp_path / "in", repository.folder, Board.load(board))
    assert [one.code for one in checked.findings if one.level == "error"] == ["name_alike"]


def test_the_small_board_of_make_leaderboard_ranks_as_the_board_does() -> None:
    small, whole = Board.load(Path(__file__).parents[2] / "leaderboard/sample.yaml"), Board.load()
    for name in ("config", "split", "judge", "samples", "most_unscored", "baselines"):
        assert getattr(small, name) == getattr(whole, name)
    assert set(small.ids) < set(whole.ids)


def test_what_is_no_commit_is_refused(repository: Repository, board: Path, tmp_path: Path) -> None:
    for bad in ("main", "--output=x", "0" * 39):
        with pytest.raises(BadInput, match="no commit"):
            verify_pull(bad, tmp_path, repository.folder, Board.load(board))
    with pytest.raises(Unavailable, match="git fetch"):
        verify_pull("0" * 40, tmp_path, repository.folder, Board.load(board))


def test_the_log_and_the_summary_take_no_commands_from_a_submission(
    repository: Repository, submission: Path, board: Path, tmp_path: Path
) -> None:
    from convsafe.leaderboard.commands.verify_pull import command

    told = json.loads((submission / "manifest.json").read_text())

    def change(folder: Path) -> None:
        put(submission)(folder)
        text = json.dumps(told | {"name": "::stop-commands::x <img src=x>\n::error::y"})
        (folder / PLACE / "otter-1" / "manifest.json").write_text(text)

    merged, summary = repository.merge(change), tmp_path / "summary.md"
    arguments = [merged, "--repository", str(repository.folder), "--summary", str(summary)]
    done = CliRunner().invoke(command, [*arguments, "--rules", str(board)])
    assert done.exit_code == 3
    assert done.output
    assert all(line.startswith("| ") for line in done.output.splitlines())
    _, _, *inner, _, _ = summary.read_text().splitlines()
    assert inner
    assert all(line.startswith("    ") for line in inner)
