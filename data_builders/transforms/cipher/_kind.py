"""Ciphers: the query enciphered, behind an expert's system prompt with harmless demonstrations.

The control of every cipher is `identity`: the same prompt and demonstrations in plain text.
"""

from pathlib import Path
from typing import Any

from convsafe.data_builders.transform import (
    Changed,
    NotApplicable,
    Part,
    last_request,
    module_at,
    need_one_turn,
    with_request,
    with_system,
)
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import read_yaml

ABOUT = "The same request enciphered, after an expert's prompt with harmless demonstrations."
CONFIG = "ciphers"
GENERAL = True
_NEEDED = ("ABOUT", "AFTER", "ALPHABET", "EXPLAINED", "encode", "decode")
_PROMPTS = Path(__file__).with_name("_prompts.yaml")


def load(path: Path) -> Part:
    """Return what a cipher file does.

    Raises:
        BadInput: If it lacks a part of the contract, naming the file.
    """
    module: Any = module_at(path)
    if missing := [name for name in _NEEDED if not hasattr(module, name)]:
        raise BadInput(f"a cipher needs {', '.join(missing)}", file=path)
    prompts = {lang: _system(module, lang) for lang in module.EXPLAINED}

    def change(case: Case) -> Changed:
        need_one_turn(case)
        language = case.language.split("-", maxsplit=1)[0]
        if language not in prompts:
            raise NotApplicable(f"no prompt for this cipher in {language}")
        text = last_request(case)
        check_alphabet(module.ALPHABET, text)
        messages = with_request(case, module.encode(text))
        return Changed(with_system(messages, prompts[language]))

    return Part(module.ABOUT, module.AFTER, change)


def check_alphabet(alphabet: frozenset[str] | None, text: str) -> None:
    """Raise `NotApplicable` if a text holds a character that the cipher cannot write.

    An alphabet that is None holds every character.
    """
    if alphabet is not None and (outside := set(text) - alphabet):
        first = min(outside, key=text.index)
        raise NotApplicable("a character outside its alphabet", f"U+{ord(first):04X}")


def _system(module: Any, language: str) -> str:
    """Return the expert's prompt with its demonstrations enciphered."""
    words = read_yaml(_PROMPTS)[language]
    shown = "\n\n".join(
        words["demonstration"].format(
            number=number, ask=module.encode(ask), answer=module.encode(answer)
        )
        for number, (ask, answer) in enumerate(words["demonstrations"], 1)
    )
    name, how = module.EXPLAINED[language]
    filled: str = words["system"].format(name=name, how=how, demonstrations=shown)
    return filled.strip()
