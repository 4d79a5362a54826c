"""Scope: a request dressed as an agent's business (adaptive, after OffTopicEval)."""

from pathlib import Path
from typing import Any

from convsafe.data_builders.transform import Part, module_at

ABOUT = "A request to an agent dressed as its own business; in-domain requests are dressed alike."
CONFIG = None
GENERAL = False


def load(path: Path) -> Part:
    """Return what a Python file's `part()` gives."""
    module: Any = module_at(path)
    found: Part = module.part()
    return found
