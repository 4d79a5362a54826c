"""Boards of invented models, realistic or hostile in every text."""

import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.leaderboard.records import slug
from convsafe.taxonomy.tree import load_tree

HOSTILE = (
    '<script>document.title="owned"</script>',
    '"><img src=x onerror="document.title=1">',
    "</title></style></script><svg onload=document.title=2>",
    '=HYPERLINK("https://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u202egnp.exe\u2066hidden\u2069",
    "huge" * 5000,
    "Z\u0335\u0321\u034a\u0353\u0301\u0301\u0301\u0301algo",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:document.title=3",
    "line\u2028break\x00nul\ud800half",
    "' style=\"position:fixed\" onmouseover='document.title=4",
)
_BASELINES = {
    "always_refuse": (0.0, 1.0), "always_comply": (0.0, 0.0), "echo": (0.01, 0.02),
    "constant": (0.0, 0.01),
}  # fmt: skip
_LANGUAGES = {"en": 0, "de": 0.01, "zh": 0.02, "ar": 0.04, "th": 0.06, "bn": 0.1, "sw": 0.13}
_TRANSFORMS = {
    "none": 0, "persona": 0.03, "style": 0.02, "framing": 0.05, "cipher": -0.02, "escalation": 0.11,
    "language": 0.05,
}  # fmt: skip
_CONFIGS = {"core": 0, "ciphers": -0.02, "personas": 0.03, "multiturn": 0.1, "scope": 0.04}
_FAMILIES = ("Cedar", "Harrier", "Onyx", "Plover", "Quartz", "Tern", "Umber", "Willow")
_ENDS = ("base", "chat", "instruct", "mini", "large", "v2", "v3")


@dataclass(frozen=True)
class Model:
    """An invented model: its chances of harm and of refusing what is harmless."""

    name: str
    harm: float
    refuse: float
    baseline: bool = False
    hostile: str = ""


def write_board(
    folder: Path,
    models: int = 12,
    *,
    version: str = "1.0.0",
    hostile: bool = False,
    verdicts: int = 0,
    seed: int = 7,
) -> Path:
    """Write a board as `convsafe rank` leaves it and return its folder.

    Args:
        folder: Where to write.
        models: How many, the baselines aside.
        version: Of the release.
        hostile: Whether every text of the models is hostile.
        verdicts: How many each model gets.
        seed: The same seed gives the same board.
    """
    rng = random.Random(seed)
    entries = []
    for model in (*_models(rng, models, hostile), *(
        Model(name, *chances, baseline=True) for name, chances in _BASELINES.items()
    )):  # fmt: skip
        row = _entry(rng, model)
        stem = _result(folder, version, row, model, bool(verdicts))
        row["result"] = f"{stem}.json"
        if verdicts:
            _verdicts(rng, folder / "verdicts" / version / f"{stem}.parquet", verdicts, model)
        entries.append(row)
    entries.sort(key=lambda row: -row["figures"]["safety_helpfulness"]["value"])
    _rank(entries)
    for name in ("table.json", f"tables/{version}.json"):
        _json(folder / name, _table(entries, version))
    return folder


def _models(rng: random.Random, count: int, hostile: bool) -> list[Model]:
    made = []
    for place in range(count):
        family, end = _FAMILIES[place % len(_FAMILIES)], rng.choice(_ENDS)
        name = f"{family} {1 + place // len(_FAMILIES)}.{rng.randrange(10)} {end}"
        strict = rng.betavariate(2, 2)
        skill = rng.betavariate(4, 2)
        harm = 0.45 * (1 - skill) * (1 - strict) + 0.005
        refuse = 0.5 * (1 - skill) * strict + 0.01
        text = HOSTILE[place % len(HOSTILE)] if hostile else ""
        made.append(
            Model(f"{text[:9]}{place} {text}" if hostile else name, harm, refuse, hostile=text)
        )
    return made


def figure(share: float, n: int) -> dict[str, Any]:
    """Return a share near to another one with an interval of its size."""
    share = min(1.0, max(0.0, round(share * n) / n))
    half = 1.96 * (max(share * (1 - share), 0.5 / n) / n) ** 0.5
    return {"value": share, "low": max(0.0, share - half), "high": min(1.0, share + half), "n": n}


def _figures(rng: random.Random, model: Model, n: int, shift: float = 0) -> dict[str, Any]:
    spread = 0.0 if model.baseline else rng.gauss(0, 0.02)
    if model.baseline:
        shift = 0
    harm = figure(model.harm + shift + spread, n)
    refuse = figure(model.refuse + abs(spread) / 2, n)
    helped = 0.0 if model.baseline else max(0.0, 0.97 - refuse["value"])
    both = 2 * (1 - harm["value"]) * helped / max(1e-9, 1 - harm["value"] + helped)
    return {
        "unsafe_rate": harm, "over_refusal_rate": refuse, "helpful_rate": figure(helped, n),
        "safety_helpfulness": figure(both, n),
    }  # fmt: skip


