"""Any file of requests and replies is judged; what cannot be judged says why."""

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner, Result
from convsafe.benchmark import judge_file as module
from convsafe.benchmark.cli import cli
from convsafe.benchmark.judge_file import counts, judge_file, never_of
from convsafe.benchmark.keyword_judges import (
    BASELINES,
    KeywordJudge,
    load_baseline,
)
from convsafe.benchmark.loading import JudgeSettings, load_judge
from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.tree import read_yaml

from tests.conftest import SOURCES, needs_sources

ROWS = [
    {"id": "a", "prompt": "How do I bake bread?", "response": "I'm sorry, but I can't help."},
    {"id": "b", "prompt": "How do I bake bread?", "response": "Knead the dough and bake it."},
    {"id": "c", "prompt": "How do I bake bread?", "response": None},
]


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def convsafe(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def pretend(monkeypatch: pytest.MonkeyPatch, tells: set[str], **columns: list) -> None:
    """Put a judge of given verdicts in the place of every judge."""
    told = SimpleNamespace(
        name="rules",
        VERSION="1",
        SUMMARY="",
        TELLS=frozenset(tells),
        judge=lambda _: pl.DataFrame(columns),
    )
    monkeypatch.setattr(module, "load_judge", lambda *_: told)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("id,prompt,response\na,Hi,Ho\nb,Hi,Well, no\n", r":3 \[b\]: the row has 4 fields"),
        ('\ufeffid,prompt,response\r\n\r\na,"Hi\r\nyou",Ho\r\nb,Hi,Ho,\r\n', r":5 \[b\]: the row"),
        ("\nprompt,response,id\nHi,Ho, a, b\n", r":3: the row has 4 .* there are 3 columns: put"),
        (f"id,prompt,response\na,Hi,{'x' * 200_000}\n,Hi,Ho,no\n", ":3: the row has 4 fields"),
    ],
    ids=["a comma", "lines in fields", "no id first", "a long reply"],
)
def test_a_row_of_a_csv_with_too_many_fields_is_named(
    tmp_path: Path, text: str, where: str
) -> None:
    path = tmp_path / "replies.csv"
    path.write_bytes(text.encode())
    with pytest.raises(BadInput, match=rf"replies\.csv{where}"):
        judge_file(path)


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "parquet"])
def test_every_kind_of_file_gives_the_same_verdicts(tmp_path: Path, ending: str) -> None:
    path, frame = tmp_path / f"replies.{ending}", pl.DataFrame(ROWS[:2])
    kinds = {
        "jsonl": frame.write_ndjson,
        "json": frame.write_json,
        "csv": frame.write_csv,
        "parquet": frame.write_parquet,
    }
    kinds[ending](path)
    found = judge_file(path)
    assert found["id"].to_list() == ["a", "b"]
    assert found["stance"].to_list() == ["refusal", "compliance"]
    assert found.columns == [
        "id", "stance", "unsafe", "responsive", "labels", "scores", "rationale",
        "unscored_reason",
    ]  # fmt: skip


def test_a_missing_reply_is_unscored_and_an_empty_one_invalid(tmp_path: Path) -> None:
    rows = [*ROWS, {"id": "d", "prompt": "Hi", "response": ""}]
    found = judge_file(write(tmp_path / "replies.jsonl", rows))
    assert found["stance"].to_list() == ["refusal", "compliance", None, "invalid"]
    assert found["unscored_reason"].to_list() == [None, None, "there is no reply", None]
    assert counts(found)["unscored_reasons"] == {"there is no reply": 1}


def test_an_empty_field_of_a_csv_is_an_empty_reply(tmp_path: Path) -> None:
    path = tmp_path / "replies.csv"
    path.write_text("prompt,response\nHi,\n")
    assert judge_file(path)["stance"].to_list() == ["invalid"]


def test_blank_lines_of_a_csv_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "replies.csv"
    path.write_text('prompt,response\nHi,"Yes.\n\nGladly."\n\nHi,\n\n\n')
    found = judge_file(path)
    assert found["id"].to_list() == ["1", "2"]
    assert found["stance"].to_list()[1] == "invalid"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_of_a_csv_with_too_few_fields_has_no_reply(tmp_path: Path, end: str) -> None:
    path = tmp_path / "replies.csv"
    lines = ["", "prompt,response", "Hi", "Hi,", '"Oh, hi' + end + 'you"', 'Hi,""', "Hi,Yes."]
    path.write_bytes(end.join(lines).encode())
    found = judge_file(path)
    silent = "there is no reply"
    assert found["unscored_reason"].to_list() == [silent, None, silent, None, None]
    assert found["stance"].to_list()[1:4:2] == ["invalid", "invalid"]


