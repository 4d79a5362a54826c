"""Read a submission's manifest within bounds, and hold what it claims to what the board asks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.findings import Findings, shown
from convsafe.leaderboard.folder_checks import MOST_MANIFEST, open_plain
from convsafe.leaderboard.names import (
    alike,
    license_is_plain,
    name_problems,
    text_problems,
    url_is_plain,
)
from convsafe.leaderboard.records import MANIFEST, SCHEMA, Manifest, slug
from convsafe.taxonomy.errors import BadInput

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# The most characters of each text, and the most entries of a mapping.
_TEXTS = {
    "contact": 200,
    "license": 100,
    "url": 300,
    "model": 200,
    "dialogue": 200,
    "created": 40,
    "convsafe": 40,
}
_STATEMENT, _ENTRIES, _ENTRY = 4_000, 20, 200
_REQUIRED = ("contact", "license", "model", "created")
_RANGES: Mapping[str, tuple[Any, float, float]] = {
    "temperature": ((int, float), 0.0, 2.0),
    "top_p": ((int, float), 0.0, 1.0),
    "min_p": ((int, float), 0.0, 1.0),
    "max_tokens": (int, 1, 1_000_000),
    "top_k": (int, -1, 1_000_000),
    "seed": (int, -(2**63), 2**64),
    "presence_penalty": ((int, float), -2.0, 2.0),
    "frequency_penalty": ((int, float), -2.0, 2.0),
    "repetition_penalty": ((int, float), 0.0, 10.0),
    # Each case has as many replies as the manifest says, and none was chosen from more.
    "n": (int, 1, 1),
    "best_of": (int, 1, 1),
    "num_return_sequences": (int, 1, 1),
}


class _Refused(ValueError):
    """A value that JSON has but a manifest may not."""

    def __init__(self, code: str, what: str) -> None:
        self.code = code
        super().__init__(what)


def read_manifest(path: Path, findings: Findings) -> Manifest | None:
    """Return the manifest in a file, or None where it is none."""
    with open_plain(path) as file:
        data = file.read(MOST_MANIFEST + 1)
    try:
        return Manifest.from_row(strict_json(data))
    except _Refused as error:
        findings.error(error.code, f"{MANIFEST} {error}", file=MANIFEST)
    except BadInput as error:
        findings.error("manifest", shown(str(error), 300), file=MANIFEST)
    except UnicodeDecodeError as error:
        what = f"{MANIFEST} is not UTF-8 from byte {error.start} on; save it as UTF-8"
        findings.error("encoding", what, file=MANIFEST)
    except (ValueError, RecursionError) as error:
        what = f"{MANIFEST} is not JSON: {shown(str(error), 200)}"
        findings.error("json", what, file=MANIFEST)
    return None


def strict_json(data: bytes) -> Any:
    """Return the value of JSON in UTF-8 without a byte order mark, NaN, or a key that comes twice.

    Raises:
        ValueError: If it is none; one of ours has a `code`.
    """
    if data.startswith(_BOM):
        raise _Refused("bom", "begins with a byte order mark; save it as UTF-8 without one")
    if data.startswith(_UTF16):
        raise _Refused("encoding", "is UTF-16; save it as UTF-8")
    return json.loads(data.decode("utf-8"), parse_constant=_constant, object_pairs_hook=_object)


def _constant(name: str) -> Any:
    raise _Refused("nan", f"holds {name}, which is no number")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Refused("key_twice", "gives the same key twice")
    return found


def check_manifest(
    manifest: Manifest, folder: Path, board: Board, taken: Mapping[str, str], findings: Findings
) -> None:
    """Add what is wrong with a manifest's claims, all but the sum of its generations."""
    if manifest.schema != SCHEMA:
        findings.error(
            "schema",
            f"the manifest is of schema {manifest.schema}, this version reads {SCHEMA}: pack it"
            " again with `convsafe submit`",
            file=MANIFEST,
        )
    _check_texts(manifest, findings)
    _check_name(manifest.name, folder, board, taken, findings)
    _check_params(manifest.params, findings)
    for name in ("settings", "guards"):
        _check_entries(name, getattr(manifest, name), findings)
    _check_release(manifest, board, findings)


