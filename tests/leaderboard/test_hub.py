"""A board on a Hub on loopback: figures and verdicts for all, replies only behind a gate."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.data_builders.uploading import Uploaded
from convsafe.leaderboard.hub import publish_results, sdk_of
from convsafe.leaderboard.hub_tables import write_replies, write_results
from convsafe.taxonomy.errors import BadInput, Unavailable

from tests.hub import READER, TOKEN, Hub
from tests.leaderboard.small_board import HOSTILE, SECRET, submission, write_board

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO, REPLIES, SPACE = "org/convsafe-results", "org/convsafe-replies", "org/convsafe-leaderboard"


@pytest.fixture
def board(tmp_path: Path) -> Path:
    data = submission(tmp_path / "submissions" / "otter-1")
    return write_board(tmp_path / "board", data)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "app.pyc").write_bytes(b"left there")
    (folder / "README.md").write_text("---\ntitle: board\nsdk: static\n---\n\nThe board.\n")
    (folder / "index.html").write_text("<!doctype html><title>board</title>")
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that huggingface_hub in this process talks to, impatiently."""
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with Hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        yield server


@pytest.fixture
def publish(hub: Hub, board: Path, site: Path) -> Callable[..., list[Uploaded]]:
    def all_of_it(**options: object) -> list[Uploaded]:
        given = {"site": (SPACE, site), "replies": (REPLIES, board.parent / "submissions")}
        return publish_results(board, REPO, **{**given, **options})

    return all_of_it


def held(hub: Hub, key: str) -> dict[str, bytes]:
    repo = hub.repos[key]
    files = repo.commits[repo.main]
    return {path: blob.data for path, blob in files.items() if path != ".gitattributes"}


def everything(folder: Path) -> bytes:
    """Return all bytes of a folder, Parquet as CSV: a compressed text cannot hide."""
    texts = [
        pl.read_parquet(path).write_csv().encode()
        if path.suffix == ".parquet"
        else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    ]
    return b"\n".join(texts)


def test_figures_and_verdicts_are_tables_and_hold_no_reply(board: Path, tmp_path: Path) -> None:
    (board / "results" / "1.0.0" / "table.json").write_text("{}")
    out = write_results(board, tmp_path / "out")
    figures = pl.read_parquet(out / "results.parquet")
    assert figures.height == 4 * 5
    headline = figures.filter(
        pl.col("metric") == "safety_helpfulness", pl.col("model") == "otter-1"
    )
    assert sorted(headline.select("value", "current").rows()) == [(0.5, False), (0.8, True)]
    assert set(figures["title"]) == {"Otter 1", HOSTILE, "echo"}
    assert figures.filter(pl.col("baseline"))["model"].unique().to_list() == ["echo"]
    verdicts = pl.read_parquet(out / "verdicts.parquet")
    assert verdicts.columns == ["model", "release", "id", "sample", "stance", "unsafe"]
    assert verdicts.height == 3 * 2
    assert SECRET in pl.read_parquet(next((board / "verdicts").rglob("*.parquet"))).write_csv()
    assert SECRET.encode() not in everything(out)
    assert len(list((out / "records" / "1.0.0").iterdir())) == 4
    assert "2 models in 4 result files" in (out / "README.md").read_text()


def test_the_card_s_configs_load_as_data_sets(board: Path, tmp_path: Path) -> None:
    import yaml

    out = write_results(board, tmp_path / "out")
    front = yaml.safe_load((out / "README.md").read_text().split("---\n")[1])
    for config in front["configs"]:
        for file in config["data_files"]:
            assert (out / file["path"]).is_file()
    assert [config["config_name"] for config in front["configs"]] == ["results", "verdicts"]


def test_replies_are_of_submissions_whose_sum_was_verified(board: Path, tmp_path: Path) -> None:
    submissions = board.parent / "submissions"
    submission(submissions / "stranger")
    changed = pl.read_parquet(submissions / "stranger" / "generations.parquet").head(1)
    changed.write_parquet(submissions / "stranger" / "generations.parquet")
    (submissions / "link").symlink_to(submissions / "otter-1")
    out = write_replies(board, submissions, tmp_path / "out")
    (file,) = (out / "replies").iterdir()
    frame = pl.read_parquet(file)
    assert frame.columns == ["model", "license", "id", "sample", "outcome", "response"]
    assert set(frame["response"]) == {SECRET}
    with pytest.raises(BadInput, match="no submission here is on the board"):
        write_replies(board, tmp_path / "nothing", tmp_path / "none")


