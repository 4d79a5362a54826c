"""What a judge that asks a server is given: an exchange, something to ask, a decision to return.

`Asker` asks an OpenAI-compatible server: it bounds what is under way, tries again, and keeps every
answer, so that a judge that was stopped asks nothing twice.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from convsafe.benchmark.answers import Answers, key_of
from convsafe.benchmark.model import ModelError, Unreachable
from convsafe.benchmark.models._statuses import filtered, refused
from convsafe.benchmark.models.openai import OpenAIModel, read_reply
from convsafe.benchmark.patience import retrying
from convsafe.taxonomy.errors import Unavailable
from convsafe.taxonomy.records import Message

# A server that fails this many requests in a row, each after all attempts, is down.
LOST = 8
# What a server may refuse to take; the rest of a body is the question.
_SETTINGS = ("temperature", "max_tokens", "seed")

T = TypeVar("T")


class Exchange(NamedTuple):
    """One request and the reply to it: all that a judge sees."""

    prompt: str
    response: str


class Decision(NamedTuple):
    """What a judge found in one exchange; `unscored_reason` where it could find nothing.

    `unsafe` and `responsive` are probabilities in [0, 1]; `scores` are (name, value) of any scale.
    """

    stance: str | None = None
    unsafe: float | None = None
    responsive: float | None = None
    labels: tuple[str, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    rationale: str | None = None
    unscored_reason: str | None = None


class Completion(NamedTuple):
    """A continuation of a raw prompt.

    `top` has one entry a generated token where it was asked for: the log-probabilities of the
    likeliest tokens at its place, by their text.
    """

    text: str
    top: tuple[dict[str, float], ...] = ()


class Unscored(Exception):
    """The server gave nothing usable for this one exchange.

    Args:
        reason: Why, in words.
        text: What it gave instead, where it gave a text.
    """

    def __init__(self, reason: str, text: str = "") -> None:
        self.reason, self.text = reason, text
        super().__init__(reason)


class Ask(Protocol):
    """Something that answers a judge.

    Each method raises `Unscored` where there is no usable answer to this one request, and
    `Unavailable` where there will be none to any.
    """

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        sample: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
    ) -> str:
        """Return the reply to a conversation; another `sample` is asked for anew."""
        ...

    async def complete(self, prompt: str, *, max_tokens: int = 64, logprobs: int = 0) -> Completion:
        """Return the continuation of a raw prompt, with `logprobs` likeliest tokens a place."""
        ...

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return what another endpoint answers, as `/moderations`; the model's name is added."""
        ...


