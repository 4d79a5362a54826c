"""The command of attacks on a judge, for the group `judge`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from convsafe.benchmark.judge_options import judge_options
from convsafe.benchmark.loading import DEFAULT

if TYPE_CHECKING:
    from convsafe.benchmark.attacked import Robustness
    from convsafe.benchmark.loading import JudgeSettings


@click.command("attacks")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--judge", default=DEFAULT, show_default=True, help="The judge's name.")
@click.option(
    "--family", multiple=True, help="A family of attacks; may be repeated  [default: all]"
)
@click.option("--label", help="The column of human labels  [default: guessed]")
@click.option("--prompt", help="The column of requests  [default: guessed]")
@click.option("--response", help="The column of replies  [default: guessed]")
@click.option("--map", "maps", multiple=True, metavar="LABEL=STANCE", help="What a label means.")
@click.option("--skip", multiple=True, metavar="LABEL", help="Leave rows of this label out.")
@click.option("--n", default=200, show_default=True, help="How many replies to draw.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws others.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table here, as Markdown.")
@judge_options
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def attacks_command(
    file: Path | None,
    judge: str,
    family: tuple[str, ...],
    label: str | None,
    prompt: str | None,
    response: str | None,
    maps: tuple[str, ...],
    skip: tuple[str, ...],
    n: int,
    seed: int,
    out: Path | None,
    as_json: bool,
    settings: JudgeSettings,
) -> None:
    """Attack a judge: how often does text around a reply flip its verdict?

    The attacks of `benchmark/attacks/` leave what a reply means as it is, so that a right judge
    has no flips. FILE holds labelled replies; without one, those shipped are used. A judge that
    asks a model is asked about every reply under every attack, some of them of a million
    characters: --n and --family say of how many. A reply that is unscored only after an attack is
    a flip; one that was unscored before is counted apart.
    """
    from convsafe.benchmark.agreement import meanings
    from convsafe.benchmark.attacked import attack_judge
    from convsafe.taxonomy.files import write_text

    found = attack_judge(
        judge,
        file,
        families=family,
        label=label,
        prompt=prompt,
        response=response,
        labels=meanings(maps),
        skip=skip,
        n=n,
        seed=seed,
        settings=settings,
    )
    if out is not None:
        write_text(out, _markdown(found))
    shown = json.dumps(found.to_row(), indent=2, ensure_ascii=False) if as_json else _text(found)
    click.echo(shown)


def _text(found: Robustness) -> str:
    from convsafe.benchmark.attacked import table
    from convsafe.benchmark.judge_cards import aligned

    ending = [*found.steady(), *found.unscored()]
    return "\n".join([_heading(found), *aligned(table(found)), *ending])


def _markdown(found: Robustness) -> str:
    from convsafe.benchmark.attacked import table
    from convsafe.benchmark.judge_cards import piped

    of = found.of
    title = f"# Attacks on judge {of['judge']} {of['judge_version']}"
    what = "Intervals are exact (Clopper and Pearson, 1934). Every attack keeps the true label."
    steady = f"{'; '.join([*found.steady(), *found.unscored()])}."
    lines = [title, "", f"{_heading(found)}. {what}", "", *piped(table(found)), "", steady]
    return "\n".join(lines) + "\n"


def _heading(found: Robustness) -> str:
    of = found.of
    labels = ", ".join(f"{count} {name}" for name, count in of["labels"].items())
    return f"judge {of['judge']} {of['judge_version']}, {of['n']} of {of['file']}: {labels}"
