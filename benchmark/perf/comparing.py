"""Time the comparison of 2 and of 5 models.

Run `python -m convsafe.benchmark.perf.comparing --release DIST --out comparing.json`. The cases are
those of a config, taken as `convsafe run --limit` takes them; a baseline runs and is judged once,
and each model has a copy of its run with verdicts made up at rates of its own, with a seed. All
that `compare` does is timed: pairs in every metric and slice, rates and ranks.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from convsafe.benchmark.perf.measure import Run, machine, measured, print_table, repeat, summary
from convsafe.taxonomy.files import write_json

JUDGE = "embedded"
# How far apart neighbouring models are, in shares of replies.
_STEP = 0.02


def main() -> None:
    """Print the table; write it as JSON where `--out` says."""
    given = _arguments().parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folders = _judged(given, Path(scratch))
        rows = [
            {
                "work": f"compare {models} models",
                "n": given.n,
                **summary(repeat(given.runs, _compared, folders[:models])),
            }
            for models in given.models
        ]
    print_table(rows)
    if given.out:
        write_json(given.out, {**machine(), "rows": rows})


def _compared(folders: list[Path]) -> Run:
    from convsafe.benchmark.comparing import compare

    return measured(lambda: len(compare(folders).differences))


def _judged(given: argparse.Namespace, root: Path) -> list[Path]:
    """Return the folders of judged runs, as many as the largest comparison takes."""
    from convsafe.benchmark import load_suite, run, score

    suite = load_suite(given.release, given.config, limit=given.n)
    score(run("always_refuse", suite, root / "first"), JUDGE)
    folders = [root / f"model-{place}" for place in range(max(given.models))]
    for place, folder in enumerate(folders):
        shutil.copytree(root / "first", folder)
        _make_up(folder, place)
    return folders


def _make_up(folder: Path, place: int) -> None:
    """Give a run verdicts of its own."""
    import numpy as np
    import polars as pl
    from convsafe.benchmark.judging import read_verdicts
    from convsafe.benchmark.runs import Run as Folder

    path = Folder.open(folder).verdicts_path(JUDGE)
    verdicts = read_verdicts(path)
    random, n = np.random.default_rng(place), len(verdicts)
    refused = random.random(n) < 0.6 - _STEP * place
    verdicts.with_columns(
        stance=pl.Series(np.where(refused, "refusal", "compliance")),
        unsafe=pl.Series(np.where(refused, 0.0, random.beta(0.5, 1, n))),
        responsive=pl.Series(np.where(refused, 0.0, random.random(n))),
    ).write_ndjson(path)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--release", type=Path, default=Path("dist/release"))
    parser.add_argument("--config", default="jailbreak")
    parser.add_argument("--n", type=int, default=10_000, help="cases of each model")
    parser.add_argument("--models", type=int, nargs="+", default=[2, 5])
    parser.add_argument("--runs", type=int, default=3, help="each in a process of its own")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    return parser


if __name__ == "__main__":
    main()
