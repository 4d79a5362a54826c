"""Models behind Anthropic's Messages format: `anthropic:MODEL`, or `anthropic:URL#MODEL`.

The key in `ANTHROPIC_API_KEY` is sent to Anthropic's own host alone; another host, or that one
where it is not set, is sent the one in `CONVSAFE_API_KEY`. The format has no seed. The system text
stands apart and turns alternate: system messages become one text, turns of one role in a row
become one. What the model wrote for itself is that of its `thinking` blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from convsafe.benchmark.model import Reply
from convsafe.benchmark.models._format import alternating, replied, strange, tokens
from convsafe.benchmark.models._http import HTTPModel, address
from convsafe.benchmark.models._statuses import filtered, message_of
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message

_HOST = "https://api.anthropic.com"
# The newest version of the format there is; a server refuses a request that names none.
_VERSION = "2023-06-01"
_BLOCKED = "content filtering policy"
_OUTCOMES = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    # The provider's classifiers stopped the answer; a refusal in the model's words is `end_turn`.
    "refusal": "filtered",
}


class AnthropicModel(HTTPModel):
    """One model that is asked in the Messages format."""

    path = "/v1/messages"
    names: Mapping[str, str] = MappingProxyType({"seed": ""})
    key_variable, key_host = "ANTHROPIC_API_KEY", "anthropic.com"

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers with the format's version and the key."""
        return {"anthropic-version": _VERSION} | ({"x-api-key": key} if key else {})

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a request for a message."""
        system, turns = alternating(messages)
        said = [{"role": role, "content": content} for role, content in turns]
        apart = {"system": system} if system else {}
        return {"model": self.name, "messages": said, **apart, **settings}

    def filtered(self, answer: Any) -> bool:
        """Tell whether an error says that the provider's filter stopped the answer."""
        return filtered(answer) or _BLOCKED in message_of(answer)

    def read(self, answer: Any) -> Reply:
        """Return the text of a message.

        Raises:
            ModelError: If it is no message.
        """
        try:
            blocks = answer["content"]
            text = "".join(block["text"] for block in blocks if block["type"] == "text")
            thoughts = [block["thinking"] for block in blocks if block["type"] == "thinking"]
            calls = [(b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
            finish = answer.get("stop_reason")
            reasoning = "\n\n".join(thoughts)
        except (KeyError, TypeError, AttributeError):
            raise strange("a message in Anthropic's format", answer) from None
        usage = tokens(answer.get("usage"), ("input_tokens",), ("output_tokens",))
        return replied(text, _OUTCOMES.get(finish), finish, usage, reasoning, calls)


def connect(target: str) -> AnthropicModel:
    """Return the model that `MODEL` or `URL#MODEL` names; a URL may end in `/v1`.

    Raises:
        BadInput: If there is no name, or the URL is none or holds a key.
    """
    url, name = address(target, _HOST, "anthropic:")
    if not name:
        raise BadInput("name the model, as anthropic:MODEL or anthropic:URL#MODEL")
    return AnthropicModel(url.rstrip("/").removesuffix("/v1"), name)
