"""What people and the judge say of the same replies of a run, ready to correct its rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judging import as_seen, read_verdicts
from convsafe.benchmark.label_columns import CHANCE, banned, silent
from convsafe.benchmark.loading import DEFAULT, UNSAFE
from convsafe.benchmark.metric import Metric, load_metric
from convsafe.benchmark.raters import majority
from convsafe.benchmark.runs import Run
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, read_jsonl
from convsafe.taxonomy.records import STANCES

if TYPE_CHECKING:
    import polars as pl

# Where `export-labels` and `import-labels` leave a run's labels by default.
LABELS = Path("labels") / "labels.jsonl"
_TOLD = ("stance", "unsafe")


@dataclass(frozen=True)
class Paired:
    """The cases a metric counts, with the judge's answer and, where there is one, a person's.

    `frame` has id, cluster_id, `judged` (1 or 0), `human` (1, 0 or NaN) and `chance`, the
    probability with which a case was drawn (null where it has no label). What no judge and no
    person need to look at (filtered or empty) is settled by rule: its `human` is its
    `judged`, its chance 1. `never_shown` counts the cases nobody may be shown, which are not in
    the frame: a rate from it says nothing of them. `n_labels` counts the people's labels.
    """

    frame: pl.DataFrame
    never_shown: int
    n_labels: int


def paired_labels(
    run: Run | str | Path,
    metric: str | Metric,
    *,
    judge: str = DEFAULT,
    labels: str | Path | None = None,
    threshold: float = UNSAFE,
) -> Paired:
    """Join a run's human labels to its verdicts, for one metric's event.

    Of several raters the majority counts. Labels are of a case's first sample. A reply that the
    judge did not score counts as judged no: the labels correct for it.

    Args:
        run: A judged run or its folder.
        metric: One whose event is told by the stance or by `unsafe`.
        judge: The judge's name.
        labels: The file that `import-labels` wrote; its sample.json stands beside it. By default
            labels/labels.jsonl in the run's folder.
        threshold: From which probability of harm a reply counts as unsafe.

    Raises:
        BadInput: If the labels are of another run, an id is unknown, doubled or not labelled, its
            raters are split, or a value is no label; naming file, line and id.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    metric = load_metric(metric) if isinstance(metric, str) else metric
    if not correctable(metric):
        needs = " and ".join(metric.needs)
        what = f"labels tell {' and '.join(_TOLD)}, and {metric.name} needs {needs}"
        raise BadInput(f"{what}; it cannot be corrected by them", file=run.folder)
    path = run.folder / LABELS if labels is None else Path(labels)
    counted = _counted(run, metric, judge, threshold)
    given = _given(path, run, metric, counted["id"].to_list())
    return _paired(counted, given, metric, threshold)


def correctable(metric: Metric) -> bool:
    """Return whether people's labels tell a metric's event."""
    return metric.event is not None and len(metric.needs) == 1 and metric.rests_on in _TOLD


def _counted(run: Run, metric: Metric, judge: str, threshold: float) -> pl.DataFrame:
    """Return the counted cases: id, cluster_id, judged, banned, silent and the metric's columns."""
    import polars as pl

    cases, path = run.cases(), run.verdicts_path(judge)
    verdicts = read_verdicts(path).filter(pl.col("sample") == 0).drop("sample")
    if verdicts["id"].is_duplicated().any():
        raise BadInput("an id has more than one verdict; run `convsafe score` again", file=path)
    replies = as_seen(cases, run.generations().filter(pl.col("sample") == 0))
    if missing := sorted(set(replies["id"]) ^ set(verdicts["id"])):
        what = f"{len(missing)} ids have a reply or a verdict alone; run `convsafe score` again"
        raise BadInput(what, file=path, id=missing[0])
    return (
        cases.filter(metric.counted)
        .select("id", "cluster_id", banned=banned())
        .join(replies.select("id", silent=silent()), on="id")
        .join(verdicts, on="id")
        .with_columns(unsafe_from=pl.lit(threshold))
        .with_columns(judged=_event(metric).fill_null(0.0))
        .sort("id")
    )


def _event(metric: Metric) -> pl.Expr:
    import polars as pl

    event = pl.lit(None) if metric.event is None else metric.event
    return event.cast(pl.Boolean).cast(pl.Float64)


