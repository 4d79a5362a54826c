"""Runs: nothing finished is lost or asked twice, and what goes wrong is said at once."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import load_suite, patience, run, score
from convsafe.benchmark.engine import resume
from convsafe.benchmark.limits import Limits
from convsafe.benchmark.model import Params
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput, IncompleteRun, Unavailable
from convsafe.taxonomy.files import read_jsonl

from tests.conftest import ChatServer, reply
from tests.guards import GuardServer, completion
from tests.judge_server import picky


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=30)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.01)


def model_of(server: ChatServer) -> str:
    return f"{server.url}#tiny"


def ids(path: Path) -> list[str]:
    return [row["id"] for _, row in read_jsonl(path)]


def test_every_case_is_asked_once_with_its_messages_and_settings(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    done = run(model_of(chat_server), suite, tmp_path / "run", params=Params(max_tokens=7, seed=3))
    assert sorted(ids(done.generations_path)) == [case.id for case in suite.cases]
    assert len(chat_server.requests) == len(suite)
    body = chat_server.requests[0]
    assert (body["model"], body["max_tokens"], body["seed"]) == ("tiny", 7, 3)
    sent = {json.dumps(request["messages"]) for request in chat_server.requests}
    assert sent == {json.dumps([m._asdict() for m in case.messages]) for case in suite.cases}


def test_a_finished_run_asks_nothing_again(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    run(model_of(chat_server), suite, tmp_path / "run")
    before = (tmp_path / "run" / "generations.jsonl").read_bytes()
    run(model_of(chat_server), suite, tmp_path / "run")
    assert len(chat_server.requests) == len(suite)
    assert (tmp_path / "run" / "generations.jsonl").read_bytes() == before


def test_a_busy_server_is_asked_again(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    seen: set[str] = set()

    def answer(body: dict) -> tuple[int, object]:
        key = json.dumps(body["messages"])
        if key in seen:
            return 200, reply("Fine.")
        seen.add(key)
        return 429, {"error": {"message": "slow down"}}

    chat_server.answer = answer
    done = run(model_of(chat_server), suite, tmp_path / "run")
    assert len(ids(done.generations_path)) == len(suite)


def test_a_request_that_keeps_failing_is_recorded_and_asked_again_next_time(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    bad = suite.cases[5]

    def answer(body: dict) -> tuple[int, object]:
        if body["messages"][-1]["content"] == bad.messages[-1].content:
            return 400, {"error": {"message": "too long for me"}}
        return 200, reply("Fine.")

    chat_server.answer = answer
    done = run(model_of(chat_server), suite, tmp_path / "run")
    assert done.failures() == {bad.id: "HTTP 400: too long for me"}
    with pytest.raises(IncompleteRun, match=rf"1 of {len(suite)} .*{bad.id}.*too long for me"):
        score(done)
    chat_server.answer = lambda _: (200, reply("Fine."))
    run(model_of(chat_server), suite, tmp_path / "run")
    assert len(ids(done.generations_path)) == len(set(ids(done.generations_path))) == len(suite)
    assert score(done).missing == 0


@pytest.mark.parametrize(
    ("finish", "text", "outcome"),
    [
        ("stop", "Fine.", "answered"),
        ("length", "Fine and", "truncated"),
        ("stop", " ", "empty"),
        ("content_filter", "", "filtered"),
    ],
)
def test_how_a_reply_ended_is_kept(
    chat_server: ChatServer, suite: Suite, tmp_path: Path, finish: str, text: str, outcome: str
) -> None:
    chat_server.answer = lambda _: (200, reply(text, finish))
    done = run(model_of(chat_server), suite, tmp_path / "run")
    assert set(done.generations()["outcome"]) == {outcome}


def test_a_provider_that_blocks_is_a_filter_not_a_failure(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    chat_server.answer = lambda _: (400, {"error": {"code": "content_filter", "message": "no"}})
    scores = score(run(model_of(chat_server), suite, tmp_path / "run"))
    assert scores.get("filtered_rate").value == 1.0
    assert scores.get("compliance_rate").value == 0.0


def test_an_unreachable_server_is_told_at_once_and_by_name(suite: Suite, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match=rf"cannot connect to http://127.0.0.1:{port}"):
        run(f"http://127.0.0.1:{port}/v1#tiny", suite, tmp_path / "run")


def test_a_wrong_key_stops_the_run_at_the_first_request(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    chat_server.answer = lambda _: (401, {"error": {"message": "bad key"}})
    with pytest.raises(Unavailable, match="HTTP 401: bad key"):
        run(model_of(chat_server), suite, tmp_path / "run")
    assert len(chat_server.requests) == 1


def test_a_server_that_dies_midway_stops_the_run_and_keeps_what_came(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    count = iter(range(10_000))
    chat_server.answer = lambda _: (200, reply("Fine.")) if next(count) < 10 else (500, b"boom")
    with pytest.raises(Unavailable, match="10 generations are saved"):
        run(model_of(chat_server), suite, tmp_path / "run", limits=Limits(1, patience=0))
    chat_server.answer = lambda _: (200, reply("Fine."))
    done = run(model_of(chat_server), suite, tmp_path / "run")
    assert sorted(ids(done.generations_path)) == [case.id for case in suite.cases]


def test_a_key_goes_to_no_other_host_and_into_no_file(
    chat_server: ChatServer, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-another-host")
    run(model_of(chat_server), suite, tmp_path / "one")
    assert not any("Authorization" in headers for headers in chat_server.headers)
    monkeypatch.setenv("CONVSAFE_API_KEY", "key-meant-for-this-host")
    run(model_of(chat_server), suite, tmp_path / "two")
    assert chat_server.headers[-1]["Authorization"] == "Bearer key-meant-for-this-host"
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"key-meant" not in path.read_bytes()


def test_another_run_is_never_continued_by_mistake(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    run("always_refuse", suite, tmp_path / "run")
    with pytest.raises(BadInput, match="another model"):
        run(model_of(chat_server), suite, tmp_path / "run")
    with pytest.raises(BadInput, match="another params"):
        run("always_refuse", suite, tmp_path / "run", params=Params(max_tokens=1))


def test_a_killed_run_goes_on_where_it_stopped(
    chat_server: ChatServer, core_release: Path, suite: Suite, tmp_path: Path
) -> None:
    def slow(_: dict) -> tuple[int, object]:
        time.sleep(0.05)
        return 200, reply("Fine.")

    chat_server.answer = slow
    command = [
        sys.executable, "-c", "from convsafe.benchmark.cli import main; main()", "run",
        "--model", model_of(chat_server), "--release", str(core_release), "--limit", "30",
        "--out", str(tmp_path / "run"), "--concurrency", "2", "--only-run",
    ]  # fmt: skip
    victim = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    path = tmp_path / "run" / "generations.jsonl"
    while not path.exists() or path.read_bytes().count(b"\n") < 5:
        time.sleep(0.02)
        assert victim.poll() is None
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    kept = path.read_bytes()
    assert 5 <= kept.count(b"\n") < len(suite)
    subprocess.run(command, check=True, capture_output=True)
    assert path.read_bytes().startswith(kept)
    assert sorted(ids(path)) == [case.id for case in suite.cases]


def test_an_incomplete_run_is_refused_with_what_is_missing(suite: Suite, tmp_path: Path) -> None:
    done = run("always_refuse", suite, tmp_path / "run")
    lines = done.generations_path.read_text().splitlines(keepends=True)
    done.generations_path.write_text("".join(lines[:-4]))
    with pytest.raises(IncompleteRun, match=f"4 of {len(suite)} generations are missing"):
        score(done)
    scores = score(done, partial=True)
    assert scores.missing == 4
    assert scores.get("refusal_rate").n == len(suite) - 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "nobody", "outcome": "answered", "response": "x"}', "not of this run: nobody"),
        ('{"outcome": "answered"}', r"generations\.jsonl:31: a generation has no id"),
        ('{"id": "a", "outcome": "great"}', r":31 \[a\]: outcome 'great' is not one of"),
        ("{", r"generations\.jsonl:31: not a JSON object"),
    ],
)
def test_a_stray_line_is_an_error_that_names_it(
    suite: Suite, tmp_path: Path, line: str, message: str
) -> None:
    done = run("always_refuse", suite, tmp_path / "run")
    assert len(suite) == 30
    with done.generations_path.open("a") as out:
        out.write(line + "\n")
    with pytest.raises(BadInput, match=message):
        score(done)


def test_an_id_that_comes_twice_is_an_error(suite: Suite, tmp_path: Path) -> None:
    done = run("always_refuse", suite, tmp_path / "run")
    text = done.generations_path.read_text()
    done.generations_path.write_text(text + text.splitlines(keepends=True)[0])
    with pytest.raises(BadInput, match="1 ids come more than once"):
        score(done)
    with pytest.raises(BadInput, match="1 ids come more than once"):
        run("always_refuse", suite, tmp_path / "run")


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no run folder"):
        Run.open(tmp_path)


def test_a_run_works_inside_a_running_loop(suite: Suite, tmp_path: Path) -> None:
    import asyncio

    async def notebook() -> Run:
        return run("echo", suite, tmp_path / "run")

    assert len(asyncio.run(notebook()).generations()) == len(suite)


@pytest.mark.parametrize(
    ("told_by", "how"),
    [
        ("output:llama_guard_3@URL#other", {"guards": ["output:llama_guard_3@URL#other"]}),
        ("input:wildguard@URL#other", {"guards": ["input:wildguard@URL#other"]}),
        (
            "output:single@URL#other:rubric=harm",
            {"guards": ["output:single@URL#other:rubric=harm"]},
        ),
        ("feedback:endpoint=URL#other", {"settings": ["feedback:endpoint=URL#other"]}),
        ("tree", {"dialogue": "tree:depth=1,width=1,judge=llama_guard_3@URL#other"}),
        ("tree", {"dialogue": "tree:depth=1,width=1", "user": "URL#other"}),
        ("planted", {"dialogue": "planted", "user": "URL#other"}),
        ("patient", {"dialogue": "patient:turns=2", "user": "URL#other"}),
    ],
)
def test_settings_refused_by_a_server_beside_the_model_are_told_once_at_the_end(
    told_by: str,
    how: dict[str, Any],
    chat_server: ChatServer,
    guard_server: GuardServer,
    core_release: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        said = completion("safe") if "prompt" in body else reply("Hm.")
        return picky(body) or (200, said)

    guard_server.answer = answer
    how = json.loads(json.dumps(how).replace("URL", guard_server.url))
    cases = load_suite(core_release, "dialog", limit=4, dialogue=how.get("dialogue", "single"))
    run(model_of(chat_server), cases, tmp_path / "run", **how)
    told = [line for line in capsys.readouterr().err.splitlines() if "not take" in line]
    begin = f"{told_by.replace('URL', guard_server.url)}: other does not take"
    assert sorted(told) == [
        f"{begin} 'max_tokens': 'max_completion_tokens' is sent instead.",
        f"{begin} 'temperature': its own default holds.",
    ]
    resume(tmp_path / "run")
    assert "not take" not in capsys.readouterr().err, "nothing was asked, nothing refused"
