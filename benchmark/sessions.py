"""Sessions with a simulated user: its state over turns, what befell it, and what replies did.

Sessions of one cluster of cases are not independent, so intervals of shares count a cluster once:
Clopper-Pearson with as many trials as there are clusters, which is wide rather than wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.details import trace_of, turn_of
from convsafe.benchmark.intervals import clopper_pearson
from convsafe.benchmark.session_plots import state_plots
from convsafe.benchmark.transcripts import plain

if TYPE_CHECKING:
    import polars as pl
    from convsafe.benchmark.plots import Drawing
    from convsafe.benchmark.runs import Run

ACTIONS = ("assess", "de_escalate", "emergency_services", "human_consultation")
DROPOUT = "dropout"
# So many kinds of users have a view of their own.
_MOST = 24
_SESSION = ["id", "sample"]


@dataclass(frozen=True)
class Share:
    """A share of `n` with its interval, each in [0, 1]."""

    count: int
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        """Return it in words."""
        if not self.n:
            return "–"
        low, high = 100 * self.low, 100 * self.high
        return f"{100 * self.count / self.n:.0f} % ({low:.0f} to {high:.0f})"


@dataclass(frozen=True)
class View:
    """What is shown of some of the sessions: all of them, or those of one kind of user.

    `events` have a name, a count after replies, one from life, a count a session, and the share of
    sessions; `actions` have a name and the share of crisis turns; `crises` a class and a count.
    """

    name: str
    sessions: int
    replies: float
    dropped: Share
    in_crisis: Share
    events: tuple[tuple[str, int, int, float, Share], ...]
    crises: tuple[tuple[str, int], ...]
    actions: tuple[tuple[str, Share], ...]


@dataclass(frozen=True)
class Dashboard:
    """The views, all sessions first, and one drawing a variable with a line for each view."""

    views: tuple[View, ...]
    plots: tuple[Drawing, ...]


def dashboard(run: Run, details: pl.DataFrame) -> Dashboard | None:
    """Return what is shown of sessions with a simulated user, or None where there are none.

    Args:
        run: The run.
        details: As `read_details` gives them.
    """
    import polars as pl

    cases = run.cases()
    found = _entries(cases, details)
    if found is None:
        return None
    names = _groups(cases.join(found.sessions, on="id", how="semi"))
    shown = names["group"].unique(maintain_order=True).head(_MOST)
    of = [(name, found.of(names.filter(pl.col("group") == name))) for name in shown]
    parts = [("all sessions", found), *of]
    views = tuple(_view(name, part) for name, part in parts)
    return Dashboard(views, state_plots([part.states for _, part in parts]))


class _Entries(NamedTuple):
    """Tables of what traces tell: sessions, states, events, crises and actions."""

    sessions: pl.DataFrame
    states: pl.DataFrame
    events: pl.DataFrame
    crises: pl.DataFrame
    actions: pl.DataFrame

    def of(self, cases: pl.DataFrame) -> _Entries:
        """Return what is of the sessions of some cases."""
        return _Entries(*(table.join(cases, on="id", how="semi") for table in self))


def _entries(cases: pl.DataFrame, details: pl.DataFrame) -> _Entries | None:
    import polars as pl

    traced = details.filter(pl.col("trace").str.contains('"state"', literal=True))
    read = traced.select(*_SESSION, "trace").iter_rows()
    traces = [(id, sample, trace_of(text)) for id, sample, text in read]
    states = [(*key, *row) for *key, trace in traces for row in _states(trace)]
    if not states:
        return None
    own = cases.select("id", "cluster_id")
    turns = _table([(*key, _turns(trace)) for *key, trace in traces], turns=pl.Int64)
    return _Entries(
        turns.join(own, on="id"),
        _table(states, turn=pl.Int64, variable=pl.String, value=pl.Float64),
        _table(_rows(traces, "event", "name", "attribution"), name=pl.String, by=pl.String),
        _table(_rows(traces, "crisis", "class"), name=pl.String),
        _table(
            [
                (id, sample, name, bool(taken))
                for id, sample, trace in traces
                for entry in trace
                if entry["kind"] == "actions"
                for name, taken in (entry.get("actions") or {}).items()
            ],
            name=pl.String,
            taken=pl.Boolean,
        ),
    )


def _table(rows: Sequence[Sequence[Any]], **columns: Any) -> pl.DataFrame:
    import polars as pl

    schema = {"id": pl.String, "sample": pl.Int64} | columns
    return pl.DataFrame(rows, schema=schema, orient="row")


def _states(trace: Sequence[dict[str, Any]]) -> Iterator[tuple[int, str, float]]:
    for entry in trace:
        if entry["kind"] == "state":
            for name, value in (entry.get("state") or {}).items():
                if isinstance(value, (int, float)):
                    yield turn_of(entry), name, float(value)


def _turns(trace: Sequence[dict[str, Any]]) -> int:
    return max((turn_of(entry) for entry in trace), default=0)


def _rows(traces: Sequence[Any], kind: str, *names: str) -> list[tuple[Any, ...]]:
    return [
        (id, sample, *(str(entry.get(name, "")) for name in names))
        for id, sample, trace in traces
        for entry in trace
        if entry["kind"] == kind
    ]


def _groups(cases: pl.DataFrame) -> pl.DataFrame:
    """Return what kinds of users there are: the facets that tell cases apart, then each case.

    Returns:
        id and `group`, as `stage: action`; a case is in several.
    """
    import polars as pl

    own = cases.select("id", group="id") if len(cases) > 1 else cases.select("id", group="id")[:0]
    if not isinstance(cases.schema.get("facets"), pl.List):
        return own
    name = pl.col("kind") + ": " + pl.col("name").str.replace_all("_", " ", literal=True)
    facets = (
        cases.select("id", "facets")
        .explode("facets")
        .drop_nulls("facets")
        .unnest("facets")
        .filter(pl.col("name").n_unique().over("kind") > 1)
        .select("id", group=name)
        .sort("group", "id")
    )
    return pl.concat([facets, own])


def _view(name: str, found: _Entries) -> View:
    sessions = found.sessions
    return View(
        name=name,
        sessions=len(sessions),
        replies=float(sessions["turns"].median() or 0.0),  # type: ignore[arg-type]
        dropped=_share(sessions, found.events.filter(found.events["name"] == DROPOUT)),
        in_crisis=_share(sessions, found.crises),
        events=tuple(_events(found)),
        crises=tuple((plain(row[0]), row[1]) for row in _counted(found.crises)),
        actions=tuple(_actions(found)),
    )


def _share(sessions: pl.DataFrame, within: pl.DataFrame) -> Share:
    """Return the share of sessions that a table has a row of."""
    has = sessions.join(within.select(_SESSION).unique(), on=_SESSION, how="semi")
    return _of(len(has), len(sessions), sessions["cluster_id"].n_unique())


def _of(count: int, n: int, clusters: int) -> Share:
    if not n:
        return Share(0, 0, 0.0, 1.0)
    low, high = clopper_pearson(count / n * clusters, clusters)
    return Share(count, n, float(low), float(high))


def _counted(table: pl.DataFrame) -> list[tuple[str, int]]:
    counts = table.group_by("name").len().sort("len", "name", descending=[True, False])
    return [(row[0], int(row[1])) for row in counts.iter_rows()]


def _events(found: _Entries) -> Iterator[tuple[str, int, int, float, Share]]:
    import polars as pl

    for name, count in _counted(found.events):
        rows = found.events.filter(pl.col("name") == name)
        by_reply = int((rows["by"] == "reply").sum())
        from_life = int((rows["by"] == "life").sum())
        each = count / len(found.sessions)
        yield plain(name), by_reply, from_life, each, _share(found.sessions, rows)


def _actions(found: _Entries) -> Iterator[tuple[str, Share]]:
    import polars as pl

    others = sorted(set(found.actions["name"]) - set(ACTIONS))
    for name in (*ACTIONS, *others) if len(found.actions) else ():
        rows = found.actions.filter(pl.col("name") == name)
        clusters = rows.join(found.sessions, on=_SESSION)["cluster_id"].n_unique()
        yield plain(name), _of(int(rows["taken"].sum()), len(rows), clusters)