def _entry(rng: random.Random, model: Model) -> dict[str, Any]:
    areas = {area.id: rng.gauss(0, 0.03) for area in load_tree().areas}
    flags = ["canned"] if rng.random() < 0.08 or model.name == "constant" else []
    guards = {"input": "keywords 1"} if rng.random() < 0.15 else {}
    return {
        "slug": slug(model.name),
        "name": model.name,
        "url": model.hostile or "https://example.org/model",
        "license": model.hostile or "apache-2.0",
        "ranks": None,
        "baseline": model.baseline,
        "flags": [model.hostile] if model.hostile else flags,
        "figures": _figures(rng, model, 826) | {"operational_safety": None},
        "tracks": {
            track: {name: _figures(rng, model, n, shift) for name, shift in names.items()}
            for track, names, n in (
                ("area", areas, 44), ("language", _LANGUAGES, 120),
                ("transform", _TRANSFORMS, 200), ("config", _CONFIGS, 300),
            )
        },
        "unscored": 0.03 if rng.random() < 0.04 else rng.random() * 0.004,
        "settings": {"prompt": model.hostile} if model.hostile else {},
        "guards": {model.hostile: model.hostile} if model.hostile else guards,
    }  # fmt: skip


def _rank(entries: list[dict[str, Any]]) -> None:
    """Give ranks as overlapping intervals do; enough for a picture."""
    ranked = [row for row in entries if not row["baseline"] and row["unscored"] <= 0.01]
    ends = [row["figures"]["safety_helpfulness"] for row in ranked]
    for row, own in zip(ranked, ends, strict=True):
        better = sum(other["low"] > own["high"] for other in ends)
        worse = sum(other["high"] < own["low"] for other in ends)
        row["ranks"] = [better + 1, len(ranked) - worse]


def _result(folder: Path, version: str, row: dict[str, Any], model: Model, judged: bool) -> str:
    summed = hashlib.sha256(model.name.encode("utf-8", "replace")).hexdigest()
    text = model.hostile
    manifest = {
        "schema": 1, "name": model.name, "contact": text or "someone@example.org",
        "license": row["license"], "statement": text or "Trained on public data.",
        "url": row["url"], "model": text or f"http://localhost:8000/v1#{row['slug']}",
        "params": {text: text} if text else {"temperature": 0.0, "max_tokens": 512},
        "samples": 1, "settings": row["settings"], "guards": row["guards"], "dialogue": "single",
        "release": {"version": version}, "cases": 826, "ids_sha256": summed,
        "generations_sha256": summed, "convsafe": "0.1.0", "created": "2026-11-20",
    }  # fmt: skip
    findings = [
        {"level": "flag", "code": code, "text": text or "31 of 826 replies are the same.",
         "file": text, "line": None, "count": 31, "ids": [text or "core-self_harm-003"] * 6}
        for code in row["flags"]
    ]  # fmt: skip
    figures = [
        {"metric": metric, "slice": "all", "name": "all", **one, "unscored": 1, "method": "cluster"}
        for metric, one in row["figures"].items()
        if one
    ]
    stem = f"{row['slug']}-{summed[:8]}-embedded"
    result = {
        "schema": 1, "manifest": manifest, "release": {"version": version},
        "judge": {"name": "embedded", "version": "1.0.0"}, "convsafe": "0.1.0",
        "scored": "2026-11-26T10:00:00+00:00", "figures": figures, "findings": findings,
        "unscored": row["unscored"], "ranked": True, "supersedes": None,
        "verdicts": f"{stem}.parquet" if judged else "",
    }  # fmt: skip
    _json(folder / "results" / version / f"{stem}.json", result)
    return stem


def _verdicts(rng: random.Random, path: Path, count: int, model: Model) -> None:
    import polars as pl

    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(
        {
            "id": [f"core-self_harm-{place:03d}" for place in range(count)],
            "sample": [0] * count,
            "stance": ["refusal" if rng.random() < 0.5 else "compliance" for _ in range(count)],
            "unsafe": [round(rng.random(), 3) for _ in range(count)],
            "responsive": [round(rng.random(), 3) for _ in range(count)],
            "labels": [[model.hostile.encode("utf-8", "replace").decode()] for _ in range(count)],
            "response": ["THE REPLY"] * count,
        }
    ).write_parquet(path)


def _table(entries: list[dict[str, Any]], version: str) -> dict[str, Any]:
    measured = {
        "dataset": "xstest", "language": "en", "replies_by": "models", "n": 540,
        "binary_kappa": 0.8439,
        "intervals": {"binary_kappa": {"value": 0.8439, "low": 0.7947, "high": 0.8891}},
    }  # fmt: skip
    return {
        "release": {"version": version, "config": "core", "split": "test",
                    "content_sha256": hashlib.sha256(version.encode()).hexdigest()},
        "judge": {"name": "embedded", "version": "1.0.0", "agreement": [measured]},
        "date": "2026-11-26", "entries": entries,
    }  # fmt: skip


def _json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
