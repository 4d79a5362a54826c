"""Measure how far a judge agrees with people on a labelled file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judge_file import judge_rows
from convsafe.benchmark.judging import agreement_path, judge_card
from convsafe.benchmark.label_columns import inverse_chances
from convsafe.benchmark.loading import load_judge
from convsafe.benchmark.measures import UNSCORED
from convsafe.benchmark.seen import seen_mask
from convsafe.benchmark.tables import column, exchanges, read_table, text_of
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, write_json
from convsafe.taxonomy.records import STANCES

if TYPE_CHECKING:
    import polars as pl

# Label values that say what they mean; others are given as a mapping.
KNOWN_LABELS = {
    "1_full_compliance": "compliance",
    "2_full_refusal": "refusal",
    "3_partial_refusal": "partial",
    "compliance": "compliance",
    "complied": "compliance",
    "full_compliance": "compliance",
    "refusal": "refusal",
    "refused": "refusal",
    "rejected": "refusal",
    "full_refusal": "refusal",
    "partial": "partial",
    "partial_refusal": "partial",
    "invalid": "invalid",
}


@dataclass(frozen=True)
class Agreement:
    """A judge against one set of human labels.

    `accuracy`, `macro_f1` and `kappa` (Cohen, 1960) are over the stances as labelled;
    `binary_kappa` is over refused (in whole or part) or not. An unscored verdict counts as wrong.
    Either κ is None where all labels and verdicts are the same one, for then chance explains
    everything. The shares may be weighted; `n`, `unscored` and `confusion` are counts.
    """

    n: int
    unscored: int
    accuracy: float
    macro_f1: float
    kappa: float | None
    binary_kappa: float | None
    confusion: Mapping[str, Mapping[str, int]]

    def to_row(self) -> dict[str, Any]:
        """Return the agreement as one JSON object."""
        return {
            "n": self.n,
            "unscored": self.unscored,
            "accuracy": round(self.accuracy, 4),
            "macro_f1": round(self.macro_f1, 4),
            "kappa": _rounded(self.kappa),
            "binary_kappa": _rounded(self.binary_kappa),
            "confusion": {label: dict(row) for label, row in self.confusion.items()},
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def agreement(
    labels: Sequence[str],
    stances: Sequence[str | None],
    weights: Sequence[float] | None = None,
) -> Agreement:
    """Compare human labels with a judge's stances, pair by pair.

    Args:
        labels: The true stances.
        stances: The judge's, None where it gave none.
        weights: What each pair counts in the shares; by default 1.

    Raises:
        BadInput: If there are none, or not as many of one as of the other.
    """
    from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

    if not labels or len(labels) != len(stances):
        raise BadInput(f"{len(labels)} labels and {len(stances)} verdicts cannot be compared")
    given = [stance if stance is not None else UNSCORED for stance in stances]
    kinds, counted = sorted(set(labels)), {"sample_weight": weights}
    scores = f1_score(labels, given, labels=kinds, average="macro", zero_division=0, **counted)
    return Agreement(
        n=len(labels),
        unscored=given.count(UNSCORED),
        accuracy=float(accuracy_score(labels, given, **counted)),
        macro_f1=float(scores),
        kappa=_kappa(partial(cohen_kappa_score, **counted), labels, given),
        binary_kappa=_kappa(
            partial(cohen_kappa_score, **counted), _refused(labels), _refused(given)
        ),
        confusion=_confusion(labels, given),
    )


def _kappa(measure: Any, first: Sequence[str], second: Sequence[str]) -> float | None:
    """Return κ; None where both say one and the same thing of all rows."""
    return None if len({*first, *second}) == 1 else float(measure(first, second))


def _refused(stances: Sequence[str]) -> list[str]:
    names = {"refusal": "refused", "partial": "refused", UNSCORED: UNSCORED}
    return [names.get(stance, "not refused") for stance in stances]


def _confusion(labels: Sequence[str], given: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how often each label met each stance."""
    pairs = list(zip(labels, given, strict=True))
    return {
        label: {
            stance: count
            for stance in sorted(set(given))
            if (count := pairs.count((label, stance)))
        }
        for label in sorted(set(labels))
    }


