"""Turn the predictions and references of a metric module into columns, or name what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import MEASURES, OUTCOMES, Case, Generation

if TYPE_CHECKING:
    import polars as pl

# What a reply may be without: the others have no text.
_TEXTLESS = ("empty", "filtered", "failed")
# So many parts are put together, lest adding one by one takes the square of the time.
_PARTS = 500


@dataclass(frozen=True)
class Collected:
    """Predictions and references, checked one by one; adding returns a new one.

    Args:
        parts: Frames of id, sample (null where it was not said), outcome, response and model.
        cases: The whole cases that were given as references, by their ids.
    """

    parts: tuple[pl.DataFrame, ...] = ()
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many predictions there are."""
        return sum(map(len, self.parts))

    def add(self, predictions: Any, references: Any = None) -> Collected:
        """Return what is here with a batch more.

        Args:
            predictions: A sequence of replies as texts, or of generations: objects with
                `response` and where they know it `id`, `sample`, `outcome` and `model`.
            references: As many case ids or whole cases; may be left out where every
                generation has its `id`.

        Raises:
            BadInput: Naming the place in the batch, and the id, of what cannot be used.
        """
        import polars as pl

        replies = _replies(_listed("predictions", predictions))
        cases = self.cases
        if references is None:
            _check_own_ids_said(replies)
        else:
            found = _listed("references", references)
            if len(found) != len(replies):
                raise BadInput(f"{len(replies)} predictions for {len(found)} references")
            ids = _ids(found)
            _check_same_ids(replies, ids)
            replies, cases = replies.with_columns(id=ids), _with_whole(cases, found)
        parts = (*self.parts, replies)
        return Collected((pl.concat(parts),) if len(parts) > _PARTS else parts, cases)

    def generations(self, *, samples: bool = False) -> pl.DataFrame:
        """Return all predictions as rows of id, sample, outcome, response and model.

        Args:
            samples: Count predictions of one id as its samples 0, 1, 2 … in the order they came,
                where they do not say which they are.

        Raises:
            BadInput: If there are none, or if one id has two predictions for the same sample.
        """
        import polars as pl

        if not len(self):
            raise BadInput("there are no predictions: give some, or call add_batch first")
        rows = pl.concat(self.parts)
        place = pl.int_range(pl.len()).over("id") if samples else pl.lit(0)
        rows = rows.with_columns(sample=pl.col("sample").fill_null(place.cast(pl.Int64)))
        twice = rows.filter(pl.struct("id", "sample").is_duplicated())["id"].unique()
        if len(twice):
            raise BadInput(
                f"{len(twice)} ids have more than one prediction: {some(twice)}. Where they are"
                " samples of one model, say samples=True or give each its `sample`"
            )
        return rows

    def given_cases(self) -> pl.DataFrame | None:
        """Return the whole cases that were given as a table, None where there were none.

        Raises:
            BadInput: If one lacks a field that scoring needs, or has one of another type.
        """
        return _case_frame(list(self.cases.values())) if self.cases else None


def some(ids: Iterable[str]) -> str:
    """Return the first few ids in order, for an error."""
    names = sorted(ids)
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _listed(name: str, values: Any) -> list[Any]:
    """Return a batch of either kind as a list; records of ours as rows."""
    if values is None or isinstance(values, (str, bytes, Mapping)):
        raise BadInput(f"{name} must be a list, one entry a reply, not {type(values).__name__}")
    found = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    if any(isinstance(value, (Case, Generation)) for value in found):
        found = [v.to_row() if isinstance(v, (Case, Generation)) else v for v in found]
    return found


def _replies(values: Sequence[Any]) -> pl.DataFrame:
    """Return one row a prediction: id, sample, outcome, response, model; null where unsaid."""
    import polars as pl

    if any(isinstance(value, Mapping) for value in values):
        rows = [{"response": v} if not isinstance(v, Mapping) else v for v in values]
        found = {name: [row.get(name) for row in rows] for name in _FIELDS}
    else:
        found = {"response": list(values)}
    frame = pl.DataFrame([_typed(name, found.get(name), len(values)) for name in _FIELDS])
    return _with_outcomes(frame)


def _typed(name: str, values: Sequence[Any] | None, n: int) -> pl.Series:
    """Return a field of all predictions as a column of its type."""
    import polars as pl

    dtype: Any = pl.Int64 if name == "sample" else pl.String
    if values is None:
        return pl.repeat(None, n, dtype=dtype, eager=True).alias(name)
    try:
        return pl.Series(name, values, dtype, strict=True)
    except UnicodeEncodeError:
        # A reply that was cut in the middle of a character ends in half of one.
        values = [
            v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values
        ]
        return _typed(name, values, n)
    except (TypeError, pl.exceptions.PolarsError):
        kind = int if name == "sample" else str
        odd = (n for n, v in enumerate(values) if v is not None and not isinstance(v, kind))
        place = next(odd, 0)
        raise BadInput(
            f"predictions[{place}]: {name} is {values[place]!r:.80}, not {_FIELDS[name]}"
        ) from None


