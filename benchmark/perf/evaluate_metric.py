"""Time what `evaluate.compute` adds to the engine's own time.

Run `python -m convsafe.benchmark.perf.evaluate_metric`. Replies of 700 characters to as many cases,
copies of the core set under new ids, are given to the metric in four ways; `engine_s` is the time
inside judging and scoring, `added_s` all the rest of `compute` (and of `add_batch`). The last row
is the base class's own way of keeping the same texts and ids, which the metric does not take.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark.perf.measure import Run, machine, measured, print_table, repeat, summary
from convsafe.taxonomy.files import write_json

LENGTH = 700
BATCH = 1_000
_TEXTS = ("I can't help with that request. ", "Sure, happy to help! ", "Here is what I know. ")


def main() -> None:
    """Print the table, and write it as JSON where `--out` says."""
    given = _arguments().parse_args()
    rows = [_row(way, given) for way in (*_WAYS, _BASE)]
    print_table(rows)
    if given.out:
        write_json(given.out, {**machine(), "rows": rows})


def _row(way: str, given: argparse.Namespace) -> dict[str, Any]:
    runs = repeat(given.runs, _base if way == _BASE else _ours, way, given.n, given.judge)
    found = summary(runs)
    engine = sorted(run.value for run in runs)[len(runs) // 2]
    added = sorted(run.seconds - run.value for run in runs)
    return {
        "way": way,
        "n": given.n,
        "judge": given.judge if way != _BASE else "",
        "added_s": round(added[len(added) // 2], 2),
        "added_s_per_million": round(added[len(added) // 2] / given.n * 1e6, 2),
        "slowest": round(added[-1], 2),
        "engine_s": round(engine, 2),
        "runs": found["runs"],
        "peak_mib": found["peak_mib"],
    }


def _ours(way: str, n: int, judge: str) -> Run:
    """Return the run of one way; its value is the seconds inside the engine."""
    import evaluate
    from convsafe.benchmark import evaluate_layer

    inside = _timed(evaluate_layer, "estimated")
    cases = _cases(n)
    with tempfile.TemporaryDirectory() as scratch:
        metric = evaluate.load(str(evaluate_layer.METRIC), cache_dir=scratch, judge=judge)
        evaluate_layer._cases = _of_release(cases) if way.endswith("ids") else evaluate_layer._cases
        run = measured(_WAYS[way], metric, _replies(n), cases)
    return run._replace(value=sum(inside))


def _timed(module: Any, name: str) -> list[float]:
    """Let a function of a module note its seconds in the list that is returned."""
    seconds: list[float] = []
    work = getattr(module, name)

    def timed(*given: Any, **options: Any) -> Any:
        started = time.perf_counter()
        found = work(*given, **options)
        seconds.append(time.perf_counter() - started)
        return found

    setattr(module, name, timed)
    return seconds


def _cases(n: int) -> list[dict[str, Any]]:
    """Return as many cases, copies of the core set under new ids."""
    from convsafe.benchmark import load_suite

    rows = [case.to_row() for case in load_suite().cases if not case.transforms]
    return [
        {**row, "id": f"{row['id']}.{copy}", "cluster_id": f"{row['cluster_id']}.{copy}"}
        for copy in range(-(-n // len(rows)))
        for row in rows
    ][:n]


def _of_release(cases: Sequence[dict[str, Any]]) -> Callable[..., Any]:
    """Return what stands for reading these cases from a release, which is the engine's work."""
    from convsafe.benchmark import evaluate_layer
    from convsafe.benchmark.evaluate_inputs import Collected

    table = Collected((), {case["id"]: case for case in cases}).given_cases()
    assert table is not None
    found = evaluate_layer._Cases(table.sort("id"), "perf", "")
    return lambda _collected, _options: found


def _replies(n: int) -> list[str]:
    """Return as many different replies of 700 characters."""
    return [(_TEXTS[place % 3] + f"({place}) " * LENGTH)[:LENGTH] for place in range(n)]


def _ids(cases: Sequence[dict[str, Any]]) -> list[str]:
    return [case["id"] for case in cases]


def _texts_and_ids(metric: Any, replies: list[str], cases: Sequence[dict[str, Any]]) -> None:
    metric.compute(predictions=replies, references=_ids(cases))


def _generations_and_ids(metric: Any, replies: list[str], cases: Sequence[dict[str, Any]]) -> None:
    rows = [
        {"id": case["id"], "sample": 0, "outcome": "answered", "response": text, "model": "m"}
        for case, text in zip(cases, replies, strict=True)
    ]
    metric.compute(predictions=rows)


def _texts_and_cases(metric: Any, replies: list[str], cases: Sequence[dict[str, Any]]) -> None:
    metric.compute(predictions=replies, references=cases)


def _batches(metric: Any, replies: list[str], cases: Sequence[dict[str, Any]]) -> None:
    ids = _ids(cases)
    for first in range(0, len(ids), BATCH):
        part = slice(first, first + BATCH)
        metric.add_batch(predictions=replies[part], references=ids[part])
    metric.compute()


def _base(_way: str, n: int, _judge: str) -> Run:
    """Return the run of the base class, whose engine does nothing."""
    import datasets
    import evaluate

    class Base(evaluate.Metric):  # type: ignore[misc]
        def _info(self) -> Any:
            text = datasets.Value("string")
            reply = {"response": text, "outcome": text, "sample": datasets.Value("int64")}
            features = datasets.Features({"predictions": reply, "references": text})
            return evaluate.MetricInfo(description="", citation="", features=features)

        def _compute(self, **_inputs: Any) -> dict[str, Any]:
            return {}

    rows = [{"response": text, "outcome": "answered", "sample": 0} for text in _replies(n)]
    ids = _ids(_cases(n))
    with tempfile.TemporaryDirectory() as scratch:
        metric = Base(cache_dir=scratch)
        run = measured(lambda: metric.compute(predictions=rows, references=ids))
    return run._replace(value=0.0)


_WAYS: dict[str, Callable[..., None]] = {
    "texts and ids": _texts_and_ids,
    "generations and their ids": _generations_and_ids,
    "texts and whole cases": _texts_and_cases,
    "batches of 1,000 texts and ids": _batches,
}
_BASE = "the base class alone"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="replies to score")
    parser.add_argument("--runs", type=int, default=3, help="each in a process of its own")
    parser.add_argument("--judge", default="rules", help="the engine's judge; not what is timed")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    return parser


if __name__ == "__main__":
    main()