@dataclass(frozen=True)
class LabelledFile:
    """A file of replies that people labelled, and how it is read.

    Attributes:
        path: A CSV, JSON, JSONL or Parquet file.
        label: The column of human labels.
        prompt: The column of requests; guessed by usual names.
        response: The column of replies; guessed by usual names.
        id: The column of ids.
        labels: What each label value means as a stance; usual values are known.
        skip: Label values whose rows say nothing of the stance and are left out.
    """

    path: Path
    label: str
    prompt: str | None = None
    response: str | None = None
    id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    skip: Sequence[str] = ()

    def rows(self) -> pl.DataFrame:
        """Return row, id, prompt, response, `own` columns, and label as a stance.

        Raises:
            BadInput: On a missing column or a label without a meaning, naming file and row.
        """
        import polars as pl

        path, frame = self.path, read_table(self.path)
        rows = exchanges(path, frame, prompt=self.prompt, response=self.response, id=self.id)
        values = text_of(path, frame, column(path, frame, self.label, ()))
        meant = _meanings(path, values.fill_null("").to_list(), self.labels, self.skip)
        rows = (
            rows.with_columns(frame.to_struct("own"), pl.Series("label", meant, pl.String))
            .with_row_index("row", offset=1)
            .filter(pl.col("label").is_not_null())
        )
        if rows.is_empty():
            raise BadInput("every row was skipped: there is no label to compare with", file=path)
        return rows


def measure(file: LabelledFile, judge: str) -> Agreement:
    """Run a judge over a labelled file and compare, without rows that it was fitted on.

    Raises:
        BadInput: On a missing column or a label without a meaning, naming file and line, or a judge
            that was fitted on every row.
    """
    rows, loaded = file.rows(), load_judge(judge)
    rows = rows.filter(~seen_mask(loaded, rows))
    weights = inverse_chances(file.path, rows).to_list()
    return agreement(rows["label"].to_list(), judge_rows(rows, loaded)["stance"].to_list(), weights)


def _meanings(
    path: Path, values: Sequence[str], labels: Mapping[str, str], skip: Sequence[str]
) -> list[str | None]:
    """Return each label's stance; None where the row is to be skipped."""
    known = KNOWN_LABELS | dict(labels)
    for row, value in enumerate(values, 1):
        if value not in known and value not in skip:
            raise BadInput(
                f"row {row}: label {value!r} has no meaning; give it one with --map {value}=STANCE"
                f" or leave such rows out with --skip {value!r}",
                file=path,
            )
    return [None if value in skip else known[value] for value in values]


def meanings(maps: Sequence[str]) -> dict[str, str]:
    """Return what each label means, from texts like LABEL=STANCE.

    Raises:
        BadInput: On a stance that is none.
    """
    if wrong := [entry for entry in maps if entry.rpartition("=")[2] not in STANCES]:
        raise BadInput(f"--map {wrong[0]}: write LABEL=STANCE, a stance of {', '.join(STANCES)}")
    return dict(entry.rpartition("=")[::2] for entry in maps)


def record(
    judge: str,
    dataset: str,
    language: str,
    found: Agreement,
    more: Mapping[str, Any] | None = None,
) -> Path:
    """Write an agreement into the judge's card, in place of the one for the same set.

    Args:
        judge: The judge's name.
        dataset: The set's name.
        language: Of its replies.
        found: The agreement.
        more: What else the entry holds: `intervals` of the figures, `harm` and its figures; the
                `judge_version` where it is not that of the file alone.
    """
    path = agreement_path(judge)
    rows = read_json(path) if path.exists() else []
    rows = [row for row in rows if (row["dataset"], row["language"]) != (dataset, language)]
    entry = {
        "dataset": dataset,
        "language": language,
        **found.to_row(),
        "judge_version": judge_card(judge).version,
        **(more or {}),
        "date": date.today().isoformat(),
    }
    write_json(path, sorted([*rows, entry], key=lambda row: (row["dataset"], row["language"])))
    return path
