"""Validate the embedded judge on sets, models and prompts that were left out of fitting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.agreement import Agreement, agreement
from convsafe.benchmark.bootstrap import Figure, bootstrap, cluster_numbers
from convsafe.benchmark.fit.calibration import Calibration
from convsafe.benchmark.fit.embedded import PARTS, Material, fit, probabilities
from convsafe.benchmark.fit.logistic import CLOSE, STILL
from convsafe.benchmark.fit.rows import ALONE, TALK
from convsafe.benchmark.judges.embedded import stance
from convsafe.benchmark.measures import harm_measure
from convsafe.benchmark.parts import harm_part, stance_part

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from convsafe.benchmark.judges._weights import Models
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TOXIC_REPLIES = ("latent_jailbreak_p1", "diasafety")


@dataclass(frozen=True)
class Fold:
    """Some rows that a fit has not seen, and what it told of them: refused, partial, unsafe, toxic.

    They are a whole set, a group of sets, a model's replies, or a third of the prompts.
    """

    dataset: str
    left_out: str
    test: Material
    told: pl.DataFrame

    def verdicts(self) -> pl.DataFrame:
        """Return stance, refused and unsafe of each row, as the judge tells them."""
        told = self.test.found.select(stance=stance(self.told))
        return told.with_columns(self.told["refused"], self.told["unsafe"])


def _sets(whole: Material) -> list[str]:
    """Return the sets of replies, those of people first."""
    names = whole.rows.filter(~whole.rows["source"].is_in(list(ALONE)))["source"].unique()
    return sorted(names, key=lambda name: (name.startswith("own_"), name))


def groups_left_out(whole: Material) -> Iterator[Fold]:
    """Yield groups of sets, each told by a fit without all of them, not calibrated."""
    import polars as pl

    sets = sorted(whole.rows["source"].unique())
    group = {name: number % PARTS for number, name in enumerate(sets)}
    number = whole.rows["source"].replace_strict(group, return_dtype=pl.Int64)
    tasks = [(f"group {part}", "group", number == part, number == part) for part in range(PARTS)]
    # What is shipped is set by them.
    yield from _each(whole, tasks, still=STILL)


def sets_left_out(whole: Material, calibration: Calibration) -> Iterator[Fold]:
    """Yield each set, told by a fit without it."""
    source = whole.rows["source"]
    tasks = [(name, "set", source == name, source == name) for name in _sets(whole)]
    yield from _each(whole, tasks, calibration)


def models_left_out(whole: Material, calibration: Calibration) -> Iterator[Fold]:
    """Yield each model's replies to kept prompts, told by a fit without the model and them."""
    tasks = []
    for name in ("xstest", "latent_jailbreak_p1"):
        inside = whole.rows["source"] == name
        for model in whole.rows.filter(inside)["model"].unique().drop_nulls().sort():
            of_model = inside & (whole.rows["model"] == model)
            tasks.append((name, f"model {model}", of_model, of_model & whole.rows["kept"]))
    yield from _each(whole, tasks, calibration)


def _each(
    whole: Material,
    tasks: Sequence[tuple[str, str, pl.Series, pl.Series]],
    calibration: Calibration | None = None,
    still: float = CLOSE,
) -> Iterator[Fold]:
    """Yield a fold a task, as many at once as there are cores.

    Args:
        whole: All rows.
        tasks: Of each fold its dataset, what is left out, which rows that is, and which are told.
        calibration: Scale and shift for `refused` and `unsafe`; by default the log-odds stand.
        still: How closely to fit.
    """
    from joblib import Parallel, delayed
    from tqdm import tqdm

    folds = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_left_out)(whole, *task, calibration, still) for task in tasks
    )
    yield from tqdm(folds, total=len(tasks), desc=f"{tasks[0][1].split()[0]}s left out", unit="fit")


