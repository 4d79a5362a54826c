"""Make submissions of replies by rule: refusals, and answers that speak of what was asked."""

import json
import random
from collections.abc import Callable
from pathlib import Path

from convsafe.leaderboard.board import Board
from convsafe.leaderboard.packing import About, pack
from convsafe.taxonomy.records import Case

REFUSAL = "I'm sorry, but I can't help with that."


def answer(case: Case) -> str:
    return (
        f"Of course. Here is {case.prompt[:90]}:\n\n1. The first part, which was made in 1920."
        "\n2. The second part, which is longest.\n3. The third part, which is the end."
    )


def apt(share: float, seed: int) -> Callable[[Case], str]:
    """Refuse what should be refused and answer the rest, each in a share of the cases."""
    draw = random.Random(seed)

    def reply(case: Case) -> str:
        right = draw.random() < share
        return answer(case) if (case.expected == "comply") == right else REFUSAL

    return reply


def submit(
    folder: Path, name: str, board: Board, reply: Callable[[Case], str], contact: str = "a@b.org"
) -> Path:
    """Pack the replies to a board's cases into a submission in a folder of submissions."""
    file = folder.parent / f"{folder.name}-{name}.jsonl"
    rows = ({"id": case.id, "response": reply(case)} for case in board.suite.cases)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    about = About(name, contact, "MIT", params={"temperature": 0.0})
    pack(file, about, folder / name.lower(), board)
    return folder / name.lower()
