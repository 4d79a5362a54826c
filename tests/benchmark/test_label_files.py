"""Raters' files: what spreadsheets save is read, and what cannot be is named."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark.human_labels import import_labels
from convsafe.benchmark.label_files import COLUMNS, read_labels
from convsafe.taxonomy.errors import BadInput

from tests.labelling import rated, refused, rows_of


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {"lineterminator": "\n"}),
        ("utf-8-sig", {"delimiter": ";"}),
        ("utf-16", {"delimiter": "\t"}),
    ],
)
def test_what_spreadsheets_save_is_read(
    exported: Path, tmp_path: Path, encoding: str, form: dict[str, Any]
) -> None:
    path = rated(exported, tmp_path / "a.csv", refused, encoding, **form)
    assert import_labels(exported, [path]).n == 60


def lines_changed(change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> Any:
    def write(folder: Path, target: Path) -> Path:
        rows = change([row | {"stance": "refusal"} for row in rows_of(folder / "labels.csv")])
        with target.open("w", encoding="utf-8", newline="") as out:
            table = csv.DictWriter(out, COLUMNS)
            table.writeheader()
            # One line a row, so that the line of a row is known.
            table.writerows([row | {"prompt": "p", "response": "r"} for row in rows])
        return target

    return write


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda rows: [*rows, rows[0] | {"id": "nobody"}], r"a\.csv:62 \[nobody\]: .* not of the"),
        (lambda rows: [*rows, rows[1]], r"a\.csv:62 \[.+\]: this id stands in line 3 too"),
        (lambda rows: rows[3:], r"a\.csv \[.+\]: 3 ids are missing: .+, .+, .+\. Put"),
        (lambda rows: rows[9:], r"9 ids are missing: .+ …\. Put"),
        (
            lambda rows: [rows[0] | {"stance": "refused"}, *rows[1:]],
            r"a\.csv:2 \[.+\]: stance 'refused' is not one of refusal, partial, compliance, inv",
        ),
        (
            lambda rows: [rows[0], rows[1] | {"unsafe": "perhaps"}, *rows[2:]],
            r"a\.csv:3 \[.+\]: unsafe 'perhaps' is not yes or no",
        ),
        (lambda rows: [rows[0] | {"id": " "}, *rows[1:]], r"a\.csv:2: the row has no id"),
        (lambda rows: [row | {"stance": ""} for row in rows], r"a\.csv: nothing is labelled"),
    ],
)
def test_rows_that_cannot_be_are_named(
    exported: Path, tmp_path: Path, change: Any, match: str
) -> None:
    path = lines_changed(change)(exported, tmp_path / "a.csv")
    with pytest.raises(BadInput, match=match):
        import_labels(exported, [path])


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", r"a\.csv: the file is empty"),
        (b"\xef\xbb\xbf", r"a\.csv: the file is empty"),
        (b"id,stance\r\n", r"a\.csv:1: there must be one column 'unsafe'"),
        (b"id,stance,unsafe,stance\r\n", r"a\.csv:1: there must be one column 'stance'"),
        (b"id,stance,unsafe,note\r\na,,,na\xefve\r\n", r"a\.csv:2: the text is not UTF-8"),
        (b"id,stance,unsafe\r\na\0,,\r\n", r"a\.csv: there are NUL characters"),
        (b'id,stance,unsafe\r\n"a,,\r\n', r"a\.csv: not CSV: .*; save it again"),
        (b"id,stance,unsafe\r\na,refusal\r\n", r"a\.csv:2 \[a\]: the row has 2 fields, not 3"),
        (b"\xff\xfea", r"a\.csv:1: the text is not UTF-8"),
    ],
)
def test_files_that_are_no_labels_are_named(tmp_path: Path, data: bytes, match: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=match):
        read_labels(path)


def test_the_line_of_a_row_counts_the_lines_inside_earlier_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,response,stance,unsafe\na,"one\ntwo\nthree",,\n\nb,,no,\n')
    with pytest.raises(BadInput, match=r"a\.csv:6 \[b\]: stance 'no'"):
        read_labels(path)


def test_a_long_reply_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id,response,stance,unsafe\na,{'x' * 300_000},refusal,\n")
    assert read_labels(path)[0].stance == "refusal"
    assert csv.field_size_limit() == 131072


def test_files_and_folders_that_do_not_fit_are_named(exported: Path, tmp_path: Path) -> None:
    path = rated(exported, tmp_path / "labels-a.csv", refused)
    again = rated(exported, tmp_path / "a.csv", refused)
    with pytest.raises(BadInput, match=r"a\.csv: .*labels-a\.csv is of rater 'a' too"):
        import_labels(exported, [path, again])
    with pytest.raises(BadInput, match="no file of labels"):
        import_labels(exported, [])
    with pytest.raises(BadInput, match=r"none\.csv: no such file"):
        import_labels(exported, [tmp_path / "none.csv"])
    with pytest.raises(BadInput, match=r"sample\.json: no such file"):
        import_labels(tmp_path, [path])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[", "not JSON"),
        ("[]", "this is no sample"),
        ('{"rows": [{"id": "a"}]}', "this is no sample"),
        ('{"rows": [{"id": "a", "inclusion_probability": 0}]}', "probabilities are wrong"),
        ('{"rows": []}', "probabilities are wrong"),
    ],
)
def test_a_sample_that_is_none_is_named(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "sample.json").write_text(text)
    with pytest.raises(BadInput, match=match):
        import_labels(tmp_path, [tmp_path / "a.csv"])


def test_a_bad_file_leaves_earlier_labels_as_they_were(exported: Path, tmp_path: Path) -> None:
    import_labels(exported, [rated(exported, tmp_path / "a.csv", refused)])
    before = (exported / "labels.jsonl").read_bytes()
    (tmp_path / "b.csv").write_text("id\n")
    with pytest.raises(BadInput):
        import_labels(exported, [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert (exported / "labels.jsonl").read_bytes() == before
