"""Any server with an OpenAI-compatible `/chat/completions` endpoint: `URL#NAME`.

The key is read from `CONVSAFE_API_KEY`, or from `OPENAI_API_KEY` for OpenAI's own host only, so
that it is never sent anywhere else; it is written to no file.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from convsafe.benchmark.model import ModelError, Params, Reply, Unreachable
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Message

_RETRY = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_FATAL = {401, 402, 403, 404, 405}
_OUTCOMES = {"length": "truncated", "content_filter": "filtered"}


class OpenAIModel:
    """One model behind a chat-completions endpoint."""

    def __init__(self, url: str, name: str, timeout: float = 300.0) -> None:
        self.url, self.name, self.timeout = url.rstrip("/"), name, timeout

    async def __aenter__(self) -> OpenAIModel:
        import aiohttp

        headers = {"Authorization": f"Bearer {key}"} if (key := _key(self.url)) else {}
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self.timeout, sock_connect=15),
            # The engine bounds how many requests are under way.
            connector=aiohttp.TCPConnector(limit=0),
        )
        try:
            self.name = self.name or await self._only_model()
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:
        """Send one conversation and return the first choice."""
        body = {
            "model": self.name,
            "messages": [message._asdict() for message in messages],
            **params.to_row(),
        }
        status, answer, wait = await self.send("POST", "/chat/completions", body)
        if status == 200:
            return read_reply(answer)
        if filtered(answer):
            return Reply("", "filtered", "content_filter")
        raise refused(status, answer, wait)

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, Any, float | None]:
        """Return status, parsed body and the seconds the server asked to wait."""
        import aiohttp

        url = f"{self.url}{path}"
        try:
            async with self._session.request(method, url, json=body) as answer:
                wait = answer.headers.get("Retry-After", "")
                text = await answer.text(errors="replace")
                seconds = float(wait) if wait.replace(".", "", 1).isdigit() else None
                return answer.status, _parse(text), seconds
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(
                f"cannot connect to {self.url}: {error.os_error}", retry=True
            ) from None
        except asyncio.TimeoutError:
            raise ModelError(f"no answer in {self.timeout:.0f} s", retry=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise ModelError(f"connection lost: {type(error).__name__}", retry=True) from None

    async def _only_model(self) -> str:
        """Return the one model the server offers."""
        status, answer, _ = await self.send("GET", "/models")
        names = [str(entry.get("id")) for entry in (answer or {}).get("data", ())]
        if status != 200 or not names:
            raise BadInput(f"{self.url}: name the model, as {self.url}#NAME")
        if len(names) > 1:
            raise UnknownName("model", "", names, f"Name one of them: {self.url}#NAME")
        return names[0]


def _key(url: str) -> str | None:
    if key := os.environ.get("CONVSAFE_API_KEY"):
        return key
    host = urlsplit(url).hostname or ""
    return os.environ.get("OPENAI_API_KEY") if host.endswith(".openai.com") else None


def refused(status: int, answer: Any, wait: float | None) -> ModelError:
    """Return the error that a status other than 200 is."""
    return ModelError(
        f"HTTP {status}: {message_of(answer)}",
        retry=status in _RETRY,
        fatal=status in _FATAL,
        wait=wait,
    )


def _parse(text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return {"error": {"message": text[:200]}}


def read_reply(answer: Any) -> Reply:
    """Return the first choice; lone surrogates are replaced so that any file can hold it.

    Raises:
        ModelError: If it is no chat completion.
    """
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text = message.get("content") or message.get("refusal") or ""
        if isinstance(text, list):
            text = "".join(part.get("text", "") for part in text)
        text = text.encode("utf-8", "replace").decode("utf-8")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ModelError(f"not a chat completion: {message_of(answer)}", retry=True) from None
    finish = choice.get("finish_reason")
    outcome = _OUTCOMES.get(finish, "answered" if text.strip() else "empty")
    return Reply(text, outcome, finish, usage_of(answer.get("usage")))


def usage_of(usage: Any) -> dict[str, int] | None:
    """Return the tokens the server counted, or None."""
    names = ("prompt_tokens", "completion_tokens")
    if not isinstance(usage, dict):
        return None
    return {name: usage[name] for name in names if isinstance(usage.get(name), int)}


def _error(answer: Any) -> Any:
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {"message": str(error or answer)[:200]}


def message_of(answer: Any) -> str:
    """Return what the server says went wrong, cut to 300 characters."""
    return str(_error(answer).get("message", answer))[:300]


def filtered(answer: Any) -> bool:
    """Tell whether an error says that the provider's filter stopped the request."""
    error = _error(answer)
    return "content_filter" in (error.get("code"), error.get("type"))


def connect(target: str) -> OpenAIModel:
    """Return the model behind `URL#NAME`; without a name, the only one the server has.

    Raises:
        BadInput: If the URL has no host.
    """
    url, _, name = target.partition("#")
    if not urlsplit(url).hostname:
        raise BadInput(f"{target!r} is not a URL: give http://HOST:PORT/v1#NAME")
    return OpenAIModel(url, name)
