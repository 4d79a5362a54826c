"""The board: scored from replies, kept for good, and ranked with ties as ties."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark import load_suite, run
from convsafe.benchmark.judges import embedded
from convsafe.leaderboard import rank
from convsafe.leaderboard.board import Board
from convsafe.leaderboard.commands.rank import command
from convsafe.leaderboard.public import unquoted
from convsafe.leaderboard.records import Finding
from convsafe.leaderboard.scorer import Scorer
from convsafe.leaderboard.table import Entry, Table
from convsafe.taxonomy.errors import BadInput

from tests.leaderboard.submitting import REFUSAL, answer, apt, submit

BASELINES = ("always_refuse", "always_comply", "echo", "constant")


@pytest.fixture(scope="module")
def board(core_release: Path) -> Board:
    return Board(folder=core_release, limit=120, baselines=BASELINES)


@pytest.fixture(scope="module")
def submissions(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is mostly right, two that are nearly the same, and one that is mostly wrong."""
    folder = tmp_path_factory.mktemp("sent") / "all"
    for name, share, seed in (("Good", 0.95, 1), ("Fair", 0.65, 2), ("Poor", 0.2, 4)):
        submit(folder, name, board, apt(share, seed))
    fair, changed = apt(0.65, 2), set(board.ids[:3])
    submit(folder, "Twin", board, lambda case: _but(fair(case), REFUSAL, case.id in changed))
    return folder


def _but(usual: str, other: str, when: bool) -> str:
    return other if when else usual


@pytest.fixture(scope="module")
def ranked(
    submissions: Path, board: Board, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Table]:
    out = tmp_path_factory.mktemp("board")
    return out, rank([submissions], out, board=board)


def entry(table: Table, name: str) -> Entry:
    return next(one for one in table.entries if one.name == name)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("results/*/*.json"))}


def test_those_told_apart_have_one_rank_and_those_that_are_not_share_theirs(
    ranked: tuple[Path, Table],
) -> None:
    table = ranked[1]
    assert [one.name for one in table.entries[:4]].index("Good") == 0
    assert entry(table, "Good").ranks == (1, 1)
    assert entry(table, "Fair").ranks == entry(table, "Twin").ranks == (2, 3)
    assert entry(table, "Poor").ranks == (4, 4)


def test_baselines_are_listed_and_not_ranked(ranked: tuple[Path, Table]) -> None:
    for name in BASELINES:
        found = entry(ranked[1], name)
        assert found.result.baseline
        assert found.ranks is None


def test_no_baseline_earns_a_headline_on_the_whole_core_set(core_release: Path) -> None:
    from convsafe.leaderboard.baselines import replies

    board = Board(folder=core_release, baselines=BASELINES)
    scorer = Scorer(board)
    for verdicts in scorer.verdicts([replies(name, board) for name in BASELINES]):
        found = {(one.metric, one.slice): one for one in scorer.figures(verdicts)}
        value = found["safety_helpfulness", "areas_mean"].value
        assert value is not None
        assert value < 0.1


def test_one_text_for_unlike_requests_helps_with_none(board: Board) -> None:
    """To the judge alone, advice that fits everything fits this request too."""
    from convsafe.leaderboard.baselines import replies

    scorer, said = Scorer(board), replies("constant", board)
    alone = scorer.judge.judge(said.join(board.cases.select("id", "prompt"), on="id"))
    assert (alone["responsive"] >= 0.5).sum() > 0
    (verdicts,) = scorer.verdicts([said])
    assert verdicts["responsive"].sum() == 0
    canned = verdicts.filter(pl.col("labels").list.contains("canned"))
    assert len(canned) == (alone["responsive"] > 0).sum()
    # Four clusters may get the same words by chance.
    few = board.cases.unique("cluster_id", maintain_order=True)["id"].head(4).implode()
    mixed = said.with_columns(
        response=pl.when(pl.col("id").is_in(few)).then("response").otherwise(pl.col("id"))
    )
    (verdicts,) = scorer.verdicts([mixed])
    assert not verdicts["labels"].list.contains("canned").any()


def test_figures_are_those_of_scoring_alone(board: Board, ranked: tuple[Path, Table]) -> None:
    """Judged in one table with others or by itself, a reply has one verdict."""
    from convsafe.benchmark.scoring import estimate

    result = entry(ranked[1], "Fair").result
    scorer = Scorer(board)
    path = ranked[0] / "verdicts" / "0.1.0" / result.verdicts
    kept = pl.read_parquet(path)
    threshold = scorer.judge.made_with["unsafe_from"]
    tells = sorted(scorer.judge.TELLS)
    alone = list(estimate(board.cases, kept, tells, plain_only=True, threshold=threshold))
    wanted = {(one.metric, one.slice, one.name): one for one in alone}
    assert len(result.figures) > 100
    for one in result.figures:
        assert one == wanted[one.metric, one.slice, one.name]


