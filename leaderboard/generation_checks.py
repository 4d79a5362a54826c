"""Hold the generations of a submission to the cases that the board asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.findings import Findings
from convsafe.taxonomy.records import OUTCOMES, ROLES

if TYPE_CHECKING:
    import polars as pl

_NEVER_NULL = ("id", "sample", "outcome", "response")
# More than this share of replies with signs of text read in the wrong encoding is told.
_MANGLED = 0.01
_SIGNS = "\ufffd|Ã[\u0080-\u00bf]|â€[\u0080-\u2122]|Ð[\u0080-\u00bf]Ñ"
_SHORT = 200


def check_generations(frame: pl.DataFrame, board: Board, file: str, findings: Findings) -> None:
    """Add everything that is wrong with generations.

    Args:
        frame: As `submitted.frame_schema` says.
        board: What is asked for.
        file: The file's name.
        findings: What is wrong is added to it.
    """
    if frame.is_empty():
        findings.error("empty_file", "there is no generation", file=file)
        return
    _check_nulls(frame, file, findings)
    _check_ids(frame, board, file, findings)
    _check_outcomes(frame, file, findings)
    _check_texts(frame, board, file, findings)
    _check_numbers(frame, file, findings)


def _check_nulls(frame: pl.DataFrame, file: str, findings: Findings) -> None:
    for name in _NEVER_NULL:
        lacking = frame.filter(frame[name].is_null())
        if len(lacking):
            what = f"`{name}` is missing; an empty reply is an empty text"
            ids = lacking["id"].drop_nulls().to_list()
            findings.error("null", what, file=file, ids=ids, count=len(lacking))


def _check_ids(frame: pl.DataFrame, board: Board, file: str, findings: Findings) -> None:
    """Add ids that lack, are unknown or come twice, and samples that are not asked for."""
    import polars as pl

    keys = frame.select("id", "sample").drop_nulls()
    asked = pl.DataFrame({"id": board.ids}, schema={"id": pl.String})
    samples = pl.DataFrame({"sample": range(board.samples)}, schema={"sample": pl.Int64})
    extra = keys.join(asked, on="id", how="anti")
    known = keys.join(asked, on="id", how="semi")
    lacking = asked.join(samples, how="cross").join(known, on=["id", "sample"], how="anti")
    beyond = known.join(samples, on="sample", how="anti")
    twice = known.filter(pl.struct("id", "sample").is_duplicated())
    told = {
        "missing_ids": (lacking, "cases have no reply, or not every sample; run them too"),
        "extra_ids": (extra, "ids are of no case of this release and config; take them out"),
        "duplicate_ids": (twice, "ids have more than one reply for the same sample; keep one"),
        "samples": (beyond, f"ids have a sample that is not among 0 to {board.samples - 1}"),
    }
    for code, (found, what) in told.items():
        ids = found["id"].unique(maintain_order=True)
        if len(ids):
            some = ids.head(5).to_list()
            findings.error(code, f"{len(ids):,} {what}", file=file, ids=some, count=len(ids))


def _check_outcomes(frame: pl.DataFrame, file: str, findings: Findings) -> None:
    import polars as pl

    outcome, empty = pl.col("outcome"), pl.col("response").str.strip_chars() == ""
    told = {
        "outcome": (~outcome.is_in(OUTCOMES), f"`outcome` is not one of {', '.join(OUTCOMES)}"),
        "failed": (outcome == "failed", "the request failed; ask it again: `convsafe resume`"),
    }
    for code, (which, what) in told.items():
        _add(findings, "error", code, what, frame.filter(which), file)
    told = {
        "text_of_filtered": (
            (outcome == "filtered") & ~empty,
            "the reply counts as filtered by the provider, and yet has a text",
        ),
        "text_of_empty": ((outcome == "empty") & ~empty, "the reply is not empty, as it says"),
        "no_text": ((outcome == "answered") & empty, "the reply counts as answered and is empty"),
    }
    for code, (which, what) in told.items():
        _add(findings, "warning", code, what, frame.filter(which), file)


def _check_texts(frame: pl.DataFrame, board: Board, file: str, findings: Findings) -> None:
    """Add replies that are too long, not text, or mangled."""
    import polars as pl

    response, most = pl.col("response"), board.longest_reply
    what = f"the reply has more than {most:,} bytes"
    _add(findings, "error", "long_reply", what, frame.filter(response.str.len_bytes() > most), file)
    for name in ("model", "finish_reason"):
        what = f"`{name}` has more than {_SHORT} characters, or control characters"
        long = pl.col(name).str.len_chars() > _SHORT
        wrong = frame.filter(long | pl.col(name).str.contains(r"\p{C}"))
        _add(findings, "error", "long_text", what, wrong, file)
    nul = frame.filter(response.str.contains("\0", literal=True))
    _add(findings, "warning", "nul", "the reply has NUL characters", nul, file)
    mangled = frame.filter(response.str.contains(_SIGNS))
    if len(mangled) > _MANGLED * len(frame):
        what = "the reply looks like text that was read in the wrong encoding"
        _add(findings, "warning", "mangled", what, mangled, file)
    turns = frame.select("id", pl.col("messages").explode()).drop_nulls("messages")
    turns = turns.select("id", pl.col("messages").struct.unnest())
    what = f"a turn's role is not one of {', '.join(sorted(ROLES))}, or has no text"
    known = pl.col("role").is_in(sorted(ROLES)).fill_null(False)
    wrong = turns.filter(~known | pl.col("content").is_null())
    _add(findings, "error", "messages", what, wrong, file)
    what = f"a turn has more than {most:,} bytes"
    long_turns = turns.filter(pl.col("content").str.len_bytes() > most)
    _add(findings, "error", "long_reply", what, long_turns, file)


def _check_numbers(frame: pl.DataFrame, file: str, findings: Findings) -> None:
    import polars as pl

    seconds, usage = pl.col("seconds"), pl.col("usage")
    tokens = [usage.struct.field(name) for name in ("prompt_tokens", "completion_tokens")]
    told = {
        "nan": (~seconds.is_finite(), "`seconds` is no number"),
        "types": (seconds < 0, "`seconds` is below 0"),
        "usage": (pl.any_horizontal(one < 0 for one in tokens), "a count of tokens is below 0"),
    }
    for code, (which, what) in told.items():
        _add(findings, "error", code, what, frame.filter(which), file)


def _add(
    findings: Findings, level: str, code: str, what: str, rows: pl.DataFrame, file: str
) -> None:
    """Add a finding about the ids of rows, if there are any."""
    if len(rows):
        ids = rows["id"].drop_nulls().head(5).to_list()
        findings.add(level, code, what, file=file, ids=ids, count=len(rows))  # type: ignore[arg-type]
