"""The offline page on which a rater labels replies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark.label_files import PREFIX
from convsafe.taxonomy.html import csp_hash, page_environment

PAGE = Path(__file__).parent / "page"


def form(rows: Sequence[Mapping[str, Any]], sample: Mapping[str, Any]) -> str:
    """Return the page for some rows; it holds their texts as data and nothing from outside.

    Args:
        rows: With `id`, `prompt`, `response` and the turns `before`.
        sample: What was drawn, by which the browser tells two pages apart.
    """
    style, script = _asset("labels.css"), _asset("labels.js")
    page = page_environment(PAGE).get_template("labels.html.jinja")
    return page.render(
        n=len(rows),
        data={"key": _key(rows, sample), "prefix": PREFIX, "rows": list(rows)},
        style=style,
        script=script,
        style_hash=csp_hash(style),
        script_hash=csp_hash(script),
    )


def _key(rows: Sequence[Mapping[str, Any]], sample: Mapping[str, Any]) -> str:
    """Return the name under which the browser keeps the labels of this sample alone."""
    identity = json.dumps([sample["run"], sample["seed"], rows], sort_keys=True)
    return f"convsafe-labels-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _asset(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
