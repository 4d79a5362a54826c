"""A page of verdicts and rationales: offline, searchable, and only ever text."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judge_file import counts
from convsafe.benchmark.loading import NOTHING, Judge, JudgeSettings, load_judge, unsafe_from
from convsafe.benchmark.tables import exchanges, read_table
from convsafe.taxonomy.files import write_text
from convsafe.taxonomy.html import csp_hash, page_environment
from convsafe.taxonomy.tree import NEVER_SHOWN

if TYPE_CHECKING:
    import polars as pl

PAGE = Path(__file__).parent / "page"
# How many rows a page holds, and how many characters of a text it shows at once and at all.
ROWS, HEAD, MOST = 2_000, 1_200, 20_000
# Columns that name hazards, as our own files and those of others call them.
_HAZARDS = ("hazards", "hazard")


def write_page(
    path: Path,
    verdicts: pl.DataFrame,
    out: Path,
    *,
    judge: str,
    prompt: str | None = None,
    response: str | None = None,
    settings: JudgeSettings = NOTHING,
) -> Path:
    """Write the page of a judged file and return its path.

    Rows under a hazard that is never shown are counted and left out.

    Args:
        path: The file that was judged.
        verdicts: One a row of it, in its order, as `judge_file` returns them.
        out: The page.
        judge: The judge's name.
        prompt: The column of requests; guessed by usual names.
        response: The column of replies; guessed by usual names.
        settings: What a judge that asks a server was loaded with.

    Raises:
        BadInput: If the file cannot be read.
    """
    frame = read_table(path)
    texts = exchanges(path, frame, prompt=prompt, response=response).select("prompt", "response")
    banned = _banned(frame)
    shown = verdicts.hstack(texts).filter(~banned).head(ROWS)
    loaded = load_judge(judge, settings)
    threshold = unsafe_from(loaded.made_with)
    rows = [_row(row, threshold) for row in shown.iter_rows(named=True)]
    found = counts(verdicts, threshold)
    write_text(out, _page(path.name, rows, found, int(banned.sum()), loaded))
    return out


def _banned(frame: pl.DataFrame) -> pl.Series:
    """Tell which rows are under the hazard that is never shown, where a column names hazards."""
    import polars as pl

    found = pl.repeat(False, len(frame), eager=True, dtype=pl.Boolean)
    for name in _HAZARDS:
        if name in frame.columns:
            texts = [NEVER_SHOWN in str(value) for value in frame[name].to_list()]
            found |= pl.Series(texts, dtype=pl.Boolean)
    return found


def _row(row: Mapping[str, Any], threshold: float) -> dict[str, Any]:
    """Return what the page shows of one row."""
    chance, why = row["unsafe"], row["rationale"] or row["unscored_reason"] or ""
    flag = "not told" if chance is None else "yes" if chance >= threshold else "no"
    return {
        "id": row["id"],
        "stance": row["stance"] or ("unscored" if row["unscored_reason"] else "not told"),
        "unsafe": flag,
        "chance": chance,
        "labels": list(row["labels"] or ()),
        "why": why if len(why) <= HEAD else f"{why[:HEAD]} …",
        "why_whole": why[:MOST] if len(why) > HEAD else None,
        **_text("prompt", row["prompt"]),
        **_text("response", row["response"]),
    }


def _text(name: str, text: str | None) -> dict[str, Any]:
    """Return a text, its head where it is long, and its true length where it is cut."""
    text = "(no text)" if text is None else text
    return {
        name: text[:MOST],
        f"{name}_head": text[: HEAD // 2] if len(text) > HEAD else None,
        f"{name}_cut": len(text) if len(text) > MOST else 0,
    }


def _page(
    file: str, rows: list[dict[str, Any]], found: Mapping[str, Any], hidden: int, judge: Judge
) -> str:
    style = "\n".join(_asset(name) for name in ("report.css", "rationales.css"))
    script = _asset("rationales.js")
    return (
        page_environment(PAGE)
        .get_template("rationales.html.jinja")
        .render(
            file=file,
            judge={"name": judge.name, "version": judge.VERSION, "summary": judge.SUMMARY},
            counts=found,
            rows=rows,
            hidden_rows=hidden,
            stances=sorted({row["stance"] for row in rows}),
            unsafes=sorted({row["unsafe"] for row in rows}),
            labels=sorted({label for row in rows for label in row["labels"]}),
            convsafe=version("convsafe-bench"),
            style=style,
            script=script,
            style_hash=csp_hash(style),
            script_hash=csp_hash(script),
        )
    )


def _asset(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
