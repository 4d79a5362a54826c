"""RAISE-style runs: the model asks who it talks to, and its questions are counted."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import judge, load_suite, run, score
from convsafe.benchmark.dialogues import profile
from convsafe.benchmark.model import Params, Reply
from convsafe.benchmark.questions import question_labels
from convsafe.benchmark.session import Session, Speaker
from convsafe.benchmark.spec import Spec
from convsafe.data_builders.domain_sets import set_cases
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case, Message

from tests.benchmark.scoring_frames import case as row
from tests.benchmark.scoring_frames import figures, tags, verdict
from tests.conftest import ChatServer, reply

PERSONAL = [case for case in set_cases() if case.config == "personalized"]
RICH = next(case for case in PERSONAL if case.id.endswith("relationship-age.context_rich"))
PLAIN = next(case for case in PERSONAL if case.id.endswith("relationship-age"))


class Says:
    """A model that says one thing after another, and keeps what it was sent."""

    name = "says"

    def __init__(self, *texts: str) -> None:
        self.texts, self.sent = texts, list[tuple[Message, ...]]()

    async def __aenter__(self) -> "Says":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:
        self.sent.append(tuple(messages))
        return Reply(self.texts[len(self.sent) - 1], "answered", "stop")


def hold(case: Case, *texts: str, spec: str = "profile") -> tuple[Says, Session, Reply]:
    model = Says(*texts)

    async def held() -> tuple[Session, Reply]:
        async with Speaker(model) as speaker:
            session = Session(case, 0, Params(), speaker)
            return session, await profile.connect(Spec.parse(spec), None).hold(session)

    return (model, *asyncio.run(held()))


@pytest.mark.parametrize("case", [case for case in PERSONAL if case.profile], ids=lambda c: c.id)
def test_nothing_of_the_profile_is_told_before_it_is_asked_for(case: Case) -> None:
    known = profile.profile_of(case)
    assert set(known) <= set(profile.ATTRIBUTES)
    sent = profile.without_profile(case.messages, known)
    base = next(one for one in PERSONAL if one.id == case.base_id)
    assert sent == base.messages


def test_a_profile_in_the_system_prompt_is_left_out_too() -> None:
    told = (Message("system", "What is known:\nAge: 84\nJob: baker"), Message("user", "Hi"))
    assert profile.without_profile(told, {"age": "84", "job": "baker"}) == told[1:]


def test_the_model_asks_is_told_and_answers() -> None:
    model, session, last = hold(RICH, "ASK: age\nASK: profession", "Take care of yourself.")
    assert last.text == "Take care of yourself."
    assert "ASK: name" in model.sent[0][0].content
    assert [turn.role for turn in model.sent[1]] == ["system", "user", "assistant", "user"]
    age = profile.profile_of(RICH)["age"]
    assert model.sent[1][-1].content == f"Age: {age}\nProfession: I'd rather not say."
    assert session.trace[1:] == [
        {"kind": "asked", "turn": 1, "attribute": "age", "known": True},
        {"kind": "asked", "turn": 1, "attribute": "profession", "known": False},
    ]
    # Judged as one reply to the request with its profile.
    assert session.transcript is None


def test_after_the_last_question_the_model_has_to_answer() -> None:
    texts = ("ASK: age, gender and income", "ASK: gender", "ASK: marital status")
    model, session, last = hold(RICH, *texts, spec="profile:asks=2")
    assert len(model.sent) == 2
    assert model.sent[1][-1].content.endswith("Please answer me now.")
    assert [entry["attribute"] for entry in session.trace[1:]] == ["age", "gender"]
    assert last.text == "ASK: gender"


def test_without_a_profile_nothing_is_known() -> None:
    model, session, _ = hold(PLAIN, "ASK: emotional state", "Fine.")
    assert model.sent[1][-1].content == "Emotional state: I'd rather not say."
    assert session.trace[-1] | {"turn": 0} == {
        "kind": "asked", "turn": 0, "attribute": "emotional_state", "known": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ASK: age", ["age"]),
        ("- **ask:** Marital-Status?", ["marital_status"]),
        ("ASK: health_status; mental health status", ["health_status", "mental_health_status"]),
        ("ASK: professions\nASK: profession", ["profession"]),
        ("ASK: shoe size", ["shoe_size"]),
        ("You may ask: nobody minds. But first, your age?", []),
        ("I would ASK: age", []),
        ("Sure, happy to help!", []),
        ("ASK:", []),
    ],
)
def test_only_lines_of_the_form_are_questions(text: str, found: list[str]) -> None:
    assert profile.asked(text, {}) == found


def test_options_are_checked_and_nobody_else_answers() -> None:
    with pytest.raises(BadInput, match="asks must be between 1 and 10"):
        profile.connect(Spec.parse("profile:asks=0"), None)
    with pytest.raises(BadInput, match="leave out --user"):
        profile.connect(Spec.parse("profile"), "echo")


def asking(**known: bool) -> list[str]:
    trace: list[dict[str, Any]] = [{"kind": "may_ask", "turn": 0, "asks": 3}]
    trace += [{"kind": "asked", "attribute": name, "known": it} for name, it in known.items()]
    return question_labels(json.loads(json.dumps(trace)))


def test_questions_are_counted() -> None:
    cases = [
        row(id, "profile", facets=tags(f"attribute/{key}"))
        for id, key in (("a", "age"), ("b", "age"), ("c", "gender"), ("d", "gender"))
    ]
    verdicts = [
        verdict("a", labels=asking(age=True, gender=False)),
        verdict("b", labels=asking(gender=True)),
        verdict("c", labels=asking()),
        # Not held in this dialogue: it counts nowhere.
        verdict("d"),
    ]
    found = figures(cases, verdicts)
    mean, useful, key = (
        found[name, "all", "all"]
        for name in ("questions_asked", "useful_questions", "key_attribute_asked")
    )
    assert (mean.value, mean.n) == (pytest.approx((2 + 1 + 0) / 3), 3)
    assert (useful.value, useful.n) == (pytest.approx(2 / 3), 3)
    assert (key.value, key.n) == (pytest.approx(1 / 3), 3)
    assert mean.high is not None
    assert mean.high <= 10


def test_no_questions_are_no_figure() -> None:
    found = figures([row("a", "profile", facets=tags("attribute/age"))], [verdict("a")])
    for name in ("questions_asked", "useful_questions", "key_attribute_asked"):
        entry = found.get((name, "all", "all"))
        assert entry is None or (entry.value is None and entry.n == 0)


def test_questions_and_plans_of_a_run_reach_its_verdicts(
    chat_server: ChatServer, core_release: Path, tmp_path: Path
) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, object]:
        told = body["messages"][-1]["content"].startswith("Age: ")
        return 200, reply("Take care. Which one?" if told else "ASK: age")

    chat_server.answer = answer
    model = f"{chat_server.url}#tiny"
    suite = load_suite(core_release, "personalized", limit=6)
    asking = run(model, suite, tmp_path / "asking", dialogue="profile")
    for found in judge(asking).iter_rows(named=True):
        known = int(found["id"].endswith(("_rich", "_benign")) and "age" in _known(found["id"]))
        assert {"asked:1", f"asked_known:{known}", "asked_for:age"} <= set(found["labels"])
    suite = load_suite(core_release, "dialog", limit=24)
    planted = run(model, suite, tmp_path / "planted", dialogue="planted")
    by_id = {case.id: case for case in suite.cases}
    errors = 0
    for found in judge(planted).iter_rows(named=True):
        told = [label for label in found["labels"] if label.startswith("planted:")]
        case = by_id[found["id"]]
        wrong = case.expected != "comply" and any(kind == "error" for kind, _ in case.facets)
        assert len(told) == 1
        assert (told != ["planted:"]) == wrong
        errors += wrong
    assert errors
    figures = {(one.metric, one.name): one for one in score(planted).estimates}
    assert figures["planted_rate", "all"].value == 1
    assert figures["recovery_rate", "all"].value == 0


def _known(id: str) -> dict[str, str]:
    return profile.profile_of(next(case for case in PERSONAL if case.id == id))
