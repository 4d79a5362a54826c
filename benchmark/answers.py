"""What servers answered, kept in an append-only file, and what asking cost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from convsafe.data_builders.fetch import cache_folder
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import Appender, read_jsonl

# How many tokens a judge by rubric lets an answer have, where nobody says otherwise.
MAX_TOKENS = 1024
_FIRST = b'{"key"'


@dataclass
class Spent:
    """What was asked and what it took; answers that were kept cost nothing again."""

    requests: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def cost(self, price: tuple[float, float]) -> float:
        """Return the cost of the tokens at prices a million of them, in and out."""
        return (self.prompt_tokens * price[0] + self.completion_tokens * price[1]) / 1e6

    def text(self, price: tuple[float, float] | None = None) -> str:
        """Return it as one line, with the cost where the price is known."""
        line = (
            f"{self.requests} requests, {self.cached} cached,"
            f" {self.prompt_tokens:,} + {self.completion_tokens:,} tokens"
        )
        return line if price is None else f"{line}, cost {self.cost(price):.4f}"


def key_of(address: str, path: str, body: dict[str, Any]) -> str:
    """Return the sha256 of a request: where it goes (`body` names the model) and what it says."""
    text = json.dumps([address, path, body], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def usual_path(address: str, model: str) -> Path:
    """Return the file of answers of one model at one address, in the user's cache."""
    digest = hashlib.sha256(f"{address}\0{model}".encode()).hexdigest()
    return cache_folder() / "answers" / f"{digest[:16]}.jsonl"


@dataclass
class Answers:
    """Answers by the key of their request; one process writes to a file at a time.

    A last line that a killed process left half-written is cut off.
    """

    path: Path
    spent: Spent = field(default_factory=Spent)
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __enter__(self) -> Answers:
        self._refuse_other_files()
        self._file = Appender(self.path)
        try:
            self._kept = dict(_read(self.path))
        except BaseException:
            self._file.close()
            raise
        return self

    def _refuse_other_files(self) -> None:
        """Refuse what is no file of answers before its last line could be cut off."""
        if not self.path.exists():
            return
        if not self.path.is_file():
            raise BadInput("not a file: --cache takes a file of answers", file=self.path)
        with self.path.open("rb") as found:
            first = found.read(len(_FIRST))
        if first != _FIRST[: len(first)]:
            raise BadInput("not a file of kept answers; name another one", file=self.path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what was answered to a request before."""
        found = self._kept.get(key)
        self.spent.cached += found is not None
        return found

    def keep(self, key: str, status: int, answer: Any) -> dict[str, Any]:
        """Keep an answer, and count its tokens."""
        from convsafe.benchmark.models.openai import usage_of

        kept = {"key": key, "status": status, "answer": answer}
        self._file.append(kept)
        self._kept[key] = kept
        usage = usage_of(answer.get("usage")) if isinstance(answer, dict) else None
        self.spent.prompt_tokens += (usage or {}).get("prompt_tokens", 0)
        self.spent.completion_tokens += (usage or {}).get("completion_tokens", 0)
        return kept


def _read(path: Path) -> Any:
    for line, row in read_jsonl(path):
        if not {"key", "status", "answer"} <= set(row):
            raise BadInput("not a kept answer", file=path, line=line)
        yield row["key"], row


def price_of(text: str) -> tuple[float, float]:
    """Return prices a million tokens from `IN/OUT`.

    Raises:
        BadInput: If it is none.
    """
    try:
        given, taken = (float(part) for part in text.split("/"))
    except ValueError:
        raise BadInput(f"--price {text}: write IN/OUT, as 0.15/0.60") from None
    if not (0 <= given < float("inf") and 0 <= taken < float("inf")):
        raise BadInput(f"--price {text}: a price is a number of 0 or more")
    return given, taken
