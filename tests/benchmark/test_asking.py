"""Asking a server: every answer is kept, nothing is asked twice, and what fails says why."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from convsafe.benchmark import load_suite, patience, report, run
from convsafe.benchmark.answers import MAX_TOKENS, Answers, Spent, price_of
from convsafe.benchmark.asking import Ask, Asker, Completion, Unscored
from convsafe.benchmark.cli import cli
from convsafe.benchmark.judge_file import judge_file
from convsafe.benchmark.judging import read_verdicts
from convsafe.benchmark.loading import JudgeSettings
from convsafe.benchmark.metric import METRICS, load_metric
from convsafe.benchmark.models.openai import OpenAIModel
from convsafe.benchmark.runs import Run
from convsafe.benchmark.scoring import score
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.records import Message

from tests.judge_server import JudgeServer, chat, nonce, picky, verdict

ROOT = Path(__file__).parents[2]
SAID = [Message("user", "Is it harmful?")]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.01)
    monkeypatch.delenv("CONVSAFE_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = JudgeServer()
    found.answer = lambda body: verdict(body, "harm=1")
    yield found
    found.stop()


def file_of(path: Path, n: int) -> Path:
    rows = [{"prompt": f"Item {i}", "response": f"Reply {i}."} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def settings(server: JudgeServer, tmp_path: Path, **options: Any) -> JudgeSettings:
    usual = {"rubric": "harm", "cache": tmp_path / "answers.jsonl"}
    return JudgeSettings(endpoint=f"{server.url}#tiny", **{**usual, **options})


def asked(
    server: JudgeServer, tmp_path: Path, work: Callable[[Ask], Awaitable[Any]]
) -> tuple[Any, Spent]:
    """Let `work` ask the server."""

    async def go() -> Any:
        with Answers(tmp_path / "answers.jsonl") as answers:
            async with OpenAIModel(server.url, "tiny") as model:
                return await work(Asker(model, answers, server.url, 4)), answers.spent

    return asyncio.run(go())


def convsafe(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_second_run_asks_nothing(server: JudgeServer, tmp_path: Path) -> None:
    path, spent = file_of(tmp_path / "file.jsonl", 5), [Spent(), Spent()]
    found = [
        judge_file(path, judge="single", settings=settings(server, tmp_path, spent=one))
        for one in spent
    ]
    assert found[0].equals(found[1])
    assert spent == [Spent(5, 0, 500, 50), Spent(0, 5, 0, 0)]
    assert len(server.requests) == 5


def test_what_changes_the_question_is_asked_anew(server: JudgeServer, tmp_path: Path) -> None:
    path = file_of(tmp_path / "file.jsonl", 1)
    judge_file(path, judge="single", settings=settings(server, tmp_path))
    own = tmp_path / "own.yaml"
    own.write_text((ROOT / "benchmark/rubrics/harm.yaml").read_text().replace("None:", "Nil:"))
    judge_file(path, judge="single", settings=settings(server, tmp_path, rubric=str(own)))
    other = settings(server, tmp_path)
    other = JudgeSettings(f"{server.url}#other", "harm", cache=other.cache)
    judge_file(path, judge="single", settings=other)
    assert len(server.requests) == 3


def test_equal_exchanges_are_asked_once_also_at_once(server: JudgeServer, tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text('{"prompt": "Item", "response": "Reply."}\n' * 20)
    server.delay = 0.02
    found = judge_file(path, judge="single", settings=settings(server, tmp_path))
    assert found["unsafe"].to_list() == [1.0] * 20
    assert len(server.requests) == 1


def test_no_more_is_under_way_than_allowed(server: JudgeServer, tmp_path: Path) -> None:
    server.delay = 0.02
    options = settings(server, tmp_path, concurrency=3)
    judge_file(file_of(tmp_path / "file.jsonl", 6), judge="majority_vote", settings=options)
    assert 2 <= server.most_under_way <= 3


@pytest.mark.parametrize("torn", [b'{"key": "abc", "sta', b"{", b'{"key"'])
def test_a_torn_last_line_is_cut_off(server: JudgeServer, tmp_path: Path, torn: bytes) -> None:
    path, options = file_of(tmp_path / "file.jsonl", 2), settings(server, tmp_path)
    judge_file(path, judge="single", settings=options)
    with options.cache.open("ab") as cache:
        cache.write(torn)
    judge_file(path, judge="single", settings=options)
    assert len(server.requests) == 2
    options.cache.write_bytes(torn)
    judge_file(path, judge="single", settings=options)
    assert len(server.requests) == 4


def test_a_file_that_holds_no_answers_is_left_alone(server: JudgeServer, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": 1}\n{"id": 2}')
    with pytest.raises(BadInput, match="not a file of kept answers"):
        judge_file(
            file_of(tmp_path / "file.jsonl", 1),
            judge="single",
            settings=settings(server, tmp_path, cache=path),
        )
    assert path.read_text() == '{"id": 1}\n{"id": 2}'
    path.write_text('{"key": 1}\n')
    with pytest.raises(BadInput, match=r"labels.jsonl:1: not a kept answer"):
        judge_file(
            file_of(tmp_path / "file.jsonl", 1),
            judge="single",
            settings=settings(server, tmp_path, cache=path),
        )


def test_a_killed_run_is_resumed_where_it_was(server: JudgeServer, tmp_path: Path) -> None:
    path, cache = file_of(tmp_path / "file.jsonl", 40), tmp_path / "answers.jsonl"
    server.delay = 0.05
    script = "from convsafe.benchmark.cli import main; main()"
    words = ["judge", path, "--judge", "single", "--rubric", "harm", "--cache", cache]
    words += ["--endpoint", f"{server.url}#tiny", "--concurrency", "2", "--out", tmp_path / "out"]
    command = [sys.executable, "-c", script, *map(str, words)]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while len(server.requests) < 10 and started.poll() is None:
            time.sleep(0.01)
    finally:
        os.kill(started.pid, signal.SIGKILL)
        started.wait()
    kept = cache.read_bytes().count(b"\n")
    assert 8 <= kept < 40
    assert not (tmp_path / "out").exists()
    time.sleep(0.2)
    before = len(server.requests)
    options = settings(server, tmp_path, spent=(spent := Spent()))
    assert judge_file(path, judge="single", settings=options)["unsafe"].to_list() == [1.0] * 40
    assert (spent.cached, spent.requests) == (kept, 40 - kept)
    assert len(server.requests) - before == 40 - kept


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_wrong_key_or_place_stops_at_once(
    server: JudgeServer, tmp_path: Path, status: int
) -> None:
    server.answer = lambda _: (status, {"error": {"message": "no such key"}})
    with pytest.raises(Unavailable, match=rf"'tiny': HTTP {status}: no such key"):
        judge_file(
            file_of(tmp_path / "file.jsonl", 20),
            judge="single",
            settings=settings(server, tmp_path),
        )
    assert len(server.requests) == 1


def test_a_server_that_breaks_keeps_what_it_answered(server: JudgeServer, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        broken = len(server.requests) > 10
        return (503, {"error": "down"}) if broken else verdict(body, "harm=1")

    server.answer = answer
    path, options = file_of(tmp_path / "file.jsonl", 60), settings(server, tmp_path, concurrency=1)
    with pytest.raises(Unavailable, match=r"HTTP 503: down\. 10 answers are kept"):
        judge_file(path, judge="single", settings=options)
    server.answer, before = (lambda body: verdict(body, "harm=1")), len(server.requests)
    judge_file(path, judge="single", settings=options)
    assert len(server.requests) - before == 50


def test_a_hiccup_is_tried_again(server: JudgeServer, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        fine = len(server.requests) % 3 == 0
        return verdict(body, "harm=1") if fine else (429, {"error": {"message": "slow down"}})

    server.answer = answer
    options = settings(server, tmp_path, concurrency=1)
    found = judge_file(file_of(tmp_path / "file.jsonl", 4), judge="single", settings=options)
    assert found["unsafe"].to_list() == [1.0] * 4
    assert len(server.requests) == 12


def test_settings_the_judges_model_refuses_are_left_out_and_answers_kept_as_asked(
    server: JudgeServer, tmp_path: Path
) -> None:
    path = file_of(tmp_path / "file.jsonl", 4)
    judge_file(path, judge="single", settings=settings(server, tmp_path))
    asked_plainly = sorted((tmp_path / "answers.jsonl").read_text().splitlines())
    server.answer = lambda body: picky(body) or verdict(body, "harm=1")
    options = settings(server, tmp_path, cache=tmp_path / "picky.jsonl")
    before = len(server.requests)
    found = judge_file(path, judge="single", settings=options)
    assert found["unsafe"].to_list() == [1.0] * 4
    assert len(server.requests) - before == 2 + 4, "each is found out once"
    assert server.requests[-1].keys() == {"model", "messages", "seed", "max_completion_tokens"}
    assert server.requests[-1]["max_completion_tokens"] == 1024
    assert sorted(options.cache.read_text().splitlines()) == asked_plainly


@pytest.mark.parametrize("command", ["judge", "judge-eval", "judge attacks"])
def test_settings_the_judges_model_refuses_are_told_once_at_the_end(
    server: JudgeServer, tmp_path: Path, command: str
) -> None:
    server.answer = lambda body: picky(body) or verdict(body, "stance=full_refusal")
    rows = [{"prompt": f"Q{n}", "response": f"R{n}.", "label": "refusal"} for n in range(4)]
    path = tmp_path / "file.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [*command.split(), path, "--judge", "single", "--rubric", "xstest_stance", "--json"]
    words += ["--endpoint", f"{server.url}#tiny", "--cache", tmp_path / "answers.jsonl"]
    words += ["--label", "label"] if command != "judge" else []
    words += ["--family", "verdict_lines", "--n", 4] if command == "judge attacks" else []
    first = convsafe(*words)
    assert first.exit_code == 0, first.output
    spent, *notes = first.stderr.splitlines()
    assert spent.startswith("judge: ")
    assert sorted(notes) == [
        "judge: tiny does not take 'max_tokens': 'max_completion_tokens' is sent instead.",
        "judge: tiny does not take 'temperature': its own default holds.",
    ]
    assert len(convsafe(*words).stderr.splitlines()) == 1, "nothing was asked, nothing refused"


def test_a_verdict_that_may_be_cut_off_is_none(server: JudgeServer, tmp_path: Path) -> None:
    def cut_off(body: dict[str, Any]) -> tuple[int, Any]:
        return 200, chat(f"Because.\nVERDICT {nonce(body)}: harm=1", "length")

    server.answer = cut_off
    path = file_of(tmp_path / "file.jsonl", 1)
    found = judge_file(path, judge="single", settings=settings(server, tmp_path))
    assert found["unsafe"].to_list() == [None]
    why = "the judge's reply is cut off at 1024 tokens: allow more with --max-tokens"
    assert found["unscored_reason"].to_list() == [why]
    assert found["rationale"][0].startswith("Because."), "what the judge said is lost"


def test_a_longer_answer_is_asked_for_anew_and_written_beside_the_judge(
    server: JudgeServer, tmp_path: Path
) -> None:
    def thinking(body: dict[str, Any]) -> tuple[int, Any]:
        cut_off = body["max_tokens"] < 5000
        return (200, chat("<think>Hm", "length")) if cut_off else verdict(body, "harm=1")

    server.answer = thinking
    words = ["judge", file_of(tmp_path / "file.jsonl", 2), "--judge", "single"]
    words += ["--rubric", "harm", "--endpoint", f"{server.url}#tiny"]
    words += ["--cache", tmp_path / "answers.jsonl", "--json"]
    usual = json.loads(convsafe(*words).stdout)
    assert usual["unscored"] == 2
    assert "max_tokens" not in usual["made_with"]
    assert json.loads(convsafe(*words, "--max-tokens", MAX_TOKENS).stdout) == usual
    assert len(server.requests) == 2
    long = json.loads(convsafe(*words, "--max-tokens", 5000).stdout)
    assert (long["unscored"], len(server.requests)) == (0, 4)
    assert long["made_with"] == {**usual["made_with"], "max_tokens": 5000}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, b"<html>oops</html>"), "not a chat completion"),
        ((200, {"choices": []}), "not a chat completion"),
        ((200, {"choices": [{"message": {"content": 5}}]}), "not a chat completion"),
        ((200, None), "not a chat completion"),
        ((200, chat("")), "the judge's reply is empty"),
        ((200, chat("<think>Let me see", "length")), "the judge's reply is cut off at 1024 tokens"),
        ((200, chat("", "content_filter")), "the provider filtered the judge's reply"),
        (
            (400, {"error": {"code": "content_filter", "message": "no"}}),
            "the provider filtered the judge's request",
        ),
        ((400, {"error": {"message": "too long"}}), "HTTP 400: too long"),
    ],
)
def test_an_exchange_without_an_answer_is_unscored_and_the_others_are_not(
    server: JudgeServer, tmp_path: Path, answer: tuple[int, Any], why: str
) -> None:
    server.answer = lambda body: (
        answer if "Item 1" in str(body["messages"]) else verdict(body, "harm=1")
    )
    path = file_of(tmp_path / "file.jsonl", 3)
    found = judge_file(path, judge="single", settings=settings(server, tmp_path))
    assert found["unsafe"].to_list() == [1.0, None, 1.0]
    assert found["unscored_reason"][1].startswith(why)


def test_raw_completions_bring_log_probabilities_in_both_forms(
    server: JudgeServer, tmp_path: Path
) -> None:
    legacy = {"top_logprobs": [{"safe": -0.1, "unsafe": -2.0}, None]}
    places = [{"token": "safe", "logprob": -0.1}, {"token": "unsafe", "logprob": -2.0}]
    modern = {"content": [{"token": "safe", "top_logprobs": places}]}
    found = []
    for number, logprobs in enumerate([legacy, modern, None]):
        body = {"choices": [{"text": "safe", "logprobs": logprobs}]}
        server.answer = lambda _, body=body: (200, body)
        prompt = f"prompt {number}"
        found.append(asked(server, tmp_path, lambda ask, p=prompt: ask.complete(p, logprobs=5))[0])
    first = {"safe": -0.1, "unsafe": -2.0}
    assert found == [
        Completion("safe", (first, {})),
        Completion("safe", (first,)),
        Completion("safe"),
    ]
    assert {path.rpartition("/v1")[2] for path in server.paths} == {"/completions"}
    sent = {name: server.requests[0][name] for name in ("model", "prompt", "logprobs")}
    assert sent == {"model": "tiny", "prompt": "prompt 0", "logprobs": 5}


def test_another_endpoint_is_posted_to_with_the_models_name(
    server: JudgeServer, tmp_path: Path
) -> None:
    server.answer = lambda body: (200, {"results": [body]})
    found, _ = asked(server, tmp_path, lambda ask: ask.post("/moderations", {"input": "Hi"}))
    assert found == {"results": [{"model": "tiny", "input": "Hi"}]}
    assert server.paths[0].endswith("/moderations")
    server.answer = lambda _: (200, {"error": {"message": "broken"}})
    with pytest.raises(Unscored, match="not a JSON object that answers"):
        asked(server, tmp_path, lambda ask: ask.post("/moderations", {"input": "Ho"}))


def test_the_key_is_sent_and_written_nowhere(
    server: JudgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSAFE_API_KEY", "sk-planted-secret")
    path = file_of(tmp_path / "file.jsonl", 2)
    options = settings(server, tmp_path)
    judge_file(path, judge="single", settings=options, out=tmp_path / "out.jsonl")
    assert server.keys == ["Bearer sk-planted-secret"] * 2
    for file in tmp_path.rglob("*"):
        assert b"planted" not in file.read_bytes(), file


def test_cost_is_that_of_the_tokens_asked_for_anew(server: JudgeServer, tmp_path: Path) -> None:
    words = ["judge", file_of(tmp_path / "file.jsonl", 5), "--judge", "single"]
    words += ["--rubric", "harm", "--endpoint", f"{server.url}#tiny", "--price", "2/10"]
    words += ["--cache", tmp_path / "answers.jsonl", "--json"]
    found = convsafe(*words)
    assert found.exit_code == 0, found.output
    assert found.stderr.splitlines() == [
        "judge: 5 requests, 0 cached, 500 + 50 tokens, cost 0.0015"
    ]
    printed = json.loads(found.stdout)
    assert printed["judge"] == "single:harm@tiny"
    assert printed["made_with"]["version"] == "2+harm-1"
    assert printed["scores"] == {"harm": {"mean": 1.0, "n": 5}}
    again = convsafe(*words)
    assert "0 requests, 5 cached, 0 + 0 tokens, cost 0.0000" in again.stderr
    assert again.stdout == found.stdout


@pytest.mark.parametrize("price", ["2", "2/x", "-1/2", "nan/1", "inf/1", "1/2/3"])
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(BadInput, match="--price"):
        price_of(price)


@pytest.fixture
def done(core_release: Path, tmp_path: Path) -> Run:
    return run("always_refuse", load_suite(core_release, limit=20), tmp_path / "run")


def test_a_run_is_scored_by_a_judge_that_asks(
    server: JudgeServer, done: Run, tmp_path: Path
) -> None:
    server.answer = lambda body: verdict(body, "stance=full_refusal")
    options = settings(server, tmp_path, rubric="xstest_stance")
    scores = score(done, "single", settings=options)
    assert scores.judge.name == "single:xstest_stance@tiny"
    assert scores.get("refusal_rate").value == 1.0
    written = json.loads((done.folder / "scores.json").read_text())["judge"]
    assert written["made_with"]["rubric"] == "xstest_stance"
    assert written["made_with"]["url"] == "/v1"
    (path,) = done.folder.glob("verdicts-single-xstest_stance-tiny-*.jsonl")
    assert set(read_verdicts(path)["judge"]) == {"single:xstest_stance@tiny"}
    again = score(done, "single", fresh=False, settings=options)
    assert again.to_row()["estimates"] == scores.to_row()["estimates"]


def test_a_judge_that_scored_nothing_gives_no_rate(
    server: JudgeServer, done: Run, tmp_path: Path
) -> None:
    server.answer = lambda _: (200, chat("I would rather not say."))
    options = settings(server, tmp_path, rubric="xstest_stance")
    scores = score(done, "single", settings=options)
    assert scores.estimates
    for entry in scores.estimates:
        assert entry.value is None, f"{entry.metric} of {entry.slice} is {entry.value}"
        assert entry.unscored == entry.n


def test_a_model_does_not_judge_its_own_run(
    server: JudgeServer, core_release: Path, tmp_path: Path
) -> None:
    done = run(f"{server.url}#org/Tiny", load_suite(core_release, limit=8), tmp_path / "run")
    before = len(server.requests)
    words = ["score", done.folder, "--judge", "single", "--rubric", "xstest_stance", "--cache"]
    words += [tmp_path / "a.jsonl", "--endpoint", f"{server.url}#tiny"]
    with pytest.raises(BadInput, match="is the model under test"):
        CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert len(server.requests) == before
    server.answer = lambda body: verdict(body, "stance=full_refusal")
    found = convsafe(*words, "--allow-self", "--json")
    assert found.exit_code == 0, found.output


def test_a_judge_of_harm_gives_the_unsafe_rate_alone(
    server: JudgeServer, done: Run, tmp_path: Path
) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        return verdict(body, "harm=0") if "a" in nonce(body) else verdict(body, "harm=2")

    server.answer = answer
    scores = score(done, "single", settings=settings(server, tmp_path))
    told = {entry.metric for entry in scores.estimates if entry.metric in METRICS.names()}
    assert "unsafe_rate" in told
    assert all(set(load_metric(name).needs) <= {"unsafe", "option", "scores"} for name in told)
    rows = read_verdicts(done.verdicts_path(scores.judge.name))
    safety = done.cases().filter(pl.col("measures").list.contains("safety"))["id"]
    counted = rows.filter(pl.col("id").is_in(safety.implode()))
    assert scores.get("unsafe_rate").value == pytest.approx(counted["unsafe"].mean())
    page = report(done).read_text(encoding="utf-8")
    assert "cannot tell whether an answer was harmful" not in page
    assert "not unsafe" in page
