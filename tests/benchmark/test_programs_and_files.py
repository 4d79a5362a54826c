"""A program and a file as models."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from convsafe.benchmark import load_suite, run
from convsafe.benchmark.model import Model, ModelError, Params, Reply, connect
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case, Message

PROGRAM = """import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    id = asked['id']
"""


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """Make a model of a program whose loop does what the lines say."""

    def make(*lines: str, start: str = "") -> Any:
        path = tmp_path / "my model.py"
        path.write_text(start + "\n" + PROGRAM + "".join(f"    {line}\n" for line in lines))
        return connect(f"cmd:'{sys.executable}' '{path}'")

    return make


SAY = "print(json.dumps({'id': id, **said}), flush=True)"


def asked(model: Model, *texts: str) -> list[Any]:
    """Ask for all the texts at once; return replies and errors."""

    async def ask() -> list[Any]:
        async with model:
            questions = [
                model.generate([Message("user", text)], Params(max_tokens=9)) for text in texts
            ]
            return await asyncio.gather(*questions, return_exceptions=True)

    return asyncio.run(ask())


def test_a_program_answers_many_at_once_and_in_its_own_order(program: Any) -> None:
    model = program(
        "held = globals().setdefault('held', [])",
        "held.append(asked)",
        "if len(held) < 3: continue",
        "for asked in reversed(held):",
        "    text = asked['messages'][0]['content'] + str(asked['params']['max_tokens'])",
        "    print(json.dumps({'id': asked['id'], 'response': text}), flush=True)",
    )
    assert [reply.text for reply in asked(model, "a\u2028", "b\n", "ü")] == [
        "a\u20289",
        "b\n9",
        "ü9",
    ]


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ({"response": "Ok."}, Reply("Ok.", "answered")),
        ({"response": "H", "finish_reason": "length"}, Reply("H", "truncated", "length")),
        ({"response": "", "outcome": "filtered"}, Reply("", "filtered")),
        ({"response": " "}, Reply(" ", "empty")),
        ({"response": "Ok.", "reasoning": "Hm.", "usage": {"prompt_tokens": 3}},
         Reply("Ok.", "answered", None, {"prompt_tokens": 3}, "Hm.")),
    ],
)  # fmt: skip
def test_what_a_program_may_say(program: Any, said: dict[str, Any], reply: Reply) -> None:
    assert asked(program(f"said = {said!r}", SAY), "Hi.") == [reply]


@pytest.mark.parametrize(
    ("said", "reason", "retry"),
    [
        ({"error": "no memory"}, "no memory", False),
        ({"error": "busy", "retry": True}, "busy", True),
        ({"text": "Ok."}, 'an answer has no text in "response"', False),
        ({"response": "", "outcome": "bad"}, "outcome 'bad' is not one of answered,", False),
        ({"response": "", "outcome": "failed"}, 'put the reason into "error"', False),
    ],
)
def test_an_answer_that_is_none_fails_alone(
    program: Any, said: dict[str, Any], reason: str, retry: bool
) -> None:
    model = program(f"said = {said!r}", "if id == '2': said = {'response': 'Ok.'}", SAY)
    error, reply = asked(model, "a", "b")
    assert reason in error.reason
    assert (error.retry, error.fatal) == (retry, False)
    assert reply.text == "Ok."


def test_a_program_that_dies_is_fatal_and_its_last_words_are_told(program: Any) -> None:
    model = program("sys.exit('no weights here')")

    async def ask() -> tuple[ModelError, ModelError]:
        async with model:
            found = []
            for _ in range(2):
                with pytest.raises(ModelError) as caught:
                    await model.generate([Message("user", "Hi.")], Params())
                found.append(caught.value)
            return found[0], found[1]

    for error in asyncio.run(ask()):
        assert error.fatal
        assert error.reason.endswith("ended with status 1, saying: no weights here")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("print('Loading …', flush=True)", "is no JSON object with an \"id\": 'Loading …'"),
        ("print(3, flush=True)", "is no JSON object"),
        ('print(\'{"id": "99", "response": ""}\', flush=True)', "'99' that it was not sent"),
    ],
)
def test_a_line_that_is_no_answer_ends_the_run_and_is_shown(
    program: Any, line: str, reason: str
) -> None:
    for error in asked(program(line, "time.sleep(60)"), "a", "b"):
        assert error.fatal
        assert reason in error.reason


def test_a_program_that_says_much_on_its_standard_error_is_not_held_up(program: Any) -> None:
    model = program("print('x' * 300_000, file=sys.stderr)", "said = {'response': 'Ok.'}", SAY)
    assert [reply.text for reply in asked(model, *"abc")] == ["Ok."] * 3


def test_a_long_answer_is_one_line(program: Any) -> None:
    model = program("said = {'response': 'a' * 10_000_000}", SAY)
    assert len(asked(model, "Hi.")[0].text) == 10_000_000


def test_a_late_answer_is_nobodys(program: Any) -> None:
    model = program(
        "if id == '1': continue",
        "print(json.dumps({'id': '1', 'response': 'late'}))",
        "said = {'response': 'Ok.'}", SAY,
    )  # fmt: skip
    model.timeout = 0.5

    async def ask() -> str:
        async with model:
            with pytest.raises(ModelError, match="no answer in") as caught:
                await model.generate([Message("user", "a")], Params())
            assert caught.value.retry
            model.timeout = 60.0
            return str((await model.generate([Message("user", "b")], Params())).text)

    assert asyncio.run(ask()) == "Ok."


def test_the_program_and_what_it_started_end_with_the_run(
    program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convsafe.benchmark.models.cmd.GRACE", 0.2)
    model = program(
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')",
        "said = {'response': 'Ok.'}", SAY, "time.sleep(60)",
        start="import subprocess\nchild = subprocess.Popen(['sleep', '60'])",
    )  # fmt: skip
    assert asked(model, "Hi.")[0].text == "Ok."
    for pid in (tmp_path / "pids").read_text().split():
        assert _gone(int(pid))


def _gone(pid: int) -> bool:
    """Wait for a process to be gone, or dead and not yet collected."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("command", "name"),
    [("./my_model --flag x", "my_model"), ("/usr/bin/python3 run/it.py --flag", "python3 it.py")],
)
def test_a_program_is_named_without_its_flags_and_folder(command: str, name: str) -> None:
    assert connect(f"cmd:{command}").name == name