def test_a_board_without_results_or_verdicts_is_refused(board: Path, tmp_path: Path) -> None:
    next((board / "verdicts").rglob("otter-1-2*.parquet")).unlink()
    with pytest.raises(BadInput, match="verdicts of a result are missing"):
        write_results(board, tmp_path / "out")
    next((board / "results").rglob("*.json")).write_text("{}")
    with pytest.raises(BadInput, match="a result that is none"):
        write_results(board, tmp_path / "out")
    (board / "table.json").unlink()
    with pytest.raises(BadInput, match="`convsafe rank` writes it"):
        write_results(board, tmp_path / "out")


def test_three_repositories_hold_the_board_and_a_second_time_nothing_is_sent(
    hub: Hub, publish: Callable[..., list[Uploaded]]
) -> None:
    done = publish()
    assert [each.repo for each in done] == [REPO, SPACE, REPLIES]
    assert sorted(held(hub, REPO))[:2] == ["README.md", "records/1.0.0/echo-44444444-embedded.json"]
    assert sorted(held(hub, f"spaces/{SPACE}")) == ["README.md", "index.html"]
    assert hub.repos[REPLIES].gated == "manual"
    (replies,) = [path for path in held(hub, REPLIES) if path.endswith(".parquet")]
    assert set(pl.read_parquet(io.BytesIO(held(hub, REPLIES)[replies]))["response"]) == {SECRET}
    before = {key: repo.main for key, repo in hub.repos.items()}
    again = publish()
    assert {key: repo.main for key, repo in hub.repos.items()} == before
    assert all(set(each.counts) == {"same"} for each in again)


def test_nothing_of_a_reply_is_sent_before_the_hub_says_that_it_is_gated(
    hub: Hub, publish: Callable[..., list[Uploaded]]
) -> None:
    hub.fault = lambda method, path: 403 if path.endswith("/settings") else None
    with pytest.raises(Unavailable):
        publish()
    assert held(hub, REPLIES) == {}
    hub.fault = lambda method, path: None
    publish(gate="auto")
    told = [f"{seen.method} {seen.path}" for seen in hub.seen if REPLIES in seen.path]
    sent = next(place for place, each in enumerate(told) if "/preupload/" in each)
    assert any(each.startswith("PUT") and "/settings" in each for each in told[:sent])
    assert hub.repos[REPLIES].gated == "auto"


def test_a_hub_that_ignores_the_gate_gets_no_reply(
    hub: Hub, publish: Callable[..., list[Uploaded]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    monkeypatch.setattr(HfApi, "update_repo_settings", lambda *_args, **_named: None)
    with pytest.raises(Unavailable, match="did not set its gate, so nothing was sent"):
        publish()
    assert held(hub, REPLIES) == {}


def test_a_dry_run_sends_nothing(hub: Hub, publish: Callable[..., list[Uploaded]]) -> None:
    done = publish(dry_run=True)
    assert all(each.creates and each.commit is None for each in done)
    assert hub.repos == {}


def test_replies_never_go_where_the_figures_are(board: Path) -> None:
    with pytest.raises(BadInput, match="a data set of their own"):
        publish_results(board, REPO, replies=(REPO, board.parent / "submissions"))


def test_the_command_asks_for_pairs_and_says_what_is_there(
    hub: Hub, board: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from convsafe.leaderboard.commands.publish_results import command

    alone = CliRunner().invoke(command, [str(board), "--repo", REPO, "--space", SPACE])
    assert isinstance(alone.exception, BadInput)
    both = [str(board), "--repo", REPO, "--space", SPACE, "--site", str(site)]
    done = CliRunner().invoke(command, [*both, "--json"])
    assert [each["repo"] for each in json.loads(done.stdout)] == [REPO, SPACE]
    assert REPLIES not in hub.repos
    said = CliRunner().invoke(command, [*both, "--dry-run"])
    assert f"{hub.url}/spaces/{SPACE} would hold 2 files: 2 same" in said.output
    monkeypatch.setenv("HF_TOKEN", READER)
    (site / "index.html").write_text("changed")
    assert isinstance(CliRunner().invoke(command, both).exception, Unavailable)


def test_a_space_says_its_sdk(site: Path) -> None:
    assert sdk_of(site) == "static"
    assert sdk_of(Path(__file__).parents[2] / "leaderboard" / "app") == "gradio"
    for text in ("no front matter", "---\nsdk: cobol\n---\n", "---\n[\n---\n"):
        (site / "README.md").write_text(text)
        with pytest.raises(BadInput):
            sdk_of(site)
