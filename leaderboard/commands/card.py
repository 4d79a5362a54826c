"""`convsafe card`: print what a model's card, the data set or a Space says on the Hub."""

from __future__ import annotations

import json
from pathlib import Path

import click
from convsafe.taxonomy.errors import BadInput

_OF_MODEL = ("eval-results", "model-index")
_OTHERS = ("eval-yaml", "space")


@click.command()
@click.argument("scored", metavar="[RESULT|RUN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--form",
    "forms",
    type=click.Choice([*_OF_MODEL, *_OTHERS]),
    multiple=True,
    help="What to print; may be repeated  [default: eval-results and model-index]",
)
@click.option("--dataset", default="org/convsafe-bench", show_default=True, help="On the Hub.")
@click.option("--source", help="A web page with the details, as the board's Space.")
@click.option("--revision", help="The commit of the data set that was used.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A copy of the model's repository: writes .eval_results/convsafe-bench.yaml there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the texts as JSON, by their place.")
def command(
    scored: Path | None,
    forms: tuple[str, ...],
    dataset: str,
    source: str | None,
    revision: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Print the scores of a board's RESULT or of a scored RUN for the model's own card.

    `--form eval-yaml` prints what registers the data set as a benchmark, `--form space` the front
    matter of the board's Space; neither needs a result.
    """
    from convsafe.leaderboard.card import EVAL_RESULTS, eval_results, model_index, read_scored
    from convsafe.taxonomy.files import write_text

    texts: dict[str, str] = {}
    forms = forms or _OF_MODEL
    if set(forms) & set(_OF_MODEL) or out is not None:
        if scored is None:
            raise BadInput("give a result of the board, or a scored run")
        found = read_scored(scored)
        texts[EVAL_RESULTS] = eval_results(found, dataset, source=source, revision=revision)
        texts["README.md of the model"] = f"---\n{model_index(found, dataset, source=source)}---\n"
    if out is not None:
        write_text(out / EVAL_RESULTS, texts[EVAL_RESULTS])
    kept = dict(zip(_OF_MODEL, list(texts.items()), strict=False)) | _others()
    asked = dict(kept[form] for form in forms)
    if as_json:
        click.echo(json.dumps(asked, indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(f"# {place}\n{text}" for place, text in asked.items()), nl=False)


def _others() -> dict[str, tuple[str, str]]:
    """Return the texts that are of no model, with their place."""
    from convsafe.data_builders.eval_file import EVAL_FILE, eval_file

    card = Path(__file__).parents[1] / "app" / "README.md"
    front = card.read_text(encoding="utf-8").split("\n\n")[0] + "\n"
    return {
        "eval-yaml": (f"{EVAL_FILE} of the data set", eval_file()),
        "space": ("README.md of the Space", front),
    }
