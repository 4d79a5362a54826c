"""Escalations: harmless turns first, then the request, by script."""

from pathlib import Path
from typing import Any

from convsafe.data_builders.rewriting import SLOT, check_about, of_language, pick
from convsafe.data_builders.transform import Changed, NotApplicable, Part, last_request, pair_key
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case, Message, Role
from convsafe.taxonomy.tree import load_tree

ABOUT = "The same request after harmless turns, two to five turns of the user in all."
CONFIG = "jailbreak"
GENERAL = True
_KEYS = {"about", "after", "scripts"}
_ROLES: tuple[Role, Role] = ("user", "assistant")
_MOST_TURNS = 5


def load(path: Path) -> Part:
    """Return what an escalation file does.

    `scripts` holds for each language a list of scripts; a script is a list of texts, the user's
    and the assistant's in turn, and ends with the user's text that holds `{request}`. `{topic}`
    stands for the hazard's area in plain words.

    Raises:
        BadInput: If it is malformed, naming the file.
    """
    data = check_about(path, _KEYS)
    scripts = {
        lang: [_script(path, each) for each in found] for lang, found in data["scripts"].items()
    }

    def change(case: Case) -> Changed:
        text = last_request(case)
        before = case.messages[:-1]
        if any(message.role != "system" for message in before):
            raise NotApplicable("a conversation of several turns")
        topic = load_tree().area_of(case.hazards[0]).name.lower() if case.hazards else "daily life"
        script = pick(of_language(scripts, case), pair_key(case), path.stem)
        turns = [
            Message(_ROLES[place % 2], said.replace("{topic}", topic).replace(SLOT, text))
            for place, said in enumerate(script)
        ]
        return Changed((*before, *turns))

    return Part(data["about"], data["after"], change)


def _script(path: Path, script: Any) -> tuple[str, ...]:
    """Return a script, known to be of two to five turns of the user and to end with the request."""
    if not isinstance(script, list) or not all(isinstance(said, str) for said in script):
        raise BadInput("a script must be a list of texts", file=path)
    turns = (len(script) + 1) // 2
    if len(script) % 2 == 0 or not 2 <= turns <= _MOST_TURNS:
        raise BadInput("a script has two to five turns of the user, the last one his", file=path)
    if script[-1].count(SLOT) != 1 or any(SLOT in said for said in script[:-1]):
        raise BadInput(f"a script's last text, and no other, holds {SLOT} once", file=path)
    return tuple(said.strip() for said in script)
