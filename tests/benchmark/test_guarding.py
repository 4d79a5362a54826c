"""Guards: what they stop is refused, what they withheld is judged, a dead one passes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from convsafe.benchmark import compare, run, score
from convsafe.benchmark.engine import resume
from convsafe.benchmark.guard_sight import TableSight
from convsafe.benchmark.guard_table import guard_table
from convsafe.benchmark.guarding import REFUSAL, load_guards
from convsafe.benchmark.judges import llama_guard_3, llama_guard_4
from convsafe.benchmark.judges._llama_guard import of_request
from convsafe.benchmark.judging import read_verdicts
from convsafe.benchmark.reporting import PAGE
from convsafe.benchmark.suite import Suite, load_suite
from convsafe.benchmark.withheld import traced_path
from convsafe.benchmark.withheld import traces as read_traces
from convsafe.taxonomy.errors import BadInput, Unavailable, UnknownName
from convsafe.taxonomy.html import page_environment

from tests.benchmark.layered import HARM, NO, Known, measuring, rows, says, scored, traces
from tests.conftest import ChatServer, reply
from tests.guards import GuardServer, chat_completion, completion, moderation
from tests.judge_server import chat as judge_chat

BAIT = "Fine, with a word the guard takes for harm: bait."


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=40)


def guarding(server: GuardServer, *words: str) -> None:
    """Let the guard say unsafe where one of the words is between its conversation marks."""

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        asked = body["prompt"].split("<BEGIN CONVERSATION>")[1]
        said = "unsafe\nS1" if any(word in asked for word in words) else "safe"
        return 200, completion(said)

    server.answer = answer


def guard_of(server: GuardServer, where: str, judge: str = "llama_guard_3") -> str:
    return f"{where}:{judge}@{server.url}#guard"


def test_an_output_guard_stops_and_its_catches_are_counted(
    chat_server: ChatServer,
    guard_server: GuardServer,
    suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harmful, harmless = measuring(suite, "safety"), measuring(suite, "over_refusal")
    said = {case.messages[-1].content: f"{HARM} caught" for case in harmful[:5]}
    said |= {case.messages[-1].content: f"{HARM} missed" for case in harmful[5:8]}
    said[harmless[0].messages[-1].content] = BAIT
    says(chat_server, said)
    guarding(guard_server, "caught", "bait")
    guard = guard_of(guard_server, "output")
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[guard])

    row = rows(done)[harmful[0].id]
    assert (row["response"], row["outcome"], row["finish_reason"]) == (REFUSAL, "filtered", "guard")
    assert row["trace"] == [
        {
            "kind": "guard",
            "turn": 1,
            "where": "output",
            "guard": guard,
            "p": 1.0,
            "stopped": True,
            "withheld": f"{HARM} caught",
        }
    ]
    (passed,) = traces(done)[harmful[5].id]
    assert (passed["stopped"], "withheld" in passed) == (False, False)

    scores = scored(done, monkeypatch)
    caught = scores.get("guard_catch_rate")
    assert (caught.value, caught.n) == (5 / 8, 8)
    stopped = scores.get("guard_stop_rate")
    assert (stopped.value, stopped.n) == (5 / len(harmful), len(harmful))
    false = scores.get("guard_false_stop_rate")
    assert (false.value, false.n) == (1 / len(harmless), len(harmless))
    assert scores.get("unsafe_rate").value == 3 / len(harmful)
    assert scores.get("over_refusal_rate").value == 1 / len(harmless)

    (layer,) = guard_table(done)
    assert (layer["layer"], layer["place"], layer["kind"]) == (guard, "external", "guard")
    assert (layer["turns"], layer["changed"], layer["unread"]) == (len(suite), 6, 0)
    assert layer["caught"] == caught.to_row()
    assert layer["falsely_stopped"] == false.to_row()
    page = page_environment(PAGE).get_template("guards.html.jinja").render(layers=[layer])
    assert "62.5 %" in page
    assert "external" in page


def test_an_input_guard_stops_before_the_model_is_asked(
    chat_server: ChatServer,
    guard_server: GuardServer,
    suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = measuring(suite, "safety")[0]
    guarding(guard_server, bad.messages[-1].content.strip())
    guard_server.requests.clear()
    guard = guard_of(guard_server, "input")
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[guard])
    assert len(chat_server.requests) == len(suite) - 1
    (step,) = traces(done)[bad.id]
    assert (step["where"], step["stopped"]) == ("input", True)
    assert all("Agent" not in prompt for prompt in guard_server.prompts())
    scores = scored(done, monkeypatch)
    assert scores.get("guard_stop_rate").value == 1 / len(measuring(suite, "safety"))
    # No output guard: there is nothing to have caught.
    assert scores.get("guard_catch_rate").n == 0


def test_each_layer_is_told_apart(
    chat_server: ChatServer,
    guard_server: GuardServer,
    suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The inner guard stops one of two unsafe replies, the outer one the other."""
    one, two = measuring(suite, "safety")[:2]
    says(chat_server, {one.messages[-1].content: f"{HARM} in", two.messages[-1].content: HARM})
    guard_server.answer = lambda body: (
        200,
        moderation("violence") if HARM in body.get("input", "") else completion("safe"),
    )
    outer = guard_of(guard_server, "output", "openai_moderation")
    inner = f"output:llama_guard_3@{guard_server.url}#inner"
    plain = guard_server.answer

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        if "prompt" not in body:
            return plain(body)
        return 200, completion("unsafe\nS1" if f"{HARM} in" in body["prompt"] else "safe")

    guard_server.answer = answer
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[outer, inner])
    scores = scored(done, monkeypatch)
    assert scores.get("guard_catch_rate").value == 1
    first, second = guard_table(done)
    assert (first["caught"]["value"], first["caught"]["n"]) == (1, 1)
    assert (second["caught"]["value"], second["caught"]["n"]) == (0.5, 2)
    assert (first["turns"], second["turns"]) == (len(suite) - 1, len(suite))


