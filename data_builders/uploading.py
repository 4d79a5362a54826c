"""Make a repository of the Hub hold exactly a folder's files: one commit, and read back."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from convsafe.data_builders.fetch import offline
from convsafe.data_builders.hub_errors import AGAIN, explained
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.files import sha256_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

Change = Literal["new", "changed", "same", "removed"]
Kind = Literal["dataset", "space"]
Gate = Literal["manual", "auto"]

# The Hub makes it with the repository: it says which files are stored as large ones.
_OF_THE_HUB = ".gitattributes"
_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*\Z")


class LocalFile(NamedTuple):
    """One file of a folder; `path` is its place in the repository."""

    path: str
    place: Path
    size: int
    sha256: str


class Entry(NamedTuple):
    """One file of the folder or of the repository, and what publishing does to it."""

    path: str
    size: int
    sha256: str | None
    change: Change


@dataclass(frozen=True)
class Uploaded:
    """What a repository was made to hold, or with `dry_run` what it would be."""

    repo: str
    kind: Kind
    url: str
    entries: tuple[Entry, ...]
    commit: str | None
    creates: bool = False
    dry_run: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many files each change meets."""
        return dict(Counter(entry.change for entry in self.entries))

    def to_json(self) -> dict[str, Any]:
        """Return this as JSON values."""
        return {**vars(self), "entries": [entry._asdict() for entry in self.entries]}


class Remote(NamedTuple):
    """A repository as it stands; `head` is its newest commit."""

    exists: bool = False
    private: bool = False
    head: str | None = None


