"""How results are compared in public."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convsafe.leaderboard.ranking import rank

__all__ = ["rank"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing the room costs nothing."""
    if name == "rank":
        from convsafe.leaderboard import ranking

        return ranking.rank
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
