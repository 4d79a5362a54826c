"""Publishing to a Hub on loopback: one commit, one tag, resumed, refused, loaded by name."""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from convsafe.data_builders.publishable import check_folder
from convsafe.data_builders.publishing import Published
from convsafe.data_builders.publishing import publish as publishing
from convsafe.data_builders.releasing import release
from convsafe.taxonomy.errors import BadInput, Unavailable

from tests.hub import LARGE, READER, TOKEN, Hub

Publish = Callable[..., Published]

# huggingface_hub itself uploads in a way that its HTTP library deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "org/convsafe-bench"
VERSION = "1.0.0"
TAG = f"v{VERSION}"
# huggingface_hub waits up to 23 s between its own attempts; a test does not.
_IMPATIENT = "import time; time.sleep = lambda _: None; "
_MAIN = _IMPATIENT + "from convsafe.benchmark.cli import main; main()"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        yield server


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of our own prompts."""
    out = tmp_path_factory.mktemp("released") / "hub"
    return release(VERSION, out, sources=[], transforms=[]).folder


@pytest.fixture
def folder(released: Path, tmp_path: Path) -> Path:
    """A release that a test may spoil."""
    return Path(shutil.copytree(released, tmp_path / "hub"))


def python(
    hub: Hub, home: Path, code: str, *arguments: str, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run Python as a user of this Hub: huggingface_hub reads its settings when imported."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    own = {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(home),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    env = {k: v for k, v in {**kept, **own, **extra}.items() if v}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=home.parent)


def command(
    hub: Hub, folder: Path, *options: str, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `convsafe publish` as a user does."""
    arguments = ("--repo", REPO, "--version", VERSION, "--folder", str(folder), *options)
    return python(hub, folder.parent / "home", _MAIN, "publish", *arguments, **extra)