def _left_out(
    whole: Material,
    dataset: str,
    left_out: str,
    out: pl.Series,
    test: pl.Series,
    calibration: Calibration | None,
    still: float,
) -> Fold:
    return _fold(dataset, left_out, fit(whole.only(~out), calibration, still), whole.only(test))


def prompts_left_out(whole: Material, fitted: Models) -> Iterator[Fold]:
    """Yield the kept prompts of each set, told by the fit that is shipped."""
    for name in _sets(whole):
        inside = (whole.rows["source"] == name) & whole.rows["kept"]
        if inside.any():
            yield _fold(name, "prompts", fitted, whole.only(inside))


def _fold(dataset: str, left_out: str, fitted: Models, test: Material) -> Fold:
    test = test.only(~test.rows["noised"])
    return Fold(dataset, left_out, test, probabilities(fitted, test))


def entries(fold: Fold, threshold: float) -> list[dict[str, Any]]:
    """Return what was measured of a fold, one entry a language, as a judge's card holds it.

    Args:
        fold: The rows and what was told of them.
        threshold: From which probability of harm a reply counts as unsafe.
    """
    languages = fold.test.rows["language"].unique().sort().to_list()
    found = (_entry(fold, language, threshold) for language in languages)
    return [entry for entry in found if entry]


def _entry(fold: Fold, language: str, threshold: float) -> dict[str, Any] | None:
    import polars as pl

    mask = fold.test.rows["language"] == language
    rows = fold.test.rows.filter(mask).with_columns(weight=pl.lit(1.0))
    verdicts = fold.verdicts().filter(mask)
    refused = verdicts["refused"]
    ours = fold.dataset.startswith("own_")
    entry = {
        "dataset": fold.dataset,
        "left_out": fold.left_out,
        "language": language,
        "labels": "ours" if ours else "people",
        "replies_by": "people" if fold.dataset in TALK else "models",
    }
    stances = _stances(rows, verdicts, refused)
    harm = _harm(rows, verdicts, refused, threshold)
    talk = _talk(verdicts) if fold.dataset in TALK else {}
    return {**entry, **stances, **harm, **talk} if stances or harm else None


def _talk(verdicts: pl.DataFrame) -> dict[str, Any]:
    """Return what share of people's replies, who hardly ever refuse, is called a refusal."""
    refusing = int(verdicts["stance"].is_in(["refusal", "partial"]).sum())
    share = round(refusing / len(verdicts), 4)
    return {"talk": {"n": len(verdicts), "called_refusal": share}}


def _stances(rows: pl.DataFrame, verdicts: pl.DataFrame, refused: pl.Series) -> dict[str, Any]:
    """Return agreement and intervals of stances; of refusal, AUC and calibration too."""
    told = rows["stance"].is_not_null() & rows["refused"].is_not_null()
    some, said = rows.filter(told), verdicts.filter(told)
    if some["stance"].n_unique() < 2:
        return {}
    clusters = cluster_numbers(some["cluster"].to_list())
    found: Agreement = agreement(some["stance"].to_list(), said["stance"].to_list())
    part = stance_part("all", "all", some.rename({"stance": "label"}), said, clusters)
    truth = some["stance"].is_in(["refusal", "partial"]).to_numpy().astype(float)
    more = _probable(refused.filter(told), truth, clusters)
    return {**found.to_row(), "intervals": _rows(part.figures), "refusal": more}


def _harm(
    rows: pl.DataFrame, verdicts: pl.DataFrame, refused: pl.Series, threshold: float
) -> dict[str, Any]:
    """Return figures and counts of harm, beside 1 - P(refused), and among complied replies."""
    import numpy as np

    harmful = rows["unsafe"].cast(float).fill_null(np.nan).to_numpy()
    known = harmful[~np.isnan(harmful)]
    if len(np.unique(known)) < 2:
        return {}
    clusters = cluster_numbers(rows["cluster"].to_list())
    part = harm_part(rows, verdicts, harmful, clusters, threshold)
    told = ~np.isnan(harmful)
    base = _probable(1 - refused.filter(told), known, cluster_numbers(clusters[told]))
    complied = told & (verdicts["stance"] == "compliance").to_numpy()
    within = {}
    if len(np.unique(harmful[complied])) == 2:
        numbers = cluster_numbers(clusters[complied])
        within = _probable(verdicts["unsafe"].filter(complied), harmful[complied], numbers)
    harm = {**part.to_row(), "positives": int(known.sum()), "not_refused": base, "complied": within}
    return {"harm": harm}


