"""Comparing runs: only like with like, in words that the figures bear out, on a safe page."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import compare, load_suite, run, score
from convsafe.benchmark.commands.compare import command
from convsafe.benchmark.comparison import Comparison
from convsafe.benchmark.comparison_page import write_page
from convsafe.benchmark.comparison_words import bare, points, sentences, text
from convsafe.benchmark.judging import read_verdicts
from convsafe.benchmark.models.always_comply import AlwaysComply
from convsafe.benchmark.models.echo import Echo
from convsafe.benchmark.paired import case_values, open_runs
from convsafe.benchmark.runs import Run
from convsafe.benchmark.suite import Suite
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, write_json

from tests import browser

BASELINES = ("always_refuse", "always_comply", "echo")
STEPS = "1. Get the parts together.\n2. Do it where nobody sees you.\n3. Act natural afterwards."
HOSTILE = '</td><script>document.title="owned"</script><img src=x onerror=alert(1)> $\\frac{'


@pytest.fixture(scope="module")
def suite(core_release: Path) -> Suite:
    return load_suite(core_release, limit=200)


@pytest.fixture(scope="module")
def folders(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patched:
        # A bare promise and a copy do no harm: two stand-ins that do take their places.
        patched.setattr(AlwaysComply, "answer", lambda *_: f"Sure! Here is how.\n\n{STEPS}")
        patched.setattr(Echo, "answer", lambda *_: f"Okay, do it like this.\n\n{STEPS}")
        for name in BASELINES:
            score(run(name, suite, root / name))
    return [root / name for name in BASELINES]


@pytest.fixture(scope="module")
def found(folders: list[Path]) -> Comparison:
    return compare(folders, detect=0.05, draws=1000)


@pytest.fixture
def copied(folders: list[Path], tmp_path: Path) -> Callable[[int], Path]:
    """Return a copy of a run that a test may change."""

    def copy(place: int) -> Path:
        return Path(shutil.copytree(folders[place], tmp_path / f"copy-{place}"))

    return copy


def change(path: Path, edit: Callable[[Any], None]) -> None:
    data = read_json(path)
    edit(data)
    write_json(path, data)


def rewrite(folder: Path, edit: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    path = Run.open(folder).verdicts_path(read_json(folder / "scores.json")["judge"]["name"])
    edit(read_verdicts(path)).write_ndjson(path)


def test_differences_are_those_of_the_scores(found: Comparison, folders: list[Path]) -> None:
    rates = [
        {
            (entry["metric"], entry["slice"], entry["name"]): entry["value"]
            for entry in read_json(folder / "scores.json")["estimates"]
        }
        for folder in folders
    ]
    checked = 0
    for entry in found.differences:
        key = (entry.metric, entry.slice, entry.name)
        one, two = (rates[BASELINES.index(name)] for name in (entry.first, entry.second))
        if key in one:
            assert entry.value == pytest.approx(one[key] - two[key])
            assert entry.low <= entry.value <= entry.high
            checked += 1
    assert checked > 200


def test_baselines_tie_at_no_safety_and_helpfulness(found: Comparison) -> None:
    ties = [e for e in found.headline() if e.metric == "safety_helpfulness"]
    assert len(ties) == 3
    for entry in ties:
        assert (entry.first_value, entry.second_value, entry.value) == (0.0, 0.0, 0.0)
        assert entry.low < 0 < entry.high
        assert entry.p == 1.0
    ranks = [rank for rank in found.ranks if rank.metric == "safety_helpfulness"]
    assert [(rank.best, rank.worst) for rank in ranks] == [(1, 3)] * 3


def test_refusing_all_is_told_from_complying_with_all(found: Comparison) -> None:
    entry = found.of("always_refuse", "always_comply", "over_refusal_rate")
    assert entry.value == entry.high == 1.0
    assert 0.5 < entry.low < 1
    assert entry.shown
    said = sentences(found, "always_refuse", "always_comply")
    assert said[0].startswith("always_refuse is safer than always_comply by ")
    assert said[1].startswith("Yet always_refuse refuses 100.0 points more of the harmless")
    with pytest.raises(KeyError):
        found.of("always_refuse", "always_comply", "no_such_rate")


def test_what_is_not_shown_is_said_with_what_would_have_been(found: Comparison) -> None:
    entry = found.of("always_comply", "echo", "unsafe_rate")
    assert not entry.shown
    said = sentences(found, "always_comply", "echo")
    assert said[0].startswith("Which of always_comply and echo is safer is not shown")
    assert f"{points(entry.detectable)} points is shown four times in five" in said[0]


def test_p_values_are_adjusted_over_all_pairs_and_slices(found: Comparison) -> None:
    for family in ("headline", "slices"):
        tests = [e for e in found.differences if e.family == family and e.p is not None]
        assert found.families[family] == len(tests)
        least = min(tests, key=lambda entry: entry.p)
        assert least.holm == pytest.approx(min(1.0, least.p * len(tests)))
    assert found.families["headline"] == 3 * 9
    small = [e for e in found.differences if e.family == "slices" and e.clusters < 6]
    assert small
    assert {(entry.p, entry.holm) for entry in small} == {(None, None)}


def test_the_same_seed_gives_the_same_numbers(folders: list[Path]) -> None:
    one, two = (json.dumps(compare(folders[1:], draws=1000).to_row()) for _ in range(2))
    assert one == two


def test_a_run_against_itself_shows_nothing(folders: list[Path]) -> None:
    same = compare([folders[2], folders[2]], draws=1000)
    assert len(set(same.names)) == 2
    assert {entry.value for entry in same.differences} == {0.0}
    assert not [entry for entry in same.differences if entry.shown or entry.p not in (1.0, None)]
    assert not same.worst(*same.names)


@pytest.mark.parametrize(
    ("file", "edit", "what"),
    [
        ("run.json", lambda d: d["release"].update(version="9.0.0"), "release differs"),
        ("run.json", lambda d: d["release"].update(content_sha256="ab" * 32), "release differs"),
        ("scores.json", lambda d: d["judge"].update(version="0"), "judge differs"),
        ("scores.json", lambda d: d["judge"]["made_with"].update(unsafe_from=0.9), "threshold"),
        ("scores.json", lambda d: d["judge"]["made_with"].update(rubric="x"), "model or rubric"),
    ],
)
def test_unlike_runs_are_an_error_that_says_which(
    folders: list[Path], copied: Callable[[int], Path], file: str, edit: Any, what: str
) -> None:
    other = copied(1)
    change(other / file, edit)
    for shared in (False, True):
        with pytest.raises(BadInput, match=what):
            compare([folders[0], other], shared=shared)


def test_a_run_scored_before_its_judge_told_scores_is_still_compared(
    folders: list[Path], copied: Callable[[int], Path]
) -> None:
    other = copied(1)
    change(other / "scores.json", lambda d: d["judge"]["tells"].remove("scores"))
    before, now = (compare([folders[0], one], draws=1000) for one in (other, folders[1]))
    assert before.differences == now.differences


def test_a_missing_case_is_an_error_that_names_it(
    folders: list[Path], copied: Callable[[int], Path]
) -> None:
    other = copied(1)
    lost = read_verdicts(other / "verdicts-embedded.jsonl")["id"][0]
    rewrite(other, lambda frame: frame.filter(pl.col("id") != lost))
    with pytest.raises(BadInput, match=rf"1 of always_refuse are missing.*{lost}.*--shared"):
        compare([folders[0], other])
    cut = compare([folders[0], other], shared=True, draws=1000)
    assert cut.left_out == (1, 0)
    assert "SHARED CASES ONLY: left out are 1 of always_refuse, 0 of always_comply" in text(cut)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda f: pl.concat([f, f[:1]]), "two verdicts"),
        (lambda f: f.with_columns(id=pl.col("id") + "x"), "no case of this run"),
        (lambda f: f.with_columns(unsafe=pl.lit(1.5)), "`unsafe` is no probability"),
        (lambda f: f.with_columns(judge=pl.lit("other")), "verdicts of other judges"),
    ],
)
def test_verdicts_that_do_not_fit_are_an_error(
    folders: list[Path], copied: Callable[[int], Path], edit: Any, what: str
) -> None:
    other = copied(1)
    rewrite(other, edit)
    with pytest.raises(BadInput, match=what):
        compare([folders[0], other])


def test_one_run_or_an_unscored_one_is_an_error(
    folders: list[Path], copied: Callable[[int], Path]
) -> None:
    with pytest.raises(BadInput, match="two runs or more"):
        compare(folders[:1])
    other = copied(1)
    (other / "scores.json").unlink()
    with pytest.raises(BadInput, match="run `convsafe score`"):
        compare([folders[0], other])
    with pytest.raises(BadInput, match="--detect"):
        compare(folders, detect=2.0)


def test_over_one_percent_unscored_is_not_ranked(
    found: Comparison, folders: list[Path], copied: Callable[[int], Path]
) -> None:
    other = copied(1)
    ids = sorted(read_verdicts(other / "verdicts-embedded.jsonl")["id"].to_list())
    gone = pl.col("id").is_in(ids[::8])
    rewrite(
        other,
        lambda frame: frame.with_columns(
            pl.when(~gone).then(pl.col(name)).alias(name)
            for name in ("stance", "unsafe", "responsive")
        ),
    )
    cut = compare([folders[0], other, folders[2]], draws=1000)
    entry, sure = (c.of("always_refuse", "always_comply", "unsafe_rate") for c in (cut, found))
    assert entry.unscored > 0
    assert entry.n == sure.n
    assert entry.high - entry.low > sure.high - sure.low
    assert not entry.ranked
    assert "so the two are not ranked" in sentences(cut, "always_refuse", "always_comply")[0]
    ranks = {r.run: r for r in cut.ranks if r.metric == "unsafe_rate"}
    assert "unscored: not ranked" in ranks["always_comply"].reason
    assert ranks["always_comply"].best is None
    assert (ranks["always_refuse"].best, ranks["always_refuse"].worst) == (1, 1)


def test_a_judge_that_cannot_tell_harm_compares_compliance(
    suite: Suite, copied: Callable[[int], Path], tmp_path: Path
) -> None:
    others = [copied(0), copied(1)]
    for folder in others:
        score(folder, judge="rules")
    told = compare(others, draws=1000, out=tmp_path / "page.html")
    said = sentences(told, "always_refuse", "always_comply")
    assert said[0].startswith("always_refuse complies with fewer harmful requests than always_c")
    assert "safety_helpfulness" not in {entry.metric for entry in told.differences}
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "This judge cannot tell whether an answer was harmful" in html


def test_a_case_of_several_samples_counts_their_mean_and_bounds(folders: list[Path]) -> None:
    judged = open_runs(folders[:2])[0][0]
    ids = judged.cases.filter(pl.col("measures").list.contains("over_refusal"))["id"][:2].to_list()
    first = judged.verdicts.filter(pl.col("id").is_in(ids))
    second = first.with_columns(
        sample=pl.lit(1, pl.Int64),
        stance=pl.when(pl.col("id") == ids[0]).then(pl.lit("compliance")),
    )
    values = case_values(replace(judged, verdicts=pl.concat([first, second])))
    rows = values.filter(pl.col("metric") == "over_refusal_rate").rows_by_key("id", named=True)
    [mixed], [gap] = rows[ids[0]], rows[ids[1]]
    assert (mixed["samples"], mixed["value"], mixed["low"], mixed["high"]) == (2, 0.5, 0.5, 0.5)
    assert (gap["samples"], gap["value"], gap["low"], gap["high"]) == (2, 1.0, 0.5, 1.0)


def test_small_figures_never_read_as_none() -> None:
    assert [points(x) for x in (0.0, 0.0001, -0.0001, -0.031)] == ["0.0", "<0.1", ">−0.1", "−3.1"]
    assert points(0.031, signed=True) == "+3.1"
    assert [bare(p) for p in (None, 1e-9, 0.0042, 0.25)] == ["–", "< 0.0001", "0.0042", "0.25"]


def test_the_command_prints_writes_and_fails_in_words(
    folders: list[Path], tmp_path: Path, copied: Callable[[int], Path]
) -> None:
    runs = [str(folder) for folder in folders[:2]]
    page = tmp_path / "compare.html"
    done = CliRunner().invoke(command, [*runs, "--draws", "1000", "--out", str(page)])
    assert done.exit_code == 0, done.output
    assert "always_refuse is safer than always_comply" in done.output
    assert page.exists()
    row = CliRunner().invoke(command, [*runs, "--draws", "1000", "--detect", "0.1", "--json"])
    data = json.loads(row.output)
    assert data["detect"] == 0.1
    assert all(entry["needed"] > 0 for entry in data["differences"] if entry["value"] is not None)
    other = copied(1)
    change(other / "scores.json", lambda data: data["judge"].update(version="0"))
    failed = CliRunner().invoke(command, [runs[0], str(other)])
    assert isinstance(failed.exception, BadInput)


@pytest.fixture(scope="module")
def page(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of runs of which one has a hostile name."""
    root = tmp_path_factory.mktemp("page")
    other = shutil.copytree(folders[1], root / "other")
    change(other / "run.json", lambda data: data.update(model=f"http://h/v1#{HOSTILE}"))
    third = shutil.copytree(folders[2], root / "third")
    change(third / "run.json", lambda data: data.update(model="a-very-" * 12 + "long-name"))
    return write_page(compare([folders[0], other, third], draws=1000), root / "compare.html")


def test_the_page_is_whole_and_escapes_hostile_names(page: Path) -> None:
    browser.assert_self_contained(page)
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;document.title" in html
    for part in ("How it was made", "detectable", "Ranks", "Holm", "κ", "<svg"):
        assert part in html, part


@pytest.mark.browser
def test_a_hostile_name_does_nothing_in_a_browser(page: Path, tmp_path: Path) -> None:
    assert "<title>Safety comparison: always_refuse" in browser.dom(page, tmp_path / "profile")
    assert browser.console(page, tmp_path / "profile") == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(page: Path, tmp_path: Path, width: int) -> None:
    layout, needed = browser.measure(page, tmp_path / "profile", width, 900)
    assert layout == width
    assert needed <= width, "the page scrolls sideways"
