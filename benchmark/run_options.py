"""The options of every command that asks a model: how fast, how often, and for what money."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_OPTIONS = (
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        default=16,
        show_default=True,
        help="The most requests under way at once; fewer while the server objects.",
    ),
    click.option("--rpm", type=click.FloatRange(min=1), help="The most requests a minute."),
    click.option("--tpm", type=click.FloatRange(min=1), help="The most tokens a minute."),
    click.option(
        "--patience",
        type=click.FloatRange(min=0),
        default=300.0,
        show_default=True,
        help="Seconds to wait for a server that answered before and is gone.",
    ),
    click.option(
        "--price", metavar="IN/OUT", help="What a million tokens of the model cost, in and out."
    ),
    click.option(
        "--prices",
        type=click.Path(path_type=Path, exists=True),
        help="A file of prices by model  [default: CONVSAFE_PRICES, or benchmark/prices.yaml]",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0),
        help="Stop when this is spent on the model, and on others that speak for users or look"
        " again; judges and guards are not counted.",
    ),
)


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, as two arguments, `limits` and `budget`."""

    @functools.wraps(command)
    def wrapped(
        *,
        concurrency: int,
        rpm: float | None,
        tpm: float | None,
        patience: float,
        price: str | None,
        prices: Path | None,
        max_cost: float | None,
        **others: Any,
    ) -> None:
        from convsafe.benchmark.answers import price_of
        from convsafe.benchmark.costs import Budget, Price
        from convsafe.benchmark.limits import Limits

        limits = Limits(concurrency, rpm, tpm, patience)
        budget = Budget(Price(*price_of(price)) if price else None, max_cost, prices)
        command(limits=limits, budget=budget, **others)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