def _given(path: Path, run: Run, metric: Metric, ids: Sequence[str]) -> pl.DataFrame:
    """Return what most raters say of each counted id that was drawn: id, the label, chance."""
    import polars as pl

    drawn = _drawn(path.parent / "sample.json", run)
    said = _read(path, drawn, metric.rests_on)
    wanted = set(ids)
    rows = [
        (id, _agreed(path, id, said.get(id, ()), metric.rests_on), chance)
        for id, chance in drawn.items()
        if id in wanted
    ]
    kind = pl.String if metric.rests_on == "stance" else pl.Float64
    return pl.DataFrame(
        rows, {"id": pl.String, metric.rests_on: kind, "chance": pl.Float64}, orient="row"
    )


def _agreed(path: Path, id: str, values: Sequence[str | bool], name: str) -> str | float:
    """Return the raters' majority; a drawn reply left out would bias every rate."""
    if not values:
        raise BadInput(f"this reply was drawn and has no {name}; label it", file=path, id=id)
    most = majority(values)
    if most is None:
        what = f"the raters are split over {name}: {', '.join(map(str, values))}; ask one more"
        raise BadInput(what, file=path, id=id)
    return float(most) if isinstance(most, bool) else most


def _drawn(path: Path, run: Run) -> dict[str, float]:
    """Return the probability of every id of a sample of this run."""
    sample: Any = read_json(path)
    try:
        of = sample["run"]
        found = {row["id"]: float(row[CHANCE]) for row in sample["rows"]}
    except (KeyError, TypeError, ValueError):
        what = "this is no sample; the labels' folder is the one that was exported to"
        raise BadInput(what, file=path) from None
    differ = [name for name in ("model", "ids_sha256", "started") if _differs(of, run, name)]
    if differ:
        what = f"these labels are of a run with another {' and '.join(differ)}, not of {run.folder}"
        raise BadInput(what, file=path)
    for id, chance in found.items():
        if not 0 < chance <= 1:
            raise BadInput(f"{CHANCE} {chance:g} is not above 0 and at most 1", file=path, id=id)
    if unknown := sorted(found.keys() - set(run.cases()["id"])):
        raise BadInput(f"{len(unknown)} ids are no case of the run", file=path, id=unknown[0])
    return found


def _differs(of: Mapping[str, Any], run: Run, name: str) -> bool:
    return name in of and of[name] != run.settings.get(name)


def _read(path: Path, drawn: Mapping[str, float], name: str) -> dict[str, list[Any]]:
    """Return every rater's value of each id."""
    if not path.exists():
        what = "no labels here; read raters' files with `convsafe judge import-labels`"
        raise BadInput(what, file=path)
    found, lines = dict[str, list[Any]](), dict[tuple[str, str], int]()
    for line, row in read_jsonl(path):
        id, rater, value = str(row.get("id")), str(row.get("rater")), row.get(name)
        if id not in drawn:
            raise BadInput("this id was not drawn; take the line out", file=path, line=line, id=id)
        if (before := lines.setdefault((id, rater), line)) != line:
            what = f"{rater} labelled this in line {before} too; take one line out"
            raise BadInput(what, file=path, line=line, id=id)
        if value is not None and not _is_label(name, value):
            raise BadInput(f"{name} {value!r} is no label", file=path, line=line, id=id)
        if value is not None:
            found.setdefault(id, []).append(value)
    return found


def _is_label(name: str, value: Any) -> bool:
    return value in STANCES if name == "stance" else isinstance(value, bool)


def _paired(counted: pl.DataFrame, given: pl.DataFrame, metric: Metric, threshold: float) -> Paired:
    """Apply the metric's event to the labels as if they were verdicts, and join them."""
    import polars as pl

    kinds = {"stance": pl.String, "unsafe": pl.Float64}
    absent = [pl.lit(None, kind).alias(c) for c, kind in kinds.items() if c != metric.rests_on]
    labelled = (
        given.with_columns(absent)
        .with_columns(labels=pl.lit([], pl.List(pl.String)), unsafe_from=pl.lit(threshold))
        .select("id", "chance", human=_event(metric))
    )
    frame = counted.filter(~pl.col("banned")).join(labelled, on="id", how="left").sort("id")
    n_labels = len(frame) - frame["human"].null_count()
    settled = pl.col("silent") & pl.col("human").is_null()
    return Paired(
        frame.select(
            "id",
            "cluster_id",
            "judged",
            human=pl.when(settled).then("judged").otherwise("human").fill_null(float("nan")),
            chance=pl.when(settled).then(1.0).otherwise("chance"),
        ),
        never_shown=int(counted["banned"].sum()),
        n_labels=n_labels,
    )
