"""What a run costs: tokens times the prices of a table, estimated before and counted on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.details import read_details
from convsafe.benchmark.limits import CHARACTERS
from convsafe.benchmark.run_log import RunLog
from convsafe.benchmark.session import add_tokens
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    from convsafe.benchmark.model import Params
    from convsafe.benchmark.runs import Pending, Run
    from convsafe.benchmark.session import Speaker

TABLE = Path(__file__).parent / "prices.yaml"
_MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """What a million tokens of requests (`input`) and of replies (`output`) cost."""

    input: float
    output: float
    currency: str = "USD"

    def of(self, usage: dict[str, int]) -> float:
        """Return what these tokens cost."""
        sent, made = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        return (sent * self.input + made * self.output) / _MILLION


FREE = Price(0.0, 0.0)


def find_price(model: str, table: str | Path | None = None) -> Price | None:
    """Return a model's price from a table, or None if it has no line there.

    Args:
        model: The model's name.
        table: A YAML file; by default the one that `CONVSAFE_PRICES` names, or our own.

    Raises:
        BadInput: If the table is not of the form of `benchmark/prices.yaml`.
    """
    from convsafe.taxonomy.tree import read_yaml

    path = Path(table or os.environ.get("CONVSAFE_PRICES") or TABLE)
    data = read_yaml(path)
    try:
        currency = str(data["currency"])
        for line in data["models"]:
            price = Price(float(line["input"]), float(line["output"]), currency)
            if fnmatchcase(model, str(line["name"])):
                return price
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            "a table of prices has `currency` and `models`, a list of {name, input, output}",
            file=path,
        ) from None
    return None


@dataclass(frozen=True)
class Expected:
    """What a run is expected to take, by the length of its cases.

    `tokens_in` counts four characters a token; `tokens_out` is the most that is allowed.
    """

    tokens_in: int
    tokens_out: int
    cost: float | None
    currency: str

    def __str__(self) -> str:
        """Return it in words."""
        tokens = f"about {self.tokens_in:,} tokens in, at most {self.tokens_out:,} out"
        if self.cost is None:
            return f"{tokens}; no price is known"
        return f"{tokens}: at most {self.cost:.2f} {self.currency}"


def expected(price: Price | None, pending: Pending, params: Params) -> Expected:
    """Return what the rest of a run is expected to take if every case is asked once."""
    import polars as pl

    text = pl.col("messages").list.eval(pl.element().struct.field("content").str.len_chars())
    found = pl.scan_parquet(pending.path).select(text.list.sum().mean()).collect(engine="streaming")
    sent = int((found.item() or 0) * len(pending) / CHARACTERS)
    made = params.max_tokens * len(pending)
    usage = {"prompt_tokens": sent, "completion_tokens": made}
    cost = price.of(usage) if price else None
    return Expected(sent, made, cost, price.currency if price else "")


def saved_usage(path: Path) -> dict[str, int]:
    """Return the tokens that a file of generations tells of, by their kind."""
    import polars as pl

    kinds = ("prompt_tokens", "completion_tokens")
    schema = {"usage": pl.Struct(dict.fromkeys(kinds, pl.Int64))}
    if not path.exists() or not path.stat().st_size:
        return {}
    try:
        found = pl.scan_ndjson(path, schema=schema).unnest("usage").sum().collect()
    except pl.exceptions.PolarsError:
        # Some texts, as lone surrogates, only Python's own reader takes.
        found = read_details(path).select(*kinds).sum()
    return {name: int(found[name].item() or 0) for name in kinds}


@dataclass
class Budget:
    """What has been spent on a run, and what may be.

    Args:
        price: What tokens cost; by default what the table says.
        most: What may be spent on the run in all; the replies under way may take it over that.
        table: A file of prices; by default the one that `CONVSAFE_PRICES` names, or our own.

    `others` are the models that are asked besides, as one that speaks for a user, each with its
    price; one of which none is known costs nothing here, and `to_row` names it.
    """

    price: Price | None = None
    most: float | None = None
    table: Path | None = None
    usage: dict[str, int] = field(default_factory=dict)
    before: float = 0.0
    others: Sequence[tuple[Speaker, Price | None]] = ()

    def begun(self, run: Run, model: str, others: Sequence[Speaker] = ()) -> Budget:
        """Return the budget of a run that may have spent something before.

        Args:
            run: The run.
            model: The name of the model under test.
            others: Who is asked besides.

        Raises:
            BadInput: If there is a limit, and no price of one of the models.
        """
        price = self.price or find_price(model, self.table)
        beside = [
            (one, price if one.name == model else find_price(one.name, self.table))
            for one in others
        ]
        lacking = [name for name, known in ((model, price), *_named(beside)) if known is None]
        if self.most is not None and lacking:
            raise BadInput(
                f"no price is known of model {lacking[0]!r}, so that no cost can be limited: give"
                " it a line in a file of prices and name that with --prices"
            )
        logged = RunLog.read(run.folder).cost or 0.0
        # A part that was killed wrote no line, but its generations tell what it took.
        before = max(logged, price.of(saved_usage(run.generations_path))) if price else logged
        return replace(self, price=price, usage={}, before=before, others=beside)

    @property
    def cost(self) -> float | None:
        """What was spent since the run was last begun."""
        if self.price is None:
            return None
        beside = sum(price.of(one.usage) for one, price in self.others if price)
        return self.price.of(self.usage) + beside

    def add(self, usage: dict[str, int]) -> None:
        """Count the tokens of a case."""
        add_tokens(self.usage, usage)

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be asked."""
        return self.most is not None and self.before + (self.cost or 0.0) >= self.most

    def __str__(self) -> str:
        """Return what was spent in words, the run's earlier parts included."""
        if self.price is None:
            return "no price is known"
        return f"{self.before + (self.cost or 0.0):.2f} {self.price.currency} spent"

    def to_row(self) -> dict[str, Any]:
        """Return what was spent as one JSON object."""
        currency = self.price.currency if self.price else None
        row = {"usage": self.usage, "cost": self.cost, "currency": currency}
        unpriced = sorted({name for name, price in _named(self.others) if price is None})
        beside: dict[str, dict[str, int]] = {}
        for one, _ in self.others:
            add_tokens(beside.setdefault(one.name, {}), one.usage)
        return row | ({"beside": beside, "unpriced": unpriced} if self.others else {})


def _named(others: Sequence[tuple[Speaker, Price | None]]) -> list[tuple[str, Price | None]]:
    return [(one.name, price) for one, price in others]
