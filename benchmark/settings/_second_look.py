"""What settings that look at a reply again share: who is asked, and what is written down."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from convsafe.benchmark.model import Params, Reply, connect
from convsafe.benchmark.session import Layer, Session, Speaker
from convsafe.benchmark.spec import Spec
from convsafe.taxonomy.records import Message

KIND, UNPARSED = "revision", "unparsed"


@dataclass(frozen=True)
class Options:
    """Who is asked: `URL#NAME` of another model, or by default the model under test itself."""

    endpoint: str = ""


class SecondLook(Layer):
    """A layer that has every reply looked at again, by the model itself or by another one.

    Args:
        spec: What the user gave.
        words: All that is said to whoever is asked; another wording is another setting.
    """

    def __init__(self, spec: Spec, words: str) -> None:
        options = spec.into(Options)
        self.name = spec.text
        self.place = "external" if options.endpoint else "internal"
        self.other = Speaker(connect(options.endpoint)) if options.endpoint else None
        same = json.dumps([words, options.endpoint.partition("#")[2] or options.endpoint])
        self.identity = hashlib.sha256(same.encode()).hexdigest()

    async def ask(self, text: str, session: Session, max_tokens: int) -> str:
        """Return what is said to a text; tokens of the model itself count as the session's.

        Raises:
            ModelError: If there is no reply.
        """
        asked = (Message("user", text),)
        params = Params(max_tokens=max_tokens, seed=session.params.seed)
        if self.other is None:
            # Not as the case's own turn: a model that goes by the case's id would say it again.
            began = time.monotonic()
            reply = await session.speaker.say(asked, params)
            session.count(reply.usage, time.monotonic() - began)
            return reply.text
        return (await self.other.say(asked, params)).text

    def write_down(
        self, session: Session, label: str, before: Reply, after: Reply | None = None
    ) -> Reply:
        """Note what came of a look, and return the reply that stands.

        Args:
            session: The case under way.
            label: What was found; `unparsed` where what was said could not be read.
            before: The reply that was looked at.
            after: What it was changed to, if it was.
        """
        triggered = None if label == UNPARSED else after is not None
        texts = {} if after is None else {"before": before.text, "after": after.text}
        session.note(KIND, setting=self.name, triggered=triggered, label=label, **texts)
        return before if after is None else after


def says_nothing(reply: Reply) -> bool:
    """Tell a reply that there is nothing to look at in."""
    return reply.outcome in ("filtered", "empty") or not reply.text.strip()


def fenced(**texts: str) -> str:
    """Return texts under their names, each between lines that say where it begins and ends."""
    return "\n\n".join(f"[{name} begins]\n{text}\n[{name} ends]" for name, text in texts.items())


def last_request(messages: Any) -> str:
    """Return what the user said last."""
    return next((turn.content for turn in reversed(messages) if turn.role == "user"), "")
