"""Time the transforms on many cases and watch the memory, beside PyRIT's converters.

Run `python -m convsafe.benchmark.perf.transforms --n 100000 --n 1000000 --peer`. Our own plain
pairs are taken again and again, each under every transform of a general family, until there are `n`
results; each is a whole case with its messages and links, and none is kept. `--peer` needs
`pip install pyrit` and compares six ciphers that both have, on the same texts: PyRIT returns the
text alone.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from convsafe.benchmark.perf.measure import Run, machine, measured, print_table, repeat, summary
from convsafe.data_builders import transform
from convsafe.data_builders.core import own_cases
from convsafe.data_builders.derive import Skipped, apply
from convsafe.taxonomy.files import write_json
from convsafe.taxonomy.records import Case

# Each cipher of ours and the converter of the same name there.
_PEERS = {
    "caesar": "CaesarConverter",
    "atbash": "AtbashConverter",
    "rot13": "ROT13Converter",
    "morse": "MorseConverter",
    "base64": "Base64Converter",
    "leetspeak": "LeetspeakConverter",
}


def main() -> None:
    """Print the table, and write it as JSON where `--out` says."""
    given = _arguments().parse_args()
    sizes = given.n or [100_000]
    rows = [_row("every transform", n, repeat(given.runs, _all, n)) for n in sizes]
    rows.append(_row("six ciphers", sizes[0], repeat(given.runs, _ciphers, sizes[0])))
    if given.peer:
        rows.append(_row("six ciphers, PyRIT", sizes[0], repeat(given.runs, _peer, sizes[0])))
    print_table(rows)
    if given.out:
        write_json(given.out, {**machine(), "rows": rows})


def _row(work: str, n: int, runs: list[Run]) -> dict[str, Any]:
    made = runs[0].value
    return {"work": work, "n": n, **summary(runs), **made}


def _plain() -> list[Case]:
    return [case for case in own_cases() if not case.transforms and len(case.messages) == 1]


def _all(n: int) -> Run:
    families = [kind.name for kind in transform.each_kind() if kind.general]
    ours = [each for each in transform.find_all(families) if each.part.source is None]
    return measured(_apply, _plain(), ours, n)


def _ciphers(n: int) -> Run:
    return measured(_apply, _plain(), transform.find_all(_PEERS), n)


def _apply(cases: list[Case], transformers: list[transform.Transformer], n: int) -> dict[str, int]:
    """Apply every transform to every case until there are `n` results; keep none."""
    pairs = ((case, each) for case in cycle(cases) for each in transformers)
    counts = Counter(
        isinstance(result, Skipped)
        for case, each in islice(pairs, n)
        for result in apply(each, (case,))
    )
    return {"made": counts[False], "not_applicable": counts[True]}


def _peer(n: int) -> Run:
    converters = importlib.import_module("pyrit.converter")
    options: dict[str, Any] = {"caesar": {"caesar_offset": 3}}
    ready = [getattr(converters, name)(**options.get(ours, {})) for ours, name in _PEERS.items()]
    texts = [case.prompt for case in _plain()]
    return measured(lambda: asyncio.run(_convert(texts, ready, n)))


async def _convert(texts: list[str], converters: list[Any], n: int) -> dict[str, int]:
    pairs: Iterator[tuple[str, Any]] = (
        (text, each) for text in cycle(texts) for each in converters
    )
    made = 0
    for text, each in islice(pairs, n):
        await each.convert_async(prompt=text, input_type="text")
        made += 1
    return {"made": made, "not_applicable": 0}


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, action="append", help="results to make; again for more")
    parser.add_argument("--runs", type=int, default=3, help="each in a process of its own")
    parser.add_argument("--peer", action="store_true", help="run PyRIT beside it")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    return parser


if __name__ == "__main__":
    main()
