"""`convsafe judge-eval`: measure a judge against human labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from convsafe.benchmark.judge_options import judge_options
from convsafe.benchmark.loading import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from convsafe.benchmark.evaluation import Evaluation
    from convsafe.benchmark.loading import JudgeSettings


@click.command("judge-eval")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--label", help="The column of human labels of stance; with --score, of numbers.")
@click.option("--judge", default=DEFAULT, show_default=True, help="The judge's name.")
@click.option("--prompt", help="The column of requests  [default: guessed]")
@click.option("--response", help="The column of replies  [default: guessed]")
@click.option("--id", "id", help="The column of ids  [default: id, or the row's number]")
@click.option("--map", "maps", multiple=True, metavar="LABEL=STANCE", help="What a label means.")
@click.option("--skip", multiple=True, metavar="LABEL", help="Leave rows of this label out.")
@click.option("--unsafe", metavar="COLUMN", help="Whether a reply is harmful, yes or no.")
@click.option("--graded", metavar="COLUMN", help="A number to correlate the judge with.")
@click.option(
    "--level",
    type=click.Choice(["turn", "dialogue", "system"]),
    default="turn",
    show_default=True,
    help="What a grade is of; dialogues and systems are compared by their means.",
)
@click.option("--group", metavar="COLUMN", help="What tells dialogues or systems apart.")
@click.option(
    "--score", metavar="NAME", help="The score to correlate, of a judge that gives scores."
)
@click.option("--by", multiple=True, metavar="COLUMN", help="Slice by a column; may be repeated.")
@click.option("--include-seen", is_flag=True, help="Count rows the judge was fitted on too.")
@click.option("--language", default="en", show_default=True, help="The replies' language.")
@click.option("--dataset", help="The set's name in the judge's card  [default: the file's folder]")
@click.option("--write", is_flag=True, help="Write the figures into the judge's card.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the verdicts here, as JSONL.")
@click.option("--card", type=click.Path(path_type=Path), help="Write a judge card here, a folder.")
@judge_options
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(
    file: Path,
    label: str | None,
    judge: str,
    prompt: str | None,
    response: str | None,
    id: str | None,
    maps: tuple[str, ...],
    skip: tuple[str, ...],
    unsafe: str | None,
    graded: str | None,
    score: str | None,
    level: str,
    group: str | None,
    by: tuple[str, ...],
    include_seen: bool,
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
    measured on the same rows. Rows that a judge was fitted on are left out. Without
    --label only numbers are compared: with --unsafe the probability of harm, with --graded that or
    the score that --score names. With --score, --label names the column of numbers too.
    A column `inclusion_probability`, as `convsafe judge import-labels` writes, weights the rows.
    """
    from convsafe.benchmark.agreement import LabelledFile, meanings
    from convsafe.benchmark.counted_rows import Compared
    from convsafe.benchmark.evaluation import evaluate
    from convsafe.benchmark.judge_cards import number_text, text, write_card
    from convsafe.benchmark.number_eval import evaluate_numbers

    columns = {"prompt": prompt, "response": response, "id": id}
    if label is None or score is not None:
        # Numbers alone are compared, whichever option names their column.
        if graded is None:
            graded, label = label, None
        stray = {"--map": maps, "--skip": skip, "--by": by, "--write": write, "--card": card}
        _refuse_of_stances({"--label": label, **stray})
        label = None
    how = Compared(unsafe, graded, level, group, include_seen)
    if label is None:
        numbers = evaluate_numbers(
            file, how, judge=judge, score=score, **columns, settings=settings
        )
        _show(numbers, number_text, out, as_json)
        return
    if write:
        _check_card(judge)
    labelled = LabelledFile(file, label, **columns, labels=meanings(maps), skip=skip)
    found = evaluate(labelled, how, judge=judge, by=by, settings=settings)
    if write:
        _record(found, dataset or file.resolve().parent.name, language)
    if card is not None:
        write_card(found, card)
    _show(found, text, out, as_json)


def _refuse_of_stances(stray: Mapping[str, Any]) -> None:
    """Refuse options that are for stances, where only numbers are compared."""
    from convsafe.taxonomy.errors import BadInput

    if wrong := [option for option, value in stray.items() if value]:
        raise BadInput(f"{wrong[0]} is for stances: leave it out, or give --label and no --score")


def _check_card(judge: str) -> None:
    """Refuse to write into a card that there is not, before anything is measured."""
    from convsafe.benchmark.keyword_judges import BASELINES
    from convsafe.benchmark.loading import JUDGES
    from convsafe.taxonomy.errors import BadInput

    if judge in BASELINES.names() and judge not in JUDGES.names():
        raise BadInput(f"{judge!r} is a keyword list, which has no card: leave --write out")


def _record(found: Evaluation, dataset: str, language: str) -> None:
    """Write the figures into the judge's card."""
    from convsafe.benchmark.agreement import record
    from convsafe.benchmark.evaluation import recorded

    more = recorded(found) | {"judge_version": found.of["judge_version"]}
    record(found.of["judge"], dataset, language, found.agreement, more)


def _show(found: Any, text: Callable[[Any], str], out: Path | None, as_json: bool) -> None:
    """Write the verdicts, and print what was found."""
    from convsafe.benchmark.judge_file import write_verdicts

    if out is not None:
        write_verdicts(found.verdicts, out)
    shown = json.dumps(found.to_row(), indent=2, ensure_ascii=False) if as_json else text(found)
    click.echo(shown)