@pytest.fixture
def _settings(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let huggingface_hub in this process talk to the loopback Hub, and be impatient."""
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def publish(folder: Path, _settings: None) -> Callable[..., Published]:
    return lambda repo=REPO, **options: publishing(repo, VERSION, folder, **options)


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def on_hub(hub: Hub, revision: str = TAG) -> dict[str, bytes]:
    repo = hub.repos[REPO]
    files = repo.commits[repo.find(revision)]
    return {path: blob.data for path, blob in files.items() if path != ".gitattributes"}


def no_fault(_method: str, _path: str) -> None:
    return None


def respell(folder: Path, name: str, data: bytes | None) -> None:
    """Change or remove a file, and let the manifest agree."""
    manifest = json.loads((folder / "manifest.json").read_text())
    if data is None:
        (folder / name).unlink()
        del manifest["files"][name]
    else:
        (folder / name).write_bytes(data)
        entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        manifest["files"][name] = entry
    (folder / "manifest.json").write_text(json.dumps(manifest))


def another_card(folder: Path) -> None:
    respell(folder, "README.md", (folder / "README.md").read_bytes() + b"\nMore.\n")


@pytest.mark.parametrize("mode", ["regular", "lfs", "mixed"])
def test_one_commit_and_one_tag_hold_exactly_the_folder(
    mode: str, hub: Hub, folder: Path, publish: Publish
) -> None:
    if mode != "mixed":
        hub.large = lambda _: mode == "lfs"
    steps: list[str] = []
    done = publish(progress=steps.append)
    repo = hub.repos[REPO]
    assert on_hub(hub) == held(folder)
    assert repo.titles == ["initial commit", f"convsafe-bench {TAG}"]
    assert repo.tags == {TAG: repo.main} == {TAG: done.commit}
    large = {data for path, data in held(folder).items() if path.endswith(LARGE)}
    filled = {data for data in held(folder).values() if data}
    sent = {"regular": 0, "lfs": len(filled), "mixed": len(large)}
    assert hub.count("PUT", "/lfs/") == sent[mode]
    assert not repo.private
    assert [step.split()[0] for step in steps] == [
        *("checking", "looking", "making", "sending", "reading", "tagging")
    ]


@pytest.mark.usefixtures("_settings")
def test_a_folder_of_convsafe_build_is_published_under_the_packages_version(
    hub: Hub, core_release: Path
) -> None:
    found = version("convsafe-bench")
    publishing(REPO, found, core_release)
    assert on_hub(hub, f"v{found}") == held(core_release)


def test_a_dry_run_lists_everything_and_sends_nothing(hub: Hub, folder: Path) -> None:
    done = command(hub, folder, "--dry-run", "--json", HF_TOKEN="")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {entry["path"] for entry in told["entries"]} == set(held(folder))
    assert {entry["change"] for entry in told["entries"]} == {"new"}
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {entry["path"]: (entry["sha256"], entry["size"]) for entry in told["entries"]}
    for path, entry in manifest["files"].items():
        assert listed[path] == (entry["sha256"], entry["bytes"])
    assert told["creates"]
    assert not hub.repos
    assert "org/convsafe-bench would be made" in command(hub, folder, "--dry-run").stdout


def test_publishing_again_sends_nothing(hub: Hub, publish: Publish) -> None:
    publish(private=True)
    assert hub.repos[REPO].private
    before = len(hub.seen)
    again = publish()
    assert again.already
    assert again.commit == hub.repos[REPO].main
    assert {seen.method for seen in hub.seen[before:]} == {"GET"}
    assert len(hub.repos[REPO].commits) == 2


def test_a_published_tag_is_never_moved(hub: Hub, folder: Path, publish: Publish) -> None:
    commit = publish().commit
    another_card(folder)
    for dry in (True, False):
        with pytest.raises(BadInput, match=f"tag {TAG} already, at commit {commit} with other"):
            publish(dry_run=dry)
    assert hub.repos[REPO].tags == {TAG: commit}
    assert hub.repos[REPO].main == commit


def test_a_new_version_sends_what_changed_and_removes_what_is_gone(
    hub: Hub, folder: Path, publish: Publish
) -> None:
    publish()
    sent, repo = hub.count("PUT", "/lfs/"), hub.repos[REPO]
    repo.tags = {"v0.0.9": repo.tags[TAG]}
    another_card(folder)
    respell(folder, "languages.jsonl", None)
    plan = publish(dry_run=True)
    assert plan.commit is None
    assert {entry.path: entry.change for entry in plan.entries if entry.change != "same"} == {
        "README.md": "changed",
        "languages.jsonl": "removed",
        "manifest.json": "changed",
    }
    publish()
    assert on_hub(hub) == held(folder)
    assert hub.count("PUT", "/lfs/") == sent
    assert len(repo.commits) == 3
    assert set(repo.tags) == {"v0.0.9", TAG}


def test_a_dropped_upload_is_resumed_by_the_same_command(hub: Hub, folder: Path) -> None:
    """The line goes dead in the middle of the last large file, and stays dead for a while."""
    large = len({data for path, data in held(folder).items() if path.endswith(LARGE)})
    dead: list[str] = []
    # Counted as they arrive: several are under way at once.
    arrived = itertools.count(1)

    def fault(method: str, path: str) -> str | None:
        if dead:
            return "down"
        if method == "PUT" and next(arrived) == large:
            dead.append(path)
            return "drop"
        return None

    hub.fault = fault
    done = command(hub, folder)
    assert done.returncode == 5
    assert "the connection to the Hub failed" in done.stderr
    assert "Run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.repos[REPO].tags == {}
    assert hub.repos[REPO].titles == ["initial commit"]
    hub.fault = no_fault
    done = command(hub, folder)
    assert done.returncode == 0, done.stderr
    assert f"published {hub.url}/datasets/{REPO}/tree/{TAG}" in done.stdout
    assert on_hub(hub) == held(folder)
    assert hub.count("PUT", "/lfs/") == large
    assert len(hub.repos[REPO].commits) == 2


def test_a_connection_dropped_once_is_mended_without_the_user(
    hub: Hub, folder: Path, publish: Publish
) -> None:
    dropped: list[str] = []

    def fault(method: str, path: str) -> str | None:
        if method == "PUT" and not dropped:
            dropped.append(path)
            return "drop"
        return None

    hub.fault = fault
    publish()
    assert dropped
    assert on_hub(hub) == held(folder)


@pytest.mark.parametrize("step", ["create", "commit", "tag"])
@pytest.mark.parametrize("how", ["drop", "lose"])
def test_a_lost_answer_leaves_no_second_commit_and_no_tag_without_one(
    step: str, how: str, hub: Hub, folder: Path, publish: Publish
) -> None:
    hub.fault = lambda _, path: how if f"/{step}" in path else None
    with pytest.raises(Unavailable, match="Run the same command again"):
        publish()
    for repo in hub.repos.values():
        assert repo.tags == {} or on_hub(hub) == held(folder)
    hub.fault = no_fault
    publish()
    assert on_hub(hub) == held(folder)
    assert hub.repos[REPO].titles == ["initial commit", f"convsafe-bench {TAG}"]


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("license: cc-by-4.0", "license: CC-BY-4.0", '"license" must be one of [CC-BY-4.0].'),
        ("license: cc-by-4.0", "license: [", "while parsing"),
    ],
)
def test_a_card_the_hub_refuses_is_shown_and_nothing_is_sent(
    right: str, wrong: str, says: str, hub: Hub, folder: Path, publish: Publish
) -> None:
    card = (folder / "README.md").read_text()
    assert right in card
    respell(folder, "README.md", card.replace(right, wrong).encode())
    for dry in (True, False):
        with pytest.raises(BadInput) as refused:
            publish(dry_run=dry)
        assert f"refuses the card: {says}" in str(refused.value)
        assert not hub.repos


def test_a_card_refused_at_the_commit_is_shown_too(hub: Hub, publish: Publish) -> None:
    asked: list[str] = []

    def fault(_: str, path: str) -> int | None:
        asked.extend([path] if "/validate-yaml" in path else [])
        return 400 if len(asked) == 2 else None

    hub.fault = fault
    with pytest.raises(BadInput, match=r"refused it \(400\): as the test wishes"):
        publish()
    assert hub.repos[REPO].titles == ["initial commit"]
    assert hub.repos[REPO].tags == {}


@pytest.mark.parametrize(
    ("step", "status", "error", "says"),
    [
        ("/commit/", 400, BadInput, "the Hub refused it (400): as the test wishes"),
        ("/commit/", 403, Unavailable, "may not do this (403: as the test wishes"),
        ("/commit/", 412, Unavailable, "somebody else changed it meanwhile (412"),
        ("/preupload/", 503, Unavailable, "the Hub is in trouble (503"),
        ("/batch", 403, Unavailable, "may not do this (403"),
        ("/tag/", 409, Unavailable, "somebody else changed it meanwhile (409"),
        ("/validate-yaml", 503, Unavailable, "the Hub is in trouble (503"),
    ],
)
def test_a_refusal_on_the_way_gets_no_tag_and_says_what_next(
    step: str, status: int, error: type[Exception], says: str, hub: Hub, publish: Publish
) -> None:
    hub.fault = lambda _, path: status if step in path else None
    with pytest.raises(error) as refused:
        publish()
    assert says in str(refused.value)
    assert all(repo.tags == {} for repo in hub.repos.values())


def test_a_commit_that_lacks_a_file_gets_no_tag(hub: Hub, publish: Publish) -> None:
    """As when a .gitignore on the Hub makes it skip a file."""

    def forget(_: str, path: str) -> None:
        if "/tree/" in path:
            repo = hub.repos[REPO]
            repo.commits[repo.main].pop("dropped.jsonl", None)

    hub.fault = forget
    with pytest.raises(Unavailable, match=r"does not hold what was sent \(dropped.jsonl is new\)"):
        publish()
    assert hub.repos[REPO].tags == {}


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "there is no token"),
        ("hf_wrong", "does not accept the token in HF_TOKEN (401"),
        (READER, "may not do this (403: You don't have the rights"),
    ],
)
def test_without_a_right_token_the_user_is_told_what_to_do(
    token: str, says: str, hub: Hub, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(Unavailable) as refused:
        publish()
    assert says in str(refused.value)
    assert not hub.repos


def test_somebody_elses_commit_meanwhile_is_not_overwritten(
    hub: Hub, folder: Path, publish: Publish
) -> None:
    publish()
    repo = hub.repos[REPO]
    repo.tags.clear()
    another_card(folder)

    def fault(_: str, path: str) -> None:
        if "/preupload/" in path:
            repo.commit(dict(repo.commits[repo.main]), "meanwhile")

    hub.fault = fault
    with pytest.raises(Unavailable, match="somebody else changed it meanwhile"):
        publish()
    assert repo.tags == {}
    assert repo.titles[-1] == "meanwhile"


def test_private_does_not_pretend_on_a_public_repository(publish: Publish) -> None:
    publish()
    with pytest.raises(BadInput, match="is there and public"):
        publish(private=True)


def test_a_bad_name_or_an_offline_user_is_told_before_anything_is_asked(
    hub: Hub, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="organisation/name"):
        publish("convsafe-bench")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Unavailable, match="HF_HUB_OFFLINE is set"):
        publish()
    assert hub.seen == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("missing", "names files that are not there: data/core/test-00000-of-00001.parquet"),
        ("changed", "are not those the manifest names (their sha256 differ): README.md"),
        ("extra", "does not name: secret.txt"),
        ("link", "holds files, not links: README.md"),
        ("version", "this is version 9.9.9, not"),
        ("profile", "not for publication: it was made with the profile 'all'"),
        ("terms", "not for publication: the terms of core do not let others"),
        ("hidden", "it is never published"),
        ("none", "there is no manifest.json in it"),
    ],
)
def test_a_folder_that_is_not_what_it_says_is_refused(spoil: str, says: str, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    match spoil:
        case "missing":
            (folder / "data/core/test-00000-of-00001.parquet").unlink()
        case "changed":
            (folder / "README.md").write_text("another card")
        case "extra":
            (folder / "secret.txt").write_text("mine")
        case "link":
            (folder / "README.md").rename(folder.parent / "elsewhere.md")
            (folder / "README.md").symlink_to(folder.parent / "elsewhere.md")
        case "version":
            manifest["version"] = "9.9.9"
        case "profile":
            manifest["profile"] = "all"
        case "terms":
            manifest["sources"]["core"]["redistributable"] = False
        case "hidden":
            manifest["name"] = "hidden"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    if spoil == "none":
        (folder / "manifest.json").unlink()
    with pytest.raises(BadInput) as refused:
        check_folder(folder, VERSION)
    assert says in str(refused.value)


_LOAD = """
import sys
from datasets import load_dataset
repo, tag, folder, config = sys.argv[1:]
for stream in (False, True):
    for split in ("dev", "test"):
        there = load_dataset(repo, config, revision=tag, split=split, streaming=stream)
        here = load_dataset(folder, config, split=split)
        assert list(there) == list(here), (stream, split)
        print(len(here))
"""


def test_it_loads_by_name_row_for_row_from_a_fresh_cache(
    hub: Hub, folder: Path, tmp_path: Path
) -> None:
    assert command(hub, folder).returncode == 0
    config = "harm"
    done = python(hub, tmp_path / "fresh", _LOAD, REPO, TAG, str(folder), config, HF_TOKEN="")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    counts = [str(manifest["configs"][config][split]) for split in ("dev", "test")]
    assert done.stdout.split() == counts * 2
