"""Personas: a system prompt that asks the model to speak as an invented person."""

from pathlib import Path

from convsafe.data_builders.transform import Changed, NotApplicable, Part
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case, Message
from convsafe.taxonomy.tree import read_yaml

ABOUT = "The same request to a model that was asked to speak as an invented person."
CONFIG = "personas"
GENERAL = True
GROUPS = ("baseline", "profession", "age", "region", "historical")
STANCES = ("harmless", "neutral", "hostile")
_KEYS = {"name", "group", "stance", "title", "system"}


def load(path: Path) -> Part:
    """Return what a persona file does.

    Raises:
        BadInput: If it is malformed, naming the file.
    """
    data = read_yaml(path)
    if not isinstance(data, dict) or set(data) != _KEYS or data["name"] != path.stem:
        raise BadInput(f"a persona has {', '.join(sorted(_KEYS))}; `name` is the file's", file=path)
    if data["group"] not in GROUPS or data["stance"] not in STANCES:
        raise BadInput(f"group is of {GROUPS}, stance of {STANCES}", file=path)
    system = Message("system", data["system"].strip())

    def change(case: Case) -> Changed:
        if case.messages[0].role == "system":
            raise NotApplicable("the case has a system prompt of its own")
        return Changed((system, *case.messages))

    about = f"{data['title']} ({data['group']}, {data['stance']})"
    return Part(about, "Deshpande et al., 2023", change)
