"""Read the generations of a submission from JSONL: line by line, each within bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.findings import Findings, shown
from convsafe.leaderboard.folder_checks import open_plain
from convsafe.leaderboard.manifest_checks import strict_json
from convsafe.leaderboard.submitted import KNOWN, NEEDED, frame_schema, most_rows
from convsafe.taxonomy.records import ROLES

if TYPE_CHECKING:
    import polars as pl

# A line may hold a whole dialogue: so many of the longest replies.
_REPLIES = 8
_COUNT = 2**31


def read_lines(path: Path, board: Board, findings: Findings) -> pl.DataFrame | None:
    """Return the generations of a JSONL file, or None where a line cannot be used."""
    import polars as pl

    rows, whole = [], True
    with open_plain(path) as file:
        for number, line in _lines(file, path.name, board, findings):
            row = _row(line, number, path.name, findings)
            whole = whole and row is not None
            rows.append(row)
    errors = any(one.level == "error" and one.file == path.name for one in findings.all())
    if errors or not whole:
        return None
    return pl.DataFrame(rows, schema=frame_schema(), orient="row")


def _lines(
    file: BinaryIO, name: str, board: Board, findings: Findings
) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers, as long as they are short and not too many."""
    longest, most = _REPLIES * board.longest_reply, most_rows(board)
    number = 0
    # A limit on each: a file without line ends is one line, of any size.
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            what = f"a line has more than {longest:,} bytes; the rest of the file was not read"
            findings.error("long_line", what, file=name, line=number)
            return
        if number > most:
            what = f"more than {most:,} lines; the board asks for {len(board.ids)} cases"
            findings.error("too_many_rows", what, file=name)
            return
        yield number, line


def _row(line: bytes, number: int, file: str, findings: Findings) -> tuple[Any, ...] | None:
    """Return a line's values in the order of the columns, or None where it is no generation."""
    try:
        row = strict_json(line)
    except UnicodeDecodeError:
        what = "a line is not UTF-8; save the file as UTF-8"
        findings.error("encoding", what, file=file, line=number)
        return None
    except (ValueError, RecursionError) as error:
        code = getattr(error, "code", "json")
        what = f"a line {error}" if code != "json" else "a line is not JSON"
        findings.error(code, what, file=file, line=number)
        return None
    if not isinstance(row, dict):
        findings.error("json", "a line is not a JSON object", file=file, line=number)
        return None
    wrong = dict(_wrong(row, line))
    for code, what in wrong.items():
        findings.error(code, what, file=file, line=number, ids=_named(row), count=1)
    return None if wrong else _values(row)


def _named(row: Mapping[str, Any]) -> list[str]:
    id = row.get("id")
    return [id] if isinstance(id, str) else []


def _wrong(row: Mapping[str, Any], line: bytes) -> Iterator[tuple[str, str]]:
    """Yield a code and what is wrong with a line's object."""
    if unknown := sorted(row.keys() - set(KNOWN)):
        yield "columns", f"a generation has no `{shown(unknown[0])}`: leave it out"
    if lacking := [name for name in NEEDED if row.get(name) is None]:
        yield "null", f"a generation has no `{lacking[0]}`"
    for name, value in row.items():
        if value is not None and name in _KINDS and not _KINDS[name](value):
            code = "nan" if isinstance(value, float) and not math.isfinite(value) else "types"
            yield code, f"`{name}` is not of its kind: {_SAID[name]}"
    if b"\\u" in line and not _is_text(row):
        yield "encoding", "a text has half a surrogate pair, which is no text"


def _is_text(value: Any) -> bool:
    """Return whether every text in a value can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _are_turns(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(turn, dict)
        and turn.keys() == {"role", "content"}
        and isinstance(turn["role"], str)
        and turn["role"] in ROLES
        and isinstance(turn["content"], str)
        for turn in value
    )


def _is_usage(value: Any) -> bool:
    return isinstance(value, dict) and all(one is None or _is_count(one) for one in value.values())


def _is_time(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value < _COUNT


_SAID = {
    "id": "a text",
    "sample": "a number from 0",
    "outcome": "a text",
    "response": "a text",
    "messages": "a list of {role, content}",
    "model": "a text",
    "finish_reason": "a text",
    "usage": "counts of tokens by name",
    "seconds": "a number from 0",
}
_KINDS = {
    **dict.fromkeys(("id", "outcome", "response", "model", "finish_reason"), _is_string),
    "sample": _is_count,
    "messages": _are_turns,
    "usage": _is_usage,
    "seconds": _is_time,
}


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    usage = row.get("usage")
    tokens = usage and {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}
    filled = {"sample": 0, **row, "usage": tokens or None}
    filled["outcome"] = row.get("outcome") or ("answered" if row["response"].strip() else "empty")
    return tuple(filled.get(name) for name in frame_schema())
