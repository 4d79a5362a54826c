"""Human labels for measuring judges: draw replies to label, and read the labels back.

labels.csv     what a rater fills in, the judge's verdict not among it
form.html      the same as an offline page that gives the filled-in file
sample.json    what was drawn, from what, and with which probability
replies.jsonl  the requests and replies drawn, as they are
labels.jsonl   the labels of all raters, as `import_labels` read them
labelled.jsonl what most raters say of each reply, with its text: what `judge-eval` takes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.judging import as_seen, judge_card, read_verdicts
from convsafe.benchmark.label_columns import banned, silent
from convsafe.benchmark.label_files import (
    Row,
    labelled_rows,
    rater_of,
    read_labels,
    write_labels,
)
from convsafe.benchmark.label_form import form
from convsafe.benchmark.loading import DEFAULT
from convsafe.benchmark.raters import alpha, by_unit, majority
from convsafe.benchmark.runs import Run
from convsafe.benchmark.stratified import Stratum, draw
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, read_jsonl, write_json, write_jsonl, write_text
from convsafe.taxonomy.tree import load_tree

if TYPE_CHECKING:
    import polars as pl

LABELLED = "labelled.jsonl"
_FILES = ("labels.csv", "form.html", "sample.json", "replies.jsonl", "labels.jsonl", LABELLED)
_RUN = ("model", "params", "settings", "release", "sample", "cases", "ids_sha256", "started")


@dataclass(frozen=True)
class Labels:
    """What the raters of a sample said.

    `n` counts the replies with a label. `alpha` is Krippendorff's for `stance` and `unsafe`, None
    with one rater or where it is undefined. `majority` has for each labelled reply what more than
    half of its raters say, None without such a majority. `labelled` is the file of replies with a
    stance or harm that most raters gave, for `judge-eval`. `without_stance` counts the labelled
    replies whose stance nobody gave. `dropped` are the raters whose labels were here before, and
    are not any more.
    """

    path: Path
    labelled: Path
    raters: tuple[str, ...]
    n: int
    alpha: Mapping[str, float | None]
    majority: tuple[Mapping[str, Any], ...]
    without_stance: int
    dropped: tuple[str, ...]

    @property
    def without_majority(self) -> int:
        """How many replies have stances, and none that most raters gave."""
        return sum(row["stance"] is None for row in self.majority) - self.without_stance

    def to_row(self) -> dict[str, Any]:
        """Return the labels as one JSON object."""
        return {
            "path": str(self.path),
            "labelled": str(self.labelled),
            "raters": list(self.raters),
            "n": self.n,
            "alpha": dict(self.alpha),
            "without_majority": self.without_majority,
            "without_stance": self.without_stance,
            "dropped": list(self.dropped),
            "majority": [dict(row) for row in self.majority],
        }


def export_labels(
    run: Run | str | Path,
    out: str | Path,
    n: int = 200,
    seed: int = 0,
    *,
    judge: str = DEFAULT,
) -> dict[str, Any]:
    """Draw replies of a judged run for people to label, and write what they need.

    The sample is stratified by hazard area and by the judge's stance, with at least one reply of
    each where `n` allows. Raters see what the judge saw, and not what it said.

    Args:
        run: A run, or its folder, that `score` has been called on.
        out: The folder to write labels.csv, form.html, replies.jsonl and sample.json to.
        n: How many replies to draw.
        seed: Another seed draws others.
        judge: The judge whose stances make the strata.

    Returns:
        What sample.json holds.

    Raises:
        BadInput: If the run is not wholly judged, nothing can be labelled, or `out` holds labels.
    """
    run, folder = run if isinstance(run, Run) else Run.open(run), Path(out)
    _check_export(folder, n)
    replies = _replies(run, judge)
    shown = replies.filter("shown")
    if shown.is_empty():
        raise BadInput("no reply of this run can be labelled; label another run", file=run.folder)
    strata = _strata(shown)
    drawn = draw(strata, n, seed)
    sample = _sample(run, judge, seed, drawn, strata) | {"left_out": _left_out(replies)}
    rows = _rows(shown, drawn)
    write_labels(folder / "labels.csv", rows)
    write_text(folder / "form.html", form(rows, sample))
    texts = ("id", "prompt", "response")
    write_jsonl(folder / "replies.jsonl", ({name: row[name] for name in texts} for row in rows))
    # Written last: a folder with sample.json has everything a rater needs.
    write_json(folder / "sample.json", sample)
    return sample


def _check_export(folder: Path, n: int) -> None:
    if n < 1:
        raise BadInput(f"{n} replies cannot be drawn; draw one or more")
    if held := [name for name in _FILES if (folder / name).exists()]:
        what = f"the folder holds {held[0]} already, maybe with labels; give another folder"
        raise BadInput(what, file=folder)


def _replies(run: Run, judge: str) -> pl.DataFrame:
    """Return every reply as the judge saw it, with its stratum and whether it may be shown.

    Of several samples the first counts; of a dialogue, the last reply.
    """
    import polars as pl

    cases, path = run.cases(), run.verdicts_path(judge)
    first = pl.col("sample") == 0
    seen = as_seen(cases, run.generations().filter(first))
    verdicts = read_verdicts(path).filter(first).select("id", "stance")
    if missing := sorted(set(seen["id"]) - set(verdicts["id"])):
        what = f"{len(missing)} replies have no verdict; run `convsafe score` on the folder again"
        raise BadInput(what, file=path, id=missing[0])
    said = pl.coalesce("messages", "sent")
    return (
        seen.join(verdicts, on="id")
        .join(cases.select("id", "hazards", sent="messages"), on="id")
        .with_columns(before=said.list.head(said.list.len() - 1))
        .with_columns(banned=banned(), silent=silent())
        .with_columns(shown=~pl.col("banned") & ~pl.col("silent"))
    )


def _rows(shown: pl.DataFrame, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return what a rater is shown of each id; `before` has the turns before the request."""
    rows = shown.select("id", "prompt", "response", "before").to_dicts()
    texts = {row["id"]: row | {"before": row["before"] or []} for row in rows}
    return [texts[id] for id in ids]