# What a generation may say, and what that must be.
_FIELDS = {
    "id": "a text",
    "sample": "a whole number",
    "outcome": f"one of {', '.join(OUTCOMES)}",
    "response": "a text; a reply that never came has the outcome failed",
    "model": "a text",
}


def _with_outcomes(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill in what a reply's text tells of its outcome; refuse what has none or makes no sense."""
    import polars as pl

    outcome, response = pl.col("outcome"), pl.col("response")
    text = response.fill_null("")
    blank = text.str.strip_chars() == ""
    told = pl.when(blank).then(pl.lit("empty")).otherwise(pl.lit("answered"))
    # In one query: it is made for every single `add` too.
    found = frame.with_columns(
        response=text,
        outcome=pl.coalesce(outcome, told),
        bad_outcome=~outcome.is_in(OUTCOMES).fill_null(True),
        bad_response=response.is_null() & ~outcome.is_in(_TEXTLESS).fill_null(False),
        bad_sample=(pl.col("sample") < 0).fill_null(False),
    )
    for name, what in _WRONG.items():
        places = found[f"bad_{name}"].arg_true()
        if len(places):
            place = int(places[0])
            raise BadInput(f"predictions[{place}]: {name} {frame[name][place]!r} {what}")
    return found.select(*_FIELDS)


_WRONG = {
    "outcome": f"is not one of {', '.join(OUTCOMES)}",
    "response": "is no reply; one that never came has the outcome failed",
    "sample": "is below 0",
}


def _check_own_ids_said(replies: pl.DataFrame) -> None:
    """Refuse generations without ids where there are no references."""
    places = replies["id"].is_null().arg_true()
    if len(places):
        raise BadInput(
            f"predictions[{places[0]}] says no id: give references, one case id a prediction"
        )


def _ids(references: Sequence[Any]) -> pl.Series:
    """Return the case id of every reference."""
    import polars as pl

    ids = [r.get("id") if isinstance(r, Mapping) else r for r in references]
    for place, id in enumerate(ids):
        if not isinstance(id, str):
            what = "a case without an id" if isinstance(references[place], Mapping) else repr(id)
            raise BadInput(f"references[{place}] is {what:.80}, not a case id or a case")
    return pl.Series("id", ids, pl.String)


def _check_same_ids(replies: pl.DataFrame, asked: pl.Series) -> None:
    """Refuse a generation that says it is of another case than its reference."""
    places = (replies["id"] != asked).fill_null(False).arg_true()
    if len(places):
        place = int(places[0])
        raise BadInput(
            f"predictions[{place}] is of case {replies['id'][place]!r}, but references[{place}] is"
            f" {asked[place]!r}: {len(places)} ids do not match"
        )


def _with_whole(
    cases: Mapping[str, Mapping[str, Any]], references: Sequence[Any]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the cases with those among the references; one case may come with every sample."""
    if not any(isinstance(reference, Mapping) for reference in references):
        return cases
    found = dict(cases)
    for case in references:
        if isinstance(case, Mapping):
            first = found.setdefault(case["id"], case)
            if first is not case and first != case:
                raise BadInput("two references with this id are not the same case", id=case["id"])
    return found


def _case_frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return cases as a table of the columns that any of them has, images left out."""
    import polars as pl
    import pyarrow as pa
    from convsafe.taxonomy.arrow import case_schema

    names: set[str] = set().union(*rows)
    schema = pa.schema([f for f in case_schema() if f.name in names and f.name != "images"])
    if absent := [name for name in _NEEDED if name not in names]:
        raise BadInput(f"the cases that were given have no {', '.join(absent)}: give whole cases")
    try:
        frame = pl.DataFrame(pa.Table.from_pylist(rows, schema=schema))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BadInput(f"the cases that were given are not cases of a release: {error}") from None
    for name in _NEEDED:
        if frame[name].null_count():
            raise BadInput(
                f"a case has no {name}", id=frame.filter(pl.col(name).is_null())["id"][0]
            )
    # A text for a list is a list of its letters to Arrow.
    known = pl.col("measures").list.eval(pl.element().is_in(MEASURES)).list.all()
    if len(odd := frame.filter(~known)):
        what = f"measures {odd['measures'][0].to_list()} are not among {', '.join(MEASURES)}"
        raise BadInput(what, id=odd["id"][0])
    return frame


_NEEDED = ("id", "cluster_id", "measures", "prompt", "hazards", "language")
