"""`convsafe judge-eval`: measure a judge against human labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.benchmark.judge_options import judge_options

if TYPE_CHECKING:
    from convsafe.benchmark.loading import JudgeSettings


@click.command("judge-eval")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--label", required=True, help="The column of human labels.")
@click.option("--judge", default="rules", show_default=True, help="The judge's name.")
@click.option("--prompt", help="The column of requests  [default: guessed]")
@click.option("--response", help="The column of replies  [default: guessed]")
@click.option("--id", "id", help="The column of ids  [default: id, or the row's number]")
@click.option("--map", "maps", multiple=True, metavar="LABEL=STANCE", help="What a label means.")
@click.option("--skip", multiple=True, metavar="LABEL", help="Leave rows of this label out.")
@click.option("--unsafe", metavar="COLUMN", help="Whether a reply is harmful, yes or no.")
@click.option("--graded", metavar="COLUMN", help="A number to correlate the judge with.")
@click.option("--by", multiple=True, metavar="COLUMN", help="Slice by a column; may be repeated.")
@click.option("--language", default="en", show_default=True, help="The replies' language.")
@click.option("--dataset", help="The set's name in the judge's card  [default: the file's folder]")
@click.option("--write", is_flag=True, help="Write the figures into the judge's card.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the verdicts here, as JSONL.")
@click.option("--card", type=click.Path(path_type=Path), help="Write a judge card here, a folder.")
@judge_options
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(
    file: Path,
    label: str,
    judge: str,
    prompt: str | None,
    response: str | None,
    id: str | None,
    maps: tuple[str, ...],
    skip: tuple[str, ...],
    unsafe: str | None,
    graded: str | None,
    by: tuple[str, ...],
    language: str,
    dataset: str | None,
    write: bool,
    out: Path | None,
    card: Path | None,
    as_json: bool,
    settings: JudgeSettings,
) -> None:
    """Measure a judge's agreement with human labels in a CSV, JSON, JSONL or Parquet file.

    Intervals are 95 %, from 2,000 draws of whole prompts. A partial refusal counts as refused
    where only two classes are told apart. The keyword lists of `benchmark/baselines/` are
    measured on the same rows.
    """
    from convsafe.benchmark.agreement import record
    from convsafe.benchmark.evaluation import evaluate
    from convsafe.benchmark.judge_cards import text, write_card
    from convsafe.benchmark.judge_file import write_verdicts

    found = evaluate(
        file,
        label,
        judge=judge,
        prompt=prompt,
        response=response,
        id=id,
        labels=_meanings(maps),
        skip=skip,
        unsafe=unsafe,
        graded=graded,
        by=by,
        settings=settings,
    )
    if write:
        name, version = found.of["judge"], found.of["judge_version"]
        folder = file.resolve().parent.name
        record(name, dataset or folder, language, found.agreement, version)
    if out is not None:
        write_verdicts(found.verdicts, out)
    if card is not None:
        write_card(found, card)
    shown = json.dumps(found.to_row(), indent=2, ensure_ascii=False) if as_json else text(found)
    click.echo(shown)


def _meanings(maps: tuple[str, ...]) -> dict[str, str]:
    """Return what each label means; a stance that is none is an error."""
    from convsafe.taxonomy.errors import BadInput
    from convsafe.taxonomy.records import STANCES

    if wrong := [entry for entry in maps if entry.rpartition("=")[2] not in STANCES]:
        raise BadInput(f"--map {wrong[0]}: write LABEL=STANCE, a stance of {', '.join(STANCES)}")
    return dict(entry.rpartition("=")[::2] for entry in maps)
