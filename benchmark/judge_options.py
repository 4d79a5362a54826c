"""The options of every command that takes a judge which asks a server."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from convsafe.benchmark.answers import MAX_TOKENS
from convsafe.benchmark.loading import CONCURRENCY

_OPTIONS = (
    click.option(
        "--endpoint",
        metavar="URL#MODEL",
        help="The model a judge asks; or local, or transformers:MODEL_OR_PATH.",
    ),
    click.option("--rubric", metavar="NAME|FILE", help="What a judge goes by; see the README."),
    click.option("--allow-self", is_flag=True, help="Let a model judge its own replies."),
    click.option(
        "--cache",
        type=click.Path(path_type=Path),
        help="Keep the judge's answers here  [default: in the user's cache]",
    ),
    click.option("--price", metavar="IN/OUT", help="Price of a million tokens; shows the cost."),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        help=f"The longest answer to a judge by rubric, thoughts included  [default: {MAX_TOKENS}]",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        help=f"Requests to the judge's model under way at once  [default: {CONCURRENCY}]",
    ),
)


def judge_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, as one argument `settings`; say at its end what was asked.

    None has a default here, so that one that was given to a judge without use for it is refused.
    The command must have `as_json`, which leaves the progress bar out.
    """

    @functools.wraps(command)
    def wrapped(
        *,
        endpoint: str | None,
        rubric: str | None,
        allow_self: bool,
        cache: Path | None,
        price: str | None,
        max_tokens: int | None,
        concurrency: int | None,
        as_json: bool,
        **others: Any,
    ) -> None:
        from convsafe.benchmark.answers import price_of
        from convsafe.benchmark.loading import JudgeSettings

        settings = JudgeSettings(
            endpoint=endpoint,
            rubric=rubric,
            allow_self=allow_self,
            cache=cache,
            price=price_of(price) if price else None,
            max_tokens=max_tokens,
            concurrency=concurrency,
            progress=not as_json,
        )
        try:
            command(**others, as_json=as_json, settings=settings)
        finally:
            # What was asked is paid for, also where the command then failed.
            if settings.spent.requests or settings.spent.cached:
                click.echo(f"judge: {settings.spent.text(settings.price)}", err=True)
            for note in settings.notes:
                click.echo(f"judge: {note}", err=True)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
