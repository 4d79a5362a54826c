"""Runs against servers that misbehave: nothing is lost, nothing twice, and it ends in words."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import cycle
from pathlib import Path

import pytest
from convsafe.benchmark import load_suite, patience, resume, run, score
from convsafe.benchmark.costs import Budget, Price, expected, find_price
from convsafe.benchmark.engine import default_folder
from convsafe.benchmark.limits import Limits
from convsafe.benchmark.model import Params
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import CaseFiles, Suite
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.files import read_jsonl

from tests.conftest import ChatServer, reply
from tests.misbehaving import (
    MisbehavingServer,
    broken,
    busy,
    cut_short,
    dies,
    empty_choices,
    error,
    fine,
    huge,
    malformed,
    not_found,
    reset,
    unauthorized,
)

CLI = "import sys; from convsafe.benchmark.cli import main; main(sys.argv[1:])"


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=40)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.02)


def kept(folder: Path) -> list[tuple[str, int]]:
    """The ids and samples that are saved, in order."""
    path = folder / "generations.jsonl"
    return sorted((row["id"], row["sample"]) for _, row in read_jsonl(path))


def whole(suite: Suite, samples: int = 1) -> list[tuple[str, int]]:
    return sorted((case.id, sample) for case in suite.cases for sample in range(samples))


@pytest.mark.parametrize(
    ("act", "said"),
    [(unauthorized(), "Incorrect API key"), (not_found(), "does not exist")],
)
def test_what_every_request_would_meet_ends_the_run_at_the_first(
    act: object, said: str, suite: Suite, tmp_path: Path
) -> None:
    with MisbehavingServer(lambda _: act) as server:
        with pytest.raises(Unavailable, match=said) as caught:
            run(f"{server.url}#tiny", suite, tmp_path / "run")
        assert server.requests == 1
    assert "same command again" in str(caught.value)


def test_an_error_that_is_always_the_same_ends_the_run_with_the_servers_words(
    suite: Suite, tmp_path: Path
) -> None:
    with MisbehavingServer(lambda _: error(400, "no system role in this template")) as server:
        with pytest.raises(Unavailable, match="no system role in this template"):
            run(f"{server.url}#tiny", suite, tmp_path / "run", limits=Limits(4))
        assert server.requests <= 8 + 4


@pytest.mark.parametrize(
    "acts",
    [
        [busy(0), fine()],
        [broken(500), broken(503), fine()],
        [reset(), fine(), cut_short()],
        [malformed(), empty_choices(), fine(), fine()],
    ],
    ids=["busy", "broken", "reset", "malformed"],
)
def test_a_server_that_fails_now_and_then_is_asked_until_all_is_there_once(
    acts: list, suite: Suite, tmp_path: Path
) -> None:
    turns = cycle(acts)
    with MisbehavingServer([fine()]) as server:
        done = run(f"{server.url}#tiny", suite.take(1), tmp_path / "first")
        assert len(done.generations()) >= 1
        server.plan = lambda _: next(turns)
        run(f"{server.url}#tiny", suite, tmp_path / "run", limits=Limits(8, patience=30))
    assert kept(tmp_path / "run") == whole(suite)


def test_a_server_that_dies_and_returns_is_waited_for(suite: Suite, tmp_path: Path) -> None:
    acts = {5: dies(0.4), 20: dies(0.3)}
    with MisbehavingServer(lambda number: acts.get(number, fine())) as server:
        run(f"{server.url}#tiny", suite, tmp_path / "run", limits=Limits(8, patience=60))
    assert kept(tmp_path / "run") == whole(suite)
    (line,) = [row for _, row in read_jsonl(tmp_path / "run" / "log.jsonl")]
    assert line["how"] == "finished"
    assert line["errors"] > 0
    assert line["saved"] == len(suite)


def test_a_server_that_fails_for_an_hour_is_given_up_and_gone_on_with(
    suite: Suite, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with MisbehavingServer(lambda number: fine() if number < 12 else broken()) as server:
        with pytest.raises(Unavailable, match="HTTP 500") as caught:
            run(f"{server.url}#tiny", suite, folder, limits=Limits(4, patience=0.5))
        saved = kept(folder)
        assert f"{len(saved)} generations are saved" in str(caught.value)
        assert f"`convsafe resume {folder}`" in str(caught.value)
        assert 1 <= len(saved) < len(suite)
        server.plan = []
        resume(folder)
    assert kept(folder) == whole(suite)
    assert set(saved) <= set(kept(folder))


def test_a_reply_of_ten_megabytes_is_kept_as_it_is(suite: Suite, tmp_path: Path) -> None:
    with MisbehavingServer([fine(), huge(10 * 2**20)]) as server:
        done = run(f"{server.url}#tiny", suite.take(2), tmp_path / "run", limits=Limits(1))
    assert max(done.generations()["response"].str.len_bytes()) == 10 * 2**20


def test_a_run_can_be_stopped_by_hand_and_says_how_to_go_on(suite: Suite, tmp_path: Path) -> None:
    folder, release = tmp_path / "run", tmp_path / "none"
    del release
    with MisbehavingServer(lambda _: fine(delay=0.05)) as server:
        command = [sys.executable, "-c", CLI, "run", "--model", f"{server.url}#tiny", "--only-run"]
        command += ["--limit", "200", "--concurrency", "2", "--out", str(folder)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
        path = folder / "generations.jsonl"
        _wait(lambda: path.exists() and path.stat().st_size > 2000, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode not in (0, None)
        saved = kept(folder)
        assert saved
        assert f"{len(saved)} generations are saved; go on with `convsafe resume {folder}`" in said
        assert "Traceback" not in said
        again = subprocess.run(
            [sys.executable, "-c", CLI, "resume", str(folder), "--only-run", "--json"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert json.loads(again.stdout)["missing"] == 0
    rows = kept(folder)
    assert len(rows) == len(set(rows)) == len(Run.open(folder).cases())
    assert set(saved) <= set(rows)


def _wait(until: object, process: subprocess.Popen) -> None:
    for _ in range(2000):
        if until():  # type: ignore[operator]
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    pytest.fail("it never began")


def test_each_sample_has_a_seed_of_its_own_and_more_can_be_had_later(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    folder, small = tmp_path / "run", suite.take(6)
    params = Params(temperature=1.0, seed=10)
    run(f"{chat_server.url}#tiny", small, folder, params=params, samples=2)
    assert kept(folder) == whole(small, 2)
    seeds = [body["seed"] for body in chat_server.requests]
    assert sorted(seeds) == [10] * len(small) + [11] * len(small)
    done = run(f"{chat_server.url}#tiny", small, folder, params=params, samples=3)
    assert kept(folder) == whole(small, 3)
    assert len(chat_server.requests) == 3 * len(small)
    assert done.samples == 3
    assert done.missing(done.generations()) == []
    assert score(done).cases == len(small)


def test_the_first_sample_of_every_case_comes_before_any_second(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    done = run(f"{chat_server.url}#t", suite, tmp_path / "r", samples=2, limits=Limits(1))
    samples = [row["sample"] for _, row in read_jsonl(done.generations_path)]
    assert samples == sorted(samples)


def test_a_limit_of_requests_a_minute_is_kept(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    times: list[float] = []

    def answer(_: dict) -> tuple[int, object]:
        times.append(time.monotonic())
        return 200, reply("Fine.")

    chat_server.answer = answer
    run(f"{chat_server.url}#t", suite.take(8), tmp_path / "r", limits=Limits(8, rpm=1200))
    # A second's worth may go out at once; these are fewer, so the pace shows in the sum alone.
    assert len(times) >= 8
    paced = tmp_path / "paced"
    times.clear()
    run(f"{chat_server.url}#t", suite, paced, limits=Limits(8, rpm=600))
    # 10 a second, the first 10 at once: no later request comes before its time.
    early = [n for n, at in enumerate(times) if at - times[0] < (n - 11) / 10 - 0.1]
    assert early == []


def test_requests_at_once_are_halved_when_the_server_objects(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    under_way, most_after, lock = [0], [0], threading.Lock()
    seen = iter(range(10_000))

    def answer(_: dict) -> tuple[int, object]:
        number = next(seen)
        with lock:
            under_way[0] += 1
            if number > 24:
                most_after[0] = max(most_after[0], under_way[0])
        time.sleep(0.03)
        with lock:
            under_way[0] -= 1
        return (429, {"error": {"message": "slow down"}}) if number == 8 else (200, reply("Fine."))

    chat_server.answer = answer
    run(f"{chat_server.url}#t", suite, tmp_path / "r", limits=Limits(16))
    assert kept(tmp_path / "r") == whole(suite)
    # Half of 16, and at most one more for each round since.
    assert 1 <= most_after[0] <= 13


def test_money_that_is_spent_ends_the_run_and_counts_again_when_it_goes_on(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    # 3 tokens in and 2 out: 7 units a reply at these prices.
    price, folder = Price(1e6, 2e6, "EUR"), tmp_path / "run"
    budget = Budget(price, most=70.0)
    with pytest.raises(Unavailable, match=r"70\.00 EUR spent, which is the most allowed"):
        run(f"{chat_server.url}#t", suite, folder, limits=Limits(1), budget=budget)
    assert len(kept(folder)) == 10
    with pytest.raises(Unavailable, match=r"most allowed"):
        resume(folder, limits=Limits(1), budget=Budget(price, most=84.0))
    assert len(kept(folder)) == 12
    resume(folder, budget=Budget(price))
    assert kept(folder) == whole(suite)


def test_no_limit_of_money_without_a_price(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="no price is known of model 't'"):
        run(f"{chat_server.url}#t", suite, tmp_path / "r", budget=Budget(most=1.0))
    assert chat_server.requests == []


def test_prices_come_from_the_first_line_that_fits(tmp_path: Path) -> None:
    table = tmp_path / "prices.yaml"
    table.write_text(
        "currency: EUR\nmodels:\n- {name: 'big-*', input: 3, output: 15}\n"
        "- {name: '*', input: 1, output: 2}\n"
    )
    assert find_price("big-one", table) == Price(3, 15, "EUR")
    assert find_price("small", table) == Price(1, 2, "EUR")
    table.write_text("models: [{name: x}]\n")
    with pytest.raises(BadInput, match="a table of prices has"):
        find_price("x", table)


def test_what_a_run_is_expected_to_take(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    done = run(f"{chat_server.url}#t", suite, tmp_path / "r")
    done.generations_path.unlink()
    characters = sum(len(turn.content) for case in suite.cases for turn in case.messages)
    found = expected(Price(4.0, 1.0), done.pending(), Params(max_tokens=100))
    assert found.tokens_in == int(characters / 4)
    assert found.tokens_out == 100 * len(suite)
    assert found.cost == pytest.approx((4 * found.tokens_in + found.tokens_out) / 1e6)


def test_cases_of_a_release_are_read_as_they_are_asked_for(
    core_release: Path, tmp_path: Path
) -> None:
    found = load_suite(core_release)
    assert isinstance(found.cases, CaseFiles)
    cases = list(found.cases)
    assert len(found) == len(cases)
    assert found.cases[3] == cases[3]
    assert found.cases[-1] == cases[-1]
    assert found.cases[2:4] == tuple(cases[2:4])
    with pytest.raises(IndexError):
        found.cases[len(cases)]
    found.write(tmp_path / "cases.parquet")
    assert list(CaseFiles([tmp_path / "cases.parquet"])) == cases
    assert Suite(cases, found.release).ids_sha256 == found.ids_sha256


def test_a_run_of_a_whole_config_goes_on_from_any_line(core_release: Path, tmp_path: Path) -> None:
    found, folder = load_suite(core_release), tmp_path / "run"
    done = run("always_refuse", found, folder)
    unbroken = kept(folder)
    data = done.generations_path.read_bytes()
    for cut in (len(data) // 3, len(data) // 2 + 7):
        done.generations_path.write_bytes(data[:cut])
        run("always_refuse", found, folder)
        assert kept(folder) == unbroken == whole(found)


def test_the_folder_is_named_after_all_that_was_chosen(suite: Suite) -> None:
    from convsafe.benchmark.engine import How

    how = How(settings=("p_ground",), dialogue="live")
    assert default_folder("http://x/v1#a/b", suite, how).name == "a-b-core-40-live-p_ground"
