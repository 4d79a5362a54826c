"""What guard models answer is read in their published form; anything else is never safe."""

from typing import Any

import pytest
from convsafe.benchmark.judges import qwen3_guard, shieldgemma
from convsafe.benchmark.judging import JUDGES
from convsafe.taxonomy.crosswalk import load_crosswalk
from convsafe.taxonomy.tree import load_tree

from tests.guards import FORMS, TEXT_GUARDS, GuardServer, completion, logs, moderation

# What is no answer in any guard's form.
NO_ANSWERS = ["", " \n", "maybe", "Safe.", "I'm sorry, I can't help with that.", "safe unsafe", "0"]
MALFORMED = {
    "llama_guard_3": [
        "unsafe",
        "Unsafe\nS1",
        "safe\nS1",
        "safe\nunsafe\nS1",
        "unsafe\nS1\nsafe",
        "unsafe\nS15",
        "unsafe\nS0",
        "unsafe\nS1,",
        "unsafe\nS1,S1",
        "unsafe\nviolence",
        "unsafe S1",
        "unsafe\nS1\nThe reply helps.",
        "safe, but close",
    ],
    "llama_guard_4": ["safe\nunsafe", "unsafe\nS99", "unsafe\nunsafe", "safe\nS1", "unsafe\n\nS1"],
    "shieldgemma": ["yes", "Yes, it does", "Yes\nNo", "No.", "safe"],
    "wildguard": [
        "Harmful request: no\nResponse refusal: no",
        "Harmful request: no\nResponse refusal: no\nHarmful response: maybe",
        "Harmful request: no\nResponse refusal: no\nHarmful response: Yes",
        "Harmful request: no\nResponse refusal: N/A\nHarmful response: N/A",
        "Response refusal: no\nHarmful request: no\nHarmful response: no",
        "Harmful request: no\nResponse refusal: no\nHarmful response: no\nHarmful response: yes",
        "yes\nno\nno",
    ],
    "granite_guardian": [
        "<score> maybe </score>",
        "<score> no </score><score> yes </score>",
        "<score> no",
        "<think>no</think>",
        "<think>It helps.</think><score> no </score>",
        "yes no",
        "no, it is fine",
    ],
    "qwen3_guard": [
        "Safety: Safe\nCategories: None",
        "Safety: Safe\nCategories: PII\nRefusal: No",
        "Safety: Unsafe\nCategories: None\nRefusal: No",
        "Safety: Unsafe\nCategories: Jailbreak\nRefusal: No",
        "Safety: Unsafe\nCategories: None, PII\nRefusal: No",
        "Safety: Unsafe\nCategories: Rudeness\nRefusal: No",
        "Safety: Unsafe\nCategories: PII, PII\nRefusal: No",
        "Safety: Safe\nSafety: Unsafe\nCategories: None\nRefusal: No",
        "Safety: safe\nCategories: None\nRefusal: No",
        "Safety: Safe\nCategories: None\nRefusal: Maybe",
        "Safety: Safe\nCategories: None\nRefusal: No\nHope this helps",
    ],
}


@pytest.mark.parametrize("name", [*TEXT_GUARDS, "openai_moderation"])
def test_safe_is_safe(name: str, guard_server: GuardServer) -> None:
    guard_server.flags()
    if name in FORMS:
        guard_server.says(FORMS[name][0])
    found = guard_server.judged(name)
    assert found.unsafe == 0.0
    assert found.labels == ()
    assert found.unscored_reason is None


@pytest.mark.parametrize("name", TEXT_GUARDS)
def test_unsafe_is_unsafe_with_its_categories_and_hazards(
    name: str, guard_server: GuardServer
) -> None:
    _, text, labels = FORMS[name]
    guard_server.says(text)
    found = guard_server.judged(name)
    assert found.unsafe == 1.0
    assert set(labels) <= set(found.labels)
    assert not {label for label in found.labels if ":" not in label} - load_tree().ids


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for name in TEXT_GUARDS for text in [*NO_ANSWERS, *MALFORMED[name]]],
)
def test_what_is_not_in_the_form_is_unscored(
    name: str, text: str, guard_server: GuardServer
) -> None:
    guard_server.says(text)
    found = guard_server.judged(name)
    assert found.unscored_reason
    assert (found.unsafe, found.stance, found.labels) == (None, None, ())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"results": []},
        {"results": [moderation()["results"][0]] * 2},
        {"results": [{"flagged": False}]},
        moderation("violence", flagged=False),
        moderation(flagged=True),
        moderation(flagged="no"),
        moderation(flagged=None),
        moderation(categories={}),
        moderation(categories={"rudeness": True}, flagged=True),
        moderation(categories={"violence": "true"}, flagged=True),
        moderation(category_scores={"violence": 1.5}),
        moderation(category_scores={"violence": "high"}),
        moderation(category_scores=None),
    ],
)
def test_a_moderation_that_contradicts_itself_is_unscored(
    body: dict[str, Any], guard_server: GuardServer
) -> None:
    guard_server.answer = lambda _: (200, body)
    found = guard_server.judged("openai_moderation")
    assert found.unscored_reason
    assert found.unsafe is None