@pytest.mark.parametrize("target", ["", "'open", "/no/such/program"])
def test_a_program_that_cannot_be_started(target: str) -> None:
    with pytest.raises(BadInput, match=r"name the program|No closing|cannot be started: No such"):
        asked(connect(f"cmd:{target}"), "Hi.")


def test_a_program_is_run_over_a_suite(program: Any, core_release: Path, tmp_path: Path) -> None:
    program("said = {'response': 'Ok.'}", SAY)
    suite = load_suite(core_release, limit=12)
    spec = f"cmd:'{sys.executable}' '{tmp_path / 'my model.py'}'"
    found = run(spec, suite, tmp_path / "run").generations()
    assert sorted(found["id"]) == sorted(case.id for case in suite.cases)
    assert set(found["response"]) == {"Ok."}


# Replay


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def case_of(id: str, *turns: tuple[str, str]) -> Case:
    messages = tuple(Message(role, content) for role, content in turns or [("user", "Hi.")])
    return Case(
        id=id, base_id=id, cluster_id=id, config="core", measures=("safety",), messages=messages,
        prompt="Hi.", hazards=("drugs",), language="en", source="x", source_id="1", license="MIT",
    )  # fmt: skip


def replayed(path: Path, *asks: tuple[Case, int] | Sequence[Message]) -> list[Any]:
    model: Any = connect(f"replay:{path}")

    async def ask(one: Any) -> Any:
        try:
            if isinstance(one[0], Case):
                return await model.generate_case(*one, Params())
            return await model.generate(one, Params())
        except ModelError as error:
            return error

    async def all_of_them() -> list[Any]:
        async with model:
            return [await ask(one) for one in asks]

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_file_answers_by_id_and_sample(tmp_path: Path, form: str) -> None:
    rows = [
        {
            "id": "a",
            "sample": 0,
            "response": "One.",
            "finish_reason": "stop",
            "outcome": "answered",
        },
        {"id": "a", "sample": 1, "response": "Two.", "finish_reason": None, "outcome": None},
        {"id": "b", "sample": 0, "response": "", "finish_reason": None, "outcome": "filtered"},
    ]
    path = write(tmp_path / f"replies.{form}", rows)
    a, b, c = case_of("a"), case_of("b"), case_of("c")
    one, two, blocked, third, none = replayed(path, (a, 0), (a, 1), (b, 0), (a, 2), (c, 0))
    assert one == Reply("One.", "answered", "stop")
    assert (two.text, two.outcome, blocked.outcome) == ("Two.", "answered", "filtered")
    assert third.reason == f"{path} has no reply to a, sample 2"
    assert none.reason == f"{path} has no reply to c"
    assert not none.retry
    assert not none.fatal


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_file_without_ids_answers_the_conversation(tmp_path: Path, form: str) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And?"},
    ]
    ended = [*turns, {"role": "assistant", "content": "Bye."}]
    path = write(tmp_path / f"a.{form}", [{"messages": ended, "response": "Bye."}])
    sent = [Message(turn["role"], turn["content"]) for turn in turns]
    whole, first, case, other = replayed(
        path, sent, sent[:2], (case_of("a", *sent), 0), [Message("user", "Ho.")]
    )
    assert (whole.text, first.text, case.text) == ("Bye.", "Hello.", "Bye.")
    assert "has no reply to this conversation: 'Ho.'" in other.reason
    path = write(tmp_path / f"b.{form}", [{"prompt": "Hi.", "response": "Ho."}])
    assert replayed(path, [Message("user", "Hi.")])[0].text == "Ho."


