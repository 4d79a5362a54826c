"""Files of any size: the same figures however they are cut, and errors that name their place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from convsafe.benchmark.cells import cells_of, names_in, ordered
from convsafe.benchmark.commands.score import command
from convsafe.benchmark.judging import verdict_schema, verdicts_of
from convsafe.benchmark.loading import load_judge
from convsafe.benchmark.metric import METRICS, exact, load_metric
from convsafe.benchmark.partitions import partitions
from convsafe.benchmark.per_case import known_cases, summed, whole
from convsafe.benchmark.scoring import Scores, estimate
from convsafe.benchmark.streaming import Streaming, score_file
from convsafe.benchmark.suite import load_cases
from convsafe.taxonomy.errors import BadInput, ChecksumMismatch, IncompleteRun, UnknownName
from hypothesis import given
from hypothesis import strategies as st

# A short list, which is ready at once for every partition.
JUDGE = "garak_mitigation"
REPLIES = (
    "I'm sorry, but I can't help with that.",
    "Sure, here is what you asked for, step by step, with everything in it.",
    "",
    "I cannot do all of it. Here is the harmless part: talk to somebody you trust.",
    "Ça dépend: \u2028 “oui”.",
)


@pytest.fixture(scope="module")
def cases(core_release: Path) -> pl.DataFrame:
    return load_cases(core_release)[0].sort("id")


@pytest.fixture(scope="module")
def rows(cases: pl.DataFrame) -> list[dict[str, Any]]:
    """Three samples a case, in no order."""
    found = [
        {"id": id, "sample": sample, "response": REPLIES[(7 * at + sample * sample) % len(REPLIES)]}
        for at, id in enumerate(cases["id"])
        for sample in range(3)
    ]
    order = np.random.default_rng(1).permutation(len(found))
    return [found[at] for at in order]


def write(path: Path, rows: list[Any]) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def file(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("files") / "replies.jsonl", rows)


@pytest.fixture(scope="module")
def scores(file: Path, core_release: Path) -> Scores:
    """In one partition and this process."""
    return score_file(file, core_release, judge=JUDGE, how=Streaming(workers=1))


@pytest.fixture(scope="module")
def verdicts(cases: pl.DataFrame, rows: list[dict[str, Any]]) -> pl.DataFrame:
    replies = pl.DataFrame(rows).with_columns(outcome=pl.lit("answered"))
    return verdicts_of(cases, replies, JUDGE, load_judge(JUDGE).judge)


def test_a_file_has_the_figures_of_its_verdicts_in_memory(
    scores: Scores, cases: pl.DataFrame, verdicts: pl.DataFrame
) -> None:
    tells = load_judge(JUDGE).TELLS
    told = [one for one in scores.estimates if not one.metric.startswith("corrected")]
    assert told == list(estimate(cases, verdicts, tuple(tells), plain_only=True))
    assert len(told) > 20


@pytest.mark.parametrize(
    ("size", "workers"), [(1, 1), (5_000, 1), (20_000, 2)], ids=["a line", "some", "processes"]
)
def test_partitions_and_workers_move_no_bit(
    size: int, workers: int, file: Path, scores: Scores, core_release: Path, tmp_path: Path
) -> None:
    if size == 1:
        # A judge builds its lists for every line: a few lines show it.
        file = write(tmp_path / "few.jsonl", file.read_text().split("\n")[:40])
        one = Streaming(workers=1)
        scores = score_file(file, core_release, judge=JUDGE, partial=True, how=one)
    how = Streaming(workers=workers, size=size)
    found = score_file(file, core_release, judge=JUDGE, partial=True, how=how)
    assert found.estimates == scores.estimates


def test_parquet_has_the_figures_of_jsonl(
    rows: list[dict[str, Any]], scores: Scores, core_release: Path, tmp_path: Path
) -> None:
    path = tmp_path / "replies.parquet"
    pl.DataFrame(rows).write_parquet(path, row_group_size=500)
    how = Streaming(workers=1, rows=300)
    assert score_file(path, core_release, judge=JUDGE, how=how).estimates == scores.estimates


def test_given_verdicts_have_the_figures_of_judging(
    file: Path, scores: Scores, verdicts: pl.DataFrame, core_release: Path, tmp_path: Path
) -> None:
    for name in ("verdicts.jsonl", "verdicts.parquet"):
        path = tmp_path / name
        shuffled = verdicts.sample(fraction=1, shuffle=True, seed=2)
        write_verdicts(path, shuffled)
        how = Streaming(workers=1, size=30_000, rows=100)
        found = score_file(file, core_release, judge=JUDGE, verdicts=path, how=how)
        assert found.estimates == scores.estimates


def write_verdicts(path: Path, table: pl.DataFrame) -> Path:
    table.write_parquet(path) if path.suffix == ".parquet" else table.write_ndjson(path)
    return path


# Ray warns of its own old settings.
@pytest.mark.filterwarnings("default")
def test_ray_moves_no_bit(
    file: Path, scores: Scores, core_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="needs the extra [ray]")
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    how = Streaming(workers=2, engine="ray", size=20_000)
    try:
        found = score_file(file, core_release, judge=JUDGE, how=how)
    finally:
        ray.shutdown()
    assert found.estimates == scores.estimates


@pytest.mark.parametrize("name", METRICS.names())
def test_sums_of_every_metric_can_be_put_together(name: str, cases: pl.DataFrame) -> None:
    metric = load_metric(name)
    known, random = known_cases(cases), np.random.default_rng(3)
    n = 3 * len(known)
    coded = pl.DataFrame(
        {
            "id": known["id"].to_list() * 3,
            "case": known["case"].to_list() * 3,
            "sample": np.repeat(np.arange(3), len(known)),
            "judge": ["j"] * n,
            "stance": random.choice(
                ["refusal", "partial", "compliance", "invalid", None], n
            ).tolist(),
            "unsafe": random.random(n),
            "responsive": random.random(n),
            "labels": [["hard"] if one else [] for one in random.random(n) < 0.5],
            "scores": [
                [{"name": score, "value": float(value)} for score in metric.scores]
                for value in random.random(n)
            ],
            "rationale": [""] * n,
            "unscored_reason": [None] * n,
        },
        schema_overrides={"case": pl.UInt32, **verdict_schema()},
    )
    one = whole(known, [summed(known, coded, [metric], 0.5)], [metric], 0.5)
    mixed = coded.sample(fraction=1, shuffle=True, seed=4)
    cuts = [mixed[start : start + 101] for start in range(0, n, 101)]
    parts = [summed(known, cut, [metric], 0.5) for cut in cuts]
    assert whole(known, parts, [metric], 0.5).equals(one)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.randoms())
def test_exact_numbers_have_one_sum_in_any_order(values: list[float], random: Any) -> None:
    table = pl.DataFrame({"x": values}).select(exact(pl.col("x")))["x"].to_list()
    assert all(abs(one - other) <= 2**-41 for one, other in zip(table, values, strict=True))
    forwards, mixed = sum(table), list(table)
    random.shuffle(mixed)
    assert sum(mixed) == forwards


@given(
    texts=st.lists(st.text("ab é", max_size=9), min_size=1, max_size=20), size=st.integers(1, 40)
)
def test_partitions_hold_every_line_once(
    texts: list[str], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "lines.jsonl", [f"{text}." for text in texts])
    parts = partitions(path, size=size)
    lines = [(part.place(at), line) for part in parts for at, line in enumerate(part.lines())]
    assert lines == [(at, f"{text}.".encode()) for at, text in enumerate(texts, 1)]


def test_cells_are_sums_by_name_part_and_cluster() -> None:
    table = pl.DataFrame(
        {
            "case": [2, 0, 1, 3],
            "cluster": [1, 0, 0, 1],
            "part": ["", "", "", ""],
            "num": [1.0, 0.0, 1.0, 1.0],
            "den": [1.0, 1.0, 1.0, 1.0],
        }
    ).with_columns(low="num", high="num", full="den", n="den", unscored=pl.lit(0.0))
    names = pl.DataFrame(
        {"case": [0, 1, 1, 2, 9], "name": ["a", "a", "b", "b", "b"]},
        schema_overrides={"case": pl.UInt32},
    )
    rows = ordered(table)
    assert rows.values.shape[1] == 3, "equal columns are held once"
    found = cells_of(rows, names_in(names))
    assert found is not None
    shown = zip(found.name, found.cluster, found.values[:, rows.column["num"]], strict=True)
    assert [tuple(map(float, one)) for one in shown] == [(0, 0, 1), (1, 0, 1), (1, 1, 1)]
    heads = found.heads(0.0, 1.0)
    assert heads.sums[:, rows.column["den"]].tolist() == [2, 2]
    assert heads.eventful.tolist() == [1, 2]
    assert heads.eventless.tolist() == [1, 0]


def refused(release: Path, path: Path, kind: type[Exception] = BadInput, **given: Any) -> str:
    how = given.pop("how", Streaming(workers=1, size=400))
    with pytest.raises(kind) as error:
        score_file(path, release, judge=JUDGE, how=how, **given)
    return str(error.value)


def test_a_reply_that_comes_twice_is_named_wherever_it_stands(
    rows: list[dict[str, Any]], core_release: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "twice.jsonl", [*rows, rows[4]])
    told = refused(core_release, path, how=Streaming(workers=1, size=30_000))
    assert f"{path}:{len(rows) + 1} [{rows[4]['id']}]" in told
    assert f"lines 5 and {len(rows) + 1}" in told


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"id": "nobody", "response": "x"}, "no case of this id"),
        ("{broken", "not a JSON object"),
        ("", "not a JSON object"),
        ({"response": "x"}, "no id"),
        ({"id": None, "outcome": "lost", "response": "x"}, "no id"),
    ],
)
def test_a_bad_line_is_named(
    row: Any, what: str, rows: list[dict[str, Any]], core_release: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "bad.jsonl", [*rows[:20], row, *rows[20:]])
    told = refused(core_release, path)
    assert f"{path}:21" in told
    assert what in told


def test_missing_samples_are_an_error_unless_partial(
    rows: list[dict[str, Any]], core_release: Path, tmp_path: Path
) -> None:
    failed = rows[0] | {"outcome": "failed", "response": ""}
    path = write(tmp_path / "short.jsonl", [failed, *rows[1:-1]])
    how = Streaming(workers=1)
    told = refused(core_release, path, IncompleteRun, how=how)
    assert f"2 of {len(rows)} generations are missing" in told
    assert rows[0]["id"] in told
    assert score_file(path, core_release, judge=JUDGE, partial=True, how=how).missing == 0


def test_a_bad_verdict_is_named(
    file: Path, verdicts: pl.DataFrame, core_release: Path, tmp_path: Path
) -> None:
    at = pl.int_range(pl.len()) == 30
    id = verdicts["id"][30]
    for name, value, what in (
        ("unsafe", float("nan"), "`unsafe` is no probability"),
        ("responsive", 1.5, "`responsive` is no probability"),
        ("judge", "embedded", "not a verdict of 'garak_mitigation'"),
        ("stance", "maybe", "`stance` is not one of"),
    ):
        changed = verdicts.with_columns(pl.when(at).then(pl.lit(value)).otherwise(name).alias(name))
        path = write_verdicts(tmp_path / "verdicts.parquet", changed)
        told = refused(core_release, file, verdicts=path)
        assert f"{path}:31 [{id}]" in told
        assert what in told
    lines = [json.dumps(row) for row in verdicts.to_dicts()]
    lines[30] = lines[30].replace('"unsafe": null', '"unsafe": NaN')
    told = refused(core_release, file, verdicts=write(tmp_path / "verdicts.jsonl", lines))
    assert f"verdicts.jsonl:31 [{id}]: not a verdict: NaN is no number" in told


def test_verdicts_of_other_replies_are_refused(
    file: Path, verdicts: pl.DataFrame, core_release: Path, tmp_path: Path
) -> None:
    how = Streaming(workers=1)
    path = write_verdicts(tmp_path / "verdicts.parquet", verdicts[1:])
    assert "1 generations have no verdict" in refused(core_release, file, verdicts=path, how=how)
    more = verdicts[:1].with_columns(sample=pl.lit(3, pl.Int64))
    write_verdicts(path, pl.concat([verdicts, more]))
    assert "1 verdicts are of no generation" in refused(core_release, file, verdicts=path, how=how)
    write_verdicts(path, pl.concat([verdicts, verdicts[:1]]))
    assert "more than once" in refused(core_release, file, verdicts=path, how=how)


def test_a_file_of_another_release_is_refused(
    rows: list[dict[str, Any]], core_release: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "generations.jsonl", rows)
    other = {"release": {"version": "9.0.0", "content_sha256": "0", "config": "core"}}
    (tmp_path / "run.json").write_text(json.dumps(other))
    assert "release 9.0.0" in refused(core_release, path)


def test_what_cannot_be_scored_is_said(file: Path, core_release: Path, tmp_path: Path) -> None:
    assert "the file is empty" in refused(core_release, write(tmp_path / "none.jsonl", []))
    assert "no such file" in refused(core_release, tmp_path / "nowhere.jsonl")
    assert "must end in" in refused(core_release, write(tmp_path / "replies.csv", ["a"]))
    (tmp_path / "not.parquet").write_text("no")
    assert "not a Parquet file" in refused(core_release, tmp_path / "not.parquet")
    refused(core_release, file, UnknownName, config="nothing")
    refused(core_release, file, UnknownName, how=Streaming(engine="spark"))


def test_a_changed_release_is_refused(core_release: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "release"
    shutil.copytree(core_release, folder)
    with next(folder.glob("data/core/test-*")).open("ab") as shard:
        shard.write(b"more")
    with pytest.raises(ChecksumMismatch):
        load_cases(folder)


def test_the_command_scores_a_file(
    file: Path, scores: Scores, core_release: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.json"
    options = ["--release", str(core_release), "--judge", JUDGE, "--workers", "1"]
    done = CliRunner().invoke(command, [str(file), *options, "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads(out.read_text())
    assert json.loads(out.read_text())["estimates"] == [one.to_row() for one in scores.estimates]
    folder = CliRunner().invoke(command, [str(tmp_path), "--workers", "2"])
    assert isinstance(folder.exception, BadInput)
