"""`convsafe check`: measure our own prompts against the limits a release must keep."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(as_json: bool) -> None:
    """Check that our own twins differ in intent and not in words, and that texts are varied.

    Exits with 1 where a limit is broken.
    """
    from convsafe.data_builders import quality
    from convsafe.data_builders.core import own_cases

    found = quality.check_prompts(own_cases())
    if as_json:
        click.echo(json.dumps(found.to_row(), indent=2))
    else:
        click.echo(
            f"base cases                       {found.bases:>7,}"
            f"   at least {quality.LEAST_BASES:,}\n"
            f"requests with a twin             {found.requests:>7,}\n"
            f"AUC of words, leaves held out    {found.auc:>7.3f}   at most {quality.MOST_AUC}\n"
            f"AUC of length alone              {found.length_auc:>7.3f}\n"
            f"most frequent template           {found.template_share:>7.2%}"
            f"   at most {quality.MOST_TEMPLATE:.0%}: {found.template}\n"
            f"most frequent opening            {found.opening_share:>7.2%}"
            f"   at most {quality.MOST_TEMPLATE:.0%}: {found.opening}\n"
            f"largest near-duplicate cluster   {found.largest_cluster:>7}"
            f"   at most {quality.MOST_CLUSTER}"
        )
        for problem in found.problems():
            click.echo(f"broken: {problem}", err=True)
    raise SystemExit(1 if found.problems() else 0)