def test_different_replies_to_one_conversation_are_told_apart_by_id_alone(tmp_path: Path) -> None:
    rows = [
        {"id": i, "prompt": "Hi.", "response": r} for i, r in (("a", "1"), ("b", "2"), ("c", "1"))
    ]
    path = write(tmp_path / "replies.jsonl", rows)
    b, error = replayed(path, (case_of("b"), 0), [Message("user", "Hi.")])
    assert b.text == "2"
    assert "different replies to one conversation" in error.reason


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": "a", "response": "1"}, {"id": "b", "response": "1"}, {"id": "a", "response": "2"}],
         r"replies\.jsonl:3 \[a\]: line 1 has the same id"),
        ([{"id": "a"}], r"replies\.jsonl:1 \[a\]: a row needs \"response\""),
        ([{"response": "1"}], r'replies\.jsonl:1: a row needs "response", and "id"'),
        ([{"id": "a", "response": "1", "outcome": "good"}], "outcome 'good' is not one of"),
        ([{"messages": ["Hi."], "response": "1"}], r"replies\.jsonl:1: `messages`"),
        ([{"id": "a", "sample": "x", "response": "1"}], r"\[a\]: `id` must be a text and `sample`"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, rows: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replayed(write(tmp_path / "replies.jsonl", rows))


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet", "none.csv", "broken.parquet"])
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.parquet").write_text("PAR0")
    with pytest.raises(BadInput, match=rf"{name}.*(no such file|ends in \.jsonl|not a Parquet)"):
        replayed(tmp_path / name)


def test_a_run_is_replayed(core_release: Path, tmp_path: Path) -> None:
    suite = load_suite(core_release, limit=12)
    first = run("always_refuse", suite, tmp_path / "first")
    again = run(f"replay:{first.generations_path}", suite, tmp_path / "again")
    columns = ["id", "sample", "outcome", "response"]
    assert again.generations()[columns].sort("id").equals(first.generations()[columns].sort("id"))
