"""What formats of chats share: turns that alternate, and replies made of their parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from convsafe.benchmark.model import ModelError, Reply
from convsafe.benchmark.models._statuses import message_of, refused
from convsafe.taxonomy.records import Message


def alternating(messages: Sequence[Message]) -> tuple[str, list[tuple[str, str]]]:
    """Return the system text and the turns, for formats where user and assistant alternate.

    System messages go into one text, wherever they stood; turns of one role in a row become one.
    """
    system: list[str] = []
    turns: list[tuple[str, str]] = []
    for role, content in messages:
        if role == "system":
            system.append(content)
        elif turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]}\n\n{content}")
        else:
            turns.append((role, content))
    return "\n\n".join(system), turns


def replied(
    text: str,
    outcome: str | None,
    finish: str | None,
    usage: dict[str, int] | None,
    reasoning: str = "",
    calls: Sequence[tuple[Any, Any]] = (),
) -> Reply:
    """Return a reply.

    A reply that only calls tools is an answer, whose text is the calls as JSON: a list of `name`
    and `arguments`. Lone surrogates are replaced so that any file can hold what was said.

    Args:
        text: What the model said.
        outcome: How it ended, where that is other than usual.
        finish: The provider's word for it.
        usage: Tokens.
        reasoning: What the model wrote for itself.
        calls: The tools it called: names and arguments.
    """
    if calls and not text.strip():
        made = [{"name": name, "arguments": arguments} for name, arguments in calls]
        text = json.dumps(made, ensure_ascii=False)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    if reasoning:
        reasoning = reasoning.encode("utf-8", "replace").decode("utf-8")
    outcome = outcome or ("answered" if text.strip() else "empty")
    return Reply(text, outcome, finish, usage, reasoning or None)


def tokens(usage: Any, prompt: Sequence[str], completion: Sequence[str]) -> dict[str, int] | None:
    """Return the tokens a server counted, each the sum of fields it has; None if it told none."""
    if not isinstance(usage, dict):
        return None
    found = {}
    for name, fields in (("prompt_tokens", prompt), ("completion_tokens", completion)):
        counts = [usage[field] for field in fields if isinstance(usage.get(field), int)]
        if counts:
            found[name] = sum(counts)
    return found


def strange(kind: str, answer: Any) -> ModelError:
    """Return the error that an answer is which holds no reply; proxies send errors as status 200.

    The status such a proxy names is taken for the answer's own.
    """
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code < 600:
        return refused(code, answer, None)
    return ModelError(f"not {kind}: {message_of(answer)}", retry=True)
