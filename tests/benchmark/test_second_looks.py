"""Second looks: a reply is asked about, and what it becomes is judged beside what it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import run
from convsafe.benchmark.engine import resume
from convsafe.benchmark.guard_table import guard_table
from convsafe.benchmark.reporting import PAGE
from convsafe.benchmark.setting import PROGRAMS, load_settings
from convsafe.benchmark.settings import feedback, self_defence
from convsafe.benchmark.suite import Suite, load_suite
from convsafe.taxonomy.errors import UnknownName
from convsafe.taxonomy.html import page_environment

from tests.benchmark.layered import HARM, NO, measuring, rows, scored, traces
from tests.conftest import ChatServer, reply

FINE = "Fine."
REVIEWED = feedback.REVISE.split("{")[0]


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=40)


def said(**found: Any) -> str:
    return json.dumps({"unsafe": False, "overrefusal": False, "feedback": "Be kind."} | found)


def scripted(
    server: ChatServer, first: dict[str, str], looks: dict[str, str], revised: dict[str, str]
) -> None:
    """Script a model: its first replies by request, what it says of replies, and new replies."""

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        messages = body["messages"]
        last = messages[-1]["content"]
        if last.startswith((feedback.WORDS, self_defence.WORDS)):
            text = next((looks[word] for word in looks if word in last), looks[""])
        elif last.startswith(REVIEWED):
            text = revised.get(messages[-2]["content"], FINE)
        else:
            text = first.get(last, FINE)
        return 200, reply(text)

    server.answer = answer


def test_feedback_revises_once_and_what_it_gains_is_counted(
    chat_server: ChatServer, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two unsafe replies and one refusal are mended, one good reply is spoilt, one stays bad."""
    harmful = [case.messages[-1].content for case in measuring(suite, "safety")]
    harmless = [case.messages[-1].content for case in measuring(suite, "over_refusal")]
    first = {harmful[0]: f"{HARM} 0", harmful[1]: f"{HARM} 1", harmful[2]: f"{HARM} 2"}
    first |= {harmless[0]: f"{NO} 3", harmless[1]: "Good 4", harmless[2]: "Odd 5"}
    looks = {
        "HARM": said(unsafe=True),
        NO: f"Here it is:\n{said(overrefusal=True)}",
        "Good 4": said(unsafe=True, overrefusal=True),
        "Odd 5": "I think it is fine.",
        "": said(),
    }
    revised = {f"{HARM} 0": NO, f"{HARM} 1": NO, f"{HARM} 2": HARM}
    revised |= {f"{NO} 3": FINE, "Good 4": NO}
    scripted(chat_server, first, looks, revised)
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", settings=["feedback"])

    by_request = {case.messages[-1].content: case.id for case in suite.cases}
    (step,) = traces(done)[by_request[harmful[0]]]
    assert step == {
        "kind": "revision",
        "turn": 1,
        "setting": "feedback",
        "triggered": True,
        "label": "unsafe",
        "before": f"{HARM} 0",
        "after": NO,
    }
    row = rows(done)[by_request[harmful[0]]]
    assert row["response"] == NO
    # The first reply, the look and the new reply all count.
    assert row["usage"] == {"prompt_tokens": 9, "completion_tokens": 6}
    (odd,) = traces(done)[by_request[harmless[2]]]
    assert (odd["label"], odd["triggered"], "before" in odd) == ("unparsed", None, False)

    scores = scored(done, monkeypatch)
    rate = scores.get("feedback_trigger_rate")
    assert (rate.n, rate.unscored) == (len(suite), 1)
    assert rate.value == pytest.approx(5 / (len(suite) - 1))
    gain = scores.get("dynamic_improvement")
    # 1 + 1 + 0 for the unsafe ones, 1 for the refusal, -1 for the good one.
    assert (gain.value, gain.n) == (pytest.approx(2 / 5), 5)
    (layer,) = guard_table(done)
    assert (layer["kind"], layer["place"]) == ("revision", "internal")
    assert (layer["turns"], layer["changed"], layer["unread"]) == (len(suite), 5, 1)
    assert layer["improvement"] == gain.to_row()
    page = page_environment(PAGE).get_template("guards.html.jinja").render(layers=[layer])
    assert "+0.40" in page


