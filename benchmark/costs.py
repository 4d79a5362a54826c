"""What a run costs: tokens times the prices of a table, estimated before and counted on the way."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsafe.benchmark.details import read_details
from convsafe.benchmark.limits import CHARACTERS
from convsafe.benchmark.run_log import RunLog
from convsafe.taxonomy.errors import BadInput

if TYPE_CHECKING:
    from convsafe.benchmark.model import Params
    from convsafe.benchmark.runs import Pending, Run

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
    """

    price: Price | None = None
    most: float | None = None
    table: Path | None = None
    usage: dict[str, int] = field(default_factory=dict)
    before: float = 0.0

    def begun(self, run: Run, model: str) -> Budget:
        """Return the budget of a run that may have spent something before.

        Raises:
            BadInput: If there is a limit and no price.
        """
        price = self.price or find_price(model, self.table)
        if self.most is not None and price is None:
            raise BadInput(
                f"no price is known of model {model!r}, so that no cost can be limited: give it a"
                " line in a file of prices and name that with --prices"
            )
        logged = RunLog.read(run.folder).cost or 0.0
        # A part that was killed wrote no line, but its generations tell what it took.
        before = max(logged, price.of(saved_usage(run.generations_path))) if price else logged
        return replace(self, price=price, usage={}, before=before)

    @property
    def cost(self) -> float | None:
        """What was spent since the run was last begun."""
        return self.price.of(self.usage) if self.price else None

    def add(self, usage: dict[str, int]) -> None:
        """Count the tokens of a case."""
        for name, tokens in usage.items():
            self.usage[name] = self.usage.get(name, 0) + tokens

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
        return {"usage": self.usage, "cost": self.cost, "currency": currency}
