"""Run a model over a suite: concurrent, appending, resuming, and stopping where it must."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.model import Model, ModelError, Params, Reply, connect
from convsafe.benchmark.patience import complete, retrying, share
from convsafe.benchmark.runs import Run, checked, read_generations
from convsafe.benchmark.setting import Setting, load_settings
from convsafe.benchmark.suite import Suite, load_suite
from convsafe.taxonomy.errors import Unavailable
from convsafe.taxonomy.files import Appender
from convsafe.taxonomy.records import Case, Generation

if TYPE_CHECKING:
    from tqdm import tqdm


def run(
    model: str,
    suite: Suite | None = None,
    out: str | Path | None = None,
    *,
    params: Params | None = None,
    settings: Sequence[str] = (),
    concurrency: int = 8,
    progress: bool = False,
) -> Run:
    """Collect one generation for every case of a suite.

    Every reply is appended to disk as it comes; calling again with the same settings asks only
    for what is missing. Requests that fail are tried up to 5 times, then recorded in
    failures.jsonl and asked again by the next call.

    Args:
        model: `URL#NAME` of an OpenAI-compatible server, `local`, or a baseline's name.
        suite: What to run; by default our own core set.
        out: The run folder; by default `runs/MODEL-CONFIG`.
        params: Decoding settings.
        settings: Names of run settings, as `p_ground`: words put around every case, in this order.
        concurrency: How many requests are under way at once.
        progress: Show a progress bar on standard error.

    Raises:
        BadInput: If `out` holds a run with other settings.
        UnknownName: If there is no such run setting.
        Unavailable: If the model cannot be reached; what was collected stays.
    """
    suite = suite if suite is not None else load_suite()
    params = params or Params()
    client, around = connect(model), load_settings(settings)
    folder = Path(out) if out is not None else default_folder(model, suite, settings)
    record = Run.begin(folder, suite, _settings(model, params, around))
    with Appender(record.generations_path) as generations:
        done = checked(
            read_generations(record.generations_path),
            [case.id for case in suite.cases],
            record.generations_path,
        )
        finished = set(done["id"])
        todo = [case for case in suite.cases if case.id not in finished]
        if todo:
            with Appender(record.folder / "failures.jsonl") as failures:
                total, kept = len(suite), len(finished)
                job = _Job(client, params, around, generations, failures, total, kept)
                complete(job.collect(todo, concurrency, progress))
    return record


def default_folder(model: str, suite: Suite, settings: Sequence[str] = ()) -> Path:
    """Return `runs/MODEL-CONFIG[-LIMIT][-SETTING…]`, of letters that any file system takes."""
    name = model.partition("#")[2] or model
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")
    sample = f"-{suite.sample['limit']}" if suite.sample else ""
    around = "".join(f"-{name}" for name in settings)
    return Path("runs") / f"{slug}-{suite.release['config']}{sample}{around}"


def _settings(model: str, params: Params, around: Sequence[Setting]) -> dict[str, Any]:
    return {
        "model": model,
        "params": params.to_row(),
        "settings": {setting.name: setting.sha256 for setting in around},
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "convsafe": version("convsafe-bench"),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


@dataclass
class _Job:
    """One pass over the cases that have no generation yet."""

    model: Model
    params: Params
    around: tuple[Setting, ...]
    generations: Appender
    failures: Appender
    total: int
    done: int
    failed: int = 0
    lost_in_a_row: int = 0
    bar: tqdm[Any] | None = field(default=None, repr=False)

    async def collect(self, cases: list[Case], concurrency: int, progress: bool) -> None:
        """Ask for every case, the first one alone so that a wrong URL or key is told at once."""
        from tqdm import tqdm

        self.bar = tqdm(
            total=self.total,
            initial=self.done,
            desc=self.model.name,
            unit="case",
            smoothing=0.05,
            disable=not progress,
        )
        with self.bar:
            async with self.model:
                queue = iter(cases)
                await self._one(next(queue), alone=True)
                await share(queue, self._one, concurrency)

    async def _one(self, case: Case, alone: bool = False) -> None:
        """Ask for one case and write down what came of it."""
        try:
            reply = await self._ask(case)
        except ModelError as error:
            self._give_up(case, error, alone)
            return
        self.lost_in_a_row = 0
        self.done += 1
        self.generations.append(_generation(case, reply, self.model.name, self.params).to_row())
        if self.bar is not None:
            self.bar.update()

    async def _ask(self, case: Case) -> Reply:
        messages = case.messages
        for setting in self.around:
            messages = setting.apply(messages)
        return await retrying()(self.model.generate, messages, self.params)

    def _give_up(self, case: Case, error: ModelError, alone: bool) -> None:
        """Record a request that failed; stop the run where the next ones would fail too."""
        self.failures.append({"id": case.id, "reason": error.reason})
        self.failed += 1
        self.lost_in_a_row += 1
        if self.bar is not None:
            self.bar.set_postfix(failed=self.failed)
        lost = error.retry and (alone or self.lost_in_a_row >= 8)
        if error.fatal or lost:
            saved = f"{self.done} generations are saved; " if self.done else ""
            raise Unavailable(
                f"model {self.model.name!r}: {error.reason} (case {case.id})."
                f" {saved}run the same command again when it answers."
            )


def _generation(case: Case, reply: Reply, model: str, params: Params) -> Generation:
    return Generation(
        id=case.id,
        outcome=reply.outcome,
        response=reply.text,
        model=model,
        params=params.to_row(),
        finish_reason=reply.finish_reason,
        usage=reply.usage,
    )
