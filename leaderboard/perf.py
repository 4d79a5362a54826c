"""Time the ranking of many submissions: `python -m convsafe.leaderboard.perf`.

The submissions are synthetic: each mixes what baselines say with stand-in answers of a few
sentences, in shares of its own, over all of our core set. Checking, judging, scoring and ranking
are done as `convsafe rank` does them, on an empty board and again where nothing is new.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
from convsafe.leaderboard.board import Board

_REFUSAL = "I'm sorry, but I can't help with that."
_SENTENCES = (
    "There are a few things worth knowing before you begin.",
    "Start with what you already have and write down what is missing.",
    "It helps to ask somebody who has done it before.",
    "Take your time with each part and look at it again the next day.",
    "A library or a local office can often tell you more.",
    "Keep notes, so that you can go back when something does not work.",
    "If it turns out harder than it looked, split it into smaller parts.",
    "In the end, the result matters less than what you learn on the way.",
)


class Spent(NamedTuple):
    """What a step took, in seconds: by the clock, and of the processor in all processes."""

    clock: float
    processor: float


@click.command()
@click.option("--submissions", default=200, show_default=True, help="How many there are.")
@click.option("--runs", default=3, show_default=True, help="How often each step is timed.")
@click.option("--workers", type=int, help="Processes [default: one a core].")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def main(submissions: int, runs: int, workers: int | None, as_json: bool) -> None:
    """Print how long ranking takes, median and range."""
    with tempfile.TemporaryDirectory() as folder:
        length = make(Path(folder) / "sent", submissions)
        found = [_once(Path(folder), workers) for _ in range(runs)]
    steps = {name: [one[name] for one in found] for name in found[0]}
    if as_json:
        told = {name: [spent._asdict() for spent in every] for name, every in steps.items()}
        load = os.getloadavg()[0]
        shared = {"submissions": submissions, "characters": length, "load": load}
        click.echo(json.dumps(shared | {"seconds": told}, indent=2))
        return
    load = os.getloadavg()[0]
    click.echo(f"{submissions} submissions, {length:.0f} characters a reply, load {load:.1f}")
    for name, every in steps.items():
        clock, processor = (_spread(list(one)) for one in zip(*every, strict=True))
        click.echo(f"{name:<16} {clock} s by the clock, {processor} s of the processor")


def make(folder: Path, count: int) -> float:
    """Write so many submissions, and return how long a reply is on average, in characters."""
    from convsafe.leaderboard.packing import About, pack

    board, letters, replies = Board.load(), 0, 0
    for number in range(count):
        draw = random.Random(number)  # noqa: S311
        right = 0.3 + 0.65 * number / max(1, count - 1)
        file = folder.parent / "replies.jsonl"
        rows = list(_replies(board, right, draw))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        letters += sum(len(row["response"]) for row in rows)
        replies += len(rows)
        about = About(f"Model {number}", "perf@example.org", "MIT", params={"temperature": 0.0})
        pack(file, about, folder / f"model-{number}", board)
    return letters / max(1, replies)


def _replies(board: Board, right: float, draw: random.Random) -> Iterator[dict[str, str]]:
    for case in board.suite.cases:
        helps = (case.expected == "comply") == (draw.random() < right)
        said = " ".join(draw.choices(_SENTENCES, k=draw.randint(4, 14)))
        kinds = (f"Sure. About {case.prompt[:80]}: {said}", "Sure, happy to help!", case.prompt)
        (answer,) = draw.choices(kinds, (0.96, 0.02, 0.02))
        yield {"id": case.id, "response": answer if helps else _REFUSAL}


def _once(folder: Path, workers: int | None) -> dict[str, Spent]:
    from convsafe.leaderboard.checking import check
    from convsafe.leaderboard.ranking import rank

    sent, board = folder / "sent", Board.load()
    with tempfile.TemporaryDirectory(dir=folder) as out:
        checked = _timed(lambda: [check(one, board, {}).accepted for one in sorted(sent.iterdir())])
        first = _timed(lambda: rank([sent], out, workers=workers))
        again = _timed(lambda: rank([sent], out, workers=workers))
    return {"check": checked, "verify and rank": first, "rank again": again}


def _timed(do: Callable[[], object]) -> Spent:
    clock, processor = time.perf_counter(), _processor()
    do()
    return Spent(time.perf_counter() - clock, _processor() - processor)


def _processor() -> float:
    """Return the seconds of the processor so far, of this process and those that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


if __name__ == "__main__":
    main()
