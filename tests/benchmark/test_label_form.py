"""The page for raters: keys set labels, hostile text is text, nothing leaves."""

import codecs
import json
import re
from pathlib import Path

import pytest
from convsafe.benchmark.human_labels import import_labels

from tests import browser
from tests.conftest import ChatServer
from tests.labelling import ATTACK, FORMULA, RTL, rows_of


def test_the_page_asks_for_nothing_from_outside(exported: Path) -> None:
    browser.assert_self_contained(exported / "form.html")
    text = (exported / "form.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("<script") == 2
    assert "innerHTML" not in text


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(exported: Path, tmp_path: Path, width: int) -> None:
    layout, needed = browser.measure(exported / "form.html", tmp_path / "profile", width, 900)
    assert layout == width
    assert needed <= width, "the page scrolls sideways"


@pytest.mark.browser
def test_keys_set_labels_that_survive_a_reload_and_can_be_imported(
    exported: Path, tmp_path: Path
) -> None:
    said = browser.drive(
        exported / "form.html",
        tmp_path / "profile",
        """
        const text = (id) => page.document.getElementById(id).textContent;
        const on = () => [...page.document.querySelectorAll('[aria-pressed="true"]')]
          .map((button) => button.dataset.value);
        const note = (words) => { const box = page.document.getElementById("note");
          box.value = words; box.dispatchEvent(new page.Event("input")); press("2", box); };
        const steps = [];
        press("1"); press("s"); steps.push(on());
        press("n"); steps.push(on());
        press("2"); press("u"); press("u"); note("=1+1"); steps.push(on());
        press("N"); press("3"); press("p"); press("p"); press("p"); steps.push(text("place"));
        click("open"); steps.push(text("place"));
        press("4"); press("x"); steps.push(text("count"));
        await reload();
        steps.push(text("place"), text("count"), on());
        return { steps, csv: page.csv(), bytes: new page.Blob([page.csv()]).size };
        """,
    )
    assert said["steps"] == [
        ["refusal", "no"], [], ["partial"], "1 of 60", "4 of 60", "4 labelled",
        "4 of 60", "4 labelled", ["invalid"],
    ]  # fmt: skip
    path = tmp_path / "labels-anna.csv"
    path.write_bytes(said["csv"].encode())
    found = import_labels(exported, [path])
    assert (found.raters, found.n) == (("anna",), 4)
    stances = [row["stance"] for row in found.majority]
    assert stances == ["refusal", "partial", "compliance", "invalid"]
    given, blank = rows_of(path), rows_of(exported / "labels.csv")
    assert given[1]["note"] == "'=1+1"
    for field in ("id", "prompt", "response"):
        assert [row[field] for row in given] == [row[field] for row in blank]


@pytest.mark.browser
def test_hostile_text_is_text_and_no_request_leaves(
    exported: Path, tmp_path: Path, label_server: ChatServer
) -> None:
    before = len(label_server.requests), label_server.connections
    said = browser.drive(
        exported / "form.html",
        tmp_path / "profile",
        f"""
        const seen = []; let turns = 0;
        for (let place = 0; place < 60; place += 1) {{
          seen.push(page.document.getElementById("response").textContent);
          turns += page.document.querySelectorAll("#before pre").length; press("n");
        }}
        const tried = await page.fetch("{label_server.url}/stolen", {{ method: "POST", body: "a" }})
          .then(() => "left", () => "held");
        return {{ seen, turns, tried, title: page.document.title,
          images: page.document.querySelectorAll("img, iframe, a").length }};
        """,
    )
    assert (said["title"], said["images"], said["tried"]) == ("Label replies", 0, "held")
    assert {ATTACK.replace("{url}", f"{label_server.url}/stolen"), FORMULA, RTL} <= set(
        said["seen"]
    )
    data = re.search(r'id="data">(.*?)</script>', (exported / "form.html").read_text("utf-8"), re.S)
    assert data
    assert said["turns"] == sum(len(row["before"]) for row in json.loads(data[1])["rows"]) > 0
    assert (len(label_server.requests), label_server.connections) == before
    assert browser.console(exported / "form.html", tmp_path / "profile") == []


@pytest.mark.browser
def test_the_file_to_download_is_named_by_the_rater(exported: Path, tmp_path: Path) -> None:
    said = browser.drive(
        exported / "form.html",
        tmp_path / "profile",
        """
        // A real download keeps headless Chromium from ending.
        let name, blob;
        page.HTMLAnchorElement.prototype.click = function () { name = this.download; };
        const create = page.URL.createObjectURL;
        page.URL.createObjectURL = (given) => (blob = given, create.call(page.URL, given));
        const rater = page.document.getElementById("rater");
        rater.value = "../Änna b"; rater.dispatchEvent(new page.Event("input"));
        press("1"); click("download");
        const bytes = [...new Uint8Array(await blob.arrayBuffer())];
        return { name, bytes };
        """,
    )
    path = tmp_path / said["name"]
    path.write_bytes(bytes(said["bytes"]))
    assert path.name == "labels-_Änna_b.csv"
    assert path.read_bytes().startswith(codecs.BOM_UTF8)
    assert import_labels(exported, [path]).raters == ("_Änna_b",)