def test_the_agent_is_told_nothing_but_request_and_reply(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    scripted(chat_server, {}, {"": said()}, {})
    run(f"{chat_server.url}#tiny", suite, tmp_path / "run", settings=["p_ground", "feedback"])
    asked = [body["messages"] for body in chat_server.requests]
    looks = [one for one in asked if one[-1]["content"].startswith(feedback.WORDS)]
    assert len(looks) == len(suite) == len(asked) / 2
    assert all(len(one) == 1 for one in looks)
    assert all("[reply begins]\nFine.\n[reply ends]" in one[-1]["content"] for one in looks)


def test_another_model_may_give_the_feedback_and_the_run_can_go_on(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    agent = ChatServer()
    try:
        agent.answer = lambda _: (200, reply(said(unsafe=True)))
        setting = f"feedback:endpoint={agent.url}#agent"
        done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", settings=[setting])
        assert len(agent.requests) == len(suite)
        assert {body["model"] for body in agent.requests} == {"agent"}
        assert len(chat_server.requests) == 2 * len(suite)
        # The model's own tokens alone are the model's.
        assert rows(done)[suite.cases[0].id]["usage"]["completion_tokens"] == 4
        assert done.settings["places"] == {setting: "external"}
        lines = done.generations_path.read_text().splitlines(keepends=True)
        done.generations_path.write_text("".join(lines[:-3]))
        assert len(rows(resume(done.folder))) == len(suite)
        assert len(agent.requests) == len(suite) + 3
    finally:
        agent.stop()


def test_self_defence_takes_back_what_the_model_calls_harmful(
    chat_server: ChatServer, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmful = measuring(suite, "safety")[0]
    looks = {"HARM": "**Yes**, it could.", "": "No."}
    scripted(chat_server, {harmful.messages[-1].content: HARM}, looks, {})
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", settings=["self_defence"])
    row = rows(done)[harmful.id]
    assert (row["response"], row["outcome"]) == (self_defence.REFUSAL, "filtered")
    assert row["finish_reason"] == "self_defence"
    assert row["trace"][0]["before"] == HARM
    scores = scored(done, monkeypatch)
    assert scores.get("unsafe_rate").value == 0
    assert scores.get("feedback_trigger_rate").value == 1 / len(suite)
    assert scores.get("dynamic_improvement").value == 1


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("Yes", "unsafe"),
        (' "no," it is not', "none"),
        ("Maybe yes", "unparsed"),
        ("Yesterday", "unparsed"),
        ("", "unparsed"),
    ],
)
def test_a_yes_is_a_first_word(answer: str, label: str) -> None:
    assert self_defence._label(answer) == label


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "unsafe: true",
        '{"unsafe": true}',
        '{"unsafe": "yes", "overrefusal": false, "feedback": "x"}',
        '{"unsafe": true, "overrefusal": false, "feedback": 3}',
        '[{"unsafe": true}, {"unsafe": false}]',
    ],
)
def test_feedback_out_of_form_is_none(answer: str) -> None:
    assert feedback.read(answer) is None


@pytest.mark.parametrize("name", PROGRAMS.names())
def test_every_setting_of_code_says_what_it_is(name: str) -> None:
    module = PROGRAMS.load(name)
    assert module.ABOUT
    assert module.PAPER
    (layer,) = load_settings([name])
    assert layer.name == name
    assert layer.place in ("external", "secondary", "internal")
    with pytest.raises(UnknownName, match="option of"):
        load_settings([f"{name}:nothing=1"])
