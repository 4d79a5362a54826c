"""What a server's error means: its words, whether to ask again, and when."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from convsafe.benchmark.model import ModelError

_RETRY = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_FATAL = {401, 402, 403, 404, 405}
# A 429 that no waiting cures.
_SPENT = "insufficient_quota"
_REFUSES = re.compile(
    r"unsupported|not support|not permitted|not allowed|unknown|unrecogni[sz]ed|unexpected|"
    r"deprecated",
    re.IGNORECASE,
)


def refused(status: int, answer: Any, wait: float | None) -> ModelError:
    """Return the error that a status other than 200 is."""
    error = error_of(answer)
    spent = _SPENT in (error.get("code"), error.get("type"))
    return ModelError(
        f"HTTP {status}: {message_of(answer)}",
        retry=status in _RETRY and not spent,
        fatal=status in _FATAL or spent,
        wait=wait,
    )


def error_of(answer: Any) -> dict[str, Any]:
    """Return the error in an answer as an object with a message; some servers send it bare."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, dict) and "message" in error:
        return error
    return {"message": str(error)[:300]}


def message_of(answer: Any) -> str:
    """Return what the server says went wrong, on one line, cut to 300 characters."""
    said = str(error_of(answer).get("message", answer))[:300]
    return "".join(letter if letter.isprintable() else " " for letter in said)


def filtered(answer: Any) -> bool:
    """Tell whether an error says that the provider's filter stopped the request."""
    error = error_of(answer)
    return "content_filter" in (error.get("code"), error.get("type"))


def unsupported(answer: Any, settings: Mapping[str, Any], instead: Mapping[str, str]) -> str | None:
    """Return which of the settings that were sent an error says is not supported.

    One that has another name is only meant where the server names that one too: a limit that is
    too high is no unknown setting. A name must stand in quotes, or first or last in the message: a
    prompt that an error quotes may hold the word.
    """
    error = error_of(answer)
    said = message_of(answer)
    if not _REFUSES.search(f"{error.get('code')} {said}"):
        return None
    for name in settings:
        marked = rf"['\"`]{name}['\"`]|^{name}\b|: {name}\.?$"
        named = error.get("param") == name or re.search(marked, said)
        if named and instead.get(name, "") in said:
            return name
    return None


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server asks to wait: `retry-after-ms`, or `Retry-After` in either form.

    A date is taken against the server's own clock where it gives one.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    after = headers.get("Retry-After")
    if (seconds := _number(after)) is not None:
        return seconds
    until = _date(after)
    if until is None:
        return None
    now = _date(headers.get("Date")) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None


def _date(text: str | None) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
