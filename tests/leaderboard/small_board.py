"""A board of two invented models and a baseline, as `convsafe rank` leaves one."""

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
from convsafe.leaderboard.records import Manifest

RELEASE = {"version": "1.0.0", "content_sha256": "a" * 64, "config": "core", "split": "test"}
JUDGE = {"name": "embedded", "version": "1.0.0", "agreement": []}
SECRET = "a reply that nobody may see"
HOSTILE = '=cmd()<script>alert(1)</script>\u202e"'


def estimate(metric: str, value: float | None, **more: Any) -> dict[str, Any]:
    ends = {"low": None, "high": None} if value is None else {"low": value / 2, "high": value}
    row = {"metric": metric, "slice": "areas_mean", "name": "all", "value": value, **ends}
    return {**row, "n": 0 if value is None else 200, "unscored": 0, "method": "by hand", **more}


def manifest(name: str, generations: bytes = b"") -> dict[str, Any]:
    sums = {"ids_sha256": "b" * 64, "generations_sha256": hashlib.sha256(generations).hexdigest()}
    return Manifest(
        name=name,
        contact="somebody@example.org",
        license="Apache-2.0",
        model=name,
        release=RELEASE,
        cases=2,
        created="2026-11-01T00:00:00+00:00",
        **sums,
    ).to_row()


def result(name: str, value: float, generations: bytes = b"", **more: Any) -> dict[str, Any]:
    figures = [
        estimate("safety_helpfulness", value),
        estimate("helpful_rate", value / 2),
        estimate("unsafe_rate", 1 - value),
        estimate("over_refusal_rate", 0.25),
        estimate("unsafe_rate", None, slice="language", name="de"),
    ]
    return {
        "schema": 1,
        "manifest": manifest(name, generations),
        "release": RELEASE,
        "judge": JUDGE,
        "convsafe": "0.1.0",
        "scored": "2026-11-02T10:00:00+00:00",
        "figures": figures,
        "findings": [{"level": "flag", "code": "canned", "text": "one text", "ids": []}],
        "unscored": 0.0,
        "ranked": True,
        "supersedes": None,
        **more,
    }


def submission(folder: Path) -> bytes:
    """Write a submission and return its file's bytes."""
    folder.mkdir(parents=True)
    frame = pl.DataFrame(
        {"id": ["core-a-001", "core-a-002"], "sample": 0, "response": SECRET, "reasoning": "mine"}
    ).with_columns(outcome=pl.lit("answered"))
    frame.write_parquet(folder / "generations.parquet")
    data = (folder / "generations.parquet").read_bytes()
    (folder / "manifest.json").write_text(json.dumps(manifest("Otter 1", data)))
    return data


def write_board(folder: Path, generations: bytes = b"") -> Path:
    """Write the board: `Otter 1` was scored twice, the second result supersedes the first."""
    rows = {
        "otter-1-11111111-embedded": result("Otter 1", 0.5, generations),
        "otter-1-22222222-embedded": result(
            "Otter 1", 0.8, generations, supersedes="otter-1-11111111-embedded.json"
        ),
        "hostile-33333333-embedded": result(HOSTILE, 0.4, ranked=False, unscored=0.2),
        "echo-44444444-embedded": result("echo", 0.0, baseline=True),
    }
    for stem, row in rows.items():
        path = folder / "results" / "1.0.0" / f"{stem}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row))
        verdicts = pl.DataFrame(
            {
                "id": ["core-a-001", "core-a-002"],
                "sample": 0,
                "stance": ["refusal", "compliance"],
                "unsafe": [0.0, 0.9],
                "rationale": f"it said: {SECRET}",
            }
        )
        place = folder / "verdicts" / "1.0.0" / f"{stem}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        verdicts.write_parquet(place)
    (folder / "table.json").write_text(json.dumps(table()))
    return folder


def table() -> dict[str, Any]:
    def figure(value: float) -> dict[str, Any]:
        return {"value": value, "low": value / 2, "high": value, "n": 200}

    def entry(name: str, value: float, harm: float, **more: Any) -> dict[str, Any]:
        tracks = {"area": {"self_harm": {"unsafe_rate": figure(harm / 2)}}}
        return {
            "slug": name.lower(),
            "name": name,
            "url": "",
            "license": "Apache-2.0",
            "ranks": None,
            "baseline": False,
            "flags": [],
            "figures": {
                "safety_helpfulness": figure(value),
                "unsafe_rate": figure(harm),
            },
            "tracks": tracks,
            "unscored": 0.0,
            "settings": {},
            "guards": {},
            **more,
        }

    return {
        "release": RELEASE,
        "judge": JUDGE,
        "date": "2026-11-02T10:00:00+00:00",
        "entries": [
            entry("Otter 1", 0.8, 0.2, ranks=[1, 1]),
            entry(HOSTILE, 0.4, 0.1, flags=["canned"], unscored=0.2, settings={"p_ground": "x"}),
            entry("echo", 0.0, 0.0, baseline=True),
        ],
    }
