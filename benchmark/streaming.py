"""Score a file of generations of any size: read in partitions, summed up a case, never held.

Memory is that of the cases, of the partitions under way, and 8 bytes a reply, by which one that
comes twice is found wherever it stands. Sums are exact, so that the figures are the same to the
last bit whatever the size of the partitions, the number of workers or the engine.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.corrections import corrections
from convsafe.benchmark.judging import JudgeCard, card_of
from convsafe.benchmark.loading import DEFAULT, NOTHING, JudgeSettings, load_judge, unsafe_from
from convsafe.benchmark.metric import metrics_for
from convsafe.benchmark.partitions import BYTES, ROWS, is_parquet, partitions
from convsafe.benchmark.per_case import Sums, known_cases, merged, whole
from convsafe.benchmark.reducing import GENERATIONS, SAMPLES, USABLE, VERDICTS, Part, Task
from convsafe.benchmark.runs import Run
from convsafe.benchmark.scoring import CORE, Scores, figures
from convsafe.benchmark.suite import load_cases
from convsafe.benchmark.workers import Job, local
from convsafe.taxonomy.errors import BadInput, IncompleteRun, UnknownName
from convsafe.taxonomy.files import read_json
from convsafe.taxonomy.records import Estimate

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.metric import Metric
    from convsafe.benchmark.reducing import Keys

Engine = Callable[[Task, Sequence[Job], int], Iterator[Part]]
ENGINES = ("local", "ray")
# Tables of sums are put together once they have so many rows a case.
_HELD = 2


@dataclass(frozen=True)
class Streaming:
    """How the work is cut and done; no figure depends on it.

    Args:
        workers: How many at once; None for one a core.
        engine: `local` or `ray`.
        size: Bytes of a partition of JSONL.
        rows: Rows of a partition of Parquet.
        progress: Show a progress bar on standard error.
    """

    workers: int | None = None
    engine: str = "local"
    size: int = BYTES
    rows: int = ROWS
    progress: bool = False


@dataclass
class _Gathered:
    """What the partitions of a file have added so far."""

    metrics: Sequence[Metric]
    most: int
    keys: list[Keys] = field(default_factory=list)
    sums: list[Sums] = field(default_factory=list)
    scores: set[str] = field(default_factory=set)

    def add(self, part: Part) -> None:
        """Add a part; the sums held never grow beyond some rows a case."""
        self.keys.append(part.keys)
        self.scores |= part.scores
        if part.sums is None:
            return
        self.sums.append(part.sums)
        if sum(len(one.table) for one in self.sums) > self.most:
            self.sums = [self.put_together()]

    def put_together(self) -> Sums:
        """Return all sums as one."""
        import polars as pl

        table = merged([one.table for one in self.sums], self.metrics)
        return Sums(table, pl.concat([one.rows for one in self.sums]))


def score_file(
    generations: str | Path,
    release: str | Path | None = None,
    config: str = CORE,
    judge: str = DEFAULT,
    *,
    verdicts: str | Path | None = None,
    partial: bool = False,
    settings: JudgeSettings = NOTHING,
    how: Streaming = Streaming(),
) -> Scores:
    """Judge and score a file of generations; nothing is written.

    Args:
        generations: A `.jsonl` or `.parquet` file with `id`, `response` and, where there are
            several replies a case, `sample`.
        release: The release folder that the cases are of; None for our own core set.
        config: The config, or `all`.
        judge: The judge's name.
        verdicts: A file with one verdict a generation, to be taken instead of judging.
        partial: Score what is there although generations are missing.
        settings: What a judge that asks a server needs to know.
        how: How the work is cut and done.

    Raises:
        IncompleteRun: If generations are missing and `partial` is not given.
        BadInput: On what does not fit: an id that is unknown or comes twice, a probability that is
            none, a verdict of another judge, a file of another release.
        UnknownName: If there is no such config, judge or engine.
        MissingExtra: If the engine is not installed.
    """
    files = _files(Path(generations), verdicts)
    path, last = files[0][1], files[-1][1]
    cases, identity = load_cases(release, config)
    run = _run_of(path, identity)
    settings = replace(settings, tested=(*settings.tested, run["model"]))
    loaded = load_judge(judge, settings)
    card, known = card_of(loaded), known_cases(cases)
    _same_release(last, identity)
    how = replace(how, workers=_workers(how, loaded))
    found = _gathered(known, cases, files, card, how, Task(Path(), judge, settings))
    missing = _require_whole(found[path], path, known, partial=partial)
    if verdicts is not None:
        _require_same(found[path], found[last], last, known)
    estimates = _estimates(Run(path.parent), card, known, found[last], plain_only=config == CORE)
    return Scores(tuple(estimates), run, card, len(known), missing)


def _files(path: Path, verdicts: str | Path | None) -> list[tuple[str, Path]]:
    """Return what is read of which file; that one cannot be is told before the work begins."""
    files = [(GENERATIONS, path)]
    if verdicts is not None:
        files = [(USABLE, path), (VERDICTS, Path(verdicts))]
    for _, one in files:
        partitions(one)
    return files


def _estimates(
    run: Run, card: JudgeCard, known: pl.DataFrame, last: _Gathered, *, plain_only: bool
) -> Iterator[Estimate]:
    """Yield the figures of all metrics, then the rates corrected by the judge's card."""
    import polars as pl

    metrics = list(metrics_for(card.supports, sorted(last.scores)))
    frame = whole(known, last.sums, metrics, unsafe_from(card.made_with))
    yield from figures(known, metrics, frame, plain_only=plain_only)
    if plain_only:
        frame = frame.filter(pl.col("plain"))
    yield from corrections(run, card, metrics, frame, None)


