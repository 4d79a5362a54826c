"""Take a submission out of a pull request as data: its commit is read, and never checked out.

Git tells what the commit changes; the blobs are copied by their sums to names of ours, once their
modes and sizes are known. So no link, hook, attribute, submodule or file name of the other side is
ever followed.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.checking import Checked, names_beside, verify
from convsafe.leaderboard.findings import Findings, shown
from convsafe.leaderboard.folder_checks import LINES, MOST_MANIFEST
from convsafe.leaderboard.manifest_checks import check_manifest, read_manifest
from convsafe.leaderboard.records import GENERATIONS, MANIFEST, slug
from convsafe.taxonomy.errors import BadInput, Unavailable

SUBMISSIONS = "leaderboard/submissions"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_PLAIN, _ABSENT = "100644", "000000"
# So many changed files are looked at; a submission has two.
_MOST_FILES = 100


@dataclass(frozen=True)
class Change:
    """One file that a commit changes: what it becomes, and where."""

    mode: str
    blob: str
    path: str

    @property
    def submission(self) -> str | None:
        """The submission's name if this is a file of one, else None."""
        name, _, file = self.path.removeprefix(f"{SUBMISSIONS}/").partition("/")
        fine = file in (MANIFEST, GENERATIONS, LINES) and slug(name) == name
        return name if fine and self.path == f"{SUBMISSIONS}/{name}/{file}" else None


def verify_pull(commit: str, into: Path, repository: Path, board: Board | None = None) -> Checked:
    """Verify the submission that a merge commit adds to the board's repository.

    With a manifest alone, only that is checked: its replies come another way.

    Args:
        commit: The pull request's merge commit, whose first parent is the base; it was fetched
            with that parent.
        into: An empty folder to copy the submission to.
        repository: The base as it is checked out; its submissions' names are taken.
        board: The board it is for.

    Raises:
        BadInput: If `commit` is no commit's sum.
        Unavailable: If git does not know the commit and its parent.
    """
    board, findings = board or Board.load(), Findings()
    name = _take(commit, into, repository, board, findings)
    if name is None or any(one.level == "error" for one in findings.all()):
        return Checked(into, None, None, findings.all())
    folder, beside = into / name, repository / SUBMISSIONS / name
    taken = names_beside(beside) if beside.parent.is_dir() else {}
    if any((folder / file).exists() for file in (GENERATIONS, LINES)):
        return verify(folder, board, taken)
    return _manifest_alone(folder, board, taken, findings)


def _manifest_alone(
    folder: Path, board: Board, taken: Mapping[str, str], findings: Findings
) -> Checked:
    manifest = read_manifest(folder / MANIFEST, findings)
    if manifest is not None:
        check_manifest(manifest, folder, board, taken, findings)
    what = "the pull request brings a manifest alone: a maintainer verifies the replies"
    findings.warn("replies_elsewhere", what)
    return Checked(folder, manifest, None, findings.all())


def _take(
    commit: str, into: Path, repository: Path, board: Board, findings: Findings
) -> str | None:
    """Copy the one submission of a commit, and return its name; None where there is none."""
    changes = list(_changes(commit, repository))
    others = [one.path for one in changes if one.submission is None]
    if others:
        what = f"changes files that are of no submission: {', '.join(map(shown, others[:5]))}"
        findings.error("other_files", f"the pull request {what}", count=len(others))
    gone = [one for one in changes if one.mode == _ABSENT]
    for one in gone:
        findings.warn("withdrawn", f"the pull request removes {shown(one.path)}")
    added = [one for one in changes if one.submission is not None and one not in gone]
    names = sorted({one.submission or "" for one in added})
    if len(names) > 1:
        what = f"{len(names)} submissions in one pull request: open one for each"
        findings.error("many_submissions", what)
    if len(names) != 1 or others:
        return None
    for one in added:
        _copy(one, into, repository, board, findings)
    if not (into / names[0] / MANIFEST).exists():
        findings.error("no_manifest", f"there is no {MANIFEST}; `convsafe submit` writes one")
    return names[0]


def _copy(change: Change, into: Path, repository: Path, board: Board, findings: Findings) -> None:
    """Copy one blob, if it is a plain file of a size that the board takes."""
    file = change.path.rpartition("/")[2]
    if change.mode != _PLAIN:
        what = f"{file} is no plain file (git mode {change.mode}): a link, program or submodule"
        findings.error("mode", what, file=file)
        return
    size = int(_git(repository, "cat-file", "-s", change.blob))
    most = MOST_MANIFEST if file == MANIFEST else board.most_bytes
    if size > most:
        what = f"{file} has {size:,} bytes; the board takes {most:,}"
        findings.error("size", what, file=file)
        return
    target = into / (change.submission or "") / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_git(repository, "cat-file", "blob", change.blob))


def _changes(commit: str, repository: Path) -> Iterator[Change]:
    """Yield what a merge commit changes against its first parent, the first so many files."""
    if not _COMMIT.match(commit):
        raise BadInput(f"{shown(commit)!r} is no commit: give all 40 digits")
    told = _git(repository, "diff-tree", "-r", "-z", "--no-renames", f"{commit}^1", commit)
    # ":mode mode sum sum status" and the path, each ended by a zero byte.
    parts = told.split(b"\0")[:-1]
    for about, path in list(zip(parts[::2], parts[1::2], strict=True))[:_MOST_FILES]:
        _, mode, _, blob, _ = about.decode("ascii").split(" ")
        yield Change(mode, blob, path.decode("utf-8", "backslashreplace"))


def _git(repository: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(repository), "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603
    except FileNotFoundError:
        raise Unavailable("there is no git here: install it") from None
    except subprocess.CalledProcessError as error:
        said = shown(error.stderr.decode("utf-8", "replace").strip(), 300)
        raise Unavailable(
            f"git {arguments[0]} failed: {said}. Fetch the commit with its parent:"
            " `git fetch --depth=2 origin COMMIT`"
        ) from None
    return done.stdout
