"""Transcripts: who said what, what happened beside it, and what is folded away."""

from typing import Any

import pytest
from convsafe.benchmark.transcripts import (
    BEGINNING,
    LONG,
    Note,
    Transcript,
    other_labels,
    transcript,
)

ASKED = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello."}]


def talk(replies: int) -> list[dict[str, str]]:
    turns = [(f"user {n}", f"reply {n}") for n in range(1, replies + 1)]
    return [
        {"role": role, "content": text}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]


def shown(found: Transcript) -> list[Any]:
    return [*found.first, *found.between, *found.last]


def notes(*trace: dict[str, Any], replies: int = 2) -> dict[str, list[str]]:
    """Return the words in the margin by the turn's text."""
    found = shown(transcript([], talk(replies), "", trace))
    return {turn.text: [note.words for note in turn.notes] for turn in found if turn.notes}


def test_a_single_reply_follows_the_cases_messages() -> None:
    found = shown(transcript(ASKED, None, "Hi.", (), ["unsafe_at:1"]))
    assert [(turn.role, turn.text, turn.number, turn.unsafe) for turn in found] == [
        ("system", "Be kind.", None, False),
        ("user", "Hello.", None, False),
        ("assistant", "Hi.", 1, True),
    ]
    assert shown(transcript(ASKED, None, ""))[-1].text == "(no text)"


def test_replies_that_the_case_brought_are_not_the_models() -> None:
    asked = [*talk(1), {"role": "user", "content": "And now?"}]
    said = [*asked, {"role": "assistant", "content": "So."}]
    found = shown(transcript(asked, said, "So.", (), ["unsafe_at:1"]))
    assert [(turn.text, turn.number) for turn in found if turn.role == "assistant"] == [
        ("reply 1", None),
        ("So.", 1),
    ]
    assert [turn.text for turn in found if turn.unsafe] == ["So."]


def test_held_live_every_reply_is_the_models() -> None:
    asked = [*talk(1), {"role": "user", "content": "And now?"}]
    said = [asked[0], {"role": "assistant", "content": "Mine."}, asked[2], talk(1)[1]]
    found = shown(transcript(asked, said, "", (), ["unsafe_at:2"]))
    assert [(turn.number, turn.unsafe) for turn in found] == [
        (None, False),
        (1, False),
        (None, False),
        (2, True),
    ]


def test_the_margin_says_what_happened_at_each_turn() -> None:
    assert notes(
        {"kind": "move", "turn": 2, "move": "small_step", "score": 0.25},
        {"kind": "guard", "turn": 2, "where": "input", "guard": "g", "p": 0.9, "stopped": True},
        {"kind": "state", "turn": 1, "state": {"craving": 3, "motivation": 2}},
        {"kind": "event", "turn": 1, "name": "role_neglect", "attribution": "life"},
        {"kind": "state", "turn": 2, "state": {"craving": 4, "motivation": 2}},
        {"kind": "crisis", "turn": 2, "class": "imminent_harm_to_self"},
        {"kind": "actions", "turn": 2, "actions": {"assess": True, "de_escalate": False}},
        {"kind": "asked", "turn": 2, "attribute": "age", "known": False},
        {"kind": "weather", "turn": 2, "sun": True},
    ) == {
        "reply 1": ["state: craving 3, motivation 2", "role neglect, from life"],
        "user 2": ["move: small step (score\xa00.25)", "stopped by input:g (p\xa00.90)"],
        "reply 2": [
            "craving 3 → 4",
            "crisis: imminent harm to self",
            "taken: assess; left out: de escalate",
            "asked for age, which is not known",
            "weather",
        ],
    }


def test_texts_of_guards_and_revisions_are_kept_to_be_folded() -> None:
    trace = [
        {"kind": "guard", "turn": 1, "where": "output", "guard": "g", "stopped": True,
         "withheld": "W"},
        {"kind": "revision", "turn": 1, "triggered": True, "before": "B", "after": "A"},
    ]  # fmt: skip
    reply = shown(transcript([], talk(1), "", trace))[-1]
    assert reply.notes == (
        Note("guard", "stopped by output:g", (("what was withheld", "W"),), True),
        Note("revision", "revised", (("before", "B"), ("after", "A"))),
    )


def test_what_belongs_to_no_turn_stands_before_or_beside_the_conversation() -> None:
    found = transcript(
        [],
        talk(1),
        "",
        [
            {"kind": "state", "turn": 0, "state": {"craving": 3}},
            {"kind": "search", "turn": 7, "calls": 20, "pruned": 12},
            {"kind": "move", "turn": 9, "move": "late"},
            {"kind": "odd", "turn": "x"},
        ],
    )
    assert [note.words for note in found.before] == ["state: craving 3"]
    assert [note.words for note in found.beside] == ["search: 20 calls, 12 pruned", "odd",
                                                     "move: late"]  # fmt: skip


@pytest.mark.parametrize("replies", [1, 5, 6, 40])
def test_long_conversations_fold_in_the_middle_and_lose_nothing(replies: int) -> None:
    said = talk(replies)
    found = transcript([], said, "", (), ["unsafe_at:3", "unsafe_at:4"])
    assert [turn.text for turn in shown(found)] == [turn["content"] for turn in said]
    assert len(found.first) + len(found.last) <= 10
    assert bool(found.between) == (replies > 5)
    assert found.unsafe_between == {1: 0, 5: 0, 6: 2, 40: 2}[replies]


def test_a_long_text_shows_its_beginning() -> None:
    found = shown(transcript(ASKED, None, "x" * (LONG + 1)))
    assert found[-1].beginning == "x" * BEGINNING + " …"
    assert found[0].beginning is None


def test_labels_that_the_transcript_shows_are_not_said_again() -> None:
    labels = ["hard", "turns:3", "unsafe_at:2", "event:relapse", "state:a:1:2", "option:B"]
    assert other_labels(labels) == ["hard", "option:B"]
