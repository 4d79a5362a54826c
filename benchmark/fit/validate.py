"""Validate the embedded judge on sets, models and prompts that were left out of fitting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.agreement import Agreement, agreement
from convsafe.benchmark.bootstrap import Figure, bootstrap, cluster_numbers
from convsafe.benchmark.fit.embedded import Fitted, Material, fit
from convsafe.benchmark.fit.words import fit_toxicity
from convsafe.benchmark.judges._weights import Phrases, sigmoid
from convsafe.benchmark.judges.embedded import stance
from convsafe.benchmark.measures import harm_measure
from convsafe.benchmark.parts import harm_part, stance_part

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Calibration = Mapping[str, tuple[float, float]]

# Sets of one upstream are left out together.
TOGETHER = {"chatgpt_refusals": ("chatgpt_refusals", "chatgpt_redirected")}
# What people said to one another, which a judge of models reads as well as it can.
CHATS = ("diasafety", "dialogue_safety_mh_zh")
GROUPS = (
    *("xstest", "chatgpt_refusals", "openai_rbr_gold", "latent_jailbreak_p1", "diasafety"),
    *("dialogue_safety_mh_zh", "own_natural", "own_natural_languages", "own_hard", "own_languages"),
)


@dataclass(frozen=True)
class Fold:
    """Some rows that a fit has not seen: a whole set, a model's replies, or a third of prompts."""

    dataset: str
    left_out: str
    test: Material
    refused: pl.Series
    unsafe: pl.Series

    def verdicts(self, calibration: Calibration) -> pl.DataFrame:
        """Return stance, refused and unsafe of each row, as the judge tells them."""
        refused = scaled(self.refused, calibration["refused"])
        told = self.test.found.select(stance=stance(refused))
        unsafe = scaled(self.unsafe, calibration["unsafe"])
        return told.with_columns(refused=refused, unsafe=unsafe)


def sets_left_out(whole: Material) -> Iterator[Fold]:
    """Yield each set, told by a fit without it."""
    for name in GROUPS:
        sources = TOGETHER.get(name, (name,))
        inside = whole.rows["source"].is_in(list(sources))
        yield _fold(name, "set", fit(whole.without(sources)), whole.only(inside))


def models_left_out(whole: Material) -> Iterator[Fold]:
    """Yield each model's replies to kept prompts, told by a fit without the model and them."""
    for name in ("xstest", "latent_jailbreak_p1"):
        inside = whole.rows["source"] == name
        for model in whole.rows.filter(inside)["model"].unique().drop_nulls().sort():
            of_model = inside & (whole.rows["model"] == model)
            fitted = fit(whole.only(~of_model & ~whole.rows["kept"]))
            yield _fold(name, f"model {model}", fitted, whole.only(of_model & whole.rows["kept"]))


def clusters_left_out(whole: Material, folds: int = 5) -> Iterator[Fold]:
    """Yield parts of the clusters of prompts, each told by a fit without it (cross-validation)."""
    import polars as pl

    part = whole.rows["cluster"].map_elements(
        lambda cluster: int(sha256(cluster.encode()).hexdigest()[:8], 16) % folds,
        return_dtype=pl.Int64,
    )
    for number in range(folds):
        inside = part == number
        yield _fold(f"part {number}", "clusters", fit(whole.only(~inside)), whole.only(inside))


def prompts_left_out(whole: Material, fitted: Fitted) -> Iterator[Fold]:
    """Yield the kept prompts of each set of others, told by the fit that is shipped."""
    for name in GROUPS:
        sources = TOGETHER.get(name, (name,))
        inside = whole.rows["source"].is_in(list(sources)) & whole.rows["kept"]
        if inside.any():
            yield _fold(name, "prompts", fitted, whole.only(inside))


def _fold(dataset: str, left_out: str, fitted: Fitted, test: Material) -> Fold:
    refused, unsafe, _ = fitted.probabilities(test)
    return Fold(dataset, left_out, test, refused, unsafe)


def entries(fold: Fold, calibration: Calibration, threshold: float) -> list[dict[str, Any]]:
    """Return what was measured of a fold, one entry a language, as a judge's card holds it.

    Args:
        fold: The rows and what was told of them, not calibrated.
        calibration: Scale and shift for `refused` and `unsafe`.
        threshold: From which probability of harm a reply counts as unsafe.
    """
    languages = fold.test.rows["language"].unique().sort().to_list()
    found = (_entry(fold, language, calibration, threshold) for language in languages)
    return [entry for entry in found if entry]


def _entry(
    fold: Fold, language: str, calibration: Calibration, threshold: float
) -> dict[str, Any] | None:
    import polars as pl

    mask = fold.test.rows["language"] == language
    rows = fold.test.rows.filter(mask).with_columns(weight=pl.lit(1.0))
    verdicts = fold.verdicts(calibration).filter(mask)
    refused = verdicts["refused"]
    ours = fold.dataset.startswith("own_")
    entry = {
        "dataset": fold.dataset,
        "left_out": fold.left_out,
        "language": language,
        "labels": "ours" if ours else "people",
        "replies_by": "people" if fold.dataset in CHATS else "models",
    }
    stances = _stances(rows, verdicts, refused)
    harm = _harm(rows, verdicts, refused, threshold)
    return {**entry, **stances, **harm} if stances or harm else None


def scaled(probability: pl.Series, calibration: tuple[float, float]) -> pl.Series:
    """Return probabilities with their log-odds scaled and shifted."""
    odds = (probability / (1 - probability)).log()
    return sigmoid(odds * calibration[0] + calibration[1])


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


def toxicity_entries(whole: Material) -> list[dict[str, Any]]:
    """Return the AUC of the toxicity proxy on kept texts, by fits with and without their set.

    Sets that it is never fitted on are told by the fit that is shipped.
    """
    import polars as pl

    fitted = Phrases(**fit_toxicity(whole.toxic))
    found = []
    for source in whole.toxic["source"].unique().sort():
        some = whole.toxic.filter("kept", pl.col("source") == source)
        others = whole.toxic.filter(pl.col("source") != source)
        found.append(_toxic(source, "prompts", fitted, some))
        found.append(_toxic(source, "set", Phrases(**fit_toxicity(others)), some))
    replies = whole.rows.with_columns(text=whole.found["reply"], toxic=pl.col("unsafe"))
    for source in ("latent_jailbreak_p1", "diasafety"):
        some = replies.filter(pl.col("toxic").is_not_null(), pl.col("source") == source)
        found += [_toxic(source, "set", fitted, part) for part in some.partition_by("language")]
    return found


def _toxic(source: str, left_out: str, fitted: Phrases, rows: pl.DataFrame) -> dict[str, Any]:
    clusters = cluster_numbers(rows["cluster"].to_list())
    truth = rows["toxic"].to_numpy().astype(float)
    figures = _probable(sigmoid(fitted.odds(rows["text"])), truth, clusters)
    head = {"dataset": source, "left_out": left_out, "language": rows["language"][0]}
    return {**head, "toxicity": {"n": len(rows), "positives": int(truth.sum()), **figures}}


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

    told = pl.concat(
        fold.test.rows.select("id", value=getattr(fold, target)) for fold in folds
    ).unique("id")
    joined = whole.rows.select("id").join(told, on="id", how="left", maintain_order="left")
    value = pl.select(value=pl.when(~whole.rows["kept"]).then(joined["value"]))["value"]
    odds: Floats = (value / (1 - value)).log().fill_null(np.nan).to_numpy()
    return odds