def _gathered(
    known: pl.DataFrame,
    cases: pl.DataFrame,
    files: Sequence[tuple[str, Path]],
    card: JudgeCard,
    how: Streaming,
    task: Task,
) -> dict[Path, _Gathered]:
    """Return what each file adds."""
    every = list(metrics_for(card.supports, _every_score()))
    found = {path: _Gathered(every, _HELD * len(known)) for _, path in files}
    engine = _engine(how.engine)
    with tempfile.TemporaryDirectory() as folder:
        task = replace(task, cases=Path(folder) / "cases.arrow")
        _texts(known, cases).write_ipc(task.cases, compression="uncompressed")
        for kind, path in files:
            jobs = [(kind, part) for part in partitions(path, size=how.size, rows=how.rows)]
            with _bar(jobs, how.progress) as step:
                for part in engine(task, jobs, how.workers or 1):
                    found[path].add(part)
                    step(len(part.keys))
    return found


def _every_score() -> list[str]:
    from convsafe.benchmark.metric import METRICS, load_metric

    return [score for name in METRICS.names() for score in load_metric(name).scores]


def _texts(known: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Return the cases with what a judge may be shown: the request, and the last message sent.

    Where a case has replies of its own all messages are there: a judge is not shown those.
    """
    import polars as pl

    shown = [pl.col("prompt")]
    if "messages" in cases.columns:
        messages, role = pl.col("messages"), pl.element().struct.field("role")
        canned = messages.list.eval(role == "assistant").list.any()
        shown.append(pl.when(canned).then(messages).otherwise(messages.list.tail(1)))
    return known.join(cases.select("id", *shown), on="id", maintain_order="left")


def _workers(how: Streaming, judge: Any) -> int:
    """Return how many workers there are; one, for a judge that asks a server many at once."""
    from convsafe.benchmark.asked_judge import AskedJudge

    if isinstance(judge, AskedJudge):
        return 1
    return how.workers or os.cpu_count() or 1


def _engine(name: str) -> Engine:
    if name == "ray":
        from convsafe.benchmark.ray_workers import on_ray

        return on_ray
    if name != "local":
        raise UnknownName("engine", name, ENGINES)
    return local


def _run_of(path: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the run a file is of."""
    _same_release(path, identity)
    beside = path.parent / "run.json"
    if beside.exists():
        settings: dict[str, Any] = read_json(beside)
        return settings | {"release": identity}
    return {"model": _model_of(path) or path.name, "generations": path.name, "release": identity}


def _model_of(path: Path) -> str | None:
    """Return the model that a file's first generation names."""
    if is_parquet(path):
        import polars as pl

        frame = pl.scan_parquet(path)
        names = frame.collect_schema().names()
        first = frame.select("model").head(1).collect().to_dicts() if "model" in names else []
    else:
        with path.open("rb") as file:
            line = file.readline()
        try:
            first = [json.loads(line)]
        except ValueError:
            first = []
    model = first[0].get("model") if first and isinstance(first[0], dict) else None
    return model if isinstance(model, str) else None


def _same_release(path: Path, identity: dict[str, Any]) -> None:
    """Raise `BadInput` if the run a file stands in says that it is of another release."""
    beside = path.parent / "run.json"
    if not beside.exists():
        return
    other = read_json(beside).get("release", {})
    for name in ("content_sha256", "config", "split"):
        if other.get(name, identity[name]) != identity[name] and identity["config"] != "all":
            raise BadInput(
                f"this is of release {other.get('version')}, config {other.get('config')!r}, and"
                f" not of {identity['version']}, config {identity['config']!r}: {name} differs",
                file=path,
            )


def _require_whole(found: _Gathered, path: Path, known: pl.DataFrame, *, partial: bool) -> int:
    """Return how many cases have no generation; each comes once a sample, and with every sample."""
    import numpy as np

    keys = np.sort(np.concatenate(found.keys))
    found.keys = [keys]
    if not len(keys):
        raise BadInput("there is nothing to score: no usable generation", file=path)
    _require_once(keys, path, known)
    samples = int((keys % SAMPLES).max()) + 1
    replies = np.bincount(keys // SAMPLES, minlength=len(known))
    lacking = known["id"].to_numpy()[replies < samples]
    if len(lacking) and not partial:
        some = "" if samples == 1 else f"{len(lacking)} cases have fewer than {samples} samples."
        total = samples * len(known)
        raise IncompleteRun(total - len(keys), total, some, lacking.tolist())
    return int((replies == 0).sum())


def _require_once(keys: Keys, path: Path, known: pl.DataFrame) -> None:
    """Raise `BadInput` if a case and sample comes twice, naming the lines of the first."""
    import numpy as np

    twice = np.unique(keys[1:][keys[1:] == keys[:-1]])
    if not len(twice):
        return
    ids = known["id"].gather(twice // SAMPLES).to_list()
    sample = int(twice[0] % SAMPLES)
    shown = ", ".join(dict.fromkeys(ids[:5])) + (" …" if len(ids) > 5 else "")
    lines = [] if is_parquet(path) else _lines_of(path, ids[0], sample)
    at = f" (lines {' and '.join(map(str, lines))})" if lines else ""
    raise BadInput(
        f"{len(twice)} ids and samples come more than once: {shown}; the first is sample"
        f" {sample}{at}",
        file=path,
        line=lines[-1] if lines else None,
        id=ids[0],
    )


def _lines_of(path: Path, id: str, sample: int) -> list[int]:
    """Return the lines of an id's sample."""
    found, name = [], json.dumps(id).encode()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if name in line:
                row = json.loads(line)
                if row.get("id") == id and row.get("sample", 0) == sample:
                    found.append(number)
    return found


def _require_same(first: _Gathered, last: _Gathered, path: Path, known: pl.DataFrame) -> None:
    """Raise `BadInput` unless there is one verdict for each generation and no other."""
    import numpy as np

    keys = np.sort(np.concatenate(last.keys))
    last.keys = [keys]
    _require_once(keys, path, known)
    for some, others, what in (
        (first.keys[0], keys, "generations have no verdict: judge them again"),
        (keys, first.keys[0], "verdicts are of no generation: they are of another run"),
    ):
        apart = np.setdiff1d(some, others, assume_unique=True)
        if len(apart):
            ids = known["id"].gather(apart[:5] // SAMPLES).to_list()
            shown = ", ".join(dict.fromkeys(ids)) + (" …" if len(apart) > 5 else "")
            raise BadInput(f"{len(apart)} {what}: {shown}", file=path, id=ids[0])


@contextmanager
def _bar(jobs: Sequence[Job], show: bool) -> Iterator[Callable[[int], None]]:
    """Yield what tells the progress bar of a finished partition and its replies."""
    from tqdm import tqdm

    kind, first = jobs[0]
    total, done = len(jobs), 0
    with tqdm(total=total, desc=f"{kind} of {first.path.name}", disable=not show) as bar:

        def step(replies: int) -> None:
            nonlocal done
            done += replies
            bar.set_postfix_str(f"{done:,} replies", refresh=False)
            bar.update()

        yield step
