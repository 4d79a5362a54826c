"""Texts and figures as the board's pages show them: nothing in them is trusted."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from convsafe.benchmark.per_case import PLAIN
from convsafe.taxonomy.records import Estimate

LONGEST = 80
# What shapes words of some scripts; every other sign without a glyph is shown as a stand-in.
_JOINERS = "\u200c\u200d"
_STACKED = 3


def shown(text: Any, most: int = LONGEST) -> str:
    """Return a text on one line, without signs that hide, turn round or stack what is read.

    Control and format signs (right-to-left overrides among them) become U+FFFD, more than three
    combining marks in a row are left out, and what is longer than `most` ends with an ellipsis.
    """
    return _cut(" ".join(_visible(str(text)[: 4 * most]).split()), most)


def lines(text: Any, most: int = 4000) -> str:
    """Return a text as `shown` does, its line breaks kept."""
    kept = str(text)[: 4 * most].splitlines()
    return _cut("\n".join(_visible(line) for line in kept), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _visible(text: str) -> str:
    out: list[str] = []
    marks = 0
    for sign in text:
        kind = unicodedata.category(sign)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks <= _STACKED:
            out.append(_stand_in(sign, kind))
    return "".join(out)


def _stand_in(sign: str, kind: str) -> str:
    if sign in _JOINERS or not (kind.startswith("C") or kind in ("Zl", "Zp")):
        return sign
    return " " if sign in "\t\n\r" else "\ufffd"


def link(url: str) -> str:
    """Return a web address that may be linked, else nothing."""
    if len(url) > 2000 or any(sign.isspace() or not sign.isprintable() for sign in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    whole = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    return url if whole else ""


def percent(figure: Estimate | None) -> str:
    """Return a share in percent without its sign, a dash where there is none."""
    return "–" if figure is None or figure.value is None else f"{100 * figure.value:.1f}"


def span(figure: Estimate | None) -> str:
    """Return a share's interval in percent; rounding makes no end look certain."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    return f"{_end(figure.low)}–{_end(figure.high)}"


def _end(share: float) -> str:
    if 0 < share < 0.0005:
        return "<0.1"
    return ">99.9" if 0.9995 <= share < 1 else f"{100 * share:.1f}"


def permille(share: float | None) -> float | None:
    """Return a share for the scripts: whole thousandths, but an uncertain end never 0 or 1000."""
    if share is None:
        return None
    if 0 < share < 0.0005:
        return 0.4
    return 999.6 if 0.9995 <= share < 1 else round(1000 * share)


def embedded(value: Any) -> str:
    """Return JSON that may stand in a page's data element: no sign of it ends the element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def metric_title(metric: str) -> str:
    """Return a metric's title; a name that no metric has stands for itself."""
    from convsafe.benchmark.metric import METRICS, load_metric

    return load_metric(metric).title if metric in METRICS.names() else shown(metric)


@cache
def _area_titles() -> dict[str, str]:
    from convsafe.taxonomy.tree import load_tree

    return {area.id: area.name for area in load_tree().areas}


def track_title(track: str, name: str) -> str:
    """Return the title of one name of a track."""
    if track == "area":
        return _area_titles().get(name, shown(name, 40))
    return "plain" if name == PLAIN else shown(name, 40).replace("_", " ")
