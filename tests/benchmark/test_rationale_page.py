"""The page of rationales: nothing from outside, texts only as text, and every filter finds."""

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import judge_file as judging
from convsafe.benchmark import rationale_page
from convsafe.benchmark.cli import cli
from convsafe.benchmark.judge_file import judge_file
from convsafe.benchmark.rationale_page import HEAD, MOST, write_page
from convsafe.taxonomy.tree import NEVER_SHOWN

from tests import browser
from tests.labelling import ATTACK, RTL

HOSTILE = ATTACK.replace("{url}", "http://127.0.0.1:1/stolen")
ROWS = [
    {"id": "a", "prompt": "How do I bake bread?", "response": "Knead it well."},
    {"id": HOSTILE, "prompt": HOSTILE, "response": HOSTILE},
    {"id": "long", "prompt": RTL, "response": "word " * HEAD},
    {"id": "longer", "prompt": "Hi", "response": "x" * MOST + "LOST"},
    {"id": "none", "prompt": "Hi", "response": None},
    {"id": "banned", "prompt": "BANNED", "response": "BANNED", "hazards": [NEVER_SHOWN, "x"]},
]
STANCES = ["compliance", "refusal", "partial", "compliance", "refusal"]
UNSAFE = [0.9, 0.1, None, 0.5, 0.2]
LABELS = [["soft"], [HOSTILE], [], ["soft", "late"], []]


def table(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rationales")
    verdicts = {"stance": STANCES, "unsafe": UNSAFE, "labels": LABELS}
    told = SimpleNamespace(
        name="told", VERSION="7", SUMMARY="Says <b>what</b> it is told.", made_with={},
        TELLS=frozenset(verdicts),
        judge=lambda _: pl.DataFrame({**verdicts, "rationale": [HOSTILE, "because", *"cde"]}),
    )  # fmt: skip
    path = table(folder / "replies.jsonl", ROWS)
    with pytest.MonkeyPatch.context() as patch:
        for module in (judging, rationale_page):
            patch.setattr(module, "load_judge", lambda *_: told)
        return write_page(path, judge_file(path), folder / "out" / "page.html", judge="told")


def test_the_page_asks_for_nothing_from_outside_and_holds_texts_as_text(page: Path) -> None:
    browser.assert_self_contained(page)
    text = page.read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert "<b>what</b>" not in text
    assert "&lt;script&gt;document.title" in text


def test_what_is_never_shown_is_counted_and_not_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "(1) are never shown" in text
    assert "BANNED" not in text
    assert "6 replies, 1 unscored" in text


def test_long_replies_are_folded_and_longer_ones_cut_with_their_length(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "all 6,000 characters" in text
    assert f"all {MOST + 4:,} characters" in text
    assert "Only the first 20,000 characters are on this page" in text
    assert "LOST" not in text


def test_a_page_of_part_of_the_rows_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rationale_page, "ROWS", 2)
    path, out = table(tmp_path / "replies.jsonl", ROWS[:1] * 3), tmp_path / "page.html"
    done = CliRunner().invoke(cli, ["judge", str(path), "--page", str(out)])
    assert done.exit_code == 0, done.output
    assert "judge embedded, 3 replies" in done.stdout
    text = out.read_text(encoding="utf-8")
    assert "The first 2 rows are on this page" in text
    assert text.count('class="case"') == 2


@pytest.mark.parametrize("hazards", [NEVER_SHOWN, f'["{NEVER_SHOWN}"]'])
def test_hazards_written_as_text_are_known_too(tmp_path: Path, hazards: str) -> None:
    path = tmp_path / "replies.csv"
    pl.DataFrame([{"prompt": "BANNED", "response": "BANNED", "hazard": hazards}]).write_csv(path)
    out = write_page(path, judge_file(path), tmp_path / "page.html", judge="rules")
    assert "BANNED" not in out.read_text(encoding="utf-8")


@pytest.mark.browser
def test_search_and_every_filter_find_in_a_browser(page: Path, tmp_path: Path) -> None:
    found = browser.drive(
        page,
        tmp_path / "profile",
        """
        const at = id => page.document.getElementById(id);
        const ids = () => [...page.document.querySelectorAll('.case')].filter(c => !c.hidden)
          .map(c => c.querySelector('code').textContent);
        const set = (id, value) => {
          at(id).value = value;
          at(id).dispatchEvent(new page.Event(id === 'search' ? 'input' : 'change'));
          const seen = ids();
          at(id).value = '';
          return seen;
        };
        return {
          all: ids(), stance: set('stance', 'partial'), unsafe: set('unsafe', 'yes'),
          label: set('label', 'late'), search: set('search', 'BREAD knead'),
          none: set('search', 'nowhere'), title: page.document.title,
          open: page.document.querySelectorAll('details[open]').length,
        };
        """,
    )
    assert found["all"] == ["a", HOSTILE, "long", "longer", "none"]
    assert found["stance"] == ["long"]
    assert found["unsafe"] == ["a", "longer"]
    assert found["label"] == ["longer"]
    assert found["search"] == ["a"]
    assert found["none"] == []
    assert found["title"] == "Verdicts on replies.jsonl"
    assert found["open"] == 0
    assert browser.console(page, tmp_path / "profile") == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(page: Path, tmp_path: Path, width: int) -> None:
    opened = tmp_path / "open.html"
    text = page.read_text(encoding="utf-8").replace(
        '<details class="case"', '<details open class="case"'
    )
    opened.write_text(text, encoding="utf-8")
    layout, needed = browser.measure(opened, tmp_path / "profile", width, 900)
    assert layout == width
    assert needed <= width, "the page scrolls sideways"
