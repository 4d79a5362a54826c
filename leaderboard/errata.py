"""Cases that were withdrawn from scoring after a release, each with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convsafe.leaderboard.board import Board
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import read_yaml

ERRATA = Path(__file__).with_name("errata.yaml")
_KEYS = {"release", "ids", "reason"}


def withdrawn(board: Board, path: str | Path | None = None) -> dict[str, str]:
    """Return the withdrawn ids of a board's release with the reason of each, in order of the ids.

    Args:
        board: The board.
        path: A YAML file; by default the `errata.yaml` beside this one.

    Raises:
        BadInput: If the file is not one, or names an id that the board has not.
    """
    file = Path(path) if path is not None else ERRATA
    if not file.is_file():
        raise BadInput("no such file", file=file)
    found: dict[str, str] = {}
    for entry in _entries(file):
        if entry["release"] != board.release["version"]:
            continue
        if unknown := sorted(set(entry["ids"]) - set(board.ids)):
            raise BadInput(
                f"release {entry['release']} has no case {', '.join(unknown[:5])}", file=file
            )
        found |= dict.fromkeys(entry["ids"], entry["reason"])
    return dict(sorted(found.items()))


def _entries(file: Path) -> list[dict[str, Any]]:
    given = read_yaml(file) or []
    what = "errata are a list of {release, ids, reason}"
    if not isinstance(given, list):
        raise BadInput(what, file=file)
    for entry in given:
        good = (
            isinstance(entry, dict)
            and set(entry) == _KEYS
            and isinstance(entry["ids"], list)
            and all(isinstance(one, str) for one in (*entry["ids"], entry["reason"]))
            and isinstance(entry["release"], str)
        )
        if not good:
            raise BadInput(f"{what}; this is none: {entry}", file=file)
    return given