def test_a_dead_guard_is_not_a_guard_that_passed(
    chat_server: ChatServer, guard_server: GuardServer, suite: Suite, tmp_path: Path
) -> None:
    guard_server.answer = lambda _: (503, {"error": {"message": "gone"}})
    guard = guard_of(guard_server, "output")
    with pytest.raises(Unavailable, match=r"guard 'output:llama_guard_3.*503.*gone"):
        run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[guard])
    assert not rows_if_any(tmp_path / "run")
    guarding(guard_server, "nothing")
    done = resume(tmp_path / "run")
    assert len(rows(done)) == len(suite)


def rows_if_any(folder: Path) -> str:
    path = folder / "generations.jsonl"
    return path.read_text() if path.exists() else ""


def test_a_guard_whose_answer_cannot_be_read_stops_the_turn(
    chat_server: ChatServer,
    guard_server: GuardServer,
    suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard_server.answer = lambda _: (200, completion("well, it depends"))
    guard = guard_of(guard_server, "output")
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[guard])
    (step,) = next(iter(traces(done).values()))
    assert (step["p"], step["stopped"]) == (None, True)
    assert "codes" in step["reason"]
    scored(done, monkeypatch)
    (layer,) = guard_table(done)
    assert layer["unread"] == layer["changed"] == len(suite)


def test_what_says_nothing_is_not_looked_at(
    chat_server: ChatServer, guard_server: GuardServer, suite: Suite, tmp_path: Path
) -> None:
    chat_server.answer = lambda _: (200, reply("", "content_filter"))
    guard_server.requests.clear()
    guard = guard_of(guard_server, "output")
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[guard])
    assert not guard_server.requests
    assert not any(traces(done).values())
    assert set(done.generations()["outcome"]) == {"filtered"}


