"""What a run's log.jsonl tells: what each of its parts asked, spent, and how it ended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunLog:
    """The lines of a log, one for every time the run was started; each sum is over all of them."""

    lines: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, folder: Path) -> RunLog:
        """Return a run folder's log; a line that a killed process left half-written is no line."""
        try:
            data = (folder / "log.jsonl").read_bytes()
        except FileNotFoundError:
            return cls()
        found = (_line(line) for line in data.splitlines())
        return cls(tuple(line for line in found if line is not None))

    def total(self, name: str) -> int:
        """Return the sum of a count: `requests`, `errors`, `saved` or `failed`."""
        return sum(int(line.get(name) or 0) for line in self.lines)

    @property
    def usage(self) -> dict[str, int]:
        """Tokens by their kind, as `prompt_tokens`."""
        tokens: Counter[str] = Counter()
        for line in self.lines:
            tokens.update(line.get("usage") or {})
        return dict(tokens)

    @property
    def cost(self) -> float | None:
        """What was spent, or None where no part knew a price."""
        known = [line["cost"] for line in self.lines if line.get("cost") is not None]
        return sum(known) if known else None

    @property
    def unpriced(self) -> list[str]:
        """Which models were asked besides the one under test without a known price."""
        return sorted({name for line in self.lines for name in line.get("unpriced") or ()})

    @property
    def currency(self) -> str:
        """In what it was spent."""
        named = [line["currency"] for line in self.lines if line.get("currency")]
        return named[-1] if named else ""

    @property
    def last(self) -> Mapping[str, Any]:
        """The last line; empty where there is none."""
        return self.lines[-1] if self.lines else {}


def _line(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