def _strata(replies: pl.DataFrame) -> dict[Stratum, list[str]]:
    """Return the ids by hazard area, that of the first hazard, and the judge's stance."""
    tree, found = load_tree(), dict[Stratum, list[str]]()
    for id, hazards, stance in replies.select("id", "hazards", "stance").iter_rows():
        area = tree.area_of(hazards[0]).id if hazards else "none"
        found.setdefault((area, stance or "unscored"), []).append(id)
    return found


def _left_out(replies: pl.DataFrame) -> dict[str, int]:
    """Return how many replies nobody is asked about, by reason."""
    return {
        "never_shown": int(replies["banned"].sum()),
        "no_text": int((replies["silent"] & ~replies["banned"]).sum()),
    }


def _sample(
    run: Run,
    judge: str,
    seed: int,
    drawn: Mapping[str, float],
    strata: Mapping[Stratum, Sequence[str]],
) -> dict[str, Any]:
    """Return what was drawn; it does not say which reply is of which stratum."""
    card, settings = judge_card(judge), run.settings
    return {
        "n": len(drawn),
        "seed": seed,
        "run": {name: settings[name] for name in _RUN if name in settings},
        "judge": {"name": card.name, "version": card.version},
        "strata": [
            {"area": area, "stance": stance, "of": len(ids), "n": len(drawn.keys() & set(ids))}
            for (area, stance), ids in sorted(strata.items())
        ],
        "rows": [{"id": id, "inclusion_probability": chance} for id, chance in drawn.items()],
    }


def import_labels(folder: str | Path, files: Sequence[str | Path]) -> Labels:
    """Read raters' files back, check them against the sample, and write what they say.

    A rater is named by the file: labels-anna.csv is anna's. Labels may be left empty. labels.jsonl
    holds the labels of these raters alone, labelled.jsonl the replies with what most of them say.

    Args:
        folder: The folder that `export_labels` wrote.
        files: One file of each rater, those imported before too.

    Raises:
        BadInput: On an unknown, missing or doubled id, a value that is no label, a file without
            labels, or two files of one rater.
    """
    folder, paths = Path(folder), [Path(file) for file in files]
    chances = _chances(folder / "sample.json")
    raters = _raters(paths)
    read = {rater: _checked(path, chances) for rater, path in raters.items()}
    target = folder / "labels.jsonl"
    dropped = tuple(sorted(_earlier(target) - read.keys()))
    write_jsonl(target, _lines(read, chances))
    stances = by_unit(list(chances), [_column(rows, "stance") for rows in read.values()])
    unsafe = by_unit(list(chances), [_column(rows, "unsafe") for rows in read.values()])
    found = _together(target, tuple(read), stances, unsafe, dropped)
    write_jsonl(found.labelled, labelled_rows(folder / "replies.jsonl", found.majority, chances))
    return found


