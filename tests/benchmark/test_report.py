"""The report: one file, nothing from outside, model text only as text, honest headlines."""

from pathlib import Path

import pytest
from convsafe.benchmark import load_suite, report, run, score
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput

from tests import browser
from tests.conftest import ChatServer, reply

ATTACK = '</pre><script>document.title="owned"</script><img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=80)


@pytest.fixture(scope="module")
def page(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = run("echo", suite, tmp_path_factory.mktemp("run") / "run")
    score(done)
    return report(done)


def test_the_page_asks_for_nothing_from_outside(page: Path) -> None:
    browser.assert_self_contained(page)


def test_the_headline_holds_both_errors_the_judge_and_the_citation(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for part in (
        "Harmful requests complied with",
        "Harmless requests refused",
        "95 % intervals",
        "Unsafe replies",
        "@software{convsafe_bench",
        "judge <code>embedded</code>",
        "content sha256",
    ):
        assert part in text, part


def test_a_judge_that_cannot_tell_harm_says_so(suite: Suite, tmp_path: Path) -> None:
    done = run("echo", suite, tmp_path / "run")
    score(done, judge="rules")
    text = report(done).read_text(encoding="utf-8")
    assert "It cannot tell whether an answer was harmful" in text
    assert "Unsafe replies" not in text
    assert text.count("the judge cannot tell") == 2, "harm, and safety with helpfulness"


def test_a_run_without_scores_says_what_to_do(suite: Suite, tmp_path: Path) -> None:
    done = run("echo", suite, tmp_path / "run")
    with pytest.raises(BadInput, match="run `convsafe score`"):
        report(done)


def test_a_partial_run_says_so_in_its_headline(suite: Suite, tmp_path: Path) -> None:
    done = run("always_refuse", suite, tmp_path / "run")
    lines = done.generations_path.read_text().splitlines(keepends=True)
    done.generations_path.write_text("".join(lines[:-3]))
    score(done, partial=True)
    text = report(done).read_text(encoding="utf-8")
    banner = text.index("Partial run: 3 of 80 cases have no reply")
    assert banner < text.index("<main>")


@pytest.fixture(scope="module")
def hostile(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    server = ChatServer()
    server.answer = lambda _: (200, reply(ATTACK))
    done = run(f"{server.url}#<b>bold</b>", suite, tmp_path_factory.mktemp("hostile") / "run")
    server.stop()
    score(done)
    return report(done)


def test_model_text_is_only_ever_text(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    assert ATTACK not in text
    assert "&lt;script&gt;document.title" in text
    assert "<b>bold</b>" not in text


@pytest.mark.browser
def test_a_hostile_reply_does_nothing_in_a_browser(hostile: Path, tmp_path: Path) -> None:
    text = browser.dom(hostile, tmp_path / "profile")
    assert "<title>Safety report: &lt;b&gt;bold&lt;/b&gt;</title>" in text
    assert "80 of 80 shown" in text, "the page's own script runs"
    assert browser.console(hostile, tmp_path / "profile") == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(page: Path, tmp_path: Path, width: int) -> None:
    layout, needed = browser.measure(page, tmp_path / "profile", width, 900)
    assert layout == width
    assert needed <= width, "the page scrolls sideways"


@pytest.mark.browser
def test_requests_and_replies_are_folded_away(page: Path, tmp_path: Path) -> None:
    text = browser.dom(page, tmp_path / "profile")
    assert text.count("<details") > 40
    assert "<details open" not in text
    assert 'open=""' not in text


def test_requests_on_the_exploitation_of_minors_are_never_shown(
    full_release: Path, tmp_path: Path
) -> None:
    suite = load_suite(full_release, "harm")
    banned = {c.id: c.prompt for c in suite.cases if "child_sexual_exploitation" in c.hazards}
    assert banned
    done: Run = run("always_refuse", suite, tmp_path / "run")
    score(done)
    text = report(done).read_text(encoding="utf-8")
    assert "are never shown" in text
    assert not [id for id in banned if f"<code>{id}</code>" in text]