def _check_texts(manifest: Manifest, findings: Findings) -> None:
    for name, most in _TEXTS.items():
        _add_problems(name, getattr(manifest, name) or "", most, findings)
    for problem in text_problems(manifest.statement, _STATEMENT, lines=True):
        findings.add(problem.level, problem.code, f"`statement` {problem.what}", file=MANIFEST)
    for name in _REQUIRED:
        if not getattr(manifest, name).strip():
            findings.error("blank", f"`{name}` is empty; say it", file=MANIFEST)
    for name, fine, what in (
        ("url", url_is_plain, "is no http or https address"),
        ("license", license_is_plain, "is no licence's name; write one as SPDX does: Apache-2.0"),
        ("created", _is_time, "is no time; write it as 2026-01-31T12:00:00+00:00"),
    ):
        value = getattr(manifest, name)
        if value and not fine(value):
            findings.error(name, f"`{name}` {what}: {shown(value)!r}", file=MANIFEST)


def _add_problems(name: str, text: str, most: int, findings: Findings) -> None:
    for problem in text_problems(text, most):
        findings.add(problem.level, problem.code, f"`{name}` {problem.what}", file=MANIFEST)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _check_name(
    name: str, folder: Path, board: Board, taken: Mapping[str, str], findings: Findings
) -> None:
    for problem in name_problems(name):
        findings.add(problem.level, problem.code, f"`name` {problem.what}", file=MANIFEST)
    mine = slug(name)
    if mine in {slug(one) for one in board.baselines}:
        what = f"{shown(name)!r} is the name of one of the board's baselines: choose another"
        findings.error("name_taken", what, file=MANIFEST)
    elif mine in taken:
        what = f"{shown(name)!r} is taken by the submission {shown(taken[mine])!r}"
        findings.error("name_taken", what, file=MANIFEST)
    elif other := alike(name, taken):
        what = f"{shown(name)!r} looks like {shown(other)!r}, which is taken: choose another"
        findings.error("name_alike", what, file=MANIFEST)
    if folder.resolve().parent.name == "submissions" and folder.resolve().name != mine:
        what = f"the folder must be named {mine}, after the name in the manifest"
        findings.error("folder_name", what)


def _check_params(params: Mapping[str, Any], findings: Findings) -> None:
    """Add what is wrong with the decoding settings."""
    if "temperature" not in params:
        what = "the decoding settings do not name a temperature: `convsafe submit --temperature`"
        findings.warn("params", what, file=MANIFEST)
    if len(params) > _ENTRIES:
        findings.error("params", f"more than {_ENTRIES} decoding settings", file=MANIFEST)
    for name, value in list(params.items())[:_ENTRIES]:
        if not (fine := _RULES.get(name, _is_small))(value):
            what = f"decoding setting `{shown(name)}` may not be {shown(repr(value))}"
            findings.error("params", what, file=MANIFEST)
        if fine is _is_small:
            _add_problems(f"params.{shown(name)}", f"{name} {value}", _ENTRY, findings)


def _in_range(kind: Any, low: float, high: float, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high


def _is_small(value: Any) -> bool:
    """Return whether a value of a setting we do not know is a text, a number or a truth."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int))


_RULES: Mapping[str, Callable[[Any], bool]] = {
    name: partial(_in_range, kind, low, high) for name, (kind, low, high) in _RANGES.items()
}


def _check_entries(name: str, entries: Mapping[str, Any], findings: Findings) -> None:
    """Add what is wrong with the settings or guards: names and identities, both short texts."""
    if len(entries) > _ENTRIES or not all(isinstance(one, str) for one in entries.values()):
        what = f"`{name}` must be at most {_ENTRIES} texts by name"
        findings.error("manifest", what, file=MANIFEST)
        return
    for key, value in entries.items():
        _add_problems(f"{name}.{shown(key)}", f"{key} {value}", _ENTRY, findings)


def _check_release(manifest: Manifest, board: Board, findings: Findings) -> None:
    """Add where the submission is of other cases than the board's."""
    claimed = manifest.release
    for name in ("content_sha256", "config", "split", "version"):
        if claimed.get(name) != board.release[name]:
            what = (
                f"made with another release: {name} is {shown(str(claimed.get(name)))!r}, the"
                f" board's is {board.release[name]!r}. Run the model on the board's release"
            )
            findings.error("release", what, file=MANIFEST)
            return
    asked = {"samples": board.samples, "cases": len(board.ids), "ids_sha256": board.ids_sha256}
    for name, value in asked.items():
        if (mine := getattr(manifest, name)) != value:
            what = f"`{name}` is {shown(str(mine))}, the board asks for {value}"
            findings.error("samples" if name == "samples" else "ids", what, file=MANIFEST)
