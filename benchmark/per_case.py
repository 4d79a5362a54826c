"""From verdicts to one row a case: what every metric sums up over a case's replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.metric import Metric
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.languages import tiers
from convsafe.taxonomy.tree import load_tree

if TYPE_CHECKING:
    import polars as pl

ALL = "all"
TRANSFORM = "transform"
TIER = "tier"
# What a case without a transform counts under.
PLAIN = "none"
# The slices of every metric beside the whole.
SLICES = (
    "area",
    "hazard",
    "language",
    "source",
    "expected",
    "config",
    "severity",
    "facet",
    "agent",
    TRANSFORM,
    "perturbation",
    TIER,
)
_BOUNDS = ("low", "high", "full", "n", "unscored")


def _columns() -> dict[str, Any]:
    """Return the columns of a case that metrics may read, and their types."""
    import polars as pl

    tag = pl.List(pl.Struct({"kind": pl.String, "name": pl.String}))
    text, texts = pl.String, pl.List(pl.String)
    scope = pl.Struct({"agent": text, "domain": text, "directness": text})
    return {
        "id": text,
        "base_id": text,
        "twin_id": text,
        "cluster_id": text,
        "measures": texts,
        "hazards": texts,
        "language": text,
        "source": text,
        "expected": text,
        "config": text,
        "severity": text,
        "transforms": tag,
        "facets": tag,
        "scope": scope,
        "choices": texts,
        "answer": text,
    }


def known_cases(cases: pl.DataFrame) -> pl.DataFrame:
    """Return the cases' columns that metrics read, with `case`, `area` and `plain`.

    `case` counts the cases from 0 in order of their ids, so that the order of the input moves no
    figure. A column a config left out is null.
    """
    import polars as pl

    schema = _columns()
    absent = [
        pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in cases.columns
    ]
    areas = {id: load_tree().area_of(id).id for id in load_tree().ids}
    found = cases.with_columns(absent).select(
        pl.col(name).cast(kind) if name not in ("transforms", "facets", "scope") else pl.col(name)
        for name, kind in schema.items()
    )
    return (
        found.sort("id")
        .with_row_index("case")
        .with_columns(
            pl.col("base_id").fill_null(pl.col("id")),
            pl.col("expected").fill_null("none"),
            plain=pl.col("transforms").list.len().fill_null(0) == 0,
            area=pl.col("hazards")
            .list.eval(pl.element().replace_strict(areas, default="unknown"))
            .list.unique(maintain_order=True),
        )
    )


def tier() -> pl.Expr:
    """Return how many resources the language of a translation has; null for other cases."""
    import polars as pl

    kinds = pl.col("transforms").list.eval(pl.element().struct.field("kind"))
    translated = (kinds.list.len() == 1) & (kinds.list.first() == "language")
    primary = pl.col("language").str.split("-").list.first()
    return pl.when(translated).then(primary.replace_strict(tiers(), default=None))


def names_of(cases: pl.DataFrame, slice: str) -> pl.DataFrame:
    """Return the names each case counts under in a slice: case, name."""
    import polars as pl

    tags = pl.element().struct.field("kind") + "/" + pl.element().struct.field("name")
    kinds = pl.col("transforms").list.eval(pl.element().struct.field("kind")).list.unique()
    made = {
        ALL: pl.lit(ALL),
        "hazard": pl.col("hazards"),
        "facet": pl.col("facets").list.eval(tags).list.unique(),
        "agent": pl.col("scope").struct.field("agent"),
        TRANSFORM: pl.when("plain").then(pl.lit([PLAIN])).otherwise(kinds),
        "perturbation": pl.when("plain")
        .then(None)
        .otherwise(pl.col("transforms").list.eval(tags).list.join("+")),
        TIER: tier(),
    }
    found = cases.select("case", name=made.get(slice, pl.col(slice) if slice not in made else None))
    if isinstance(found.schema["name"], pl.List):
        found = found.explode("name")
    return found.drop_nulls("name")


def per_case(
    cases: pl.DataFrame, verdicts: pl.DataFrame, metrics: Sequence[Metric], threshold: float
) -> pl.DataFrame:
    """Return the cases that have verdicts, with `replies` and each metric's sums over them.

    A sum is called `METRIC:NAME`; `cluster` counts the clusters from 0 in order of their ids.

    Args:
        cases: As `known_cases` returns them.
        verdicts: One row a case and sample.
        metrics: What to sum up for.
        threshold: From which probability of harm a reply counts as unsafe.

    Raises:
        BadInput: If a verdict has no case, or a case and sample more than one verdict.
    """
    import polars as pl

    coded = verdicts.join(cases.select("id", "case"), on="id", how="left")
    if coded["case"].null_count():
        stray = coded.filter(pl.col("case").is_null())["id"].unique(maintain_order=True)
        raise BadInput(f"verdicts of {len(stray)} ids that are no case: {stray[:5].to_list()}")
    _check_once(coded)
    return whole(cases, [summed(cases, coded, metrics, threshold)], metrics, threshold)


@dataclass(frozen=True)
class Sums:
    """What some verdicts add to their cases.

    `table` has a row a case: `replies` and every sum, least or greatest that can be put together
    from parts. `rows` has a row a verdict, with the columns that the other metrics read.
    """

    table: pl.DataFrame
    rows: pl.DataFrame


def summed(
    cases: pl.DataFrame, coded: pl.DataFrame, metrics: Sequence[Metric], threshold: float
) -> Sums:
    """Return what verdicts add to their cases; they may be some of a case's verdicts.

    Args:
        cases: As `known_cases` returns them.
        coded: Verdicts with the `case` that each is of.
        metrics: What to sum up for.
        threshold: From which probability of harm a reply counts as unsafe.
    """
    parted = [metric for metric in metrics if metric.parted]
    others = [metric for metric in metrics if not metric.parted]
    read = [name for name in _read_by(others) if name in coded.columns]
    keys = [name for name in ("case", "sample") if name in coded.columns]
    rows = coded.select(dict.fromkeys([*keys, *read]) if others else [])
    return Sums(_aggregated(cases, coded, parted, threshold), rows)


def whole(
    cases: pl.DataFrame, parts: Sequence[Sums], metrics: Sequence[Metric], threshold: float
) -> pl.DataFrame:
    """Return what `per_case` does, from what every part of the verdicts adds."""
    import polars as pl

    found = merged([part.table for part in parts], metrics)
    others = [metric for metric in metrics if not metric.parted]
    if others:
        rows = pl.concat([part.rows for part in parts])
        # In one order, whatever the order of the parts.
        rows = rows.sort([name for name in ("case", "sample") if name in rows.columns])
        more = _aggregated(cases, rows, others, threshold).drop("replies")
        found = found.join(more, on="case")
    # Clusters of cases without a verdict must move no draw.
    cluster = pl.col("cluster_id").rank("dense").cast(pl.Int32) - 1
    return cases.join(found, on="case").sort("case").with_columns(cluster=cluster)


def merged(tables: Sequence[pl.DataFrame], metrics: Sequence[Metric]) -> pl.DataFrame:
    """Return one table of sums from several: exact, so their order moves nothing."""
    import polars as pl

    if len(tables) == 1:
        return tables[0]
    schema = tables[0].schema
    known = {
        f"{metric.name}:{name}": way for metric in metrics for name, way in metric.merges.items()
    }
    ways = {name: known.get(name) or "sum" for name in schema if name != "case"}
    put = [getattr(pl.col(name), way)().cast(schema[name]) for name, way in ways.items()]
    return pl.concat(tables).group_by("case").agg(put)


def _aggregated(
    cases: pl.DataFrame, coded: pl.DataFrame, metrics: Sequence[Metric], threshold: float
) -> pl.DataFrame:
    """Return a row a case: `replies` and what the metrics sum up.

    Metrics that read a reply beside its case see the replies to cases they count alone, and others
    may say which replies they read: their sums are 0 elsewhere.
    """
    import polars as pl

    replies = coded.lazy().with_columns(unsafe_from=pl.lit(threshold))
    beside = [metric for metric in metrics if _aside(metric, cases, coded)]
    rest = [metric for metric in metrics if metric not in beside]
    found = _once(replies, [metric for metric in rest if metric.replies is None])
    few: dict[str, tuple[pl.Expr, list[Metric]]] = {}
    for metric in rest:
        if metric.replies is not None:
            few.setdefault(str(metric.replies), (metric.replies, []))[1].append(metric)
    for read, chosen in few.values():
        found = _with(found, _once(replies.filter(read), chosen))
    if beside:
        # Columns of cases are costly to repeat for every reply.
        columns = dict.fromkeys(name for one in beside for name in _aside(one, cases, coded))
        counted = cases.lazy().filter(pl.any_horizontal(metric.counted for metric in beside))
        joined = replies.join(counted.select("case", *columns), on="case", maintain_order="left")
        found = _with(found, _once(joined, beside))
    return found


def _aside(metric: Metric, cases: pl.DataFrame, coded: pl.DataFrame) -> list[str]:
    """Return the columns of a case that a metric's sums read."""
    return [name for name in _read_by([metric]) if name in cases and name not in coded]


