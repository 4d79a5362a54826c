"""How a guard looks: many turns at once by a judge of ours, or one by one by a judge that asks."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from convsafe.benchmark.answers import Answers
from convsafe.benchmark.asking import Asker, Exchange, Unscored
from convsafe.benchmark.loading import Judge
from convsafe.benchmark.patience import retrying
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.asked_judge import AskedJudge

T = TypeVar("T")
_ASKED_AT_ONCE = 256
# A table is waited for as long as this part of what the last one took, and no longer than this.
_GATHERING, _LONGEST = 0.25, 0.1


class Look(NamedTuple):
    """What a guard found: the probability of harm, or why there is none.

    Both are None where there is nothing to read, as in a reply without a word.
    """

    unsafe: float | None
    reason: str | None = None


class Sight(Protocol):
    """How a guard looks at a turn."""

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know of how a server was asked, in sentences."""

    async def __aenter__(self) -> Any:
        """Open what it needs."""

    async def __aexit__(self, *error: Any) -> None:
        """Close it."""

    async def look(self, asked: str, replied: str) -> Look:
        """Look at a request and the reply to it, or at the request alone.

        Raises:
            ModelError: If the guard cannot be asked.
        """
        ...


def sight_of(judge: Judge, *, requests: bool) -> Sight:
    """Return how a judge looks.

    Args:
        judge: The judge, loaded.
        requests: Whether it is to look at requests that have no reply yet.

    Raises:
        BadInput: If it judges replies only, and is to look at requests.
    """
    from convsafe.benchmark.asked_judge import AskedJudge

    if requests and not (isinstance(judge, AskedJudge) and judge.reads_requests):
        raise BadInput(
            f"judge {judge.name!r} judges replies, not requests: use it as an output guard. An"
            " input guard is a guard model, as input:llama_guard_3@URL#NAME"
        )
    return AskedSight(judge, requests) if isinstance(judge, AskedJudge) else TableSight(judge)


class TableSight:
    """A judge that takes tables: what comes while it is at one is judged together next."""

    notes: Sequence[str] = ()

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._waiting: list[tuple[Exchange, asyncio.Future[Look]]] = []
        self._work: asyncio.Task[None] | None = None
        self._took = 0.0

    async def __aenter__(self) -> TableSight:
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def look(self, asked: str, replied: str) -> Look:
        """Put an exchange to the next table."""
        future: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        self._waiting.append((Exchange(asked, replied), future))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._judge_all())
        return await future

    async def _judge_all(self) -> None:
        while self._waiting:
            # A table costs about the same whatever its length: one more turn is all but free.
            await asyncio.sleep(min(_GATHERING * self._took, _LONGEST))
            batch, self._waiting = self._waiting, []
            began = time.monotonic()
            try:
                looks = await asyncio.to_thread(self._looks, [one for one, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            self._took = time.monotonic() - began
            for (_, future), look in zip(batch, looks, strict=True):
                if not future.done():
                    future.set_result(look)

    def _looks(self, exchanges: list[Exchange]) -> list[Look]:
        import polars as pl

        found = self._judge.judge(pl.DataFrame(exchanges, schema=list(Exchange._fields)))
        told = found.select(_probability(), _reason(found)).iter_rows()
        return [Look(*row) for row in told]


def _probability() -> pl.Expr:
    import polars as pl

    return pl.col("unsafe").cast(pl.Float64).round(4)


def _reason(found: pl.DataFrame) -> pl.Expr:
    """Return why there is no probability; what is invalid has none, and needs none."""
    import polars as pl

    nothing, text = pl.lit(None, pl.String), pl.lit("no verdict")
    given = pl.col("unscored_reason") if "unscored_reason" in found.columns else nothing
    valid = (pl.col("stance") != "invalid") if "stance" in found.columns else pl.lit(True)
    lacks = pl.col("unsafe").is_null() & valid.fill_null(True)
    return pl.coalesce(given, pl.when(lacks).then(text)).alias("reason")


class AskedSight:
    """A judge that asks a server; its answers are not kept, as those of the run are."""

    def __init__(self, judge: AskedJudge, requests: bool) -> None:
        self._judge, self._requests = judge, requests
        self._opened = AsyncExitStack()

    @property
    def notes(self) -> Sequence[str]:
        """What the server did not take."""
        return self._judge.server.notes

    async def __aenter__(self) -> AskedSight:
        self._judge.warn()
        server = await self._opened.enter_async_context(self._judge.server)
        nowhere = Answers(Path(os.devnull))
        judge = self._judge
        self._ask = _Direct(server, nowhere, judge.address, _ASKED_AT_ONCE, judge.max_tokens)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._opened.aclose()

    async def look(self, asked: str, replied: str) -> Look:
        """Ask about one turn."""
        if self._requests:
            found = await self._judge.decide_request(asked, self._ask)
        else:
            found = await self._judge.decide(Exchange(asked, replied), self._ask)
        if found.unsafe is None:
            return Look(None, found.unscored_reason or "no verdict")
        return Look(round(found.unsafe, 4))


class _Direct(Asker):
    """Asks without keeping answers; what cannot be asked is a `ModelError` of the turn."""

    remedy = "allow more with the guard's max_tokens=…"

    async def _ask(self, path: str, body: dict[str, Any], read: Callable[[Any], T]) -> T:
        body = {"model": self.server.name, **body}
        found: tuple[int, Any] = await retrying()(self._once, path, body, read)
        status, answer = found
        if status != 200:
            raise Unscored("the provider filtered the guard's request")
        return read(answer)