def upload(
    repo: str,
    folder: str | Path,
    *,
    kind: Kind = "dataset",
    title: str,
    sdk: str | None = None,
    private: bool = False,
    gate: Gate | None = None,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Uploaded:
    """Make a repository hold exactly the folder's files.

    What is there already is not sent again. With a gate nothing is sent before the Hub says that
    the repository has it.

    Args:
        repo: `organisation/name`; made if it is not there.
        folder: The files.
        kind: What the repository is.
        title: The commit's title.
        sdk: Of a new Space, as its card says.
        private: Make the repository private when it is made.
        gate: Who wants the files must ask for them: `manual` grants by hand, `auto` at once.
        dry_run: Say what would be done, and send nothing.
        progress: Called with what is being done.

    Raises:
        BadInput: If the folder holds links or nothing, or the Hub refuses what is sent.
        Unavailable: Without a token or its rights, when the Hub cannot be reached, or if it does
            not set the gate.
    """
    files = local_files(Path(folder))
    api = connect(repo, dry_run=dry_run)
    place = f"{kind}s/{repo}"
    with explained(repo):
        progress(f"looking at {place}")
        remote = look(api, repo, kind)
        check_visible(repo, remote, private=private)
        entries = compare(api, repo, remote.head, files, kind)
        commit = remote.head
        if not dry_run:
            commit = _make(api, repo, kind, remote, sdk=sdk, private=private)
            if gate is not None:
                _shut(api, repo, gate)
            if changes(entries):
                progress(f"sending {sum(each.change != 'same' for each in entries)} files")
                commit = send(api, repo, commit, entries, files, title, kind)
                check_arrived(compare(api, repo, commit, files, kind), repo, commit)
        elif changes(entries):
            commit = None
    url = f"{api.endpoint}/{place}"
    return Uploaded(repo, kind, url, entries, commit, not remote.exists, dry_run)


def local_files(folder: Path) -> tuple[LocalFile, ...]:
    """Return every file of a folder, without what Python left there.

    Raises:
        BadInput: If it holds a link, or nothing.
    """
    every = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    found = sorted(path for path in every if path.is_symlink() or path.is_file())
    if links := [path for path in found if path.is_symlink()]:
        raise BadInput(f"a link is never sent: {links[0].name}", file=folder)
    if not found:
        raise BadInput("there is nothing here to send", file=folder)
    return tuple(
        LocalFile(path.relative_to(folder).as_posix(), path, path.stat().st_size, sha256_of(path))
        for path in found
    )


def connect(repo: str, *, dry_run: bool) -> HfApi:
    """Return the Hub's client; only a dry run may do without a token."""
    if not _REPO.match(repo):
        raise BadInput(f"{repo!r} is no repository: write it as organisation/name")
    if offline():
        raise Unavailable(f"{repo}: HF_HUB_OFFLINE is set, so the Hub is not asked: unset it")
    from huggingface_hub import HfApi, get_token

    if not dry_run and not get_token():
        raise Unavailable(
            f"{repo}: there is no token to publish with. Make one that may write under Settings,"
            " Access Tokens on the Hub and set HF_TOKEN to it (or run `hf auth login`)"
        )
    return HfApi(library_name="convsafe-bench")


def look(api: HfApi, repo: str, kind: Kind = "dataset") -> Remote:
    """Return how the repository stands; one that is not there is no error."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = api.repo_info(repo, repo_type=kind)
    except RepositoryNotFoundError as error:
        # The Hub says 401 of what is not there when nobody is logged in, and of a wrong token.
        if get_token() and error.response.status_code == 401:
            raise
        return Remote()
    return Remote(True, bool(info.private), info.sha)


def check_visible(repo: str, remote: Remote, *, private: bool) -> None:
    """Refuse to publish what should be private in a repository that is there and public."""
    if private and remote.exists and not remote.private:
        raise BadInput(
            f"{repo} is there and public, and --private only says how it is made: make it private"
            " in its settings first, or leave --private out"
        )


def compare(
    api: HfApi,
    repo: str,
    revision: str | None,
    files: Sequence[LocalFile],
    kind: Kind = "dataset",
) -> tuple[Entry, ...]:
    """Return every file here or there, and whether it is the same in both."""
    from huggingface_hub.hf_api import RepoFile

    tree = (
        api.list_repo_tree(repo, recursive=True, revision=revision, repo_type=kind)
        if revision
        else ()
    )
    there = {each.path: each for each in tree if isinstance(each, RepoFile)}
    entries = [_entry(each, there.pop(each.path, None)) for each in files]
    there.pop(_OF_THE_HUB, None)
    gone = [Entry(each.path, each.size, None, "removed") for each in there.values()]
    return tuple(sorted([*entries, *gone]))


def changes(entries: Sequence[Entry]) -> bool:
    """Return whether a repository does not hold the files yet."""
    return any(entry.change != "same" for entry in entries)


def _entry(file: LocalFile, there: RepoFile | None) -> Entry:
    change: Change = "new" if there is None else "same" if _same(file, there) else "changed"
    return Entry(file.path, file.size, file.sha256, change)


def _same(file: LocalFile, there: RepoFile) -> bool:
    """Return whether the Hub's file has the same bytes: it tells sha256 or git's sum."""
    if there.size != file.size:
        return False
    if there.lfs is not None:
        return bool(there.lfs.sha256 == file.sha256)
    blob = b"blob %d\0" % file.size + file.place.read_bytes()
    return there.blob_id == hashlib.sha1(blob, usedforsecurity=False).hexdigest()


def _make(
    api: HfApi, repo: str, kind: Kind, remote: Remote, *, sdk: str | None, private: bool
) -> str | None:
    """Make the repository if it is not there, and return its newest commit."""
    if remote.exists:
        return remote.head
    api.create_repo(repo, repo_type=kind, private=private or None, space_sdk=sdk, exist_ok=True)
    return api.repo_info(repo, repo_type=kind).sha


def _shut(api: HfApi, repo: str, gate: Gate) -> None:
    """Set the gate of a dataset, and be sure that it is set."""
    if api.dataset_info(repo).gated != gate:
        api.update_repo_settings(repo, gated=gate, repo_type="dataset")
    if api.dataset_info(repo).gated != gate:
        raise Unavailable(
            f"{repo}: the Hub did not set its gate, so nothing was sent: set it in the settings of"
            " the dataset, then run the same command again"
        )


def send(
    api: HfApi,
    repo: str,
    parent: str | None,
    entries: Sequence[Entry],
    files: Sequence[LocalFile],
    title: str,
    kind: Kind = "dataset",
) -> str:
    """Send what differs in one commit, on top of the one that was looked at, and return it."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    places = {each.path: each.place for each in files}
    adds = [
        CommitOperationAdd(each.path, places[each.path])
        for each in entries
        if each.change in ("new", "changed")
    ]
    gone = [
        CommitOperationDelete(each.path, is_folder=False)
        for each in entries
        if each.change == "removed"
    ]
    made = api.create_commit(
        repo, [*adds, *gone], commit_message=title, repo_type=kind, parent_commit=parent
    )
    return str(made.oid)


def check_arrived(entries: Sequence[Entry], repo: str, commit: str | None) -> None:
    """Refuse a commit that does not hold the folder's files."""
    if wrong := [f"{each.path} is {each.change}" for each in entries if each.change != "same"]:
        raise Unavailable(
            f"{repo}: commit {commit} does not hold what was sent ({', '.join(wrong[:5])}). {AGAIN}"
        )
