"""One case under way: who speaks, what stands around the model, and what is written down of it.

`Speaker` is a model that is asked within limits and again after what may pass. A `Layer` stands
around it and sees every turn: words that a setting adds, a guard, a second look at the reply. A
`Dialogue` decides what is said to it and when the conversation is over.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from convsafe.benchmark.limits import Gate, Limits, tokens_of
from convsafe.benchmark.model import Model, ModelError, Params, Reply
from convsafe.benchmark.patience import ATTEMPTS, persist
from convsafe.taxonomy.catalogue import Catalogue
from convsafe.taxonomy.records import Case, Message

DIALOGUES = Catalogue("dialogue", "convsafe.benchmark.dialogues")
Say = Callable[[Sequence[Message]], Awaitable[Reply]]


class Speaker:
    """A model that is asked within limits, and again after an error that may pass.

    `usage` has the tokens that all its replies took, by their kind.

    Errors that may pass are tried up to 5 times; while nothing comes back from a server that
    answered before, requests wait for it as long as the limits' patience.
    """

    def __init__(self, model: Model, limits: Limits | None = None) -> None:
        self.model, self.limits = model, limits or Limits()
        self.requests = self.errors = 0
        self.usage: dict[str, int] = {}
        self._answered = False
        self._down_since: float | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def width(self) -> int:
        """How many requests may be under way now."""
        return int(self.gate.width)

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know of how the model was asked, in sentences."""
        found: Sequence[str] = getattr(self.model, "notes", ())
        return found

    async def __aenter__(self) -> Speaker:
        self.gate = Gate(self.limits)
        await self.model.__aenter__()
        self._for_case = getattr(self.model, "generate_case", None)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.model.__aexit__(*error)

    async def say(
        self, messages: Sequence[Message], params: Params, session: Session | None = None
    ) -> Reply:
        """Return the model's reply to a conversation.

        Raises:
            ModelError: If there is none after all attempts.
        """
        return await persist(lambda: self._once(messages, params, session), self._enough)

    async def _once(
        self, messages: Sequence[Message], params: Params, session: Session | None
    ) -> Reply:
        tokens = tokens_of(messages, params.max_tokens) if self.limits.tpm else 0
        await self.gate.enter(tokens)
        began = time.monotonic()
        self.requests += 1
        try:
            if self._for_case is not None and session is not None and session.by_case:
                reply: Reply = await self._for_case(session.case, session.sample, params)
            else:
                reply = await self.model.generate(messages, params)
        except ModelError as error:
            self._failed(error)
            raise
        finally:
            self.gate.leave()
        self._answered, self._down_since = True, None
        add_tokens(self.usage, reply.usage)
        if session is not None:
            session.count(reply.usage, time.monotonic() - began)
        self.gate.succeeded(max(0, tokens - sum((reply.usage or {}).values())) if tokens else 0)
        return reply

    def _failed(self, error: ModelError) -> None:
        self.errors += 1
        if error.retry:
            self._down_since = self._down_since or time.monotonic()
            self.gate.objected(error.wait)

    def _enough(self, attempt: int) -> bool:
        """Tell whether a request that failed so often is given up."""
        if attempt < ATTEMPTS:
            return False
        down = self._answered and self._down_since is not None
        return not down or time.monotonic() - (self._down_since or 0) > self.limits.patience


@dataclass
class Session:
    """One case and sample under way.

    Args:
        case: The case.
        sample: Which sample of it.
        params: Decoding settings of this sample.
        speaker: The model under test.
        layers: What stands around it, the outermost first.
        by_case: Whether the case alone says what is asked, so that a model may go by its id.

    `transcript` is what was said, of a conversation that has several turns; `trace` is what
    happened beside the words.
    """

    case: Case
    sample: int
    params: Params
    speaker: Speaker
    layers: Sequence[Layer] = ()
    by_case: bool = False
    transcript: tuple[Message, ...] | None = None
    trace: list[dict[str, Any]] = field(default_factory=list)
    turn: int = 0
    seconds: float = 0.0
    usage: dict[str, int] = field(default_factory=dict)

    async def say(self, messages: Sequence[Message]) -> Reply:
        """Take one turn: ask the model through everything that stands around it."""
        self.turn += 1
        return await self._through(0, messages)

    async def _through(self, at: int, messages: Sequence[Message]) -> Reply:
        if at == len(self.layers):
            return await self.speaker.say(messages, self.params, self)

        async def inner(asked: Sequence[Message]) -> Reply:
            return await self._through(at + 1, asked)

        return await self.layers[at].reply(messages, inner, self)

    def note(self, kind: str, **what: Any) -> None:
        """Write down something that happened in this turn; values must be plain JSON."""
        self.trace.append({"kind": kind, "turn": self.turn, **what})

    def count(self, usage: dict[str, int] | None, seconds: float) -> None:
        """Add what one request took."""
        self.seconds += seconds
        add_tokens(self.usage, usage)


def add_tokens(total: dict[str, int], usage: dict[str, int] | None) -> None:
    """Add tokens to a total, by their kind."""
    for name, tokens in (usage or {}).items():
        total[name] = total.get(name, 0) + tokens


class Beside:
    """What stands beside the model under test; some of it asks another model, `other`.

    `name` is what the user gave; `identity` is equal for two runs only if it does the same in both.
    """

    name: str
    identity: str
    other: Speaker | None = None

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know of how it asked a server of its own, in sentences."""
        return self.other.notes if self.other is not None else ()

    async def __aenter__(self) -> Any:
        """Open what it needs."""
        if self.other is not None:
            await self.other.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        """Close it."""
        if self.other is not None:
            await self.other.__aexit__(*error)


class Layer(Beside):
    """Something around the model that sees every turn; it passes it on, changes it or answers.

    `place` says where it stands: `external` (between user and model), `secondary` (adds
    knowledge or words to the request) or `internal` (the model itself) (2406.12934).
    """

    place: str = "secondary"

    async def reply(self, messages: Sequence[Message], say: Say, session: Session) -> Reply:
        """Answer a turn; `say` asks what stands further in."""
        raise NotImplementedError


class Dialogue(Beside):
    """How a case is held: a file of `dialogues/` has `ABOUT`, `PAPER` and `connect(spec, user)`.

    `connect` takes the `Spec` that the user gave and, where someone else speaks, the spec of the
    model that does. `by_case` says that the case alone tells what is asked.
    """

    by_case: bool = False

    async def hold(self, session: Session) -> Reply:
        """Hold the conversation and return its last reply; set `session.transcript` if it is long.

        Raises:
            ModelError: If a turn brought no reply.
        """
        raise NotImplementedError


def sample_params(params: Params, sample: int) -> Params:
    """Return the decoding settings of a sample: each has a seed of its own."""
    return replace(params, seed=params.seed + sample) if sample else params
