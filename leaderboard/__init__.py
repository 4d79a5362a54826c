"""How results are compared in public."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convsafe.leaderboard.board import Board
    from convsafe.leaderboard.card import eval_results, model_index, read_scored
    from convsafe.leaderboard.checking import check, verify
    from convsafe.leaderboard.hub import publish_results
    from convsafe.leaderboard.packing import About, pack
    from convsafe.leaderboard.pulled import verify_pull
    from convsafe.leaderboard.ranking import rank
    from convsafe.leaderboard.site_pages import site

__all__ = [
    "About",
    "Board",
    "check",
    "eval_results",
    "model_index",
    "pack",
    "publish_results",
    "rank",
    "read_scored",
    "site",
    "verify",
    "verify_pull",
]
_HOMES = {
    "About": "packing",
    "Board": "board",
    "check": "checking",
    "eval_results": "card",
    "model_index": "card",
    "pack": "packing",
    "publish_results": "hub",
    "rank": "ranking",
    "read_scored": "card",
    "site": "site_pages",
    "verify": "checking",
    "verify_pull": "pulled",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing the room costs nothing."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"convsafe.leaderboard.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
