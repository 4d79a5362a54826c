"""Run a model over a suite: concurrent, appending, resuming, and stopping where it must."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from convsafe.benchmark.costs import FREE, Budget, expected
from convsafe.benchmark.guarding import load_guards
from convsafe.benchmark.limits import Limits
from convsafe.benchmark.model import ModelError, Params, Reply, connect
from convsafe.benchmark.patience import complete, share
from convsafe.benchmark.runs import Pending, Run
from convsafe.benchmark.session import (
    DIALOGUES,
    Beside,
    Dialogue,
    Layer,
    Session,
    Speaker,
    sample_params,
)
from convsafe.benchmark.setting import load_settings
from convsafe.benchmark.spec import Spec
from convsafe.benchmark.suite import Suite, load_suite
from convsafe.taxonomy.errors import Unavailable
from convsafe.taxonomy.files import Appender
from convsafe.taxonomy.records import Case, Generation

if TYPE_CHECKING:
    from tqdm import tqdm

# So many requests in a row that fail, each after all attempts, stop the run.
_LOST = 8


@dataclass(frozen=True)
class How:
    """How a run is held; two runs can be continued as one only if it is the same.

    Args:
        params: Decoding settings.
        settings: Run settings, each `NAME` or `NAME:KEY=VALUE`, in order.
        guards: Guards, each `input:JUDGE` or `output:JUDGE`, the outermost first.
        dialogue: How a case is held as a conversation.
        user: The model that speaks for a simulated user, where the dialogue has one.
    """

    params: Params = field(default_factory=Params)
    settings: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    dialogue: str = "single"
    user: str | None = None


def run(
    model: str,
    suite: Suite | None = None,
    out: str | Path | None = None,
    *,
    params: Params | None = None,
    settings: Sequence[str] = (),
    guards: Sequence[str] = (),
    dialogue: str = "single",
    user: str | None = None,
    samples: int = 1,
    limits: Limits | None = None,
    budget: Budget | None = None,
    progress: bool = False,
) -> Run:
    """Collect a model's replies to every case of a suite.

    Every reply is appended to disk as it comes; calling again with the same settings asks only
    for what is missing. Requests that fail are tried up to 5 times, then recorded in
    failures.jsonl and asked again by the next call.

    Args:
        model: `URL#NAME` of an OpenAI-compatible server, a provider as `anthropic:NAME`, `local`,
            or a baseline's name.
        suite: What to run; by default our own core set.
        out: The run folder; by default `runs/MODEL-CONFIG`.
        params: Decoding settings; each sample has a seed of its own, counted from theirs.
        settings: Names of run settings, as `p_ground`: put around every turn, in this order.
        guards: What stands before and behind the model, as `input:embedded`.
        dialogue: How a case is held: `single` sends its messages as they are.
        user: The model that speaks for a simulated user.
        samples: Replies a case; a finished run can be given more later.
        limits: How fast the model may be asked.
        budget: What tokens cost, and what may be spent.
        progress: Show a progress bar on standard error.

    Raises:
        BadInput: If `out` holds a run with other settings.
        UnknownName: If there is no such run setting, guard or dialogue.
        Unavailable: If the model cannot be reached, every request fails, or the money is spent;
            what was collected stays.
    """
    suite = suite if suite is not None else load_suite()
    how = How(params or Params(), tuple(settings), tuple(guards), dialogue, user)
    held = _held(how)
    folder = Path(out) if out is not None else default_folder(model, suite, how)
    record = Run.begin(folder, suite, _settings(model, how, held, samples))
    return _collect(record, model, how, held, limits or Limits(), budget or Budget(), progress)


def resume(
    folder: str | Path,
    *,
    limits: Limits | None = None,
    budget: Budget | None = None,
    progress: bool = False,
) -> Run:
    """Go on with a run that was stopped, as its run.json says it was held.

    Raises:
        BadInput: If the folder holds no run, or a setting or guard is another one by now.
        Unavailable: As `run`.
    """
    record = Run.open(folder)
    said = record.settings
    how = How(
        Params(**said["params"]),
        tuple(said.get("settings", ())),
        tuple(said.get("guards", ())),
        said.get("dialogue", "single"),
        said.get("user"),
    )
    held = _held(how)
    record.require_same(_settings(said["model"], how, held, record.samples))
    model = said["model"]
    return _collect(record, model, how, held, limits or Limits(), budget or Budget(), progress)


@dataclass(frozen=True)
class _Held:
    """What a run is held with."""

    dialogue: Dialogue
    guards: tuple[Layer, ...]
    settings: tuple[Layer, ...]

    @property
    def beside(self) -> tuple[Beside, ...]:
        """All of it, in the order in which it is opened."""
        return (self.dialogue, *self.guards, *self.settings)

    def others(self) -> list[Speaker]:
        """Return the models that are asked besides the one under test."""
        return [one.other for one in self.beside if one.other is not None]


def _held(how: How) -> _Held:
    spec = Spec.parse(how.dialogue)
    dialogue: Dialogue = DIALOGUES.load(spec.name).connect(spec, how.user)
    return _Held(dialogue, load_guards(how.guards), load_settings(how.settings))


def default_folder(model: str, suite: Suite, how: How) -> Path:
    """Return `runs/MODEL-CONFIG[-LIMIT][-SETTING…]`, of letters that any file system takes."""
    name = model.partition("#")[2] or model
    sample = [str(suite.sample["limit"])] if suite.sample else []
    held = [how.dialogue] if how.dialogue != "single" else []
    parts = [suite.release["config"], *sample, *held, *how.settings, *how.guards]
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")
    around = [re.sub(r"[^A-Za-z0-9._]+", "-", part) for part in parts]
    return Path("runs") / "-".join([slug, *around])


def _settings(model: str, how: How, held: _Held, samples: int) -> dict[str, Any]:
    return {
        "model": model,
        "params": how.params.to_row(),
        "samples": samples,
        "settings": {layer.name: layer.identity for layer in held.settings},
        "guards": {layer.name: layer.identity for layer in held.guards},
        "places": {layer.name: layer.place for layer in (*held.guards, *held.settings)},
        "dialogue": how.dialogue,
        "script": held.dialogue.identity,
        "user": how.user,
        "started": _now(),
        "convsafe": version("convsafe-bench"),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _collect(
    record: Run,
    model: str,
    how: How,
    held: _Held,
    limits: Limits,
    budget: Budget,
    progress: bool,
) -> Run:
    """Ask for everything that is missing, and log how that ended."""
    with Appender(record.generations_path) as generations:
        pending = record.pending()
        if not len(pending):
            return record
        speaker = Speaker(connect(model), limits)
        budget = budget.begun(record, speaker.name, held.others())
        if progress and budget.price not in (None, FREE):
            click.echo(f"{speaker.name}: {expected(budget.price, pending, how.params)}", err=True)
        with (
            Appender(record.folder / "failures.jsonl") as failures,
            Appender(record.folder / "log.jsonl") as log,
        ):
            job = _Job(speaker, how.params, held, generations, failures, pending, budget)
            began, ended = _now(), "stopped"
            try:
                complete(job.collect(limits.concurrency, progress))
                ended = "finished"
            except Unavailable as error:
                ended = str(error)
                raise
            except KeyboardInterrupt:
                click.echo(f"Stopped. {job.go_on()}", err=True)
                raise
            finally:
                log.append({"began": began, "ended": _now(), "how": ended, **job.counts()})
                for note in job.notes():
                    click.echo(note, err=True)
    return record


@dataclass
class _Job:
    """One pass over the cases that have no generation yet."""

    speaker: Speaker
    params: Params
    held: _Held
    generations: Appender
    failures: Appender
    pending: Pending
    budget: Budget
    saved: int = 0
    failed: int = 0
    _in_a_row: int = 0
    bar: tqdm[Any] | None = field(default=None, repr=False)

    def counts(self) -> dict[str, Any]:
        """Return what was asked and what came of it."""
        return {
            "requests": self.speaker.requests,
            "errors": self.speaker.errors,
            "saved": self.saved,
            "failed": self.failed,
            **self.budget.to_row(),
        }

    def notes(self) -> list[str]:
        """Return what a user should know of how every server was asked, each thing once."""
        asked: tuple[Speaker | Beside, ...] = (self.speaker, *self.held.beside)
        return list(dict.fromkeys(f"{one.name}: {note}" for one in asked for note in one.notes))

    async def collect(self, concurrency: int, progress: bool) -> None:
        """Ask for every case, the first one alone so that a wrong URL or key is told at once."""
        from tqdm import tqdm

        self.bar = tqdm(
            total=self.pending.total,
            initial=self.pending.done,
            desc=self.speaker.name,
            unit="case",
            smoothing=0.05,
            disable=not progress,
        )
        with self.bar:
            async with AsyncExitStack() as opened:
                await opened.enter_async_context(self.speaker)
                for one in self.held.beside:
                    await opened.enter_async_context(one)
                queue = iter(self.pending)
                await self._one(next(queue), alone=True)
                await share(queue, self._one, concurrency)

    async def _one(self, asked: tuple[Case, int], alone: bool = False) -> None:
        """Hold one case and write down what came of it."""
        case, sample = asked
        params = sample_params(self.params, sample)
        layers = (*self.held.guards, *self.held.settings)
        session = Session(case, sample, params, self.speaker, layers, self.held.dialogue.by_case)
        try:
            reply = await self.held.dialogue.hold(session)
        except ModelError as error:
            self._give_up(session, error, alone)
            return
        self._in_a_row = 0
        self.saved += 1
        self.generations.append(_generation(session, reply).to_row())
        self.budget.add(session.usage)
        if self.bar is not None:
            self.bar.update()
        if self.budget.is_spent:
            raise Unavailable(f"{self.budget}, which is the most allowed. {self.go_on()}")

    def _give_up(self, session: Session, error: ModelError, alone: bool) -> None:
        """Record a request that failed; stop the run where the next ones would fail too."""
        case = session.case
        self.budget.add(session.usage)
        self.failures.append({"id": case.id, "sample": session.sample, "reason": error.reason})
        self.failed += 1
        self._in_a_row += 1
        if self.bar is not None:
            self.bar.set_postfix(failed=self.failed, at_once=self.speaker.width)
        if error.fatal or (error.retry and alone) or self._in_a_row >= _LOST:
            raise Unavailable(
                f"model {self.speaker.name!r}: {error.reason} (case {case.id}). {self.go_on()}"
            )

    def go_on(self) -> str:
        """Return how much is saved, and the command that goes on."""
        saved = self.pending.done + self.saved
        if not saved:
            return "Run the same command again when it answers."
        folder = self.generations.path.parent
        return f"{saved} generations are saved; go on with `convsafe resume {folder}`."


def _generation(session: Session, reply: Reply) -> Generation:
    return Generation(
        id=session.case.id,
        sample=session.sample,
        outcome=reply.outcome,
        response=reply.text,
        messages=session.transcript,
        model=session.speaker.name,
        params=session.params.to_row(),
        finish_reason=reply.finish_reason,
        usage=session.usage or None,
        seconds=round(session.seconds, 4),
        reasoning=reply.reasoning,
        trace=tuple(session.trace) or None,
    )
