"""`convsafe transforms`: list the transforms, or see what one makes of a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from convsafe.data_builders.transform import Transformer

_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.group()
def command() -> None:
    """List the transforms, or try one on a text of your own."""


@command.command("list")
@click.argument("names", nargs=-1)
@_JSON
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """List every transform, or those that NAMES stand for: `cipher`, `style/slang` …."""
    from convsafe.data_builders import transform

    found = transform.find_all(names or ["all"])
    if as_json:
        click.echo(json.dumps([_row(each) for each in found], ensure_ascii=False, indent=2))
        return
    width = max(len(str(each)) for each in found)
    for each in found:
        click.echo(f"{each!s:<{width}}  {each.part.about} [{each.part.after}]")


@command.command("try")
@click.argument("name")
@click.argument("text")
@click.option("--language", default="en", show_default=True, help="BCP-47 tag of the text.")
@_JSON
def try_(name: str, text: str, language: str, as_json: bool) -> None:
    """Print the messages that the transform NAME makes of TEXT.

    Exits with 1 where it does not fit, and says why.
    """
    from convsafe.data_builders.transform import find

    made = {str(each): _made(each, text, language) for each in find(name)}
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False, indent=2))
    else:
        for title, found in made.items():
            click.echo(f"{title}:{_shown(found)}")
    if all(isinstance(found, str) for found in made.values()):
        raise SystemExit(1)


def _made(each: Transformer, text: str, language: str) -> str | list[dict[str, str]]:
    """Return the messages a transform makes, or why it does not fit."""
    from convsafe.data_builders.transform import NotApplicable, of_text

    try:
        return [turn._asdict() for turn in of_text(each, text, language)]
    except NotApplicable as why:
        return str(why)


def _row(each: Transformer) -> dict[str, Any]:
    return {
        "kind": each.kind.name,
        "name": each.name,
        "about": each.part.about,
        "after": each.part.after,
        "config": each.kind.config,
        "source": each.part.source,
    }


def _shown(found: str | list[dict[str, str]]) -> str:
    if isinstance(found, str):
        return f" not applicable, {found}"
    return "".join(f"\n  {turn['role']}: {turn['content']}" for turn in found)
