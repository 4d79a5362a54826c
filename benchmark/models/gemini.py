"""Models behind Gemini's `generateContent` format: `gemini:MODEL`, or `gemini:URL#MODEL`.

The key in `GEMINI_API_KEY` is sent to Google's own host alone, in a header and never in the
address; another host, or that one where it is not set, is sent the one in `CONVSAFE_API_KEY`.
System messages become one text, turns of one role in a row become one. What the model wrote for
itself is that of the parts marked as thoughts; their tokens count as tokens of the answer, as they
are paid for as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from convsafe.benchmark.model import ModelError, Reply
from convsafe.benchmark.models._format import alternating, replied, strange, tokens
from convsafe.benchmark.models._http import HTTPModel, address
from convsafe.benchmark.models._statuses import error_of, message_of, refused
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message

_HOST = "https://generativelanguage.googleapis.com/v1beta"
_BLOCKS = ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY")
_OUTCOMES = {"MAX_TOKENS": "truncated"} | dict.fromkeys(_BLOCKS, "filtered")
_ROLES = {"assistant": "model"}


class GeminiModel(HTTPModel):
    """One model that is asked to generate content."""

    names: Mapping[str, str] = MappingProxyType({"max_tokens": "maxOutputTokens", "top_p": "topP"})
    key_variable, key_host = "GEMINI_API_KEY", "generativelanguage.googleapis.com"

    def __init__(self, url: str, name: str) -> None:
        super().__init__(url, name)
        self.path = f"/models/{name.removeprefix('models/')}:generateContent"

    def headers(self, key: str) -> dict[str, str]:
        """Return the header with the key."""
        return {"x-goog-api-key": key} if key else {}

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a request to generate content."""
        system, turns = alternating(messages)
        said = [{"role": _ROLES.get(role, role), "parts": [{"text": t}]} for role, t in turns]
        apart = {"systemInstruction": {"parts": [{"text": system}]}} if system else {}
        return {"contents": said, **apart, "generationConfig": settings}

    def read(self, answer: Any) -> Reply:
        """Return the first candidate; a prompt or an answer that was blocked is filtered.

        Raises:
            ModelError: If there is neither.
        """
        try:
            usage = tokens(
                answer.get("usageMetadata"),
                ("promptTokenCount",),
                ("candidatesTokenCount", "thoughtsTokenCount"),
            )
            if blocked := (answer.get("promptFeedback") or {}).get("blockReason"):
                return Reply("", "filtered", str(blocked), usage)
            candidate = answer["candidates"][0]
            finish = candidate.get("finishReason")
            parts = (candidate.get("content") or {}).get("parts") or ()
            texts: tuple[list[str], list[str]] = ([], [])
            for part in parts:
                texts[bool(part.get("thought"))].append(part.get("text") or "")
            calls = [part["functionCall"] for part in parts if "functionCall" in part]
            called = [(call["name"], call.get("args")) for call in calls]
            text, reasoning = "".join(texts[0]), "".join(texts[1])
        except (KeyError, IndexError, TypeError, AttributeError):
            raise strange("generated content", answer) from None
        return replied(text, _OUTCOMES.get(finish), finish, usage, reasoning, called)

    def refuse(self, status: int, answer: Any, wait: float | None) -> ModelError:
        """Return the error that a status is; a wrong key is a 400 here, a delay stands inside."""
        listed = error_of(answer).get("details")
        details = [entry for entry in listed or () if isinstance(entry, dict)]
        if any(entry.get("reason") == "API_KEY_INVALID" for entry in details):
            return ModelError(f"HTTP {status}: {message_of(answer)}", fatal=True)
        for entry in details:
            if delay := re.fullmatch(r"([\d.]+)s", str(entry.get("retryDelay"))):
                wait = wait if wait is not None else float(delay[1])
        return refused(status, answer, wait)


def connect(target: str) -> GeminiModel:
    """Return the model that `MODEL` or `URL#MODEL` names; the URL ends in the format's version.

    Raises:
        BadInput: If there is no name, or the URL is none or holds a key.
    """
    url, name = address(target, _HOST, "gemini:")
    if not name:
        raise BadInput("name the model, as gemini:MODEL or gemini:URL#MODEL")
    return GeminiModel(url, name)
