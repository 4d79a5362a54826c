"""Write a board as a static site: plain files for any host, or a static Space of the Hub.

No page asks for anything from outside, and its security policy allows no script or style but its
own; names, statements and findings are only ever text. Replies are never read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.leaderboard import site_views as views
from convsafe.leaderboard.site_downloads import write_downloads
from convsafe.leaderboard.site_model import model_page
from convsafe.leaderboard.site_plots import effects
from convsafe.leaderboard.site_tables import METRICS, Table, read_tables
from convsafe.leaderboard.site_texts import embedded, link, percent, permille, shown, span
from convsafe.taxonomy.files import write_text
from convsafe.taxonomy.html import csp_hash, page_environment

if TYPE_CHECKING:
    import jinja2

PAGE = Path(__file__).parent / "page"
INDEX, COMPARE, MODELS, DATA = "index.html", "compare.html", "models", "data"
README = """\
---
title: convsafe-bench leaderboard
emoji: 🛡️
colorFrom: blue
colorTo: green
sdk: static
app_file: index.html
pinned: false
license: apache-2.0
tags:
  - leaderboard
  - safety
---

The leaderboard of convsafe-bench {version}: open `index.html`. Made by `convsafe site`.
"""


def site(board: str | Path, out: str | Path) -> Path:
    """Write the site of a board into a folder and return its first page.

    The board's table stands at the root; tables of other releases (`tables/VERSION.json`)
    in folders named by their version.

    Args:
        board: The folder that `convsafe rank` wrote.
        out: The folder to write; files of the same names are replaced.

    Raises:
        BadInput: If the board has no table or one that cannot be read.
    """
    board, out = Path(board), Path(out)
    tables = read_tables(board)
    for place, table in enumerate(tables):
        _write(table, tables, board, out if place == 0 else out / table.version)
    write_text(out / "README.md", README.format(version=tables[0].version))
    return out / INDEX


def _write(table: Table, tables: Sequence[Table], board: Path, folder: Path) -> None:
    """Write all pages and downloads of one release."""
    root = table is tables[0]
    shared = {
        "table": table,
        "judge": views.judge_words(table),
        "versions": _versions(tables, root),
        "citation": views.citation(table),
    }
    files = views.file_rows(write_downloads(table, board, folder / DATA))
    index = _index(table) | {"files": files}
    write_text(folder / INDEX, _page(INDEX, shared | index, ("theme.js", "index.js")))
    compared = {"data": embedded(views.compare_data(table))}
    write_text(folder / COMPARE, _page(COMPARE, shared | compared, ("theme.js", "compare.js")))
    for entry in table.entries:
        model = model_page(table, entry)
        text = _page("model.html", shared | model, ("theme.js",), up="../")
        write_text(folder / MODELS / f"{entry.slug}.html", text)


def _versions(tables: Sequence[Table], root: bool) -> list[dict[str, str]]:
    """Return where each release's first page is, seen from a release's folder."""
    home = "" if root else "../"
    return [
        {"name": table.version, "path": home + (f"{table.version}/" if place else "") + INDEX}
        for place, table in enumerate(tables)
    ]


def _index(table: Table) -> dict[str, Any]:
    entries = table.entries
    groups = [
        {**group, "rows": rows, "reach": views.reach(rows)}
        for group in views.TRACK_WORDS
        if group["track"] in ("language", "transform")
        and (rows := effects(table, group["track"], "unsafe_rate"))
    ]
    return {
        "models": sum(not entry.baseline for entry in entries),
        "baselines": sum(entry.baseline for entry in entries),
        "leaders": [entry for entry in entries if entry.ranks and entry.ranks[0] == 1],
        "plot": views.plot(entries),
        "groups": views.groups(table),
        "shown_metrics": views.track_metrics(table),
        "operational": any(
            figure.value is not None
            for entry in entries
            if (figure := entry.figures.get("operational_safety"))
        ),
        "most_unscored": f"{100 * views.most_unscored():g}",
        "limit": views.most_unscored(),
        "effects": groups,
        "data": embedded(views.index_data(table)),
    }


def _page(name: str, values: dict[str, Any], scripts: Sequence[str], up: str = "") -> str:
    style = _asset("site.css")
    texts = [_asset(script) for script in scripts]
    return (
        _environment()
        .get_template(f"{name}.jinja")
        .render(
            **values,
            up=up,
            style=style,
            style_hash=csp_hash(style),
            scripts=texts,
            script_hashes=[csp_hash(text) for text in texts],
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = page_environment(PAGE)
    environment.filters |= {
        "shown": shown,
        "link": link,
        "percent": percent,
        "span": span,
        "permille": lambda share: "" if share is None else permille(share),
        "signed": lambda points: f"{points:+.1f}".replace("-", "−"),
        "cases": lambda entry: max(
            (entry.figures[m].n for m in METRICS if m in entry.figures), default=0
        ),
    }
    return environment


@cache
def _asset(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
