"""A judged run, one with hostile replies, and the labels exported from it."""

from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import load_suite, run, score
from convsafe.benchmark.human_labels import export_labels
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite

from tests.conftest import ChatServer, reply
from tests.guards import GuardServer
from tests.labelling import ATTACK, FORMULA, RTL


@pytest.fixture(scope="session")
def label_suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=120)


@pytest.fixture(scope="session")
def judged(label_suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Run:
    done = run("always_refuse", label_suite, tmp_path_factory.mktemp("judged") / "run")
    score(done)
    return done


@pytest.fixture(scope="session")
def label_server() -> Any:
    found = ChatServer()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def hostile(
    label_server: ChatServer, label_suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run whose replies are markup, formulas, mixed directions, nothing, and plain words."""
    texts = [
        ATTACK.replace("{url}", f"{label_server.url}/stolen"),
        FORMULA,
        RTL,
        "",
        "I can't help.",
    ]

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        return 200, reply(texts[len(str(body["messages"])) % len(texts)])

    label_server.answer = answer
    done = run(f"{label_server.url}#tiny", label_suite, tmp_path_factory.mktemp("hostile") / "run")
    score(done)
    return done


@pytest.fixture(scope="session")
def exported(hostile: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "labels"
    export_labels(hostile, out, n=60)
    return out


@pytest.fixture(scope="session")
def _guard_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    found = GuardServer(tmp_path_factory.mktemp("guards") / "answers.jsonl")
    yield found
    found.stop()


@pytest.fixture
def guard_server(_guard_server: GuardServer, monkeypatch: pytest.MonkeyPatch) -> GuardServer:
    """A server for guard models, asked again without waiting."""
    monkeypatch.setattr("convsafe.benchmark.patience.LONGEST_WAIT", 0.0)
    return _guard_server
