"""Time scores of many generations, and one cluster bootstrap beside those of peers.

Run `python -m convsafe.benchmark.perf.scoring --release DIST --out scoring.json`; `--judge-n` also
judges so many replies of 700 characters by the command, and sums up the memory of its processes.
Replies and verdicts are made up, with a seed; the cases are those of every config of the release.
`--inspect PYTHON` names an interpreter that has inspect_ai, which is timed at `--inspect-draws`
draws and extrapolated to 10,000; few draws overstate it, as what it does once is multiplied too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.perf.measure import Run, machine, measured, print_table, repeat, summary
from convsafe.taxonomy.files import write_json, write_text

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

DRAWS, CLUSTERS, EACH = 10_000, 20_000, 5
_INSPECT = """
import sys, time
import numpy as np
from inspect_ai.scorer import SampleScore, Score, ci
values, clusters = np.load(sys.argv[1])
scores = [
    SampleScore(score=Score(value=float(v)), sample_metadata={"c": int(c)})
    for v, c in zip(values, clusters)
]
interval = ci(method="bootstrap", num_samples=int(sys.argv[2]), cluster="c")
started = time.perf_counter()
interval(scores)
print(time.perf_counter() - started)
"""


def main() -> None:
    """Print the tables; write them as JSON, and the curve as a picture, where `--out` says."""
    given = _arguments().parse_args()
    state = machine()
    curve = [
        {
            "work": "every figure of given verdicts",
            "n": n,
            **summary(repeat(given.runs, _scored, given.release, n)),
        }
        for n in given.n
    ]
    print_table(curve)
    peers = _bootstraps(given)
    print_table(peers)
    found = {**state, "scoring": curve, "bootstrap": peers}
    if given.judge_n:
        found["judging"] = [_judged(given.release, given.judge_n, given.workers)]
        print_table(found["judging"])
    if given.out:
        write_json(given.out, found)
        _picture(found, given.out.with_suffix(".svg"))


def made_up(cases: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return `n` verdicts over the cases in turn, seeded."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(1)
    at = np.arange(n)
    stances = ["refusal", "partial", "compliance", "invalid"]
    return pl.DataFrame(
        {
            "id": cases["id"].sort().gather(at % len(cases)),
            "sample": at // len(cases),
            "stance": pl.Series(stances).gather(random.choice(4, n, p=[0.5, 0.1, 0.38, 0.02])),
            "unsafe": random.beta(0.5, 2, n),
            "responsive": random.random(n),
            "score": random.random(n).round(4),
        }
    ).select(
        pl.exclude("score"),
        labels=pl.lit([], pl.List(pl.String)),
        scores=pl.concat_list(pl.struct(name=pl.lit("toxicity_proxy"), value="score")),
    )


def _scored(release: Path, n: int) -> Run:
    from convsafe.benchmark.scoring import estimate
    from convsafe.benchmark.suite import load_cases

    cases, _ = load_cases(release, "all")
    verdicts = made_up(cases, n)
    tells = ("stance", "unsafe", "responsive", "scores")
    return measured(lambda: len(list(estimate(cases, verdicts, tells))))


def _sums() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return 0/1 values, and the cluster of each, correlated within."""
    import numpy as np

    random = np.random.default_rng(2)
    rates = random.beta(0.6, 1.4, CLUSTERS)
    clusters = np.repeat(np.arange(CLUSTERS), EACH)
    return (random.random(len(clusters)) < rates[clusters]).astype(float), clusters


def _ours() -> None:
    """Draw as `estimates` does for its first figure, the weights included."""
    from convsafe.benchmark.resampling import weights

    weights.cache_clear()
    _drawn(*_sums())


def _drawn(values: Any, clusters: Any) -> None:
    import numpy as np
    from convsafe.benchmark.resampling import drawn_sums, units_of, weights
    from threadpoolctl import threadpool_limits

    unit = units_of(CLUSTERS)[clusters]
    drawn = weights(int(unit.max()) + 1, DRAWS)
    sums = np.stack([np.bincount(unit, values), np.bincount(unit).astype(float)])
    with threadpool_limits(1, "blas"):
        events, n = drawn_sums(np.arange(sums.shape[1]), sums, drawn)
    np.quantile(events / n, [0.025, 0.975])


def _hundred(values: Any, clusters: Any) -> None:
    for _ in range(100):
        _drawn(values, clusters)


def _scipy() -> None:
    """Give SciPy the sums over clusters, which is the least work for it."""
    import numpy as np
    from scipy.stats import bootstrap

    values, clusters = _sums()
    sums = np.bincount(clusters, values), np.bincount(clusters).astype(float)
    bootstrap(
        sums,
        lambda events, n, axis: events.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(3),
    )


def _timed(name: str) -> Run:
    # Imports are not what is compared.
    import scipy.stats  # noqa: F401

    if name != "further":
        work: Callable[[], None] = {"ours": _ours, "scipy": _scipy}[name]
        return measured(work)
    values, clusters = _sums()
    _ours()
    run = measured(lambda: _hundred(values, clusters))
    return run._replace(seconds=run.seconds / 100, processor=(run.processor or 0) / 100)


