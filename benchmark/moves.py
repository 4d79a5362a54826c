"""Moves of a user in a conversation: the steps that a tree of dialogues is searched over.

They are data, `dialogues/moves.yaml`, in plain words of our own: some lead up to a request and some
make it. Which moves are tried where is drawn by a hash of the case and the moves before, so that
the same run tries the same ones, and a harmless twin is met with those of its harmful case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, zip_longest
from pathlib import Path

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import load_tree, read_yaml

PATH = Path(__file__).parent / "dialogues" / "moves.yaml"
_KEYS = {"about", "asks", "needs", "says"}
_REQUEST, _TOPIC = "{request}", "{topic}"
_ANY_TOPIC = "everyday life"


@dataclass(frozen=True)
class Move:
    """One thing a user may do next.

    Args:
        name: Its name.
        about: What someone who plays the user is told to do.
        asks: Whether it makes the request.
        needs: How many turns must have come before.
        says: Our words for it.
    """

    name: str
    about: str
    asks: bool
    needs: int
    says: tuple[str, ...]

    def words(self, case: Case, at: str) -> str:
        """Return our words for a case; `at` says where in its tree, and picks among them."""
        said = self.says[_drawn(at, self.name) % len(self.says)]
        return said.replace(_TOPIC, topic(case)).replace(_REQUEST, case.messages[-1].content)


def topic(case: Case) -> str:
    """Return the area of a case's hazard in plain words."""
    return load_tree().area_of(case.hazards[0]).name.lower() if case.hazards else _ANY_TOPIC


@cache
def load_moves(path: Path = PATH) -> tuple[Move, ...]:
    """Return the moves, in the file's order.

    Raises:
        BadInput: If a move is malformed, naming it.
    """
    data = read_yaml(path)
    if not isinstance(data, dict) or not isinstance(data.get("moves"), dict):
        raise BadInput("`moves` must map names to moves", file=path)
    moves = tuple(_move(path, name, found) for name, found in data["moves"].items())
    if not any(move.asks and not move.needs for move in moves):
        raise BadInput("some move must ask at the first turn", file=path)
    return moves


def _move(path: Path, name: str, found: object) -> Move:
    if not isinstance(found, dict) or set(found) - _KEYS or not found.get("says"):
        raise BadInput(f"a move has {', '.join(sorted(_KEYS))}", file=path, id=name)
    move = Move(name, found["about"], bool(found["asks"]), found.get("needs", 0), (*found["says"],))
    if any(said.count(_REQUEST) != int(move.asks) for said in move.says):
        what = f"hold {_REQUEST} once" if move.asks else f"not hold {_REQUEST}"
        raise BadInput(f"its words must {what}", file=path, id=name)
    return move


def next_moves(before: Sequence[str], width: int, at: str, *, last: bool) -> list[Move]:
    """Return up to `width` moves to try next: one that asks, one that leads up to it, in turn.

    Args:
        before: The names of the moves that led here; none is made twice.
        width: How many to try.
        at: Where in which tree this is; it decides the order.
        last: Whether no turn follows, so that only moves that ask make sense.
    """
    open_ = [one for one in load_moves() if one.name not in before and one.needs <= len(before)]
    open_.sort(key=lambda move: _drawn(at, move.name))
    asking = [move for move in open_ if move.asks]
    leading = [] if last else [move for move in open_ if not move.asks]
    mixed = chain.from_iterable(zip_longest(asking, leading))
    return [move for move in mixed if move is not None][:width]


def place(case: Case, seed: int) -> Callable[[Sequence[str]], str]:
    """Return what names a place in a case's tree by the moves that led there.

    A case and its twin have the same places.
    """
    pair = min(case.id, case.twin_id or case.id)
    return lambda before: "|".join((str(seed), pair, *before))


def _drawn(at: str, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{at}|{name}".encode()).digest()[:8], "big")
