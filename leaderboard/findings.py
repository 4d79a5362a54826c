"""Collect what verifying finds; what a submission says is shown shortened and escaped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from convsafe.leaderboard.records import Finding, Level

# So many ids are named of those that a finding is about, and so many characters shown of a text.
_NAMED, _SHOWN = 5, 80


@dataclass
class Findings:
    """Findings in the order they came; the same one twice is one with a larger count."""

    _found: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(
        self,
        level: Level,
        code: str,
        text: str,
        *,
        file: str = "",
        line: int | None = None,
        ids: Iterable[str] = (),
        count: int | None = None,
    ) -> None:
        """Add a finding; `count` is by default how many ids are given, or 1 for a line."""
        named = [shown(id) for id in ids]
        count = count if count is not None else len(named) or int(line is not None)
        before = self._found.get((code, text))
        if before is not None:
            named = [*before.ids, *named]
            level, file, line, count = before.level, before.file, before.line, before.count + count
        new = Finding(level, code, text, shown(file), line, count, tuple(named[:_NAMED]))
        self._found[code, text] = new

    def error(self, code: str, text: str, **where: object) -> None:
        """Add what keeps a submission off the board."""
        self.add("error", code, text, **where)  # type: ignore[arg-type]

    def warn(self, code: str, text: str, **where: object) -> None:
        """Add what does not."""
        self.add("warning", code, text, **where)  # type: ignore[arg-type]

    def all(self) -> tuple[Finding, ...]:
        """Return the findings, errors first."""
        ranks = {"error": 0, "flag": 1, "warning": 2}
        return tuple(sorted(self._found.values(), key=lambda one: ranks[one.level]))


def shown(text: str, most: int = _SHOWN) -> str:
    """Return a text as it may be printed: short, in one line, what does not print escaped."""
    cut = text[:most]
    plain = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in cut)
    return plain + ("…" if len(text) > most else "")
