"""Simulate how often corrected intervals hold the truth, and how often bounds pass falsely.

Run `python -m convsafe.benchmark.perf.coverage --repetitions 4000`; it prints a table, and writes
coverage.md and coverage.json beside this file, or where `--out` says. Each repetition has a judge
of its own around a centre (logits spread by 0.5), clusters of four cases with a correlation of 0.3
in truth and in the judge's errors (`cluster_patterns`), and labels drawn case by case: each with
the same chance (`equal`), or as many where the judge said yes as where it said no (`by answer`).
The judge card of a repetition holds 8 other models, each with 60 harmful and 200 harmless replies.
"""

from __future__ import annotations

import argparse
import itertools
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.perf import cluster_patterns, coverage_pages
from convsafe.benchmark.perf.coverage_peers import normal, plug_in, uncorrected
from convsafe.benchmark.perf.measure import machine, print_table
from convsafe.taxonomy.files import write_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from convsafe.benchmark.bootstrap import Floats
    from convsafe.benchmark.bounds import Mean
    from convsafe.benchmark.random_effects import Predicted
    from convsafe.benchmark.two_phase import Moments

RATES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LABELS = (50, 100, 200, 400, 1000)
CASES = (1200, 10_000)
DRAWS = ("equal", "by answer")
# Sensitivity and specificity at the centre.
JUDGES = {"good": (0.95, 0.99), "middling": (0.85, 0.95), "weak": (0.65, 0.8)}
CORRELATION, SPREAD, SEED = 0.3, 0.5, 20261127
MODELS, HARMFUL, HARMLESS = 8, 60, 200
EPSILONS, DELTAS, CLUSTERS = (0.01, 0.05, 0.2, 0.5), (0.05, 0.1), (100, 300)
# Grades from 0 to 1 in steps of a quarter, as a rubric from 1 to 5 gives them.
STEPS = 4
_AT_ONCE = 250


class Quality(NamedTuple):
    """The sensitivity and specificity of the judge on each model."""

    sensitivity: Floats
    specificity: Floats


class Card(NamedTuple):
    """What the judge cards predict, and what they say if they were certain."""

    predicted: Predicted
    plain: Quality


def main() -> None:
    """Print the tables and write the page."""
    given = _arguments().parse_args()
    started = time.perf_counter()
    found = simulate(given.repetitions)
    found |= {**machine(), "seconds": round(time.perf_counter() - started)}
    for rows in (found["labels"], found["card"], found["bounds"]):
        print_table(rows)
    write_text(given.out, coverage_pages.page(found))
    write_text(given.out.with_suffix(".json"), coverage_pages.as_json(found))


def simulate(repetitions: int) -> dict[str, Any]:
    """Return every cell of the three tables."""
    grid = list(itertools.product(JUDGES, CASES, DRAWS, LABELS, RATES))
    card = list(itertools.product(JUDGES, CASES, RATES))
    bounds = list(itertools.product(("0/1", "grades"), CLUSTERS, EPSILONS, DELTAS))
    judged = list(itertools.product(JUDGES, CASES[:1], EPSILONS, DELTAS[:1]))
    return {
        "repetitions": repetitions,
        "labels": [label_cell(repetitions, *cell) for cell in grid],
        "card": [card_cell(repetitions, *cell) for cell in card],
        "bounds": [
            *(bound_cell(repetitions, *cell) for cell in bounds),
            *(judged_cell(repetitions, *cell) for cell in judged),
        ],
    }


def label_cell(
    repetitions: int, judge: str, cases: int, draw: str, labels: int, rate: float
) -> dict[str, Any]:
    """Return the coverage of intervals from labels of the run itself."""
    from convsafe.benchmark.two_phase import labels_alone, rates

    cell = {"judge": judge, "cases": cases, "draw": draw, "labels": labels, "rate": rate}
    random = _random(cell)
    run = _run(random, cases, rate, _qualities(random, judge, repetitions), draw, labels)
    found, (_, low, high), plain = rates(run), labels_alone(run), normal(run)
    return {
        **cell,
        "alone": _mean(found.alone),
        "coverage": _covered(found.low, found.high, rate),
        "width": _mean(found.high - found.low),
        "labels_alone": _covered(low, high, rate),
        "labels_alone_width": _mean(high - low),
        "normal": _covered(*plain, rate),
        "normal_width": _mean(plain.high - plain.low),
    }