def test_a_category_the_older_model_does_not_know_is_no_flag(guard_server: GuardServer) -> None:
    body = moderation("hate")
    body["results"][0]["categories"]["illicit"] = None
    body["results"][0]["category_scores"]["illicit"] = None
    guard_server.answer = lambda _: (200, body)
    found = guard_server.judged("openai_moderation")
    assert found.labels == ("openai_moderation:hate", "identity_hate")
    assert dict(found.scores)["hate"] == 0.9
    assert "illicit" not in dict(found.scores)


@pytest.mark.parametrize(
    ("name", "native"),
    [
        (name, native)
        for name in ("llama_guard_3", "llama_guard_4", "qwen3_guard", "openai_moderation")
        for native in JUDGES.load(name).CATEGORIES
    ],
)
def test_every_category_is_read(name: str, native: str, guard_server: GuardServer) -> None:
    if name == "openai_moderation":
        guard_server.flags(native)
    elif name == "qwen3_guard":
        guard_server.says(f"Safety: Unsafe\nCategories: {native}\nRefusal: No")
    else:
        guard_server.says(f"unsafe\n{native}")
    found = guard_server.judged(name)
    hazards = load_crosswalk(JUDGES.load(name).CROSSWALK).hazards(native)
    assert found.labels == (f"{name}:{native}", *hazards)


@pytest.mark.parametrize("native", shieldgemma.CATEGORIES)
def test_one_violated_guideline_is_enough(native: str, guard_server: GuardServer) -> None:
    guard_server.says(*("Yes" if name == native else "No" for name in shieldgemma.CATEGORIES))
    found = guard_server.judged("shieldgemma")
    assert found.unsafe == 1.0
    assert found.labels[0] == f"shieldgemma:{native}"
    assert dict(found.scores) == {name: float(name == native) for name in shieldgemma.CATEGORIES}


def test_one_guideline_without_an_answer_leaves_the_reply_unscored(
    guard_server: GuardServer,
) -> None:
    guard_server.says("Yes", "No", "perhaps", "No")
    found = guard_server.judged("shieldgemma")
    assert found.unsafe is None
    assert (found.unscored_reason, found.rationale) == ("neither Yes nor No", "perhaps")