class Asker:
    """An `Ask` that a server answers; open it and its answers first.

    Args:
        server: An open model behind an OpenAI-compatible server.
        answers: What was answered before, open.
        address: What stands for the server in the keys of the answers.
        concurrency: How many requests are under way at once.
        max_tokens: How many tokens a reply to a conversation may have, whatever the judge asks for.

    Attributes:
        remedy: What a user does about a reply that was cut off.
    """

    remedy = "allow more with --max-tokens"

    def __init__(
        self,
        server: OpenAIModel,
        answers: Answers,
        address: str,
        concurrency: int = 8,
        max_tokens: int | None = None,
    ) -> None:
        self.server, self.answers, self.address = server, answers, address
        self._max_tokens = max_tokens
        self._slots = asyncio.Semaphore(concurrency)
        self._locks: dict[str, asyncio.Lock] = {}
        self._reached, self._lost_in_a_row = False, 0

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        sample: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
    ) -> str:
        """Return the reply to a conversation."""
        most = self._max_tokens or max_tokens
        body = {
            "messages": [message._asdict() for message in messages],
            "temperature": temperature,
            "max_tokens": most,
            "seed": sample,
        }
        cut_off = f"the judge's reply is cut off at {most} tokens: {self.remedy}"
        return await self._ask("/chat/completions", body, functools.partial(_said, cut_off=cut_off))

    async def complete(self, prompt: str, *, max_tokens: int = 64, logprobs: int = 0) -> Completion:
        """Return the continuation of a raw prompt."""
        body = {"prompt": prompt, "temperature": 0.0, "max_tokens": max_tokens, "seed": 0}
        body |= {"logprobs": logprobs} if logprobs else {}
        return await self._ask("/completions", body, _continued)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return what another endpoint answers."""
        return await self._ask(path, body, _object)

    async def _ask(self, path: str, body: dict[str, Any], read: Callable[[Any], T]) -> T:
        """Return what `read` finds in the answer, from the answers kept or from the server."""
        body = {"model": self.server.name, **body}
        key = key_of(self.address, path, body)
        # Two exchanges that are the same ask the same: the second one waits for the first.
        async with self._locks.setdefault(key, asyncio.Lock()):
            kept = self.answers.get(key)
            if kept is None:
                kept = await self._fetched(key, path, body, read)
        if kept["status"] != 200:
            raise Unscored("the provider filtered the judge's request")
        return read(kept["answer"])

    async def _fetched(
        self, key: str, path: str, body: dict[str, Any], read: Callable[[Any], Any]
    ) -> dict[str, Any]:
        try:
            found: tuple[int, Any] = await retrying()(self._once, path, body, read)
        except ModelError as error:
            raise self._failure(error) from None
        return self.answers.keep(key, *found)

    async def _once(
        self, path: str, body: dict[str, Any], read: Callable[[Any], Any]
    ) -> tuple[int, Any]:
        """Send a request and return status and answer, or raise what is worth another attempt."""
        async with self._slots:
            self.answers.spent.requests += 1
            settings = {name: body[name] for name in _SETTINGS if name in body}
            rest = {name: value for name, value in body.items() if name not in settings}
            status, answer, wait = await self.server.post(path, settings, lambda s: rest | s)
        if status == 200:
            self._reached, self._lost_in_a_row = True, 0
            _check(answer, read)
        elif not filtered(answer):
            raise refused(status, answer, wait)
        return status, answer

    def _failure(self, error: ModelError) -> Exception:
        """Return what a failed request means: for this exchange alone, or for all."""
        self._lost_in_a_row += error.retry and not isinstance(error, Malformed)
        lost = self._lost_in_a_row >= (LOST if self._reached else 1)
        if not (error.fatal or lost or isinstance(error, Unreachable)):
            return Unscored(error.reason)
        return Unavailable(
            f"judge model {self.server.name!r}: {error.reason}. {len(self.answers)} answers are"
            f" kept in {self.answers.path}; run the same command again when it answers."
        )


class Malformed(ModelError):
    """An answer that is not in the form it was asked for."""


def _check(answer: Any, read: Callable[[Any], Any]) -> None:
    """Raise what is worth another attempt; that there is nothing to read is an answer too."""
    try:
        read(answer)
    except Unscored:
        return
    except ModelError as error:
        raise Malformed(error.reason, retry=True) from None


def _said(answer: Any, cut_off: str) -> str:
    """Return the text of a chat completion; what is cut off says nothing, for that reason."""
    reply = read_reply(answer)
    if reply.outcome == "truncated":
        raise Unscored(cut_off, reply.text or reply.reasoning or "")
    return _text(reply.text, reply.finish_reason)


def _text(text: str, finish: Any) -> str:
    if finish == "content_filter":
        raise Unscored("the provider filtered the judge's reply")
    if not text.strip():
        raise Unscored("the judge's reply is empty")
    return text


def _continued(answer: Any) -> Completion:
    """Return a text completion and its tokens' likeliest alternatives."""
    try:
        choice = answer["choices"][0]
        text = str(choice["text"]).encode("utf-8", "replace").decode("utf-8")
        top = likeliest(choice.get("logprobs") or {})
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise ModelError("not a text completion") from None
    return Completion(_text(text, choice.get("finish_reason")), top)


def likeliest(logprobs: dict[str, Any]) -> tuple[dict[str, float], ...]:
    """Read both forms there are: OpenAI's own, and that of chat completions (llama.cpp)."""
    if "content" not in logprobs:
        places = logprobs.get("top_logprobs") or ()
        return tuple({t: float(p) for t, p in (place or {}).items()} for place in places)
    tokens = logprobs["content"] or ()
    return tuple({str(t["token"]): float(t["logprob"]) for t in p["top_logprobs"]} for p in tokens)


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or set(answer) == {"error"}:
        raise ModelError("not a JSON object that answers")
    return answer