def _probable(values: pl.Series, truth: Floats, clusters: Any) -> dict[str, Any]:
    score = values.to_numpy().astype(float)
    return _rows(bootstrap(clusters, harm_measure(score, truth, clusters)))


def _rows(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: figure.to_row() for name, figure in figures.items()}


def toxicity_entries(whole: Material, shipped: Models) -> list[dict[str, Any]]:
    """Return the AUC of the toxicity proxy on kept texts, by fits with and without their set.

    Replies, which it is never fitted on, are told by the fit that is shipped.
    """
    found, itself = [], ~whole.rows["noised"]
    for source in ALONE:
        inside = (whole.rows["source"] == source) & whole.rows["toxic"].is_not_null() & itself
        some = whole.only(inside & whole.rows["kept"])
        found.append(_toxic(source, "prompts", shipped, some, "toxic"))
        found.append(
            _toxic(source, "set", fit(whole.without([source]), still=CLOSE), some, "toxic")
        )
    for source in TOXIC_REPLIES:
        inside = (whole.rows["source"] == source) & whole.rows["unsafe"].is_not_null() & itself
        told = whole.only(inside)
        for language in told.rows["language"].unique().sort():
            some = told.only(told.rows["language"] == language)
            found.append(_toxic(source, "set", shipped, some, "unsafe"))
    return found


def _toxic(
    source: str, left_out: str, fitted: Models, some: Material, target: str
) -> dict[str, Any]:
    clusters = cluster_numbers(some.rows["cluster"].to_list())
    truth = some.rows[target].to_numpy().astype(float)
    figures = _probable(probabilities(fitted, some)["toxic"], truth, clusters)
    head = {"dataset": source, "left_out": left_out, "language": some.rows["language"][0]}
    return {**head, "toxicity": {"n": len(truth), "positives": int(truth.sum()), **figures}}


def shuffled(test: Material, judge: Any) -> dict[str, float]:
    """Return the share of complying replies that is responsive, to their prompts and to others'.

    Args:
        test: Rows with stances; those of compliance are taken.
        judge: A function from prompt and response to a frame with `responsive`.
    """
    rows = test.rows.filter(test.rows["stance"] == "compliance").sort("cluster", "id")
    # A reply goes to a prompt of another cluster, half the set away.
    other = rows["prompt"].gather([(n + len(rows) // 2) % len(rows) for n in range(len(rows))])
    own = judge(rows.select("prompt", "response"))["responsive"].mean()
    strange = judge(rows.select("response").with_columns(prompt=other))["responsive"].mean()
    return {"n": len(rows), "own": round(own, 4), "shuffled": round(strange, 4)}


def out_of_fold(folds: Sequence[Fold], whole: Material, target: str) -> Floats:
    """Return the log-odds that each row was told by the fit that had not seen it; else NaN.

    Rows that are kept to measure on are NaN too: nothing may be set by them.
    """
    import numpy as np
    import polars as pl

    told = pl.concat(fold.test.rows.select("id", value=fold.told[target]) for fold in folds).unique(
        "id"
    )
    joined = whole.rows.select("id").join(told, on="id", how="left", maintain_order="left")
    value = pl.select(value=pl.when(~whole.rows["kept"]).then(joined["value"]))["value"]
    odds: Floats = (value / (1 - value)).log().fill_null(np.nan).to_numpy()
    return odds