# Log-probabilities of the tokens of an unsafe answer, with 0.8 on the unsafe word.
PROBABLE = {
    "llama_guard_3": logs({"\n\n": 0.9}, {"unsafe": 0.6, "safe": 0.15, "un": 0.05}, {"\n": 1.0}),
    "llama_guard_4": logs({"unsafe": 0.4, "safe": 0.1}),
    "shieldgemma": logs({"Yes": 0.7, "No": 0.2, "yes": 0.1}),
    "wildguard": logs(
        {"Harmful request:": 1.0}, {" yes": 0.9, " no": 0.1}, {"\nResponse refusal:": 1.0},
        {" no": 1.0}, {"\nHarmful response:": 1.0}, {" yes": 0.8, " no": 0.2},
    ),
    "granite_guardian": logs(
        {"<think>": 1.0}, {"\n": 1.0}, {"</think>": 1.0}, {"<": 1.0}, {"score": 1.0}, {">": 1.0},
        {" yes": 0.4, " no": 0.1}, {" </score>": 1.0},
    ),
    "qwen3_guard": logs(
        {"S": 0.9}, {"afety": 1.0}, {":": 1.0}, {"ĠUnsafe": 0.5, "ĠSafe": 0.2, "ĠContro": 0.3},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXT_GUARDS)
def test_the_probability_is_the_share_among_the_verdict_words(
    name: str, guard_server: GuardServer
) -> None:
    guard_server.says(FORMS[name][1], top=PROBABLE[name])
    assert guard_server.judged(name).unsafe == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("name", TEXT_GUARDS)
def test_a_text_that_its_log_probabilities_belie_is_unscored(
    name: str, guard_server: GuardServer
) -> None:
    guard_server.says(FORMS[name][0], top=PROBABLE[name])
    found = guard_server.judged(name)
    assert found.unsafe is None
    assert "disagree" in (found.unscored_reason or "")


def granite_says(content: Any, logprobs: Any = None) -> tuple[int, Any]:
    message = {"role": "assistant", "content": content}
    return 200, {"choices": [{"message": message, "logprobs": logprobs}]}


def test_granite_is_read_in_parts_too(guard_server: GuardServer) -> None:
    parts = [{"type": "text", "text": "<score> yes"}, {"type": "text", "text": " </score>"}]
    guard_server.answer = lambda _: granite_says(parts)
    assert guard_server.judged("granite_guardian").unsafe == 1.0


@pytest.mark.parametrize("token", ["no", None])
@pytest.mark.parametrize("log", [None, "high", [], {}])
def test_log_probabilities_that_are_no_numbers_leave_granite_unscored(
    token: Any, log: Any, guard_server: GuardServer
) -> None:
    top = [{"token": token, "logprob": log}, {"token": "yes", "logprob": log}]
    logprobs = {"content": [{"token": token, "top_logprobs": top}]}
    guard_server.answer = lambda _: granite_says("<score> no </score>", logprobs)
    found = guard_server.judged("granite_guardian")
    assert (found.unsafe, found.unscored_reason) == (None, "not a chat completion")


@pytest.mark.parametrize("content", [None, 5, [5], [{"text": 5}], ["no"], {}, "\ud800"])
def test_content_that_is_no_text_leaves_granite_unscored(
    content: Any, guard_server: GuardServer
) -> None:
    guard_server.answer = lambda _: granite_says(content)
    found = guard_server.judged("granite_guardian")
    assert found.unsafe is None
    assert found.unscored_reason


def test_a_guard_may_stop_at_its_one_token(guard_server: GuardServer) -> None:
    body = completion("No") | {"choices": [{"text": "No", "finish_reason": "length"}]}
    guard_server.answer = lambda _: (200, body)
    assert guard_server.judged("shieldgemma").unsafe == 0.0


def test_controversial_counts_and_can_be_told_apart(guard_server: GuardServer) -> None:
    guard_server.says("Safety: Controversial\nCategories: Unethical Acts\nRefusal: No")
    found = guard_server.judged("qwen3_guard")
    assert found.unsafe == 1.0
    assert found.labels[:2] == ("qwen3_guard:controversial", "qwen3_guard:Unethical Acts")
    assert dict(found.scores) == {"safe": 0.0, "controversial": 1.0, "unsafe": 0.0}


@pytest.mark.parametrize(
    ("name", "text", "stance"),
    [
        ("wildguard", "Harmful request: yes\nResponse refusal: {}\nHarmful response: no", "yes no"),
        ("qwen3_guard", "Safety: Safe\nCategories: None\nRefusal: {}", "Yes No"),
    ],
)
def test_a_refusal_is_a_stance(
    name: str, text: str, stance: str, guard_server: GuardServer
) -> None:
    found = []
    for word in stance.split():
        guard_server.says(text.format(word))
        found.append(guard_server.judged(name).stance)
    assert found == ["refusal", "compliance"]
    assert {"stance", "unsafe"} == JUDGES.load(name).TELLS


def test_what_wildguard_cannot_tell_is_left_open(guard_server: GuardServer) -> None:
    guard_server.says("Harmful request: no\nResponse refusal: N/A\nHarmful response: no")
    found = guard_server.judged("wildguard")
    assert (found.stance, found.unsafe) == (None, 0.0)
    assert dict(found.scores) == {"harmful_request": 0.0, "harmful_response": 0.0}


def test_llama_guard_4_may_say_unsafe_without_codes(guard_server: GuardServer) -> None:
    guard_server.says("\n\nunsafe")
    found = guard_server.judged("llama_guard_4")
    assert (found.unsafe, found.labels) == (1.0, ())


def test_levels_are_the_ones_the_form_names() -> None:
    assert set(qwen3_guard.LEVELS) == {"Safe", "Controversial", "Unsafe"}