def test_influence_is_that_of_comparing(board: Board, ranked: tuple[Path, Table]) -> None:
    """Two ways to the same sum over clusters: parts of figures, and tables of paired runs."""
    from convsafe.benchmark.comparing import headlines
    from convsafe.benchmark.differences import influences
    from convsafe.benchmark.influence import linear
    from convsafe.benchmark.paired import BALANCE, Judged, case_slices, case_values
    from convsafe.benchmark.resampling import units_of
    from convsafe.benchmark.tallies import tabulate
    from convsafe.leaderboard.standing import headline

    scorer = Scorer(board)
    result = entry(ranked[1], "Fair").result
    verdicts = pl.read_parquet(ranked[0] / "verdicts" / "0.1.0" / result.verdicts)
    units = units_of(scorer.cases["cluster_id"].n_unique())
    found = linear(headline(scorer, scorer.metrics[0], verdicts, units), len(units))
    judged = Judged("Fair", Path(), {}, scorer.card, board.cases, verdicts)
    slices = case_slices(board.cases, plain_only=True)
    table = tabulate([case_values(judged)], slices)
    other = influences(table, headlines(table.cells)[BALANCE], 0)
    # Clusters that count in no figure are in the one and not in the other.
    assert np.allclose(*(np.sort(one[abs(one) > 1e-9]) for one in (found.influence, other)))
    assert found.influence.sum() == pytest.approx(0, abs=1e-9)
    value = result.get("safety_helpfulness", "areas_mean", "all")
    assert value is not None
    assert found.low == found.high == pytest.approx(value.value)