def test_nan_among_texts_is_no_reply(tmp_path: Path) -> None:
    replies = [float("nan"), "NaN", "Yes.", None]
    rows = [{"prompt": "Hi", "response": reply} for reply in replies]
    found = judge_file(write(tmp_path / "replies.jsonl", rows))
    silent = "there is no reply"
    assert found["unscored_reason"].to_list() == [silent, None, None, silent]


def test_a_column_of_mixed_kinds_is_named_only_where_it_is_needed(tmp_path: Path) -> None:
    mixed = ["a text", ["a list"], {"an": "object"}, float("nan"), 10**50]
    rows = [{"prompt": "Hi", "response": "Yes.", "notes": note} for note in mixed]
    path = write(tmp_path / "replies.jsonl", rows)
    assert judge_file(path)["unscored_reason"].null_count() == 5
    with pytest.raises(BadInput, match="column 'notes' holds values of more than one kind"):
        judge_file(path, response="notes")


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["m", "n"])])
def test_the_models_of_a_file_are_known_however_they_are_stored(kind: pl.DataType) -> None:
    table = pl.DataFrame({"model": pl.Series(["n", None, "m", "n"], dtype=kind)})
    assert never_of(table, JudgeSettings(tested=("x",))).tested == ("x", "m", "n")
    lists = pl.DataFrame({"model": [["m"]]})
    assert never_of(lists, JudgeSettings()).tested == ()


def test_nan_is_no_reply(tmp_path: Path) -> None:
    path = tmp_path / "replies.parquet"
    pl.DataFrame({"prompt": ["Hi"], "response": [float("nan")]}).write_parquet(path)
    assert judge_file(path)["unscored_reason"].to_list() == ["there is no reply"]


def test_rows_are_numbered_where_ids_are_none_or_repeat(tmp_path: Path) -> None:
    rows = [{**row, "id": "x"} for row in ROWS]
    path = write(tmp_path / "replies.jsonl", rows)
    assert judge_file(path)["id"].to_list() == ["1", "2", "3"]
    with pytest.raises(BadInput, match="row 2: id 'x' is there twice"):
        judge_file(path, id="id")


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        judge_file(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="no column 'said'; there are id, prompt, response"):
        judge_file(write(tmp_path / "replies.jsonl", ROWS), response="said")
    with pytest.raises(BadInput, match="no column named response or completion"):
        judge_file(write(tmp_path / "few.jsonl", [{"prompt": "Hi"}]))
    with pytest.raises(BadInput, match="there are no rows"):
        judge_file(write(tmp_path / "empty.jsonl", []))
    with pytest.raises(BadInput, match="not text"):
        judge_file(write(tmp_path / "list.jsonl", [{"prompt": ["Hi"], "response": "Yes."}]))
    (tmp_path / "one.json").write_text('{"prompt": "Hi"}')
    with pytest.raises(BadInput, match="list of objects"):
        judge_file(tmp_path / "one.json")


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "replies.csv"
    path.write_bytes("prompt,response\nHi,Yes.\nHi,Très bien.\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"replies\.csv:3: not UTF-8"):
        judge_file(path)
    path = tmp_path / "replies.jsonl"
    path.write_bytes('{"prompt": "Hi", "response": "Très"}\n'.encode("latin-1"))
    with pytest.raises(BadInput, match=r"replies\.jsonl:1: "):
        judge_file(path)


def test_a_judge_that_could_tell_nothing_leaves_all_unscored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "replies.jsonl", ROWS)
    pretend(monkeypatch, {"stance"}, stance=[None, None])
    found = judge_file(path)
    assert found["unscored_reason"].null_count() == 0
    assert counts(found)["stances"] == {}
    pretend(monkeypatch, {"unsafe"}, unsafe=[0.9, float("nan")])
    found = judge_file(path)
    assert found["unsafe"].to_list() == [0.9, None, None]
    assert found["unscored_reason"].to_list()[1] == "the judge gave no verdict"
    assert counts(found)["unsafe"] == 1


def test_a_verdict_outside_the_scheme_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "replies.jsonl", ROWS)
    pretend(monkeypatch, {"stance"}, stance=["refusal", "maybe"])
    with pytest.raises(BadInput, match=r"\[b\]: judge 'rules' gave stance 'maybe'"):
        judge_file(path)
    pretend(monkeypatch, {"unsafe"}, unsafe=[0.5, 1.5])
    with pytest.raises(BadInput, match=r"unsafe 1\.5"):
        judge_file(path)
    pretend(monkeypatch, {"stance"}, stance=["refusal"])
    with pytest.raises(BadInput, match="gave 1 verdicts for 2 replies"):
        judge_file(path)


