"""The board's site: what it shows, what it never shows, and hostile text that stays text."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark.cli import cli
from convsafe.leaderboard import rank, site
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.site_downloads import safe_cells
from convsafe.leaderboard.site_texts import link, shown
from convsafe.taxonomy.errors import BadInput
from hypothesis import given
from hypothesis import strategies as st

from tests import browser
from tests.leaderboard.boards import HOSTILE, write_board
from tests.leaderboard.submitting import apt, submit


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_board(tmp_path_factory.mktemp("board"), models=12, verdicts=5)


@pytest.fixture(scope="module")
def built(board: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site(board, tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_board(folder / "board", models=len(HOSTILE), verdicts=3, hostile=True)
    return site(folder / "board", folder / "site").parent


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def rows_of(text: str) -> list[str]:
    return re.findall(r'<tr data-slug="([^"]+)"', text)


def test_every_model_and_baseline_has_its_row_its_point_and_its_page(
    board: Path, built: Path
) -> None:
    entries = json.loads((board / "table.json").read_text())["entries"]
    slugs = [entry["slug"] for entry in entries]
    assert rows_of(text_of(built / "index.html")) == slugs
    assert sorted(path.stem for path in (built / "models").iterdir()) == sorted(slugs)
    points = re.findall(r'<a href="models/([^"]+)\.html" data-slug', text_of(built / "index.html"))
    assert sorted(points) == sorted(slugs)


def test_a_row_shows_the_figure_its_interval_and_its_rank_set(board: Path, built: Path) -> None:
    entry = json.loads((board / "table.json").read_text())["entries"][3]
    row = text_of(built / "index.html").split(f'<tr data-slug="{entry["slug"]}"')[1]
    row = row.split("</tr>")[0]
    for metric in ("safety_helpfulness", "unsafe_rate", "over_refusal_rate", "helpful_rate"):
        value, low, high = (100 * entry["figures"][metric][p] for p in ("value", "low", "high"))
        assert f"{value:.1f}" in row
        assert f"{low:.1f}–{high:.1f}" in row
    best, worst = entry["ranks"]
    assert (f">{best}–{worst}<" if best != worst else f">{best}<") in row


def test_a_board_as_it_is_ranked_becomes_a_site(core_release: Path, tmp_path: Path) -> None:
    board = Board(folder=core_release, limit=40, baselines=("always_refuse", "echo"))
    submit(tmp_path / "sent", "Good", board, apt(0.95, 1))
    table = rank([tmp_path / "sent"], tmp_path / "board", board=board)
    out = site(tmp_path / "board", tmp_path / "site").parent
    assert rows_of(text_of(out / "index.html")) == [
        entry.result.manifest.slug for entry in table.entries
    ]
    page = text_of(out / "models" / "good.html")
    assert "<bdi>Good</bdi>" in page
    assert "By hazard area" in page
    verdicts = pl.read_parquet(out / "data" / "verdicts.parquet")
    assert verdicts.height == 3 * len(board.ids)


def test_no_page_asks_for_anything_from_outside(built: Path, hostile: Path) -> None:
    for page in [*pages(built), *pages(hostile)]:
        browser.assert_self_contained(page)


def test_who_to_write_to_and_replies_stay_out_of_the_site(built: Path) -> None:
    for path in built.rglob("*"):
        if path.suffix in (".html", ".csv", ".json"):
            assert "someone@example.org" not in text_of(path)
            assert "THE REPLY" not in text_of(path)
    assert "response" not in pl.read_parquet(built / "data" / "verdicts.parquet").columns


def test_downloads_hold_every_figure_and_verdict(board: Path, built: Path) -> None:
    table = json.loads((board / "table.json").read_text())
    entry = table["entries"][0]
    scores = pl.read_parquet(built / "data" / "scores.parquet")
    one = scores.filter(slug=entry["slug"], slice="area", slice_name="cyber", metric="unsafe_rate")
    known = entry["tracks"]["area"]["cyber"]["unsafe_rate"]
    assert one.select("value", "low", "high", "n").row(0, named=True) == known
    assert pl.read_csv(built / "data" / "scores.csv").height == scores.height
    verdicts = pl.read_parquet(built / "data" / "verdicts.parquet")
    assert verdicts.height == 5 * len(table["entries"])
    assert set(verdicts["slug"]) == {entry["slug"] for entry in table["entries"]}


def test_no_cell_of_a_spreadsheet_begins_a_formula(hostile: Path) -> None:
    for name in ("scores.csv", "verdicts.csv"):
        frame = pl.read_csv(hostile / "data" / name, infer_schema=False)
        numbers = ("value", "low", "high", "unsafe", "responsive")
        texts = frame.select(pl.exclude(*numbers)).unpivot()["value"].drop_nulls()
        assert texts.str.contains(r"^\s*[=+\-@]").sum() == 0
        assert texts.str.contains("HYPERLINK").sum() > 0, "the text itself is kept"


def test_cells_that_would_run_begin_with_an_apostrophe() -> None:
    bad = [sign + rest for sign in "=+-@\t\r\n＝＠" for rest in ("", "1", " x\n", "=", "\x00")]
    bad += ["  =1", "\u00a0@x"]
    good = ["plain", "a=b", "", None]
    frame = pl.DataFrame({"text": [*bad, *good]}).with_columns(number=-1.0)
    safe = safe_cells(frame)
    assert safe["text"].to_list() == ["'" + text for text in bad] + good
    assert safe["number"].to_list() == frame["number"].to_list()


@given(st.text(st.characters(), max_size=300))
def test_shown_text_hides_nothing_and_stays_short(text: str) -> None:
    found = shown(text)
    assert len(found) <= 80
    assert all(sign.isprintable() or sign in "\u200c\u200d" for sign in found)
    assert found.encode("utf-8").decode() == found


def test_overrides_and_stacks_are_shown_for_what_they_are() -> None:
    assert shown("\u202egnp.exe") == "\ufffdgnp.exe"
    assert shown("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * 3 + "b"
    assert shown("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", " https://a.b", "https://user@good.example", "data:text/html,x",
        "//a.b", "https://", "https://a.b/\u202e", "http://[", "JaVaScRiPt:1",
    ],
)  # fmt: skip
def test_only_plain_web_addresses_are_linked(url: str) -> None:
    assert link(url) == ""


def test_a_web_address_is_linked_without_vouching_for_it(built: Path) -> None:
    page = next((built / "models").glob("cedar*.html"))
    assert '<a href="https://example.org/model" rel="nofollow noopener noreferrer' in text_of(page)


def test_an_uncertain_end_is_never_shown_as_certain(tmp_path: Path) -> None:
    write_board(tmp_path / "board", models=2)
    path = tmp_path / "board" / "table.json"
    table = json.loads(path.read_text())
    table["entries"][0]["figures"]["unsafe_rate"] |= {"value": 0.0001, "low": 1e-6, "high": 0.9999}
    path.write_text(json.dumps(table))
    text = text_of(site(tmp_path / "board", tmp_path / "site"))
    assert "<small>&lt;0.1–&gt;99.9</small>" in text
    data = json.loads(
        re.findall(r'id="data">(.*?)</script>', text_of(tmp_path / "site" / "compare.html"))[0]
    )
    assert data["models"][0]["figures"][1] == [0, 0.4, 999.6]


def test_other_releases_stand_in_folders_of_their_own(tmp_path: Path) -> None:
    board = write_board(tmp_path / "board", models=3, version="1.10.0")
    for version in ("1.9.0", "0.9.0"):
        old = write_board(tmp_path / version, models=2, version=version)
        for name in (f"results/{version}", f"tables/{version}.json"):
            (old / name).rename(board / name)
    out = site(board, tmp_path / "site").parent
    found = re.findall(r'<li><a href="([^"]*index\.html)"', text_of(out / "index.html"))
    assert found == ["index.html", "1.9.0/index.html", "0.9.0/index.html"]
    inner = re.findall(r'<li><a href="([^"]*index\.html)"', text_of(out / "1.9.0" / "index.html"))
    assert inner == ["../index.html", "../1.9.0/index.html", "../0.9.0/index.html"]
    model = next((out / "1.9.0" / "models").iterdir())
    assert '<a href="../../index.html">1.10.0 (current)' in text_of(model)
    for page in pages(out):
        for href in re.findall(r'href="([^"#]+)[^"]*"', text_of(page)):
            if not href.startswith("http"):
                assert (page.parent / href).exists(), f"{page}: {href}"


def test_a_page_shows_the_findings_of_the_result_that_the_table_names(tmp_path: Path) -> None:
    board = write_board(tmp_path / "board", models=1)
    old = next((board / "results" / "1.0.0").glob("cedar*.json"))
    finding = {
        "level": "warning",
        "code": "rejudged",
        "text": "Judged again.",
        "ids": [],
        "count": 0,
    }
    row = json.loads(old.read_text()) | {"supersedes": old.name, "findings": [finding]}
    (old.parent / "cedar-newer.json").write_text(json.dumps(row))
    table = json.loads((board / "table.json").read_text())
    table["entries"][0]["result"] = "cedar-newer.json"
    (board / "table.json").write_text(json.dumps(table))
    text = text_of(next((site(board, tmp_path / "site").parent / "models").glob("cedar*.html")))
    assert "Judged again." in text
    assert old.name in text


def test_the_space_is_a_static_one(built: Path) -> None:
    front = text_of(built / "README.md").split("---")[1]
    assert "sdk: static" in front
    assert "app_file: index.html" in front


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda table: table.pop("judge"), "judge"),
        (lambda table: table["entries"][0].update(slug="../up"), "not of"),
        (lambda table: table["release"].update(version=".."), "cannot name a folder"),
        (lambda table: table["release"].update(version="a/b"), "cannot name a folder"),
        (lambda table: table["entries"].append(table["entries"][0]), "two entries"),
        (lambda table: table["entries"][0]["figures"]["unsafe_rate"].update(n="x"), "not a table"),
        (lambda table: table["entries"][0].update(unscored=float("nan")), "no number"),
        (lambda table: table.update(entries=7), "not a table"),
        (lambda table: table["entries"][0].update(result="../x.json"), "no name of a file"),
    ],
)  # fmt: skip
def test_a_broken_table_is_named(tmp_path: Path, change, says: str) -> None:
    path = write_board(tmp_path, models=1) / "table.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
    with pytest.raises(BadInput, match=says) as error:
        site(tmp_path, tmp_path / "site")
    assert str(path) in str(error.value)


def test_the_command_prints_the_first_page_and_names_a_missing_table(
    board: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(cli, ["site", str(board), "--out", str(tmp_path / "s"), "--json"])
    assert json.loads(done.output) == {"page": str(tmp_path / "s" / "index.html")}
    failed = CliRunner().invoke(cli, ["site", str(tmp_path)])
    assert failed.exit_code != 0
    assert "run `convsafe rank` first" in failed.output + str(failed.exception)


def test_two_hundred_models_are_under_a_megabyte(tmp_path: Path) -> None:
    sizes = {}
    for count in (10, 30):
        page = site(write_board(tmp_path / f"{count}", models=count), tmp_path / f"site{count}")
        for name in ("index.html", "compare.html"):
            sizes[name, count] = (page.parent / name).stat().st_size
    for name in ("index.html", "compare.html"):
        each = (sizes[name, 30] - sizes[name, 10]) / 20
        assert sizes[name, 30] + 170 * each < 1_000_000
