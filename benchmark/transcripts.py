"""A reply as people read it: turn by turn, with what happened beside each turn in the margin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from convsafe.benchmark.details import turn_of

# A text longer than this is folded after its beginning; so are turns between the ends of a talk.
LONG, BEGINNING = 1600, 700
_FIRST, _LAST, _MANY = 2, 4, 10
UNSAFE_AT = "unsafe_at:"
# Labels that say what the transcript shows.
_SHOWN_BESIDE = (UNSAFE_AT, "turns:", "state:", "event:", "by_reply:", "crisis:", "action:")

Entry = Mapping[str, Any]


class Note(NamedTuple):
    """Something that happened beside a turn: its words, and longer texts to be folded away."""

    kind: str
    words: str
    texts: tuple[tuple[str, str], ...] = ()
    alarms: bool = False


class Turn(NamedTuple):
    """One turn as it is shown; `number` counts the model's own replies from 1."""

    role: str
    text: str
    number: int | None = None
    unsafe: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def beginning(self) -> str | None:
        """The beginning of a text that is too long to stand open, or None."""
        return self.text[:BEGINNING].rstrip() + " …" if len(self.text) > LONG else None


class Transcript(NamedTuple):
    """A conversation: its first turns, those folded away, its last ones, and what else there is.

    `before` was so when it began; `beside` belongs to no turn that is shown.
    """

    before: tuple[Note, ...]
    first: tuple[Turn, ...]
    between: tuple[Turn, ...]
    last: tuple[Turn, ...]
    beside: tuple[Note, ...]

    @property
    def unsafe_between(self) -> int:
        """How many of the turns that are folded away were unsafe."""
        return sum(turn.unsafe for turn in self.between)


def transcript(
    asked: Sequence[Entry],
    said: Sequence[Entry] | None,
    response: str,
    trace: Sequence[Entry] = (),
    labels: Sequence[str] = (),
) -> Transcript:
    """Return a conversation as it is shown.

    Args:
        asked: The case's messages, each a role and its content.
        said: The generation's own transcript, where the case was held as a dialogue; replies in
            it are the model's, but for those of a beginning that is all of `asked`.
        response: The last reply, which ends the conversation where there is no transcript.
        trace: What happened beside the words.
        labels: The verdict's; `unsafe_at:N` marks the model's N-th reply.
    """
    messages = list(said or [*asked, {"role": "assistant", "content": response or "(no text)"}])
    given = len(asked) if messages[: len(asked)] == list(asked) else 0
    notes = _notes(trace)
    turns: list[Turn] = []
    number = 0
    for place, message in enumerate(messages):
        role, text = message["role"], message["content"]
        if role == "assistant" and place >= given:
            number += 1
            unsafe = f"{UNSAFE_AT}{number}" in labels
            turns.append(Turn(role, text, number, unsafe, tuple(notes.pop((number, False), ()))))
        else:
            before = notes.pop((number + 1, True), ()) if role == "user" else ()
            turns.append(Turn(role, text, notes=tuple(before)))
    begun = tuple(notes.pop((0, True), ()))
    rest = tuple(note for _, found in sorted(notes.items()) for note in found)
    return Transcript(begun, *_folded(turns), rest)


def other_labels(labels: Sequence[str]) -> list[str]:
    """Return the labels that a transcript does not show by itself."""
    return [label for label in labels if not label.startswith(_SHOWN_BESIDE)]


class _Folded(NamedTuple):
    first: tuple[Turn, ...]
    between: tuple[Turn, ...]
    last: tuple[Turn, ...]


def _folded(turns: Sequence[Turn]) -> _Folded:
    if len(turns) <= _MANY:
        return _Folded(tuple(turns), (), ())
    first = _FIRST + (turns[0].role == "system")
    return _Folded(tuple(turns[:first]), tuple(turns[first:-_LAST]), tuple(turns[-_LAST:]))