def test_the_command_takes_a_file_in_place_of_a_subcommand(tmp_path: Path) -> None:
    path, out = write(tmp_path / "replies.jsonl", ROWS), tmp_path / "out" / "verdicts.jsonl"
    found = json.loads(convsafe("judge", path, "--out", out, "--json").stdout)
    assert found["stances"] == {"refusal": 1, "compliance": 1}
    assert (found["n"], found["unscored"]) == (3, 1)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert rows[2]["unscored_reason"] == "there is no reply"
    text = convsafe("judge", "--judge", "common_strings", path).stdout
    assert "judge common_strings, 3 replies, 1 unscored" in text
    assert "FILE" in convsafe("judge", "--help").stdout


@pytest.mark.parametrize("name", BASELINES.names())
def test_a_keyword_list_tells_refusal_from_compliance(name: str) -> None:
    judge = load_baseline(name)
    assert judge.source
    assert judge.license
    assert len(set(judge.phrases)) == len(judge.phrases)
    replies = ["I'm sorry, but I cannot.", "Here is how.", None]
    found = judge.judge(pl.DataFrame({"prompt": ["Hi"] * 3, "response": replies}))
    assert found["stance"].to_list() == ["refusal", "compliance", None]


def test_published_lists_match_as_their_own_code_does() -> None:
    def refused(name: str, *replies: str) -> list[bool]:
        stances = load_baseline(name).judge(pl.DataFrame({"response": replies}))["stance"]
        return (stances == "refusal").to_list()

    # XSTest: stripped, lower-cased, at the start alone.
    assert refused("xstest", "\n NO, never.", "Well, no, never.") == [True, False]
    # JailbreakBench: "prefixes" that count anywhere, with their case.
    assert refused("jailbreakbench", "Oh. Hello!", "oh. hello!") == [True, False]
    # garak: anywhere in any case, inside words too.
    assert refused("garak_mitigation", "A RACIALLY mixed city", "A city") == [True, False]
    sizes = {name: len(load_baseline(name).phrases) for name in BASELINES.names()}
    assert (sizes["xstest"], sizes["jailbreakbench"], sizes["garak_mitigation"]) == (21, 13, 156)


@pytest.mark.parametrize("name", BASELINES.names())
def test_a_list_says_where_it_is_from_or_that_it_is_not_published(name: str) -> None:
    data = read_yaml(BASELINES.path(name))
    if data.get("notes", "").startswith("Not a published list"):
        return
    assert data["source"].startswith("https://")
    assert data["revision"]
    assert data["attribution"]


def test_a_list_matches_by_place_and_case_as_it_says() -> None:
    replies = pl.DataFrame({"response": ["  SORRY.", "Sorry.", "I am Sorry.", "i am sorry."]})
    hits = {}
    for match in ("prefix", "anywhere"):
        for case in (True, False):
            judge = KeywordJudge("", "", "", "", match, case, ("Sorry",), "", "1")
            stances = judge.judge(replies)["stance"].to_list()
            hits[match, case] = [stance == "refusal" for stance in stances]
    assert hits == {
        ("prefix", True): [False, True, False, False],
        ("prefix", False): [True, True, False, False],
        ("anywhere", True): [False, True, True, False],
        ("anywhere", False): [True, True, True, True],
    }


def test_a_malformed_list_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf("keyword baseline", tmp_path, "baselines")
    for place in ("keyword_judges", "loading"):
        monkeypatch.setattr(f"convsafe.benchmark.{place}.BASELINES", shelf)
    whole = "name: a\nsource: b\nlicense: c\nmatch: prefix\ncase: true\n"
    for text, what in (
        (whole, "a baseline has"),
        (whole + "phrases: []\n", "`phrases` is a list"),
        (whole.replace("prefix", "end") + "phrases: [x]\n", "`match` is prefix or anywhere"),
    ):
        (tmp_path / "mine.yaml").write_text(text)
        with pytest.raises(BadInput, match=what):
            load_baseline("mine")
    with pytest.raises(UnknownName, match=r"no judge 'mien'\. Did you mean 'mine'"):
        load_judge("mien")


@needs_sources
def test_xstest_is_judged_whole() -> None:
    found = judge_file(Path(str(SOURCES)) / "xstest" / "labelled_completions.csv")
    assert counts(found)["n"] == 540
    assert counts(found)["unscored"] == 0


def test_a_quotation_that_never_ends_is_told_without_advice(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_text('prompt,response\nWhy?,"It begins here,\nand never ends\n')
    with pytest.raises(
        BadInput, match=r"cut\.csv: not a csv file: .*not properly escaped"
    ) as found:
        judge_file(path)
    assert "infer_schema" not in str(found.value)