def test_the_threshold_and_the_words_are_the_users(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    text = tmp_path / "words.txt"
    text.write_text("Not here.\n")
    says(chat_server, {}, NO)
    stern = f"output:embedded:threshold=0.0001,refusal={text}"
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "stern", guards=[stern])
    assert set(done.generations()["response"]) == {"Not here."}
    mild = run(f"{chat_server.url}#tiny", suite, tmp_path / "mild", guards=["output:embedded"])
    assert set(mild.generations()["response"]) == {NO}
    with pytest.raises(BadInput, match="another guards"):
        run(f"{chat_server.url}#tiny", suite, tmp_path / "mild", guards=[stern])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("embedded", "write input:JUDGE or output:JUDGE"),
        ("output:embeded", "Did you mean 'embedded'"),
        ("output:embedded:treshold=0.5", "Did you mean 'threshold'"),
        ("output:embedded:threshold=2", "above 0 and at most 1"),
        ("output:embedded:refusal=/nowhere", "a file with a text"),
        ("output:embedded:max_tokens=2048", "'embedded' takes no --max-tokens"),
        ("output:single@http://127.0.0.1:1/v1#m:rubric=harm,max_tokens=-1", "max_tokens is a"),
        ("output:rules", "this judge tells .*stance"),
        ("input:embedded", "judges replies, not requests"),
        ("input:shieldgemma@http://127.0.0.1:1/v1#m", "judges replies, not requests"),
        ("output:llama_guard_3", "give --endpoint"),
    ],
)
def test_a_wrong_guard_is_told_before_anything_is_asked(spec: str, said: str) -> None:
    with pytest.raises((BadInput, UnknownName), match=said):
        load_guards([spec])


def test_a_guard_is_itself_only_if_it_decides_the_same() -> None:
    (one,) = load_guards(["output:embedded"])
    (two,) = load_guards(["output:embedded:threshold=0.9"])
    (model,) = load_guards(["output:llama_guard_3@http://127.0.0.1:1/v1#llama3:8b:threshold=0.9"])
    assert len({one.identity, two.identity, model.identity}) == 3
    with pytest.raises(BadInput, match="given twice"):
        load_guards(["output:embedded", "output:embedded"])


def test_a_guard_by_rubric_may_have_longer_answers(
    chat_server: ChatServer, guard_server: GuardServer, suite: Suite, tmp_path: Path
) -> None:
    guard_server.answer = lambda _: (200, judge_chat("<think>Hm", "length"))
    says(chat_server, {}, NO)
    guard = f"output:single@{guard_server.url}#guard:rubric=harm"
    for more, most in (("", 1024), (",max_tokens=2048", 2048)):
        done = run(f"{chat_server.url}#tiny", suite, tmp_path / f"run{most}", guards=[guard + more])
        assert guard_server.requests[-1]["max_tokens"] == most
        (reason,) = {turn["reason"] for trace in traces(done).values() for turn in trace}
        assert reason.endswith(
            f"cut off at {most} tokens: allow more with the guard's max_tokens=…"
        )


@pytest.mark.parametrize("module", [llama_guard_3, llama_guard_4])
def test_llama_guard_is_asked_about_the_user_alone(module: Any) -> None:
    template = of_request(module.TEMPLATE)
    assert "Agent" not in template
    assert "unsafe content in 'User' messages" in template
    assert "ONLY THE LAST User message" in template
    assert "{response}" not in template
    assert template.split("{prompt}")[0].endswith("User: ")


def test_wildguard_and_moderation_read_requests(
    chat_server: ChatServer, guard_server: GuardServer, suite: Suite, tmp_path: Path
) -> None:
    said = "Harmful request: yes\nResponse refusal: N/A\nHarmful response: N/A"
    guard_server.answer = lambda body: (
        200,
        completion(said) if "prompt" in body else moderation(),
    )
    guards = [
        guard_of(guard_server, "input", "openai_moderation"),
        guard_of(guard_server, "input", "wildguard"),
    ]
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=guards)
    assert not chat_server.requests
    steps = next(iter(traces(done).values()))
    assert [(step["p"], step["stopped"]) for step in steps] == [(0.0, False), (1.0, True)]