def _earlier(path: Path) -> set[str]:
    """Return the raters whose labels were imported before."""
    return {str(row.get("rater")) for _, row in read_jsonl(path)} if path.is_file() else set()


def _chances(path: Path) -> dict[str, float]:
    """Return the inclusion probability of every id of a sample."""
    try:
        found = {row["id"]: float(row["inclusion_probability"]) for row in read_json(path)["rows"]}
    except (KeyError, TypeError, ValueError):
        what = "this is no sample; give the folder that the labels were exported to"
        raise BadInput(what, file=path) from None
    if not found or not all(0 < chance <= 1 for chance in found.values()):
        raise BadInput("the sample's probabilities are wrong; export it again", file=path)
    return found


def _raters(paths: Sequence[Path]) -> dict[str, Path]:
    if not paths:
        raise BadInput("there is no file of labels; name one or more")
    found: dict[str, Path] = {}
    for path in paths:
        if (rater := rater_of(path)) in found:
            what = f"{found[rater]} is of rater {rater!r} too; name each file by its rater"
            raise BadInput(what, file=path)
        found[rater] = path
    return found


def _checked(path: Path, chances: Mapping[str, float]) -> dict[str, Row]:
    """Return one rater's rows by id if they are those of the sample."""
    found: dict[str, Row] = {}
    for row in read_labels(path):
        if row.id not in chances:
            what = "this id is not of the sample; is the file of another one? Take the row out"
            raise BadInput(what, file=path, line=row.line, id=row.id)
        if row.id in found:
            what = f"this id stands in line {found[row.id].line} too; take one row out"
            raise BadInput(what, file=path, line=row.line, id=row.id)
        found[row.id] = row
    if missing := [id for id in chances if id not in found]:
        named = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        what = f"{len(missing)} ids are missing: {named}. Put their rows back, labelled or empty"
        raise BadInput(what, file=path, id=missing[0])
    if all(row.stance is None and row.unsafe is None for row in found.values()):
        raise BadInput("nothing is labelled; fill in stance or unsafe", file=path)
    return found


def _lines(
    read: Mapping[str, Mapping[str, Row]], chances: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    """Yield one line for every reply a rater labelled, in the order of the sample."""
    for rater, rows in read.items():
        for id, chance in chances.items():
            labels = {"stance": rows[id].stance, "unsafe": rows[id].unsafe}
            if any(value is not None for value in labels.values()):
                yield {"id": id, "rater": rater, **labels, "inclusion_probability": chance}


def _column(rows: Mapping[str, Row], name: str) -> dict[str, Any]:
    return {id: getattr(row, name) for id, row in rows.items()}


def _together(
    path: Path,
    raters: tuple[str, ...],
    stances: Mapping[str, list[Any]],
    unsafe: Mapping[str, list[Any]],
    dropped: tuple[str, ...],
) -> Labels:
    """Return what the raters say together of the replies that any of them labelled."""
    ids = [id for id in stances if any(v is not None for v in (*stances[id], *unsafe[id]))]
    most = [
        {"id": id, "stance": majority(stances[id]), "unsafe": majority(unsafe[id])} for id in ids
    ]
    several = len(raters) > 1
    agreed = {
        name: alpha(list(units.values())) if several else None
        for name, units in (("stance", stances), ("unsafe", unsafe))
    }
    return Labels(
        path,
        path.parent / LABELLED,
        raters,
        n=len(most),
        alpha=agreed,
        majority=tuple(most),
        without_stance=sum(not any(stances[id]) for id in ids),
        dropped=dropped,
    )
