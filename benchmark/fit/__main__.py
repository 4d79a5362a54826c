"""Fit the embedded judge, validate it and write its weights: python -m convsafe.benchmark.fit."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from convsafe.taxonomy.files import write_json, write_text

if TYPE_CHECKING:
    from convsafe.benchmark.fit.embedded import Cut, Material
    from convsafe.benchmark.fit.validate import Fold


@click.command()
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    default=Path("dist/labels/labels.parquet"),
    show_default=True,
    help="What `convsafe labels` wrote.",
)
@click.option("--validate/--no-validate", default=True, help="Measure too, and write the card.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the weights elsewhere.")
def main(labels: Path, validate: bool, out: Path | None) -> None:
    """Fit the embedded judge's weights and measure it on what it was not fitted on."""
    from convsafe.benchmark.fit.embedded import material
    from convsafe.benchmark.fit.rows import fitting_rows
    from convsafe.benchmark.fit.words import toxicity_rows

    whole = material(fitting_rows(labels), toxicity_rows(labels))
    click.echo(f"{len(whole.rows)} rows, {whole.rows['kept'].sum()} kept to measure on", err=True)
    write(whole, out, validate)


def write(whole: Material, out: Path | None, validate: bool) -> None:
    """Fit on what is not kept, with the calibration of sets left out, and write it."""
    from convsafe.benchmark.fit.embedded import calibrated, cut_of, fit
    from convsafe.benchmark.fit.validate import clusters_left_out, out_of_fold, sets_left_out
    from convsafe.benchmark.judges._weights import EMBEDDED, REQUEST, TOXICITY
    from convsafe.benchmark.seen import write_seen

    folds = list(sets_left_out(whole))
    # Refusal has sets enough to be calibrated on those left out; harm has our own alone.
    odds = out_of_fold(list(clusters_left_out(whole)), whole, "unsafe")
    known = {
        "refused": calibrated(whole, "refused", out_of_fold(folds, whole, "refused")),
        "unsafe": calibrated(whole, "unsafe", odds),
    }
    cut = cut_of(whole, odds, known["unsafe"])
    fitted = fit(whole.only(~whole.rows["kept"]), known)
    folder = out or EMBEDDED.parent
    folder.mkdir(parents=True, exist_ok=True)
    write_json(
        folder / EMBEDDED.name,
        {"refused": fitted.refused, "unsafe": fitted.unsafe | {"threshold": cut.threshold}},
    )
    write_json(folder / TOXICITY.name, {"phrases": fitted.toxicity})
    write_json(folder / REQUEST.name, {"phrases": fitted.request})
    seen = whole.rows.filter(~whole.rows["kept"]).select("prompt", "response")
    write_seen(folder / "embedded.seen.txt", seen.iter_rows())
    click.echo(f"wrote {folder}", err=True)
    if validate:
        card(whole, folds, known, cut, folder)


def card(whole: Material, folds: list[Fold], known: dict[str, Any], cut: Cut, folder: Path) -> None:
    """Write what was measured as the judge's card, and say it."""
    from convsafe.benchmark.fit.embedded import fit
    from convsafe.benchmark.fit.pages import page
    from convsafe.benchmark.fit.validate import (
        entries,
        models_left_out,
        prompts_left_out,
        shuffled,
        toxicity_entries,
    )
    from convsafe.benchmark.judges import embedded
    from convsafe.benchmark.loading import JUDGES

    plain = fit(whole.only(~whole.rows["kept"]))
    every = [*folds, *models_left_out(whole), *prompts_left_out(whole, plain)]
    found = [entry for fold in every for entry in entries(fold, known, cut.threshold)]
    stamp = {"judge_version": embedded.VERSION, "date": date.today().isoformat()}
    rows = [{**entry, **stamp} for entry in (*found, *toxicity_entries(whole))]
    path = folder / "embedded.validation.json"
    write_json(path, rows)
    # A card holds what people said of sets that were left out whole.
    sets = [row for row in rows if row.get("labels") == "people" and row["left_out"] == "set"]
    write_json(JUDGES.folder / "embedded.agreement.json", sets)
    natural = whole.only(whole.rows["source"] == "own_natural")
    text = page(rows, shuffled(natural, embedded.judge), cut, embedded.SUMMARY)
    write_text(folder / "embedded.md", text)
    click.echo(text)


if __name__ == "__main__":
    main()
