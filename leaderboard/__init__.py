"""How results are compared in public."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convsafe.leaderboard.board import Board
    from convsafe.leaderboard.checking import check, verify
    from convsafe.leaderboard.packing import About, pack
    from convsafe.leaderboard.table import rank

__all__ = ["About", "Board", "check", "pack", "rank", "verify"]
_HOMES = {
    "About": "packing",
    "Board": "board",
    "check": "checking",
    "pack": "packing",
    "rank": "table",
    "verify": "checking",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing the room costs nothing."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"convsafe.leaderboard.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