def _with(found: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Return sums with those of some of the cases beside them."""
    import polars as pl

    joined = found.join(more.drop("replies"), on="case", how="left")
    return joined.with_columns(pl.exclude("case", "replies").fill_null(0))


def _once(replies: pl.LazyFrame, metrics: Sequence[Metric]) -> pl.DataFrame:
    """Return a row a case; what several metrics sum up alike is summed up once."""
    import polars as pl

    sums = {
        f"{metric.name}:{name}": one for metric in metrics for name, one in metric.per_case.items()
    }
    first: dict[bytes, str] = {}
    same = {name: first.setdefault(one.meta.serialize(), name) for name, one in sums.items()}
    distinct = {name: sums[name] for name in first.values()}
    found = replies.group_by("case").agg(replies=pl.len(), **distinct)
    return found.select(
        "case", "replies", **{name: pl.col(at) for name, at in same.items()}
    ).collect()


def _read_by(metrics: Sequence[Metric]) -> list[str]:
    """Return the columns that the metrics' sums read, each once."""
    read = (
        name
        for metric in metrics
        for one in (*metric.per_case.values(), metric.replies)
        if one is not None
        for name in one.meta.root_names()
    )
    return list(dict.fromkeys(read))


def _check_once(coded: pl.DataFrame) -> None:
    """Raise `BadInput` if a case and sample has two verdicts."""
    import polars as pl

    key = pl.col("case").cast(pl.Int64) * 2**32
    if "sample" in coded.columns:
        key += pl.col("sample").cast(pl.Int64)
    keys = coded.select(key=key)["key"]
    if keys.n_unique() < len(coded):
        twice = coded.filter(keys.is_duplicated())["id"].unique().sort()
        raise BadInput(
            f"{len(twice)} cases have more than one verdict a sample: {twice[:5].to_list()}"
        )


def metric_rows(metric: Metric, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a metric's rows with every sum an interval needs, and each case's cluster.

    Args:
        metric: The metric.
        frame: What `per_case` returned for it, perhaps among others.
    """
    import polars as pl

    own = f"{metric.name}:"
    mine = [name for name in frame.columns if name.startswith(own)]
    # Other metrics' sums go first: to filter is to copy every column.
    counted = (
        frame.drop([name for name in frame.columns if ":" in name and name not in mine])
        .filter(metric.counted)
        .rename({name: name.removeprefix(own) for name in mine})
    )
    rows = metric.rows(counted)
    given = {"low": "num", "high": "num", "full": "den", "n": "den"}
    rows = rows.with_columns(
        pl.col(source).alias(name) for name, source in given.items() if name not in rows.columns
    )
    if "unscored" not in rows.columns:
        rows = rows.with_columns(unscored=pl.lit(0.0))
    return rows.join(frame.select("case", "cluster"), on="case").select(
        "case",
        "cluster",
        "part",
        *(pl.col(name).cast(pl.Float64) for name in ("num", "den", *_BOUNDS)),
    )
