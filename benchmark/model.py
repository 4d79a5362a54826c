"""What a model is to the engine: something that answers messages, or says why it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from convsafe.taxonomy.catalogue import Catalogue
from convsafe.taxonomy.records import Message

MODELS = Catalogue("model", "convsafe.benchmark.models")


@dataclass(frozen=True)
class Params:
    """Decoding settings sent with every request; they are recorded with every generation."""

    temperature: float = 0.0
    max_tokens: int = 512
    seed: int = 0
    top_p: float | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the settings that are given as one JSON object."""
        # Not by `asdict`, which copies: this is done for every request.
        return {name: value for name, value in vars(self).items() if value is not None}


class Reply(NamedTuple):
    """What came back: text, outcome, and what the server said of it.

    `reasoning` is what a model wrote for itself before it answered; it is no part of the answer.
    """

    text: str
    outcome: str = "answered"
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    reasoning: str | None = None


class ModelError(Exception):
    """A request that brought no reply.

    Args:
        reason: What happened, in words.
        retry: Whether asking again may help.
        fatal: Whether every other request would fail the same way (a wrong key, no server).
        wait: Seconds the server asked to wait.
    """

    def __init__(
        self, reason: str, *, retry: bool = False, fatal: bool = False, wait: float | None = None
    ) -> None:
        self.reason, self.retry, self.fatal, self.wait = reason, retry, fatal, wait
        super().__init__(reason)


class Unreachable(ModelError):
    """There is no server at the address."""


class Model(Protocol):
    """A model that is open; files in `benchmark/models/` define `connect(target) -> Model`."""

    name: str

    async def __aenter__(self) -> Model:
        """Start what the model needs."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        ...

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:
        """Answer one conversation.

        Raises:
            ModelError: If there is no reply.
        """
        ...


class Scripted:
    """A model that answers by rule, at once and the same way every time."""

    name = "scripted"

    async def __aenter__(self) -> Scripted:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:  # noqa: ARG002
        """Answer by rule."""
        return Reply(self.answer(messages), "answered", "stop")

    def answer(self, messages: Sequence[Message]) -> str:
        """Return the reply to a conversation."""
        raise NotImplementedError


def connect(spec: str) -> Model:
    """Return the model a spec names: `URL#NAME`, `NAME` or `NAME:TARGET`.

    Raises:
        UnknownName: If no file in `benchmark/models/` has that name.
    """
    if spec.startswith(("http://", "https://")):
        name, target = "openai", spec
    else:
        name, _, target = spec.partition(":")
    model: Model = MODELS.load(name).connect(target)
    return model