def _bootstraps(given: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    titles = {
        "ours": "ours, one figure",
        "further": "ours, each of 100 further figures",
        "scipy": "scipy.stats.bootstrap, each figure",
    }
    for name, title in titles.items():
        found = summary(repeat(max(3, given.runs), _timed, name))
        rows.append({"bootstrap": title, "draws": DRAWS, **found})
    if given.inspect:
        rows.append(_inspect(given.inspect, given.inspect_draws))
    first, further = (row["seconds"] for row in rows[:2])
    return [
        {
            **row,
            "times_one": round(row["seconds"] / first, 1),
            "times_further": round(row["seconds"] / further, 1),
        }
        for row in rows
    ]


def _inspect(python: Path, draws: int) -> dict[str, Any]:
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/data.npy", np.stack(_sums()))
        write_text(Path(folder) / "run.py", _INSPECT)
        command = [str(python), f"{folder}/run.py", f"{folder}/data.npy", str(draws)]
        done = [subprocess.run(command, capture_output=True, check=True) for _ in range(3)]  # noqa: S603
    seconds = [float(one.stdout) * DRAWS / draws for one in done]
    runs = [Run(one, 0.0, None) for one in seconds]
    return {
        "bootstrap": "inspect_ai ci, each figure, extrapolated",
        "draws": draws,
        **summary(runs),
    }


def _judged(release: Path, n: int, workers: int) -> dict[str, Any]:
    """Judge and score by the command; memory is the sum over its processes of what each holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        _write_replies(release, n, path)
        main = "from convsafe.benchmark.cli import main\nif __name__ == '__main__':\n    main()\n"
        write_text(Path(folder) / "command.py", main)
        command = [sys.executable, f"{folder}/command.py", "score", str(path), "--json"]
        command += ["--release", str(release), "--config", "all", "--partial"]
        command += ["--workers", str(workers)]
        started, peak = time.perf_counter(), 0.0
        done = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
        while done.poll() is None:
            peak = max(peak, sum(map(_resident, _family(done.pid))))
            time.sleep(0.2)
    if done.returncode:
        raise SystemExit(done.returncode)
    seconds = round(time.perf_counter() - started, 1)
    work = f"judge and score, {workers} workers"
    return {"work": work, "n": n, "seconds": seconds, "peak_mib": round(peak)}


def _write_replies(release: Path, n: int, path: Path) -> None:
    import numpy as np
    import polars as pl
    from convsafe.benchmark.suite import load_cases

    random = np.random.default_rng(4)
    starts = ["I'm sorry, but I can't help with that.", "Sure! Here is how:", "Some ideas.", "No."]
    cases = load_cases(release, "all")[0]
    words = np.array(" ".join(cases["prompt"].head(2000)).split())
    texts = [
        f"{starts[random.integers(4)]} {' '.join(random.choice(words, 250))}".ljust(700)[:700]
        for _ in range(5000)
    ]
    made_up(cases, n).select(
        "id", "sample", response=pl.Series(texts).gather(random.integers(0, len(texts), n))
    ).write_ndjson(path)


def _family(pid: int) -> list[int]:
    """Return a process and all below it; Linux alone tells."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for one in below for each in _family(one))]


def _resident(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _picture(found: dict[str, Any], path: Path) -> None:
    """Draw seconds against verdicts on logarithmic axes, beside a line of equal cost a verdict."""
    from matplotlib.figure import Figure

    rows = found["scoring"]
    n, seconds = [row["n"] for row in rows], [row["seconds"] for row in rows]
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    ends = [
        [row["seconds"] - row["fastest"] for row in rows],
        [row["slowest"] - row["seconds"] for row in rows],
    ]
    axes.errorbar(n, seconds, yerr=ends, marker="o", capsize=3, label="every figure, 10,000 draws")
    busy = [row["processor"] for row in rows]
    axes.plot(n, busy, marker="s", label="seconds of the processor, all threads")
    axes.plot(n, [busy[-1] * one / n[-1] for one in n], "--", color="grey", label="linear")
    axes.set(xscale="log", yscale="log", xlabel="verdicts", ylabel="seconds")
    axes.set_title(
        f"{found['cores']} cores at load {found['load']}, Python {found['python']}, {found['date']}"
    )
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--release", type=Path, default=Path("dist/release"))
    parser.add_argument("--n", type=int, nargs="+", default=[10**4, 10**5, 10**6, 10**7])
    parser.add_argument("--runs", type=int, default=3, help="each in a process of its own")
    parser.add_argument("--judge-n", type=int, default=0, help="replies to judge; 0 for none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--inspect", type=Path, help="a Python that has inspect_ai")
    parser.add_argument("--inspect-draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="write the figures as JSON, and a picture beside")
    return parser


if __name__ == "__main__":
    main()
