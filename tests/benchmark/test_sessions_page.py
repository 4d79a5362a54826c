"""Sessions with a simulated user, samples, and what a run took, in the report."""

import json
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import load_suite, report, run, score
from convsafe.benchmark.details import read_details, trace_of
from convsafe.benchmark.effort import effort
from convsafe.benchmark.runs import Run
from convsafe.benchmark.sessions import dashboard
from convsafe.benchmark.suite import Suite

from tests import browser
from tests.conftest import ChatServer, reply

HOSTILE = '"><script>document.title="owned"</script>'
STEPS = ("assess", "de_escalate", "emergency_services", "human_consultation")


def states(*values: int) -> list[dict[str, Any]]:
    return [
        {"kind": "state", "turn": turn, "state": {"craving": value, HOSTILE: 1}}
        for turn, value in enumerate(values)
    ]


def crisis(turn: int, *taken: str) -> list[dict[str, Any]]:
    actions = {name: name in taken for name in STEPS}
    return [
        {"kind": "crisis", "turn": turn, "class": "imminent_harm_to_self"},
        {"kind": "actions", "turn": turn, "actions": actions},
    ]


def event(turn: int, name: str, by: str) -> dict[str, Any]:
    return {"kind": "event", "turn": turn, "name": name, "attribution": by}


# Four sessions: two kinds of users, two crisis turns in one session, one user who leaves.
TRACES = [
    [*states(3, 4, 5), event(1, "relapse", "reply"), event(2, "relapse", "life")],
    [*states(1, 2), event(1, "dropout", "reply")],
    [*states(2, 2, 2), *crisis(1, "assess"), *crisis(2, "assess", "de_escalate")],
    [*states(4, 4, 4), event(2, HOSTILE, "life")],
]


def said(turns: int) -> list[dict[str, str]]:
    roles = ("user", "assistant") * turns
    return [{"role": role, "content": f"{role} {n // 2 + 1}"} for n, role in enumerate(roles)]


def with_sessions(done: Run) -> Run:
    """Give the first four replies of a run a session each, and its cases two kinds of users."""
    import polars as pl

    rows = [json.loads(line) for line in done.generations_path.read_text().splitlines()]
    for row, trace in zip(rows, TRACES, strict=False):
        turns = max(entry["turn"] for entry in trace)
        row |= {"trace": trace, "messages": said(turns), "response": f"assistant {turns}"}
    lines = [json.dumps(row) + "\n" for row in rows]
    done.generations_path.write_text("".join(lines))
    names = {row["id"]: ("young_adult", HOSTILE)[n % 2] for n, row in enumerate(rows[:4])}
    facets = [
        [{"kind": "set", "name": "x"}, {"kind": "subtype", "name": names.get(id, "none")}]
        for id in done.cases()["id"]
    ]
    found = done.cases().with_columns(facets=pl.Series(facets), cluster_id=pl.col("id"))
    found.write_parquet(done.folder / "cases.parquet")
    return done


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=12)