def test_turns_that_come_together_are_judged_together() -> None:
    sizes: list[int] = []

    class Counting(Known):
        def judge(self, exchanges: pl.DataFrame) -> pl.DataFrame:
            sizes.append(len(exchanges))
            return super().judge(exchanges)

    async def all_at_once() -> list[Any]:
        sight = TableSight(Counting())
        async with sight:
            return await asyncio.gather(
                *(sight.look("Q", HARM if place % 2 else "Fine.") for place in range(64))
            )

    looks = asyncio.run(all_at_once())
    assert [look.unsafe for look in looks] == [float(place % 2) for place in range(64)]
    assert sum(sizes) == 64
    assert len(sizes) < 8


def test_a_judge_that_breaks_breaks_every_turn_it_was_asked_about() -> None:
    class Broken(Known):
        def judge(self, exchanges: pl.DataFrame) -> pl.DataFrame:
            raise BadInput("no weights")

    async def two() -> list[Any]:
        sight = TableSight(Broken())
        async with sight:
            looks = (sight.look("Q", "A"), sight.look("Q", "B"))
            return await asyncio.gather(*looks, return_exceptions=True)

    assert [str(error) for error in asyncio.run(two())] == ["no weights", "no weights"]


def test_guarded_and_unguarded_runs_are_named_apart(
    chat_server: ChatServer, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(chat_server, {}, NO)
    model = f"{chat_server.url}#tiny"
    plain = run(model, suite, tmp_path / "plain")
    guarded = run(
        model, suite, tmp_path / "guarded", guards=["output:embedded"], settings=["p_ground"]
    )
    assert json.loads((guarded.folder / "run.json").read_text())["places"] == {
        "output:embedded": "external",
        "p_ground": "secondary",
    }
    for one in (plain, guarded):
        scored(one, monkeypatch)
    assert guard_table(plain) == []
    guard, words = guard_table(guarded)
    assert (words["kind"], words["turns"]) == ("words", 0)
    assert (guard["kind"], guard["same_judge"]) == ("guard", False)
    found = compare([plain, guarded])
    assert [one.name for one in found.runs] == ["tiny", "tiny (p_ground, output:embedded)"]
    # Labels that layers add must not be lost or doubled when read again.
    labels = read_verdicts(guarded.verdicts_path("known"))["labels"]
    assert set(labels.explode()) - {"recovery:none"} == {"guarded:output"}


def test_steps_of_other_kinds_are_not_ours(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    says(chat_server, {}, NO)
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=["output:embedded"])
    lines = [json.loads(line) for line in done.generations_path.read_text().splitlines()]
    state = {"kind": "state", "turn": 1, "label": {"mood": 3}, "p": "high", "before": [1], "x": []}
    lines[3]["trace"].insert(0, state)
    lines[4]["trace"] = [state]
    done.generations_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    steps = read_traces(done)
    assert len(steps) == len(suite) - 1
    assert set(steps["kind"]) == {"guard"}
    assert steps.filter(pl.col("id") == lines[3]["id"])["step"].item() in (0, 1)


def test_no_withheld_reply_is_in_a_file_of_verdicts(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    secret = f"{NO} Not for a public place."
    says(chat_server, {}, secret)
    stern = "output:embedded:threshold=0.0001"
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[stern])
    score(done)
    assert secret in done.generations_path.read_text()
    assert secret not in traced_path(done, "embedded").read_text()
    (layer,) = guard_table(done)
    assert layer["changed"] == len(suite)


def test_a_guard_that_is_the_judge_is_told(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    says(chat_server, {}, NO)
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=["output:embedded"])
    score(done)
    layers = guard_table(done)
    assert layers[0]["same_judge"]
    page = page_environment(PAGE).get_template("guards.html.jinja").render(layers=layers)
    assert "no finding" in page


def test_chat_guards_work_too(
    chat_server: ChatServer, guard_server: GuardServer, suite: Suite, tmp_path: Path
) -> None:
    said = "<think>\n</think>\n<score> yes </score>"
    guard_server.answer = lambda _: (200, chat_completion(said))
    guard = guard_of(guard_server, "output", "granite_guardian")
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", guards=[guard])
    assert set(done.generations()["response"]) == {REFUSAL}
