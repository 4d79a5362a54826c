"""Publish a release folder on the Hugging Face Hub: one commit, then one tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.data_builders.hub_errors import explained
from convsafe.data_builders.publishable import check_card, check_folder
from convsafe.data_builders.uploading import (
    Entry,
    LocalFile,
    Remote,
    changes,
    check_arrived,
    check_visible,
    compare,
    connect,
    look,
    send,
)
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class Published:
    """What was published, or with `dry_run` what would be.

    `commit` is the commit that holds the release, None in a dry run that would make one; `creates`
    says that the repository was not there, `already` that nothing was left to do.
    """

    repo: str
    tag: str
    url: str
    entries: tuple[Entry, ...] = ()
    commit: str | None = None
    creates: bool = False
    already: bool = False
    dry_run: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many files each change meets."""
        return dict(Counter(entry.change for entry in self.entries))

    @property
    def to_send(self) -> list[Entry]:
        """The files that are not on the Hub as they are here."""
        return [entry for entry in self.entries if entry.change in ("new", "changed")]

    def to_json(self) -> dict[str, Any]:
        """Return this as JSON values."""
        return {**vars(self), "entries": [entry._asdict() for entry in self.entries]}


def publish(
    repo: str,
    version: str,
    folder: str | Path = "dist/hub",
    *,
    dry_run: bool = False,
    private: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Published:
    """Publish a release folder as a dataset of the Hub: one commit, then the tag `v<version>`.

    The commit makes the repository hold exactly the folder's files. What is there already is not
    sent again, so the same call finishes what was cut short. A tag is set only on a commit that
    was read back and holds the folder's files; one that exists is never moved.

    Args:
        repo: `organisation/name`; made if it is not there.
        version: The version in the folder's manifest.
        folder: What `convsafe release` wrote.
        dry_run: Say what would be done, and send nothing.
        private: Make the repository private when it is made.
        progress: Called with what is being done.

    Raises:
        BadInput: If the folder is not what its manifest says or is not for publication, if the
            tag exists with other files, or if the Hub refuses the card or the commit.
        Unavailable: Without a token or its rights, or when the Hub cannot be reached.
    """
    progress(f"checking {folder} against its manifest")
    files = check_folder(Path(folder), version)
    api = connect(repo, dry_run=dry_run)
    tag = f"v{version.removeprefix('v')}"
    plan = Published(repo, tag, f"{api.endpoint}/datasets/{repo}/tree/{tag}", dry_run=dry_run)
    with explained(repo):
        progress(f"looking at {repo}")
        remote = look(api, repo)
        check_visible(repo, remote, private=private)
        if _tagged(api, plan, remote):
            return _already(api, plan, files)
        check_card(files)
        entries = compare(api, repo, remote.head, files)
        plan = replace(plan, entries=entries, commit=remote.head, creates=not remote.exists)
        return _planned(plan) if dry_run else _send(api, plan, files, private, progress)


def _tagged(api: HfApi, plan: Published, remote: Remote) -> bool:
    refs = api.list_repo_refs(plan.repo, repo_type="dataset") if remote.exists else None
    return refs is not None and any(each.name == plan.tag for each in refs.tags)


def _already(api: HfApi, plan: Published, files: Sequence[LocalFile]) -> Published:
    """Return what the tag holds, which must be this very folder."""
    entries = compare(api, plan.repo, plan.tag, files)
    commit = api.dataset_info(plan.repo, revision=plan.tag).sha
    if differ := [entry.path for entry in entries if entry.change != "same"]:
        raise BadInput(
            f"{plan.repo} has the tag {plan.tag} already, at commit {commit} with other files"
            f" ({', '.join(differ[:5])}{' …' if len(differ) > 5 else ''}). What is published is"
            " never changed: release the next version (`convsafe diff` says which)"
        )
    return replace(plan, entries=entries, commit=commit, already=True)


def _planned(plan: Published) -> Published:
    """Return a dry run's plan: without a commit where one would be made."""
    return replace(plan, commit=None if changes(plan.entries) else plan.commit)


def _send(
    api: HfApi,
    plan: Published,
    files: Sequence[LocalFile],
    private: bool,
    progress: Callable[[str], None],
) -> Published:
    """Make the commit that is missing, read it back, and tag it."""
    if plan.creates:
        progress(f"making {plan.repo}")
        api.create_repo(plan.repo, repo_type="dataset", private=private or None, exist_ok=True)
        plan = replace(plan, commit=api.dataset_info(plan.repo).sha)
    if changes(plan.entries):
        megabytes = sum(entry.size for entry in plan.to_send) / 1e6
        progress(f"sending {len(plan.to_send)} files, {megabytes:.1f} MB")
        title = f"convsafe-bench {plan.tag}"
        commit = send(api, plan.repo, plan.commit, plan.entries, files, title)
        plan = replace(plan, commit=commit)
    progress(f"reading {plan.commit} back")
    check_arrived(compare(api, plan.repo, plan.commit, files), plan.repo, plan.commit)
    progress(f"tagging it {plan.tag}")
    api.create_tag(
        plan.repo,
        tag=plan.tag,
        tag_message=f"convsafe-bench {plan.tag}",
        revision=plan.commit,
        repo_type="dataset",
    )
    return plan