def card_cell(repetitions: int, judge: str, cases: int, rate: float) -> dict[str, Any]:
    """Return the coverage of intervals that need no labels of the run."""
    from convsafe.benchmark.random_effects import WEAKEST, assumed
    from convsafe.benchmark.two_phase import YES

    cell = {"judge": judge, "cases": cases, "rate": rate}
    random = _random(cell)
    run = _run(random, cases, rate, _qualities(random, judge, repetitions), "equal", cases // 2)
    card, trials = cards(repetitions, judge), run.clusters[:, 0]
    found = assumed(run.totals[:, YES] / cases * trials, trials, card.predicted)
    used = (found.weakest > WEAKEST) & ~found.outside
    plain, judged = plug_in(run, *card.plain), uncorrected(run)
    return {
        **cell,
        "refused": _mean(~used),
        "coverage": _covered(found.low[used], found.high[used], rate),
        "width": _mean((found.high - found.low)[used]),
        "uncorrected": _covered(*judged, rate),
        "uncorrected_width": _mean(judged.high - judged.low),
        "plug_in": _covered(*plain, rate),
        "plug_in_width": _mean(plain.high - plain.low),
        "plug_in_zero": _mean(plain.high <= 0),
    }


def bound_cell(
    repetitions: int, values: str, clusters: int, epsilon: float, delta: float
) -> dict[str, Any]:
    """Return how often a model whose mean is just epsilon passes, by the values people gave."""
    import numpy as np
    from convsafe.benchmark.bounds import METHODS

    cell = {"values": values, "clusters": clusters, "epsilon": epsilon, "delta": delta}
    steps = 1 if values == "0/1" else STEPS
    sums = np.arange(cluster_patterns.SIZE * steps + 1)
    chances = np.exp(
        cluster_patterns.log_beta_binomial(
            sums, np.full_like(sums, sums[-1]), np.array(epsilon), CORRELATION
        )
    )
    counts = _random(cell).multinomial(clusters, chances / chances.sum(), size=repetitions)
    found = _means(counts @ sums, counts @ sums**2, clusters, sums[-1])
    # Clopper-Pearson is for shares.
    return {**cell, **_passed(found, epsilon, delta), **({} if steps == 1 else {METHODS[0]: None})}


def judged_cell(
    repetitions: int, judge: str, cases: int, epsilon: float, delta: float
) -> dict[str, Any]:
    """Return the same by a judge's answers: what `judged_upper_bound` would pass."""
    from convsafe.benchmark.two_phase import YES

    clusters = cases // cluster_patterns.SIZE
    cell = {
        "values": f"{judge} judge",
        "clusters": clusters,
        "epsilon": epsilon,
        "delta": delta,
    }
    random = _random(cell)
    run = _run(random, cases, epsilon, _qualities(random, judge, repetitions), "equal", cases // 2)
    sums, squares = run.totals[:, YES], run.products[:, YES, YES]
    found = _means(sums, squares, clusters, cluster_patterns.SIZE)
    return {**cell, **_passed(found, epsilon, delta)}


def _passed(found: Mean, epsilon: float, delta: float) -> dict[str, float | None]:
    """Return how often a bound is at most epsilon, by method."""
    from convsafe.benchmark.bounds import METHODS, upper

    return {name: _mean(upper(found, delta, name) <= epsilon) for name in METHODS}


def _means(sums: npt.ArrayLike, squares: npt.ArrayLike, clusters: int, most: int) -> Mean:
    """Return means from sums over equal clusters, each of at most `most`."""
    import numpy as np
    from convsafe.benchmark.bounds import Mean

    total = np.asarray(sums, float)
    spread = np.maximum(np.asarray(squares) - total**2 / clusters, 0) / most**2
    error = np.sqrt(spread / (clusters - 1) / clusters)
    count = np.full_like(total, clusters)
    return Mean(total / clusters / most, count, error, count)


def _random(cell: dict[str, Any]) -> np.random.Generator:
    """Return a generator for this cell alone: a smaller grid has the same figures."""
    import zlib

    import numpy as np

    return np.random.default_rng([SEED, zlib.crc32(repr(sorted(cell.items())).encode())])


def _qualities(random: np.random.Generator, judge: str, *shape: int) -> Quality:
    import numpy as np
    from scipy.special import expit, logit

    return Quality(
        *(expit(random.normal(logit(np.array(centre)), SPREAD, shape)) for centre in JUDGES[judge])
    )


@cache
def cards(repetitions: int, judge: str) -> Card:
    """Return the cards of as many repetitions: drawn once, for prediction takes its time."""
    import numpy as np
    from convsafe.benchmark.random_effects import Predicted, predict

    random = _random({"card": judge})
    models = _qualities(random, judge, repetitions, MODELS)
    hits = random.binomial(HARMFUL, models.sensitivity).astype(float)
    rests = random.binomial(HARMLESS, models.specificity).astype(float)
    given = hits, np.full_like(hits, HARMFUL), rests, np.full_like(rests, HARMLESS)
    # Some at a time: a grid of each model is large.
    parts = [
        predict(*(column[start : start + _AT_ONCE] for column in given))
        for start in range(0, repetitions, _AT_ONCE)
    ]
    predicted = Predicted(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    return Card(predicted, Quality(hits.mean(1) / HARMFUL, rests.mean(1) / HARMLESS))


def _run(
    random: np.random.Generator, cases: int, rate: float, judge: Quality, draw: str, labels: int
) -> Moments:
    import numpy as np

    judged = rate * judge.sensitivity + (1 - rate) * (1 - judge.specificity)
    yes = np.full_like(judged, labels / cases)
    if draw == "by answer":
        yes = np.minimum(labels / 2 / (cases * judged), 0.95)
    no = np.minimum((labels / cases - yes * judged) / (1 - judged), 0.95)
    chances = cluster_patterns.Chances(yes, no)
    clusters = cases // cluster_patterns.SIZE
    return cluster_patterns.draw(random, clusters, rate, *judge, chances, CORRELATION)


def _covered(low: Any, high: Any, rate: float) -> float | None:
    return _mean((low <= rate) & (rate <= high))


def _mean(values: Any) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=4000, help="of every cell")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_suffix(".md"), help="the page; JSON beside"
    )
    return parser


if __name__ == "__main__":
    main()
