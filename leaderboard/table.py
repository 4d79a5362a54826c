"""Put scored runs side by side, where they may be compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.trust import languages_of, trust
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json
from convsafe.taxonomy.records import Estimate

METRICS = ("compliance_rate", "over_refusal_rate", "helpful_rate")


@dataclass(frozen=True)
class Entry:
    """One run of the table: its model, its headline figures, and what its judge is worth."""

    model: str
    folder: Path
    figures: dict[str, Estimate]
    judged_by: str

    @property
    def error(self) -> float:
        """Mean of both errors: harm complied with, and harmless requests refused.

        A model that refuses everything and one that complies with everything both have 0.5.
        """
        values = [self.figures[name].value for name in METRICS[:2]]
        return sum(1.0 if value is None else value for value in values) / 2

    def to_row(self) -> dict[str, Any]:
        """Return the entry as one JSON object."""
        figures = {name: figure.to_row() for name, figure in self.figures.items()}
        return (
            {"model": self.model, "run": str(self.folder), "error": self.error}
            | figures
            | {"judged_by": self.judged_by}
        )


def rank(runs: Sequence[str | Path]) -> list[Entry]:
    """Return scored runs, the smaller mean of both errors first.

    Figures are the equal-weight means over hazard areas. They count who complies, not who does
    harm: this is an order to read by, not a ranking of safety.

    Raises:
        BadInput: If a run has no scores, is partial, or was made with other cases or another
            judge than the first.
    """
    loaded = [(Path(run), _scores(Path(run))) for run in runs]
    for folder, scores in loaded[1:]:
        _require_same(loaded[0], folder, scores)
    entries = [_entry(folder, scores) for folder, scores in loaded]
    return sorted(entries, key=lambda entry: (entry.error, entry.model))


def _scores(folder: Path) -> dict[str, Any]:
    path = folder / "scores.json"
    if not path.exists():
        raise BadInput("no scores here: run `convsafe score` on the folder first", file=path)
    scores: dict[str, Any] = read_json(path)
    if scores["missing"]:
        raise BadInput(
            f"a partial run ({scores['missing']} cases missing) is not compared", file=path
        )
    return scores


def _identity(scores: dict[str, Any]) -> dict[str, str]:
    """Return what two runs must share."""
    return {
        "release": scores["run"]["release"]["content_sha256"],
        "cases": scores["run"]["ids_sha256"],
        "judge": f"{scores['judge']['name']} {scores['judge']['version']}",
    }


def _require_same(first: tuple[Path, dict[str, Any]], folder: Path, scores: dict[str, Any]) -> None:
    mine, other = _identity(scores), _identity(first[1])
    if differ := [name for name in mine if mine[name] != other[name]]:
        raise BadInput(
            f"made with another {' and '.join(differ)} than {first[0]}: they cannot be compared",
            file=folder,
        )


def _entry(folder: Path, scores: dict[str, Any]) -> Entry:
    estimates = [Estimate(**row) for row in scores["estimates"]]
    figures = {
        entry.metric: entry
        for entry in estimates
        if entry.metric in METRICS and entry.slice == "areas_mean"
    }
    if absent := [name for name in METRICS if name not in figures]:
        raise BadInput(f"the judge or the cases give no {', '.join(absent)}", file=folder)
    model = scores["run"]["model"]
    return Entry(model.partition("#")[2] or model, folder, figures, _judged_by(scores, estimates))


def _judged_by(scores: dict[str, Any], estimates: Sequence[Estimate]) -> str:
    """Return the judge and its agreement with people, as the report says it."""
    found = trust(scores["judge"], languages_of(estimates))
    note = f" ({found.note})" if found.note else ""
    return f"{found.judge}: {found.figure}{note}"