def test_a_result_is_made_once_and_never_edited(
    ranked: tuple[Path, Table], submissions: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(ranked[0])
    assert len(before) == 8

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(embedded, "judge", never)
    again = rank([submissions / "good"], ranked[0], board=board)
    assert files(ranked[0]) == before
    assert [one.to_row() for one in again.entries] == [one.to_row() for one in ranked[1].entries]


def test_no_reply_is_kept(ranked: tuple[Path, Table]) -> None:
    """What a flag quotes is for the maintainer; the files are public."""
    said = "Of course. Here is"
    assert any(said in flag.text for flags in ranked[1].flagged.values() for flag in flags)
    assert entry(ranked[1], "Fair").result.flags
    for path in (path for path in ranked[0].rglob("*") if path.is_file()):
        assert said.encode() not in path.read_bytes()
        if path.suffix == ".parquet":
            assert "response" not in pl.read_parquet_schema(path)
            assert "rationale" not in pl.read_parquet_schema(path)


def test_what_a_finding_quotes_is_cut_and_names_stay() -> None:
    text = "the judge's view of 'Fair': others' replies say " + repr("it is 'so' and \"so\"")
    one, two = unquoted(
        [Finding("flag", "copied", text), Finding("flag", "quoted", f"as {'a secret'!r}, twice")],
        {"Fair"},
    )
    assert one.text == "the judge's view of 'Fair': others' replies say […]"
    assert two.text == "as […], twice"


def test_errata_score_every_entry_again_without_its_replies(
    ranked: tuple[Path, Table], submissions: Path, board: Board, tmp_path: Path
) -> None:
    out, errata = shutil.copytree(ranked[0], tmp_path / "board"), tmp_path / "errata.yaml"
    first = ranked[1]
    before = files(out)
    counted = board.cases.filter(pl.col("measures").list.contains("safety"))["id"]
    gone = counted.sort()[:2].to_list()
    rows = [{"release": "0.1.0", "ids": gone, "reason": "Not what it says."}]
    errata.write_text(json.dumps(rows), encoding="utf-8")
    second = rank([submissions / "good"], out, board=board, errata=errata)
    assert {one.name for one in second.entries} == {one.name for one in first.entries}
    for one in second.entries:
        old = entry(first, one.name)
        new_n, old_n = (_n(found, "unsafe_rate") for found in (one, old))
        assert new_n == old_n - 2
        assert one.result.supersedes == old.file
        assert one.result.withdrawn == tuple(gone)
    assert {name: data for name, data in files(out).items() if name in before} == before
    assert json.loads((out / "table.json").read_text())["withdrawn"] == dict.fromkeys(
        gone, "Not what it says."
    )
    wrong = [{"release": "0.1.0", "ids": ["no-such-case"], "reason": "A slip."}]
    errata.write_text(json.dumps(wrong), encoding="utf-8")
    with pytest.raises(BadInput, match="has no case no-such-case"):
        rank([submissions], out, board=board, errata=errata)


def _n(one: Entry, metric: str) -> int:
    found = one.figure(metric)
    assert found is not None
    return found.n


def test_a_new_judge_judges_all_again_and_shows_none_it_could_not(
    ranked: tuple[Path, Table], submissions: Path, board: Board, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    out = shutil.copytree(ranked[0], tmp_path / "board")
    monkeypatch.setattr(embedded, "VERSION", "99.0.0")
    table = rank([submissions / "good"], out, board=board)
    assert {one.name for one in table.entries} == {"Good", *BASELINES}
    assert table.outdated == ("fair", "poor", "twin")
    assert entry(table, "Good").ranks == (1, 1)
    whole = rank([submissions], out, board=board)
    assert not whole.outdated
    assert {one.result.judge["version"] for one in whole.entries} == {"99.0.0"}
    assert entry(whole, "Good").ranks == (1, 1)


def test_too_many_unscored_replies_are_shown_and_not_ranked(
    submissions: Path, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = embedded.judge

    def silent(exchanges: pl.DataFrame) -> pl.DataFrame:
        """Give no verdict on what is no refusal."""
        found = usual(exchanges)
        lost = ~exchanges["response"].str.starts_with("I")
        told = [pl.when(~lost).then(pl.col(name)).alias(name) for name in ("stance", "unsafe")]
        return found.with_columns(told)

    monkeypatch.setattr(embedded, "judge", silent)
    table = rank([submissions / "poor"], tmp_path, board=board)
    found = entry(table, "Poor")
    assert found.result.unscored > board.most_unscored
    assert found.ranks is None
    assert not found.result.ranked
    figure = found.figure("unsafe_rate")
    assert figure is not None
    assert figure.unscored
    assert figure.n == len(board.cases.filter(pl.col("measures").list.contains("safety")))


def test_what_is_refused_is_named_and_stops_nobody(
    submissions: Path, board: Board, tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    short = submit(sent, "Short", board, answer)
    frame = pl.read_parquet(short / "generations.parquet")
    frame.head(len(frame) - 1).write_parquet(short / "generations.parquet")
    (sent / "empty").mkdir()
    table = rank([sent, submissions / "good"], tmp_path / "board", board=board)
    assert set(table.refused) == {str(short), str(sent / "empty")}
    assert all(one.level == "error" for found in table.refused.values() for one in found)
    assert {one.name for one in table.entries} == {"Good", *BASELINES}


def test_a_name_belongs_to_who_had_it_first(
    ranked: tuple[Path, Table], submissions: Path, board: Board, tmp_path: Path
) -> None:
    shutil.copytree(ranked[0], tmp_path / "board")
    before = files(tmp_path / "board")
    thief = submit(tmp_path / "one", "Good", board, answer, contact="other@b.org")
    table = rank([thief], tmp_path / "board", board=board)
    assert [one.code for one in table.refused[str(thief)]] == ["name_taken"]
    assert files(tmp_path / "board") == before
    owner = submit(tmp_path / "two", "Good", board, apt(0.5, 9))
    table = rank([owner], tmp_path / "board", board=board)
    assert not table.refused
    assert entry(table, "Good").result.supersedes in before
    twice = rank([owner, submissions / "good"], tmp_path / "board", board=board)
    assert list(twice.refused) == [str(submissions / "good")]


def test_figures_do_not_depend_on_the_number_of_workers(
    submissions: Path, board: Board, ranked: tuple[Path, Table], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("convsafe.leaderboard.working._FEW", 1)
    table = rank([submissions], tmp_path, board=board, workers=2)
    assert [one.to_row() for one in table.entries] == [one.to_row() for one in ranked[1].entries]


def test_runs_are_ranked_without_being_packed(
    core_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = load_suite(core_release, limit=40)
    for name in ("always_refuse", "echo"):
        run(name, suite, tmp_path / "runs" / name)
    table = rank([tmp_path / "runs"])
    assert {"always_refuse [always_refuse]", "echo [echo]"} < {one.name for one in table.entries}
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    other = run("echo", load_suite(core_release, limit=20), tmp_path / "other")
    with pytest.raises(BadInput, match="made with another cases than"):
        rank([tmp_path / "runs", other.folder])


def test_a_folder_of_nothing_is_no_submission(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no submission"):
        rank([tmp_path])


def test_the_terminal_shows_ranks_intervals_judge_and_what_was_refused(
    submissions: Path, core_release: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "board.yaml"
    rules.write_text("limit: 120\nbaselines: [echo]\n", encoding="utf-8")
    (tmp_path / "sent" / "broken").mkdir(parents=True)
    options = ["--rules", rules, "--release", core_release, "--board", tmp_path / "board"]
    asked = [str(one) for one in (submissions, tmp_path / "sent", *options, "--track", "area")]
    shown = CliRunner().invoke(command, asked)
    assert shown.exit_code == 3
    lines = shown.stdout.splitlines()
    assert lines[1].split()[:2] == ["1", "Good"]
    assert lines[2].startswith("2–3 ")
    assert "baseline echo" in shown.stdout
    assert "Judged by embedded " in shown.stdout
    assert "κ 0." in shown.stdout
    assert "refused: " in shown.stderr
    row: dict[str, Any] = json.loads((tmp_path / "board" / "table.json").read_text())
    assert row["entries"][0]["ranks"] == [1, 1]
    assert set(row["entries"][0]["figures"]["unsafe_rate"]) == {"value", "low", "high", "n"}
    assert row["entries"][0]["figures"]["operational_safety"] is None
    assert "self_harm" in row["entries"][0]["tracks"]["area"]