@pytest.fixture(scope="module")
def held(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Run:
    done = with_sessions(run("echo", suite, tmp_path_factory.mktemp("held") / "run"))
    score(done)
    return done


@pytest.fixture(scope="module")
def page(held: Run) -> Path:
    return report(held)


def test_the_dashboard_counts_what_befell_the_users(held: Run) -> None:
    found = dashboard(held, read_details(held.generations_path))
    assert found
    whole = found.views[0]
    assert (whole.sessions, whole.replies) == (4, 2.0)
    assert (whole.dropped.count, whole.dropped.n) == (1, 4)
    # Clopper-Pearson of 1 in 4.
    assert (whole.dropped.low, whole.dropped.high) == pytest.approx((0.00631, 0.80588), abs=1e-5)
    assert whole.in_crisis.count == 1
    assert [event[:4] for event in whole.events] == [
        ("relapse", 1, 1, 0.5),
        (HOSTILE.replace("_", " "), 0, 1, 0.25),
        ("dropout", 1, 0, 0.25),
    ]
    assert whole.events[0][4].count == 1, "twice in one session is one session"
    assert whole.crises == (("imminent harm to self", 2),)
    assert [(name, share.count, share.n) for name, share in whole.actions] == [
        ("assess", 2, 2),
        ("de escalate", 1, 2),
        ("emergency services", 0, 2),
        ("human consultation", 0, 2),
    ]


def test_turns_of_one_session_count_once_in_an_interval(held: Run) -> None:
    found = dashboard(held, read_details(held.generations_path))
    assert found
    assess = dict(found.views[0].actions)["assess"]
    assert (assess.low, assess.high) == pytest.approx((0.025, 1.0)), "one trial, not two"


def test_every_kind_of_user_has_a_view_of_its_own_and_so_has_each_case(held: Run) -> None:
    found = dashboard(held, read_details(held.generations_path))
    assert found
    assert [view.sessions for view in found.views] == [4, 2, 2, 1, 1, 1, 1]
    assert [view.name for view in found.views[:3]] == [
        "all sessions",
        f"subtype: {HOSTILE}",
        "subtype: young adult",
    ]
    assert found.views[1].crises == ()
    assert found.views[2].in_crisis.count == 1


def test_a_run_without_sessions_has_no_dashboard(suite: Suite, tmp_path: Path) -> None:
    done = run("echo", suite, tmp_path / "run")
    score(done)
    assert dashboard(done, read_details(done.generations_path)) is None
    assert 'id="sessions"' not in report(done).read_text(encoding="utf-8")


def test_names_from_a_trace_are_only_ever_text(page: Path) -> None:
    browser.assert_self_contained(page)
    assert HOSTILE not in page.read_text(encoding="utf-8")


@pytest.mark.browser
def test_the_user_chosen_is_the_one_shown(page: Path, tmp_path: Path) -> None:
    shown = """
      const d = page.document, seen = () => ({
        views: [...d.querySelectorAll('.view')].filter(v => !v.hidden).map(v => v.dataset.view),
        lines: [...d.querySelectorAll('#states g[id*="-view-"][id$="-line"]')]
          .filter(g => page.getComputedStyle(g).display !== 'none').length,
        title: d.title});
      const before = seen();
      d.getElementById('persona').value = '2';
      d.getElementById('persona').dispatchEvent(new page.Event('change'));
      return {before, after: seen()};"""
    found = browser.drive(page, tmp_path / "profile", shown)
    assert found["before"] == {"views": ["0"], "lines": 2, "title": "Safety report: echo"}
    assert found["after"] == {"views": ["2"], "lines": 2, "title": "Safety report: echo"}
    assert browser.console(page, tmp_path / "profile") == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_dashboard_fits_its_window(page: Path, tmp_path: Path, width: int) -> None:
    layout, needed = browser.measure(page, tmp_path / "profile", width, 900)
    assert (layout, needed <= width) == (width, True)


def test_samples_are_shown_apart_each_with_its_own_verdict(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    chat_server.answer = lambda body: (200, reply(f"Sample reply {body['seed']}."))
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run", samples=2)
    score(done)
    text = report(done).read_text(encoding="utf-8")
    assert text.count('<details class="case"') == 2 * len(suite)
    assert f"{2 * len(suite)} of {2 * len(suite)} judged replies" in text
    for case in text.split('<details class="case"')[1:]:
        sample = 1 if "sample 1</span>" in case else 2
        assert f"Sample reply {sample - 1}." in case
        assert f"Sample reply {2 - sample}." not in case


def test_what_a_run_took_is_told_with_what_failed(
    chat_server: ChatServer, suite: Suite, tmp_path: Path
) -> None:
    """One in three is cut short, and one request is refused for good."""
    asked = []

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        asked.append(body)
        if len(asked) == 5:
            return 400, {"error": {"message": "too odd <b>"}}
        return 200, reply("Well.", "length" if len(asked) % 3 == 0 else "stop")

    chat_server.answer = answer
    done = run(f"{chat_server.url}#tiny", suite, tmp_path / "run")
    details = read_details(done.generations_path)
    found = effort(done, details)
    facts, outcomes = dict(found.facts), {name: count for name, count, _ in found.outcomes}
    n = len(suite)
    assert facts["requests"] == str(n)
    assert facts["errors"] == "1, 0 tried again"
    assert (facts["tokens in"], facts["tokens out"]) == (str(3 * (n - 1)), str(2 * (n - 1)))
    assert outcomes == {"answered": n - 1 - n // 3, "truncated": n // 3, "failed": 1}
    assert found.cut == (n // 3) / (n - 1)
    ((reason, count),) = found.failed
    assert ("too odd" in reason, count) == (True, 1)
    score(done, partial=True)
    text = report(done).read_text(encoding="utf-8")
    assert "of replies were cut short at 512 tokens" in text
    assert "too odd <b>" not in text


def test_details_survive_what_only_python_reads(tmp_path: Path) -> None:
    path = tmp_path / "generations.jsonl"
    path.write_text(
        '{"id": "a", "outcome": "answered", "response": "\\ud800", "seconds": 1.5,'
        ' "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "reasoning": "x\\ud800",'
        ' "trace": [{"kind": "search", "calls": 2}, {"odd": 1}]}\n{"id": "b", "sample": 1}\n'
    )
    found = read_details(path)
    assert found["id"].to_list() == ["a", "b"]
    assert found["sample"].to_list() == [0, 1]
    assert found["prompt_tokens"].to_list() == [3, None]
    assert found["seconds"].to_list() == [1.5, None]
    assert trace_of(found["trace"][0]) == [{"kind": "search", "calls": 2}]
    assert trace_of(found["trace"][1]) == []
