"""How fast a server may be asked: requests at once, requests and tokens a minute, and pauses.

The number of requests at once adapts as TCP's window does: from half of what is allowed it doubles
a round until the server first objects, is then halved, and grows by one a round after that
(Jacobson, 1988).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from convsafe.taxonomy.records import Message

# The fewest requests at once to begin with, and the seconds between two halvings.
_START, _CALM = 8, 1.0
# Characters a token, where a server has not counted yet.
CHARACTERS = 4


@dataclass(frozen=True)
class Limits:
    """What a server may be asked.

    Args:
        concurrency: The most requests at once.
        rpm: The most requests a minute.
        tpm: The most tokens a minute, of requests and replies together.
        patience: Seconds to wait for a server that answered before and is gone or failing.
        adapt: Lower the number of requests at once when the server objects.
    """

    concurrency: int = 64
    rpm: float | None = None
    tpm: float | None = None
    patience: float = 300.0
    adapt: bool = True


class Gate:
    """Lets requests through as limits allow; made inside the loop that uses it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        most = limits.concurrency
        self.width = float(min(most, max(_START, most // 2)) if limits.adapt else most)
        self.active = 0
        self._doubling = True
        self._halved = self._paused_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._requests = _Bucket(limits.rpm) if limits.rpm else None
        self._tokens = _Bucket(limits.tpm) if limits.tpm else None

    async def enter(self, tokens: int = 0) -> None:
        """Wait until one more request may go out."""
        while self.active >= int(self.width):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.active += 1
        try:
            if (pause := self._paused_until - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            if self._requests:
                await self._requests.take(1)
            if self._tokens:
                await self._tokens.take(tokens)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Say that a request has come back."""
        self.active -= 1
        self._wake()

    def _wake(self) -> None:
        room = int(self.width) - self.active
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1

    def succeeded(self, spare_tokens: int = 0) -> None:
        """Widen after a request that went well; give back the tokens it did not need."""
        if self.width < self.limits.concurrency:
            step = 1.0 if self._doubling else 1.0 / self.width
            self.width = min(self.width + step, self.limits.concurrency)
            self._wake()
        if self._tokens:
            self._tokens.give_back(spare_tokens)

    def objected(self, wait: float | None) -> None:
        """Narrow after the server said that it is too much; nothing goes out while it says so."""
        now = time.monotonic()
        if wait:
            self._paused_until = max(self._paused_until, now + wait)
        if self.limits.adapt and now - self._halved > _CALM:
            self._halved, self._doubling = now, False
            self.width = max(1.0, self.width / 2)


class _Bucket:
    """A token bucket that holds a second's worth: `take` waits until there is enough."""

    def __init__(self, per_minute: float) -> None:
        self._second = per_minute / 60
        self._free_at = 0.0

    async def take(self, amount: float) -> None:
        now = time.monotonic()
        # Up to a second's worth that was not used may go out at once.
        start = max(self._free_at, now - 1.0)
        self._free_at = start + amount / self._second
        if start > now:
            await asyncio.sleep(start - now)

    def give_back(self, amount: float) -> None:
        self._free_at -= amount / self._second


def tokens_of(messages: Sequence[Message], max_tokens: int) -> int:
    """Estimate what a request may cost: its own tokens, and all that it allows for the reply."""
    return sum(len(message.content) for message in messages) // CHARACTERS + max_tokens
