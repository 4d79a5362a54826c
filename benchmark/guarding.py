"""Guards: a judge before the model, that stops requests, or behind it, that stops replies.

A guard is named `input:JUDGE[@ENDPOINT][:threshold=0.5,…]` or `output:…`. What it stops is answered
with a fixed text and has the outcome `filtered` with the finish reason `guard`: the system refused,
and no judge has to find that out. A guard that cannot be reached is an error of the request, which
is asked again; one that answers, but with nothing that can be read, stops the turn (fails closed).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.guard_sight import Look, Sight, sight_of
from convsafe.benchmark.loading import Judge, JudgeSettings, load_judge, unsafe_from
from convsafe.benchmark.model import ModelError, Reply
from convsafe.benchmark.session import Layer, Say, Session
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message

INPUT, OUTPUT = "input", "output"
REFUSAL = "This was stopped by a safety filter, so I can't help with it here."
STOPPED = "guard"
_FORM = re.compile(
    r"(?P<where>input|output):(?P<judge>[\w.-]+)(?:@(?P<endpoint>.+?))?"
    r"(?::(?P<options>[a-z_]+=[^,]*(?:,[a-z_]+=[^,]*)*))?"
)


@dataclass(frozen=True)
class _Options:
    """How a guard decides: from which probability on, by which rubric, and what it says then.

    `max_tokens` is how long the answers it goes by may be; 0 for the usual.
    """

    threshold: float = 0.5
    rubric: str = ""
    refusal: str = ""
    max_tokens: int = 0


class Guard(Layer):
    """A judge that stops a request or a reply from some probability of harm on.

    Args:
        name: What the user gave.
        where: `input`, before the model, or `output`, behind it.
        sight: How the judge looks.
        threshold: From which probability it stops.
        refusal: What is said instead.
        made_with: What else the guard's decisions depend on.
    """

    place = "external"

    def __init__(
        self,
        name: str,
        where: str,
        sight: Sight,
        threshold: float,
        refusal: str,
        made_with: dict[str, Any],
    ) -> None:
        self.name, self.where, self._sight = name, where, sight
        self._threshold, self._refusal = threshold, refusal
        same = json.dumps([where, threshold, refusal, made_with], sort_keys=True)
        self.identity = hashlib.sha256(same.encode()).hexdigest()

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know of how the judge was asked."""
        return self._sight.notes

    async def __aenter__(self) -> Guard:
        """Open the judge."""
        await self._sight.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        """Close it."""
        await self._sight.__aexit__(*error)

    async def reply(self, messages: Sequence[Message], say: Say, session: Session) -> Reply:
        """Look at the request or at the reply, and pass it on or stop it.

        Raises:
            ModelError: If the guard cannot be asked: nothing passes a guard that did not look.
        """
        asked = next((turn.content for turn in reversed(messages) if turn.role == "user"), "")
        if self.where == INPUT:
            stopped = await self._stops(asked, "", session)
            return self._refused() if stopped else await say(messages)
        reply = await say(messages)
        # There is nothing to stop where nothing is said.
        if reply.outcome in ("filtered", "empty") or not reply.text.strip():
            return reply
        return self._refused() if await self._stops(asked, reply.text, session) else reply

    async def _stops(self, asked: str, replied: str, session: Session) -> bool:
        """Tell whether the guard stops a turn, and note what it found."""
        try:
            look = await self._sight.look(asked, replied)
        except ModelError as error:
            said = f"guard {self.name!r}: {error.reason}"
            raise ModelError(said, retry=error.retry, fatal=error.fatal) from None
        stopped = self._too_unsafe(look)
        more: dict[str, Any] = {} if look.reason is None else {"reason": look.reason}
        if stopped and self.where == OUTPUT:
            more["withheld"] = replied
        session.note(
            "guard", where=self.where, guard=self.name, p=look.unsafe, stopped=stopped, **more
        )
        return stopped

    def _too_unsafe(self, look: Look) -> bool:
        if look.reason is not None:
            return True
        return look.unsafe is not None and look.unsafe >= self._threshold

    def _refused(self) -> Reply:
        return Reply(self._refusal, "filtered", STOPPED)


def load_guards(specs: Sequence[str]) -> tuple[Guard, ...]:
    """Return the guards, the outermost first.

    Raises:
        UnknownName: If there is no such judge or option, with the nearest names.
        BadInput: If a guard is malformed or given twice, or its judge cannot do the work.
    """
    if len(set(specs)) < len(specs):
        raise BadInput(f"a guard is given twice: {', '.join(specs)}")
    return tuple(map(_load, specs))


def _load(text: str) -> Guard:
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadInput(f"--guard {text}: write input:JUDGE or output:JUDGE, as output:embedded")
    name, endpoint = found["judge"], found["endpoint"]
    spec = Spec.parse(f"{name}:{found['options'] or ''}")
    options = spec.into(_Options)
    judge = load_judge(
        name,
        JudgeSettings(
            endpoint=endpoint,
            rubric=options.rubric or None,
            max_tokens=options.max_tokens or None,
        ),
    )
    _check(text, judge, options)
    threshold = options.threshold if "threshold" in spec.options else unsafe_from(judge.made_with)
    sight = sight_of(judge, requests=found["where"] == INPUT)
    made_with = {"judge": judge.name, "version": judge.VERSION, **judge.made_with}
    return Guard(text, found["where"], sight, threshold, _refusal(text, options), made_with)


def _check(text: str, judge: Judge, options: _Options) -> None:
    if "unsafe" not in judge.TELLS:
        told = ", ".join(sorted(judge.TELLS))
        raise BadInput(f"--guard {text}: a guard stops harm, and this judge tells {told} alone")
    if not 0 < options.threshold <= 1:
        raise BadInput(f"--guard {text}: threshold is a probability above 0 and at most 1")
    if options.max_tokens < 0:
        raise BadInput(f"--guard {text}: max_tokens is a whole number above 0")


def _refusal(text: str, options: _Options) -> str:
    """Return what is said where a guard stops: ours, or what is in a file."""
    if not options.refusal:
        return REFUSAL
    path = Path(options.refusal)
    if not path.is_file() or not (said := path.read_text(encoding="utf-8").strip()):
        raise BadInput(f"--guard {text}: refusal names a file with a text in it", file=path)
    return said
