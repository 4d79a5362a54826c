"""Beside a rate stands what was measured of its judge, and never more than that."""

from pathlib import Path

import pytest
from convsafe.benchmark import load_suite, report, run, score
from convsafe.benchmark.trust import trust
from convsafe.taxonomy.files import read_json, write_json


def entry(dataset: str, language: str, n: int = 100, **more: object) -> dict:
    found = {"accuracy": 0.9, "macro_f1": 0.8, "kappa": 0.7, "binary_kappa": 0.6, "unscored": 0}
    named = {"dataset": dataset, "language": language, "n": n, "judge_version": "2"}
    return {**named, **found, "date": "2026-01-01", **more}


INTERVALS = {
    name: {"value": 0.6, "low": 0.5, "high": 0.7}
    for name in ("accuracy", "macro_f1", "kappa", "binary_kappa")
}
HARM = {"n": 80, "unscored": 1, "figures": {"auc": {"value": 0.9, "low": 0.8, "high": 0.95}}}


def card(*agreement: dict, version: str = "2") -> dict:
    return {"name": "told", "version": version, "agreement": list(agreement)}


def test_the_figure_is_that_of_the_language_and_of_no_other() -> None:
    judge = card(entry("english", "en", intervals=INTERVALS), entry("german", "de", n=7))
    assert trust(judge, ["de"]).figure == "κ 0.60, n = 7"
    english = trust(judge, ["en"])
    assert english.figure == "κ 0.60 (0.50 to 0.70), n = 100"
    assert (english.judge, english.note, english.short) == ("told 2", "english", "κ 0.60")
    french = trust(judge, ["fr"])
    assert (french.figure, french.note, french.short) == (
        "not measured in fr", "", "not measured"
    )  # fmt: skip


def test_a_region_is_nearer_than_nothing_but_not_than_itself() -> None:
    judge = card(entry("plain", "pt"), entry("brazil", "pt-BR"))
    assert trust(judge, ["pt-BR"]).note == "brazil"
    assert trust(judge, ["pt-PT"]).note == "brazil, largest of 2 sets with 0.60 to 0.60"
    assert trust(card(entry("plain", "pt")), ["pt-BR"]).note == "plain"


def test_the_largest_set_stands_for_its_language_not_the_kindest() -> None:
    kind = entry("kind", "en", n=50) | {"binary_kappa": 0.99}
    found = trust(card(kind, entry("large", "en", n=900)), ["en"])
    assert (found.figure, found.note) == (
        "κ 0.60, n = 900",
        "large, largest of 2 sets with 0.60 to 0.99",
    )


@pytest.mark.parametrize("needs", ["stance", "unsafe"])
def test_a_set_of_one_kind_alone_is_shown_without_a_figure_and_last(needs: str) -> None:
    nothing = {"value": None, "low": None, "high": None}
    alike = entry("alike", "en", n=900, harm={**HARM, "n": 900, "figures": {"auc": nothing}})
    alike |= {"binary_kappa": None, "intervals": {"binary_kappa": nothing}}
    found = trust(card(alike), ["en"], needs)
    assert found.figure == ("AUC –, n = 900" if needs == "unsafe" else "κ –, n = 900")
    found = trust(card(alike, entry("both", "en", harm=HARM)), ["en"], needs)
    short = "AUC 0.90" if needs == "unsafe" else "κ 0.60"
    assert (found.note, found.short) == ("both", short)


def test_languages_without_a_figure_are_named_and_an_old_version_too() -> None:
    judge = card(entry("english", "en"), version="3")
    found = trust(judge, ["de", "en", "fr", "es", "it"])
    assert found.note == "english (version 2); not measured in de, fr, es and 1 more"
    assert trust(card(), []).figure == "not measured in any language"


def test_a_rate_of_harm_is_not_vouched_for_by_agreement_on_refusals() -> None:
    judge = card(entry("stances", "en", n=900), entry("harm", "en", harm=HARM))
    assert trust(judge, ["en"], "unsafe").figure == "AUC 0.90 (0.80 to 0.95), n = 80"
    assert trust(card(entry("stances", "en")), ["en"], "unsafe").figure == "not measured in en"
    assert trust(judge, ["en"], "responsive").figure == "not measured"


@pytest.fixture(scope="module")
def scored(core_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    score(run("always_refuse", load_suite(core_release, limit=60), folder))
    return folder


def test_every_row_of_the_report_names_the_judge_and_its_agreement(scored: Path) -> None:
    scores = read_json(scored / "scores.json")
    judge = scores["judge"]
    judge["agreement"] = [
        entry("mine", "en", intervals=INTERVALS, left_out=5, harm=HARM, judge_version="0.0.1")
    ]
    write_json(scored / "scores.json", scores)
    text = report(scored).read_text(encoding="utf-8")
    section = text.index('<h2 id="the-judge">')
    rows = text[:section].count("<tr><td>")
    assert rows > 20
    assert text[:section].count('<td class="by') == rows
    assert text.count('href="#the-judge"') == rows + 5, "the rows and the five headline cards"
    assert "κ 0.60 (0.50 to 0.70), n = 100" in text[:section]
    assert "mine (version 0.0.1)" in text
    table = text[section:]
    assert "<td>0.60 (0.50 to 0.70)</td>" in table
    assert "AUC 0.90 (0.80 to 0.95), n = 80" in table
    assert "5 seen in fitting left out" in table


def test_an_unmeasured_judge_is_shown_as_such_on_every_row(scored: Path) -> None:
    scores = read_json(scored / "scores.json")
    scores["judge"]["agreement"] = [entry("mine", "de")]
    write_json(scored / "scores.json", scores)
    text = report(scored).read_text(encoding="utf-8")
    assert "not measured in en" in text
    assert "κ 0.60" not in text
    assert "<tr><td>none</td><td>en</td>" in text
