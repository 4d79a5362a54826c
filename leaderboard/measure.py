"""Measure the suspicion tests: `python -m convsafe.leaderboard.measure RUN …`.

RUNs are folders of honest runs of the same cases. Every cheat of `planted.py` is planted in each of
them, and the runs as they are say how often an honest one is flagged. More honest
ones are mixed: each cluster's replies from one of three runs with the same most tokens, at random.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from convsafe.benchmark.intervals import clopper_pearson
from convsafe.leaderboard.evidence import Asked, Evidence, Others
from convsafe.leaderboard.planted import CHEATS, Cheat, Planter
from convsafe.leaderboard.suspecting import found_in, suspect_all

if TYPE_CHECKING:
    import polars as pl

SEED = 20260501
_MIXED_FROM = 3
# A reply of a usual model has so many letters; for timing, replies are joined to that length.
_LETTERS = 600


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--honest", default=30, show_default=True, help="Honest runs, with the mixed ones.")
@click.option("--speed", default=0, help="Time so many submissions of the whole set, too.")
@click.option("--release", type=click.Path(path_type=Path), help="The release the runs are of.")
def main(runs: Sequence[Path], honest: int, speed: int, release: Path | None) -> None:
    """Print what is found of planted cheats, and how many honest runs are flagged, as JSON."""
    from convsafe.benchmark.suite import load_cases

    cases, _ = load_cases(release)
    real = {run.name: read_run(run) for run in runs}
    found = {
        "honest": measure_honest(real | mixes(real, cases, honest - len(real)), cases),
        "cheats": [row for cheat in CHEATS.values() for row in measure_cheat(cheat, real, cases)],
    }
    if speed:
        found["speed"] = {"submissions": speed, "seconds": measure_speed(real, cases, speed)}
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def read_run(folder: Path) -> pl.DataFrame:
    """Return the generations of a run folder, with every column."""
    import polars as pl

    return pl.read_ndjson(folder / "generations.jsonl", infer_schema_length=None)


def mixes(real: Mapping[str, pl.DataFrame], cases: pl.DataFrame, number: int) -> dict[str, Any]:
    """Return runs of which each cluster is from one of three real runs."""
    import numpy as np
    import polars as pl

    found: dict[str, Any] = {}
    clusters, groups = cases.select("id", "cluster_id"), _alike(real)
    for at in range(number):
        random = np.random.default_rng([SEED, at])
        group = groups[int(random.integers(len(groups)))]
        names = sorted(random.choice(group, _MIXED_FROM, replace=False).tolist())
        turn = {id: names[random.integers(3)] for id in clusters["cluster_id"].unique().sort()}
        parts = [
            real[name]
            .join(clusters, on="id")
            .filter(pl.col("cluster_id").replace_strict(turn) == name)
            .drop("cluster_id")
            for name in names
        ]
        found[f"{'+'.join(names)} ({at})"] = pl.concat(parts, how="diagonal_relaxed")
    return found


def _alike(real: Mapping[str, pl.DataFrame]) -> list[list[str]]:
    """Return the groups of runs with the same most tokens that are large enough to mix."""
    groups: dict[Any, list[str]] = {}
    for name, rows in sorted(real.items()):
        groups.setdefault(rows["params"][0]["max_tokens"], []).append(name)
    return [names for names in groups.values() if len(names) >= _MIXED_FROM]


def measure_honest(runs: Mapping[str, pl.DataFrame], cases: pl.DataFrame) -> dict[str, Any]:
    """Return how many honest runs get a flag, and which."""
    found = suspect_all(runs, cases)
    flagged = {name: [flag.to_row() for flag in flags] for name, flags in found.items() if flags}
    return _share(len(flagged), len(runs)) | {"flagged": flagged}


def measure_cheat(
    cheat: Cheat, real: Mapping[str, pl.DataFrame], cases: pl.DataFrame
) -> Iterator[dict[str, Any]]:
    """Yield for each strength in how many runs a planted cheat is found by its test."""
    import numpy as np

    asked = Asked(cases)
    others = {name: Evidence(asked, rows) for name, rows in real.items()}
    for strength in cheat.strengths:
        codes = []
        for at, (name, rows) in enumerate(real.items()):
            rest = {key: one for key, one in others.items() if key != name}
            random = np.random.default_rng([SEED, at])
            other = real[sorted(rest)[int(random.integers(len(rest)))]]
            made = cheat.make(Planter(rows, cases, other, random), strength)
            flags = found_in(Evidence(asked, made, Others(rest)))
            codes.append([flag.code for flag in flags])
        hits = sum(cheat.code in flags for flags in codes)
        row = {"test": cheat.code, "cheat": cheat.name, "strength": strength}
        yield row | _share(hits, len(codes)) | {"any": sum(map(bool, codes))}


def measure_speed(real: Mapping[str, pl.DataFrame], cases: pl.DataFrame, number: int) -> float:
    """Return the seconds that so many submissions take, of replies joined at random."""
    import numpy as np
    import polars as pl

    pool = pl.concat([rows["response"] for rows in real.values()])
    joined = max(1, _LETTERS * len(pool) // max(1, int(pool.str.len_chars().sum())))
    random = np.random.default_rng(SEED)
    made = {}
    for at in range(number):
        drawn = random.integers(0, len(pool), (joined, len(cases)))
        parts = pl.DataFrame([pool.gather(row).alias(str(n)) for n, row in enumerate(drawn)])
        said = parts.select(response=pl.concat_str(pl.all(), separator=" ")).to_series()
        made[str(at)] = pl.DataFrame({"id": cases["id"], "response": said, "model": str(at)})
    start = time.perf_counter()
    suspect_all(made, cases)
    return round(time.perf_counter() - start, 2)


def _share(hits: int, n: int) -> dict[str, Any]:
    low, high = map(float, clopper_pearson(hits, n))
    return {"found": hits, "n": n, "low": round(low, 3), "high": round(high, 3)}


if __name__ == "__main__":
    main()
