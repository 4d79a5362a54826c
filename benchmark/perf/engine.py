"""How fast replies are collected, against a loopback server.

In each round the same requests are sent by plain aiohttp, by the engine (with its file of
generations, each line written as it comes), and by the peers whose Python is given, one after
the other. CPU seconds are those of the asking process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import click
from convsafe.taxonomy.files import write_json

_SERVER = "convsafe.benchmark.perf.chat_server"
_CLI = "from convsafe.benchmark.cli import main; main()"
_RUN = (
    "import json, sys; from convsafe.benchmark.perf.engine import collect_in_process;"
    "print(json.dumps(collect_in_process(int(sys.argv[1]))))"
)
_PEERS = Path(__file__).parent / "peers"


class Took(NamedTuple):
    """One measurement: requests a second, and CPU milliseconds a request."""

    rate: float
    cpu: float


@contextlib.contextmanager
def server(latency: float) -> Iterator[str]:
    """Yield the URL of a loopback server that answers after so many seconds."""
    command = [sys.executable, "-m", _SERVER, str(latency)]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def prompts(n: int) -> list[str]:
    """Return as many different short requests."""
    return [f"Request {number}: tell me about the history of the town." for number in range(n)]


def measured(work: Any, n: int) -> Took:
    """Time a function that sends so many requests."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Took(n / wall, 1000 * cpu / n)


def plain_aiohttp(url: str, texts: list[str], concurrency: int) -> None:
    """Send the requests with as little around aiohttp as there can be."""
    asyncio.run(_plain(url, texts, concurrency))


async def _plain(url: str, texts: list[str], concurrency: int) -> None:
    import aiohttp

    queue = iter(texts)

    async def draw(session: aiohttp.ClientSession) -> None:
        for text in queue:
            body = {"model": "m", "messages": [{"role": "user", "content": text}]}
            async with session.post(f"{url}/chat/completions", json=body) as answer:
                found = await answer.json()
                found["choices"][0]["message"]["content"]

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(draw(session) for _ in range(concurrency)))


def suite_of(n: int, folder: Path) -> Any:
    """Return a suite of so many requests that stands in a file, as that of a release does."""
    from convsafe.benchmark.suite import CaseFiles, Suite
    from convsafe.taxonomy.arrow import case_schema, case_table
    from pyarrow import parquet

    path, cases = folder / f"cases-{n}.parquet", _cases(n)
    with parquet.ParquetWriter(path, case_schema(), compression="zstd") as out:
        while part := list(islice(cases, 50_000)):
            out.write_table(case_table(part, case_schema().names))
    release = {"version": "0", "content_sha256": "", "config": "perf", "split": "test"}
    return Suite(CaseFiles([path]), release)


def _cases(n: int) -> Iterator[Any]:
    from convsafe.taxonomy.records import Case, Message

    for number, text in enumerate(prompts(n)):
        yield Case(
            id=f"perf-{number:07}",
            base_id=f"perf-{number:07}",
            cluster_id=f"perf-{number:07}",
            config="perf",
            measures=("safety",),
            messages=(Message("user", text),),
            prompt=text,
            hazards=(),
            language="en",
            source="perf",
            source_id=str(number),
            license="CC0-1.0",
        )


def engine(url: str, suite: Any, folder: Path, concurrency: int) -> None:
    """Send the requests as a run."""
    from convsafe.benchmark.engine import run
    from convsafe.benchmark.limits import Limits

    run(f"{url}#m", suite, folder, limits=Limits(concurrency))


def peer(python: str, name: str, url: str, n: int, concurrency: int) -> Took:
    """Let a peer send as many requests; it prints its own rate and CPU."""
    command = [python, str(_PEERS / f"{name}.py"), url, str(n), str(concurrency)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return Took(*json.loads(done.stdout.splitlines()[-1]))


def first_request(url: str, folder: Path) -> float:
    """Return the seconds from starting the program to its first finished request."""
    path = folder / "generations.jsonl"
    command = [
        sys.executable, "-c", _CLI, "run", "--model", f"{url}#m",
        "--only-run", "--json", "--out", str(folder),
    ]  # fmt: skip
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        while not (path.exists() and path.stat().st_size) and process.poll() is None:
            time.sleep(0.005)
        took = time.perf_counter() - began
        process.kill()
    return took


def memory(n: int) -> dict[str, float]:
    """Return the peak memory and seconds of a run of so many cases, in a process of its own."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _RUN, str(n)], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def collect_in_process(n: int) -> dict[str, float]:
    """Run so many cases by a model that answers by rule, stop half-way, and go on."""
    from convsafe.benchmark.engine import resume, run
    from convsafe.benchmark.runs import Run

    with tempfile.TemporaryDirectory() as scratch:
        suite, folder = suite_of(n, Path(scratch)), Path(scratch) / "run"
        begun = time.perf_counter()
        run("always_refuse", suite, folder)
        took = time.perf_counter() - begun
        path = Run.open(folder).generations_path
        with path.open("rb+") as file:
            file.truncate(path.stat().st_size // 2)
        begun = time.perf_counter()
        resume(folder)
        again = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cases": n, "seconds": took, "seconds_of_second_half": again, "peak_mib": peak}


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the ends."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


@click.command()
@click.option("--n", default=2000, show_default=True, help="Requests a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--concurrency", default=64, show_default=True)
@click.option("--latency", default=0.05, show_default=True, help="Seconds until an answer.")
@click.option("--memory", "sizes", type=int, multiple=True, help="Also run so many cases by rule.")
@click.option("--peers", help="A Python that has inspect_ai and openai.")
@click.option("--out", type=click.Path(path_type=Path))
def main(
    n: int,
    rounds: int,
    concurrency: int,
    latency: float,
    sizes: tuple[int, ...],
    peers: str | None,
    out: Path | None,
) -> None:
    """Measure and print, and write to a file."""
    names = ["aiohttp", "convsafe", *(["openai_sdk", "inspect_ai"] if peers else [])]
    took: dict[str, list[Took]] = {name: [] for name in names}
    firsts: list[float] = []
    texts = prompts(n)
    with server(latency) as url, tempfile.TemporaryDirectory() as scratch:
        suite = suite_of(n, Path(scratch))
        for number in range(rounds):
            folder = Path(scratch) / str(number)
            took["aiohttp"].append(measured(lambda: plain_aiohttp(url, texts, concurrency), n))
            took["convsafe"].append(measured(lambda: engine(url, suite, folder, concurrency), n))  # noqa: B023
            for name in names[2:]:
                took[name].append(peer(peers or "", name, url, min(n, 400), concurrency))
            firsts.append(first_request(url, Path(scratch) / f"first-{number}"))
    result = {
        "what": f"{n} requests, {concurrency} at once, {latency} s latency, loopback",
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": date.today().isoformat(),
        "rounds": rounds,
        "rate_per_second": {name: spread([t.rate for t in took[name]]) for name in names},
        "cpu_ms_a_request": {name: spread([t.cpu for t in took[name]]) for name in names},
        "first_reply_seconds": spread(firsts),
        "by_rule": [memory(size) for size in sizes],
    }
    if out is not None:
        write_json(out, result)
    click.echo(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
