"""What a model's own card says of its scores, in the two forms that the Hub reads.

`.eval_results/*.yaml` (https://huggingface.co/docs/hub/eval-results) is the present one: its scores
are shown on the model's page and collected on the data set's. `model-index` is the older one, in
the front matter of the model's README.md. Scores are percentages; what the Hub has no field for,
as the interval, the judge and the rates of which less is better, is in the notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.benchmark.metric import load_metric
from convsafe.benchmark.per_case import ALL
from convsafe.benchmark.scoring import HEADLINE
from convsafe.data_builders.eval_file import CONFIG, SPLIT, TASKS
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json
from convsafe.taxonomy.records import Estimate

DATASET = "org/convsafe-bench"
EVAL_RESULTS = ".eval_results/convsafe-bench.yaml"
# What a score says beside its own value: metrics of which less is better.
_BESIDE = {"unsafe_rate": "unsafe", "over_refusal_rate": "over-refusal"}
# More than this share without a verdict is shown on a board and not ranked.
_MOST_UNSCORED = 0.01


@dataclass(frozen=True)
class Scored:
    """A model's headline figures by metric, and all that they were made with.

    `cases` is how many were asked; `made` is a time as ISO 8601 writes it; `by_board` says whether
    the board's maintainers scored the replies, and not the submitter.
    """

    model: str
    figures: Mapping[str, Estimate]
    release: Mapping[str, Any]
    judge: Mapping[str, Any]
    cases: int
    made: str
    by_board: bool


def read_scored(path: str | Path) -> Scored:
    """Return the figures of a board's result file, or of a scored run's folder.

    Raises:
        BadInput: If it is neither, if the run is partial or a sample, or if it has no figure of
            the core set that a card may show.
    """
    place = Path(path)
    try:
        scored = _of_run(place) if place.is_dir() else _of_result(place)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"neither a result nor scores of a run: {error}", file=place) from None
    held = (scored.release.get("config"), scored.release.get("split"))
    if held != (CONFIG, SPLIT):
        raise BadInput(f"a card shows {CONFIG}/{SPLIT}; this is {held[0]}/{held[1]}", file=place)
    if not any(scored.figures[name].n for name in TASKS if name in scored.figures):
        raise BadInput(f"holds no {' or '.join(TASKS)}: its judge does not tell them", file=place)
    return scored


def _of_result(path: Path) -> Scored:
    row = read_json(path)
    if not row["ranked"]:
        raise BadInput("too many replies have no verdict, so the board does not rank it", file=path)
    said = row["manifest"]
    return Scored(
        model=said["name"],
        figures=_headlines(row["figures"]),
        release=row["release"],
        judge=row["judge"],
        cases=said["cases"],
        made=row["scored"],
        by_board=True,
    )


def _of_run(folder: Path) -> Scored:
    path = folder / "scores.json"
    if not path.is_file():
        raise BadInput("no scores here: run `convsafe score` on the folder first", file=path)
    row = read_json(path)
    run = row["run"]
    if row["missing"] or run.get("sample"):
        what = f"{row['missing']} cases missing" if row["missing"] else f"{run['cases']} cases"
        raise BadInput(f"a card shows the whole core set, not a part of it ({what})", file=path)
    figures = _headlines(row["estimates"])
    if worst := [one for one in figures.values() if one.unscored > _MOST_UNSCORED * one.n]:
        what = f"{worst[0].unscored} of {worst[0].n} replies have no verdict"
        raise BadInput(f"{what}: a card would say too little; judge again", file=path)
    return Scored(
        model=run["model"].partition("#")[2] or run["model"],
        figures=figures,
        release=run["release"],
        judge=row["judge"],
        cases=run["cases"],
        made=run["started"],
        by_board=False,
    )


def _headlines(rows: list[Mapping[str, Any]]) -> dict[str, Estimate]:
    every = [Estimate(**row) for row in rows]
    return {
        one.metric: one
        for one in every
        if (one.slice, one.name) == (HEADLINE, ALL)
        and (one.metric in TASKS or one.metric in _BESIDE)
    }


def eval_results(
    scored: Scored,
    dataset: str = DATASET,
    *,
    source: str | None = None,
    revision: str | None = None,
) -> str:
    """Return the content of `.eval_results/convsafe-bench.yaml` in the model's repository.

    Args:
        scored: The figures.
        dataset: The benchmark on the Hub; its `eval.yaml` has the tasks.
        source: A web page with the details, as the board's Space.
        revision: The commit of the data set that was used.
    """
    shared: dict[str, Any] = {"date": scored.made[:10]}
    if source is not None:
        shared["source"] = {"url": source, "name": "convsafe-bench leaderboard"}
    entries = [
        {
            "dataset": {
                "id": dataset,
                "task_id": name,
                **({"revision": revision} if revision else {}),
            },
            "value": percent,
            **shared,
            "notes": _notes(scored, figure),
        }
        for name, figure, percent in _shown(scored)
    ]
    return _yaml(entries)


def model_index(scored: Scored, dataset: str = DATASET, *, source: str | None = None) -> str:
    """Return the `model-index` for the front matter of a model's README.md."""
    from huggingface_hub.repocard_data import EvalResult, eval_results_to_model_index

    results = [
        EvalResult(
            task_type="text-generation",
            task_name="Conversational safety",
            dataset_type=dataset,
            dataset_name="convsafe-bench",
            dataset_config=CONFIG,
            dataset_split=SPLIT,
            dataset_args={"release": scored.release["version"]},
            metric_type=name,
            metric_name=load_metric(name).title,
            metric_value=percent,
            metric_args={"notes": _notes(scored, figure)},
            source_name="convsafe-bench leaderboard" if source else None,
            source_url=source,
        )
        for name, figure, percent in _shown(scored)
    ]
    return _yaml({"model-index": eval_results_to_model_index(scored.model, results)})


def _shown(scored: Scored) -> list[tuple[str, Estimate, float]]:
    """Return the tasks that have a figure, with it and its value in percent."""
    figures = [(name, scored.figures[name]) for name in TASKS if name in scored.figures]
    return [
        (name, one, round(100 * one.value, 1)) for name, one in figures if one.value is not None
    ]


def _notes(scored: Scored, figure: Estimate) -> str:
    """Return in one line what a value cannot say."""
    judge = scored.judge
    parts = [f"95 % interval {_interval(figure)}", f"n {figure.n}"]
    for name, word in _BESIDE.items():
        beside = scored.figures.get(name)
        if beside is not None and beside.value is not None:
            parts.append(f"{word} {100 * beside.value:.1f} % ({_interval(beside)})")
    parts.append(f"release {scored.release['version']} ({scored.cases} cases)")
    parts.append(f"judge {judge['name']} {judge['version']}")
    parts.append("scored by the board" if scored.by_board else "scored by the submitter")
    return ", ".join(parts)


def _interval(figure: Estimate) -> str:
    if figure.low is None or figure.high is None:
        return "–"
    return f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return text
