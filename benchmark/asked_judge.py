"""A judge that asks a server: one decision an exchange, in any order, from kept answers first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from convsafe.benchmark.answers import MAX_TOKENS, Answers, usual_path
from convsafe.benchmark.asking import Ask, Asker, Decision, Exchange, Unscored
from convsafe.benchmark.loading import CONCURRENCY
from convsafe.benchmark.model import connect
from convsafe.benchmark.models.openai import OpenAIModel
from convsafe.benchmark.patience import complete, share
from convsafe.benchmark.rubric import SHOWN, Rubric
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.loading import JudgeSettings


class AskedJudge:
    """A file of `judges/` with its server, and its rubric where it has one."""

    def __init__(
        self,
        name: str,
        module: ModuleType,
        endpoint: str,
        rubric: Rubric | None,
        settings: JudgeSettings,
    ) -> None:
        self._module, self._rubric, self._settings = module, rubric, settings
        self.server, self.address = _server(endpoint)
        self.max_tokens = settings.max_tokens
        self._concurrency = settings.concurrency or CONCURRENCY
        self._model = self.server.name
        never_itself(self._model, settings.tested, allow=settings.allow_self)
        self.name = f"{name}:{rubric.name}@{self._model}" if rubric else f"{name}@{self._model}"

    @property
    def VERSION(self) -> str:  # noqa: N802
        """The version of the file, then that of the rubric."""
        rubric = f"+{self._rubric.name}-{self._rubric.version}" if self._rubric else ""
        return f"{self._module.VERSION}{rubric}"

    @property
    def SUMMARY(self) -> str:  # noqa: N802
        """What it does, and by which rubric."""
        rubric = f" Rubric: {self._rubric.about}" if self._rubric else ""
        return f"{self._module.SUMMARY}{rubric}"

    @property
    def TELLS(self) -> frozenset[str]:  # noqa: N802
        """What its verdicts hold."""
        told: frozenset[str] = self._rubric.tells if self._rubric else self._module.TELLS
        return told

    @property
    def made_with(self) -> dict[str, Any]:
        """The model, the rubric with its sum, and where the server was, without its host.

        Also how long answers may be, where that is not as usual.
        """
        rubric, most = self._rubric, self.max_tokens or MAX_TOKENS
        found = {"model": self._model, "url": urlsplit(self.address).path or self.address}
        found |= {"rubric": rubric.name, "rubric_sha256": rubric.sha256} if rubric else {}
        return found | ({"max_tokens": most} if most != MAX_TOKENS else {})

    def judge(self, exchanges: pl.DataFrame) -> pl.DataFrame:
        """Return one verdict a row of `prompt` and `response`; one that failed says why.

        Raises:
            Unavailable: If the server cannot be reached; what it answered is kept.
            BadInput: If the answers cannot be kept where they were to be.
        """
        asked = [Exchange(*row) for row in exchanges.select("prompt", "response").iter_rows()]
        self.warn()
        return _frame(complete(self._all(asked)) if asked else [])

    def warn(self) -> None:
        """Say on standard error that nobody has tried the judge with the real model."""
        import click

        if getattr(self._module, "EXPERIMENTAL", False):
            click.echo(f"{self.name} is experimental: never run against the real model", err=True)

    async def _all(self, exchanges: Sequence[Exchange]) -> list[Decision]:
        """Return a decision an exchange, the first one alone: a wrong URL is told at once."""
        from tqdm import tqdm

        bar = tqdm(
            total=len(exchanges),
            desc=self.name,
            unit="reply",
            smoothing=0.05,
            disable=not self._settings.progress,
        )
        found: dict[int, Decision] = {}

        async with self._asking() as ask:

            async def one(place: int) -> None:
                found[place] = await self.decide(exchanges[place], ask)
                bar.update()

            with bar:
                queue = iter(range(len(exchanges)))
                await one(next(queue))
                await share(queue, one, self._concurrency)
        return [found[place] for place in range(len(exchanges))]

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Ask]:
        """Open the server and the answers it gave before; pass on what it said at the end."""
        path = self._settings.cache or usual_path(self.address, self._model)
        told = self._settings.notes
        with Answers(path, self._settings.spent) as answers:
            async with self.server as server:
                try:
                    yield Asker(server, answers, self.address, self._concurrency, self.max_tokens)
                finally:
                    # A judge may be opened several times, as for every attack.
                    told += [note for note in server.notes if note not in told]

    async def decide(self, exchange: Exchange, ask: Ask) -> Decision:
        """Return the decision on one exchange; one without a verdict says why."""
        rubric = (self._rubric,) if self._rubric else ()
        return await _decided(self._module.decide(exchange, ask, *rubric))

    @property
    def reads_requests(self) -> bool:
        """Whether it can judge a request that has no reply yet."""
        return hasattr(self._module, "decide_request")

    async def decide_request(self, prompt: str, ask: Ask) -> Decision:
        """Return the decision on a request alone: `unsafe` is that it asks for harm."""
        return await _decided(self._module.decide_request(prompt, ask))


async def _decided(work: Awaitable[Decision]) -> Decision:
    """Return a decision; one without a verdict says why."""
    try:
        return await work
    except Unscored as error:
        text = error.text.strip()[:SHOWN] or None
        return Decision(unscored_reason=error.reason, rationale=text)


def _server(endpoint: str) -> tuple[OpenAIModel, str]:
    """Return the server, and what stands for it in the keys of its answers."""
    server = connect(endpoint)
    if not isinstance(server, OpenAIModel):
        raise BadInput(f"--endpoint {endpoint}: give URL#MODEL, or local, or transformers:MODEL")
    if not server.name:
        raise BadInput(f"--endpoint {endpoint}: name the judge's model, as {endpoint}#MODEL")
    # The local server has another port each time.
    local = not endpoint.startswith(("http://", "https://"))
    return server, "local" if local else server.url


def never_itself(model: str, tested: Iterable[str], *, allow: bool) -> None:
    """Refuse a judge that would judge its own replies.

    A provider's prefix and the case of letters make no other model.

    Raises:
        BadInput: If the model is among those that are tested, and that is not allowed.
    """
    own = _bare(model)
    for other in tested:
        if not allow and _bare(other) == own:
            raise BadInput(
                f"the judge's model {model!r} is the model under test ({other!r}), which would"
                " judge itself: name another one, or give --allow-self"
            )


def _bare(model: str) -> str:
    return model.rpartition("/")[2].casefold()


def _frame(decisions: Sequence[Decision]) -> pl.DataFrame:
    """Return decisions as a table."""
    import polars as pl
    from convsafe.benchmark.judging import verdict_schema

    known = verdict_schema()
    rows = [
        decision._asdict()
        | {"labels": list(decision.labels)}
        | {"scores": [{"name": name, "value": value} for name, value in decision.scores]}
        for decision in decisions
    ]
    return pl.DataFrame(rows, schema={name: known[name] for name in Decision._fields})
