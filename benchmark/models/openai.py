"""Any server with an OpenAI-compatible `/chat/completions` endpoint: `URL#NAME`.

vLLM, llama.cpp, Ollama, TGI, SGLang, Azure and most hosted models have one. The key is that in
`CONVSAFE_API_KEY`; OpenAI's own host is sent the one in `OPENAI_API_KEY` where it is set, and no
other host ever is.

What a model wrote for itself is kept apart from its answer: the fields `reasoning_content` and
`reasoning`, and `<think>…</think>` at the start of the text, also one that was cut off by the limit
of tokens. An open `<think>` that was not cut off is an answer, and so is whatever stands before a
closing tag alone: a model must not hide its answer from a judge by a tag.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from convsafe.benchmark.model import Reply
from convsafe.benchmark.models._format import replied, strange, tokens
from convsafe.benchmark.models._http import HTTPModel, address
from convsafe.benchmark.models._statuses import filtered
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Message

_OUTCOMES = {"length": "truncated", "content_filter": "filtered"}
_OPEN, _CLOSE = "<think>", "</think>"


class OpenAIModel(HTTPModel):
    """One model behind a chat-completions endpoint."""

    path = "/chat/completions"
    instead = MappingProxyType({"max_tokens": "max_completion_tokens"})
    key_variable, key_host = "OPENAI_API_KEY", "openai.com"

    def headers(self, key: str) -> dict[str, str]:
        """Return the header with the key; Azure has its own."""
        if not key:
            return {}
        if (urlsplit(self.url).hostname or "").endswith(".azure.com"):
            return {"api-key": key}
        return {"Authorization": f"Bearer {key}"}

    async def __aenter__(self) -> OpenAIModel:
        await super().__aenter__()
        try:
            self.name = self.name or await self._only_model()
        except BaseException:
            await self._session.close()
            raise
        return self

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a request for a chat completion."""
        turns = [{"role": role, "content": content} for role, content in messages]
        return {"model": self.name, "messages": turns, **settings}

    def read(self, answer: Any) -> Reply:
        """Return the first choice."""
        return read_reply(answer)

    async def _only_model(self) -> str:
        """Return the one model the server offers."""
        status, answer, _ = await self.send("GET", "/models")
        listed = answer.get("data") if isinstance(answer, dict) and status == 200 else None
        names = [str(entry["id"]) for entry in listed or () if isinstance(entry, dict)]
        if not names:
            raise BadInput(f"{self.url}: name the model, as {self.url}#NAME")
        if len(names) > 1:
            raise UnknownName("model", "", names, f"Name one of them: {self.url}#NAME")
        return names[0]


def read_reply(answer: Any) -> Reply:
    """Return the first choice of a chat completion.

    Raises:
        ModelError: If it is no chat completion.
    """
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        finish = choice.get("finish_reason")
        outcome = _OUTCOMES.get(finish)
        text = text_of(message.get("content") or message.get("refusal") or "")
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        if text.startswith(_OPEN) or text.lstrip().startswith(_OPEN):
            thought, text = _parted(text, cut_off=outcome == "truncated")
            reasoning = reasoning or thought
        calls = _calls(message) if not text else ()
    except (KeyError, IndexError, TypeError, AttributeError):
        if filtered(answer):
            return Reply("", "filtered", "content_filter")
        raise strange("a chat completion", answer) from None
    reasoning = reasoning if isinstance(reasoning, str) else ""
    return replied(text, outcome, finish, usage_of(answer.get("usage")), reasoning, calls)


def text_of(content: str | list[dict[str, Any]]) -> str:
    """Return the text of a message; one in parts may hold parts that are no text."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)


def _parted(text: str, cut_off: bool) -> tuple[str, str]:
    """Return what stands in `<think>` at the start of a text, and the answer after it."""
    inside = text.lstrip()[len(_OPEN) :]
    thought, closed, rest = inside.partition(_CLOSE)
    if closed:
        return thought.strip(), rest.lstrip()
    return (inside.strip(), "") if cut_off else ("", text)


def _calls(message: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return the tools a message calls; arguments that are no JSON stay the text they are."""
    found = []
    for call in message.get("tool_calls") or ():
        made = call["function"]
        try:
            found.append((made["name"], json.loads(made["arguments"])))
        except ValueError:
            found.append((made["name"], made["arguments"]))
    return found


def usage_of(usage: Any) -> dict[str, int] | None:
    """Return the tokens the server counted, or None."""
    return tokens(usage, ("prompt_tokens",), ("completion_tokens",))


def connect(target: str) -> OpenAIModel:
    """Return the model behind `URL#NAME`; without a name, the only one the server has.

    Raises:
        BadInput: If the URL has no host, or holds a key.
    """
    return OpenAIModel(*address(target, "", ""))
