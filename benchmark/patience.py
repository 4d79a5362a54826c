"""Work that waits on servers: run it to its end, let workers share a queue, try again in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from convsafe.benchmark.model import ModelError

if TYPE_CHECKING:
    from tenacity import AsyncRetrying

ATTEMPTS = 5
LONGEST_WAIT = 60.0

T = TypeVar("T")


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where a loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    found: list[T] = []
    caught: list[BaseException] = []

    def target() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:  # raised again in the caller's thread
            caught.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if caught:
        raise caught[0]
    return found[0]


async def share(queue: Iterator[T], work: Callable[[T], Awaitable[None]], concurrency: int) -> None:
    """Let a fixed number of workers draw from one queue; the first error stops all."""

    async def draw() -> None:
        for item in queue:
            await work(item)

    workers = [asyncio.create_task(draw()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def retrying(enough: Callable[[int], bool] | None = None) -> AsyncRetrying:
    """Return what calls again after a `ModelError` that may pass, as long as the server asks.

    Args:
        enough: Told how often it was tried, says whether to give up; by default after 5 attempts.
    """
    from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
    from tenacity.wait import wait_random_exponential

    backoff = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "wait", None)
        return min(asked if asked is not None else backoff(state), LONGEST_WAIT)

    def stop(state: RetryCallState) -> bool:
        return (enough or _often)(state.attempt_number)

    return AsyncRetrying(
        stop=stop,
        retry=retry_if_exception(lambda error: isinstance(error, ModelError) and error.retry),
        wait=wait,
        reraise=True,
    )


def _often(attempts: int) -> bool:
    return attempts >= ATTEMPTS


async def persist(work: Callable[[], Awaitable[T]], enough: Callable[[int], bool]) -> T:
    """Call once, and again as `retrying` does if that fails.

    Nothing is set up for a call that goes well: most do, and there are many a second.
    """
    try:
        return await work()
    except ModelError as error:
        if not error.retry:
            raise
        first = [error]

    async def again() -> T:
        if first:
            raise first.pop()
        return await work()

    return await retrying(enough)(again)