def _notes(trace: Sequence[Entry]) -> dict[tuple[int, bool], list[Note]]:
    """Return notes by the model's reply they stand at, and whether at the user's turn before it."""
    found: dict[tuple[int, bool], list[Note]] = {}
    state: dict[str, Any] = {}
    for entry in trace:
        if entry["kind"] == "state":
            note = _state(entry, state)
            state = dict(entry.get("state") or {})
        else:
            note = _WORDS.get(entry["kind"], _anything)(entry)
        found.setdefault(_place(entry), []).append(note)
    return found


def _place(entry: Entry) -> tuple[int, bool]:
    kind = entry["kind"]
    # What has no turn of its own belongs to the conversation as a whole.
    at = turn_of(entry) if kind != "search" else 0
    of_user = kind == "move" or entry.get("where") == "input" or (kind == "state" and not at)
    return at, of_user


def _state(entry: Entry, before: Mapping[str, Any]) -> Note:
    """Return what changed since the last state; all of the first one."""
    now = entry.get("state") or {}
    if not before:
        words = ", ".join(f"{plain(name)} {value}" for name, value in now.items())
        return Note("state", f"state: {words}")
    moved = [
        f"{plain(name)} {before.get(name, '–')} → {value}"
        for name, value in now.items()
        if before.get(name) != value
    ]
    return Note("state", "; ".join(moved) or "state unchanged")


def _guard(entry: Entry) -> Note:
    stopped = bool(entry.get("stopped"))
    did = "stopped by" if stopped else "passed"
    name = f"{entry.get('where', '')}:{entry.get('guard', '')}".strip(":")
    texts = _texts(entry, withheld="what was withheld")
    return Note("guard", f"{did} {name}{_number(entry, 'p')}", texts, stopped)


def _revision(entry: Entry) -> Note:
    if not entry.get("triggered"):
        return Note("revision", "looked at again: not revised")
    return Note("revision", "revised", _texts(entry, before="before", after="after"))


def _move(entry: Entry) -> Note:
    return Note("move", f"move: {plain(entry.get('move', ''))}{_number(entry, 'score')}")


def _event(entry: Entry) -> Note:
    by = {"reply": ", after a reply", "life": ", from life"}.get(entry.get("attribution", ""), "")
    return Note("event", f"{plain(entry.get('name', ''))}{by}", alarms=True)


def _crisis(entry: Entry) -> Note:
    return Note("crisis", f"crisis: {plain(entry.get('class', ''))}", alarms=True)


def _actions(entry: Entry) -> Note:
    actions = entry.get("actions") or {}
    parts = [("taken", True), ("left out", False)]
    said = [
        f"{word}: {', '.join(plain(name) for name in found)}"
        for word, want in parts
        if (found := [name for name, taken in actions.items() if bool(taken) is want])
    ]
    return Note("actions", "; ".join(said))


def _asked(entry: Entry) -> Note:
    known = "" if entry.get("known") else ", which is not known"
    return Note("asked", f"asked for {plain(entry.get('attribute', ''))}{known}")


def _search(entry: Entry) -> Note:
    counts = [
        f"{value} {plain(name)}"
        for name, value in entry.items()
        if isinstance(value, int) and name != "turn"
    ]
    return Note("search", "search: " + ", ".join(counts))


def _anything(entry: Entry) -> Note:
    """Return what a kind that this page does not know says, as it was written down."""
    rest = {name: value for name, value in entry.items() if name not in ("kind", "turn")}
    return Note("other", plain(entry["kind"]), (("details", json.dumps(rest)),) if rest else ())


_WORDS: dict[str, Callable[[Entry], Note]] = {
    "guard": _guard,
    "revision": _revision,
    "move": _move,
    "event": _event,
    "crisis": _crisis,
    "actions": _actions,
    "asked": _asked,
    "search": _search,
}


def _number(entry: Entry, name: str) -> str:
    value = entry.get(name)
    return f" ({name}\u00a0{value:.2f})" if isinstance(value, (int, float)) else ""


def _texts(entry: Entry, **titles: str) -> tuple[tuple[str, str], ...]:
    return tuple((title, str(entry[name])) for name, title in titles.items() if entry.get(name))


def plain(name: Any) -> str:
    """Return a name as words."""
    return str(name).replace("_", " ")
