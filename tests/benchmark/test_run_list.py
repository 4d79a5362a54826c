"""`convsafe runs`: every run as it stands, also those under way, killed or unreadable."""

import json
from pathlib import Path

import pytest
from convsafe.benchmark import load_suite, run, score
from convsafe.benchmark.cli import main
from convsafe.benchmark.costs import Budget, Price
from convsafe.benchmark.details import read_details
from convsafe.benchmark.effort import effort
from convsafe.benchmark.limits import Limits
from convsafe.benchmark.run_list import Listed, list_runs
from convsafe.benchmark.run_log import RunLog
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.files import Appender

from tests.conftest import ChatServer, reply


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=12)


@pytest.fixture
def done(suite: Suite, tmp_path: Path) -> Run:
    return run("echo", suite, tmp_path / "runs" / "echo", samples=2)


def only(folder: Path) -> Listed:
    (found,) = list_runs(folder)
    return found


def cut(done: Run, lines: int) -> None:
    kept = done.generations_path.read_bytes().splitlines(keepends=True)[:lines]
    done.generations_path.write_bytes(b"".join(kept))


def test_a_run_is_listed_with_all_that_it_has(done: Run, suite: Suite) -> None:
    found = only(done.folder.parent)
    assert (found.model, found.config, found.limit) == ("echo", "core", 12)
    assert (found.done, found.total, found.failed) == (2 * len(suite), 2 * len(suite), 0)
    assert (found.state, found.headline) == ("finished", None)
    assert found.cost == 0.0
    score(done)
    scored = only(done.folder)
    assert scored.judge == "embedded"
    assert scored.headline
    assert scored.headline[0] == 0.0


def test_a_run_under_way_a_killed_one_and_a_stopped_one_are_told_apart(done: Run) -> None:
    with Appender(done.generations_path):
        assert only(done.folder).state == "running"
    cut(done, 5)
    log = done.folder / "log.jsonl"
    line = json.loads(log.read_text()) | {"saved": 5, "how": "stopped"}
    log.write_text(json.dumps(line) + "\n")
    assert (only(done.folder).state, only(done.folder).done) == ("stopped", 5)
    log.unlink()
    assert only(done.folder).state == "killed"
    done.generations_path.unlink()
    assert (only(done.folder).state, only(done.folder).done) == ("new", 0)


def test_a_line_half_written_is_no_generation(done: Run, suite: Suite) -> None:
    data = done.generations_path.read_bytes()
    done.generations_path.write_bytes(data[:-7])
    assert only(done.folder).done == 2 * len(suite) - 1


def test_a_run_that_cannot_be_read_hides_no_other(done: Run) -> None:
    other = done.folder.parent / "broken"
    other.mkdir()
    (other / "run.json").write_text("{")
    found = list_runs(done.folder.parent)
    assert [Path(run.folder).name for run in found] == ["echo", "broken"]
    assert found[1].state == "its run.json cannot be read"


def test_no_folder_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="convsafe run"):
        list_runs(tmp_path / "runs")


def test_the_command_prints_a_table_or_json(done: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["runs", str(done.folder.parent)])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["folder", "model", "cases"]
    assert "core" in row
    assert "24/24" in row
    with pytest.raises(SystemExit):
        main(["runs", str(done.folder.parent), "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["model"], row["done"]) == ("echo", 24)


def test_a_killed_parts_money_counts_to_what_may_be_spent(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    """Each reply is 3 tokens in and 2 out: at 1 and 2 a token it costs 7."""
    price = Price(1_000_000, 2_000_000)
    chat_server.answer = lambda _: (200, reply("Fine."))
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", budget=Budget(price))
    assert RunLog.read(done.folder).cost == 7.0 * len(suite)
    cut(done, 5)
    (done.folder / "log.jsonl").unlink()
    assert Budget(price).begun(done, "tiny").before == 35.0
    with pytest.raises(Unavailable, match=r"49\.00 USD spent"):
        run(f"{chat_server.url}#tiny", suite, tmp_path / "run", budget=Budget(price, most=43))


def test_a_log_with_a_torn_line_still_adds_up(tmp_path: Path) -> None:
    lines = [
        {"requests": 4, "errors": 1, "saved": 3, "usage": {"prompt_tokens": 5}, "cost": 0.5},
        {"requests": 2, "errors": 0, "saved": 2, "usage": {"prompt_tokens": 1}, "cost": 0.25},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + '\n{"requests": 9'
    (tmp_path / "log.jsonl").write_text(text)
    log = RunLog.read(tmp_path)
    assert (log.total("requests"), log.total("errors"), log.total("saved")) == (6, 1, 5)
    assert (log.usage, log.cost) == ({"prompt_tokens": 6}, 0.75)


def test_other_models_that_are_asked_cost_what_their_own_price_says(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    """A case costs 7 for the model, and 70 for the one that looks at its reply."""
    looks = json.dumps({"unsafe": False, "overrefusal": False, "feedback": ""})
    chat_server.answer = lambda body: (200, reply(looks if body["model"] == "dear" else "Fine."))
    setting = f"feedback:endpoint={chat_server.url}#dear"
    table = tmp_path / "prices.yaml"
    begun = "currency: EUR\nmodels:\n- {name: tiny, input: 1.0e+6, output: 2.0e+6}\n"
    table.write_text(begun)

    def held(folder: str, most: float | None = None) -> RunLog:
        budget, where = Budget(most=most, table=table), tmp_path / folder
        run(f"{chat_server.url}#tiny", suite, where, settings=[setting], budget=budget)
        return RunLog.read(where)

    with pytest.raises(BadInput, match="no price is known of model 'dear'"):
        held("limited", most=80)
    without = held("without")
    assert (without.cost, without.unpriced) == (7.0 * len(suite), ["dear"])
    details = read_details(tmp_path / "without" / "generations.jsonl")
    told = dict(effort(Run.open(tmp_path / "without"), details).facts)
    assert told["cost"] == f"{7 * len(suite):.2f} EUR, without dear (no price is known)"

    table.write_text(begun + "- {name: dear, input: 1.0e+7, output: 2.0e+7}\n")
    asked = held("all")
    assert (asked.cost, asked.unpriced) == (77.0 * len(suite), [])
    tokens = {"prompt_tokens": 3 * len(suite), "completion_tokens": 2 * len(suite)}
    assert asked.usage == asked.last["beside"]["dear"] == tokens
    with pytest.raises(Unavailable, match=r"154\.00 EUR spent, which is the most allowed"):
        run(
            f"{chat_server.url}#tiny", suite, tmp_path / "limited", settings=[setting],
            limits=Limits(1), budget=Budget(most=80, table=table),
        )  # fmt: skip
