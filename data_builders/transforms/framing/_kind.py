"""Jailbreak framings: the request inside an instruction that presses the model to comply."""

from pathlib import Path
from typing import Any

from convsafe.data_builders import rewriting
from convsafe.data_builders.transform import Part, module_at

ABOUT = "The same request inside an instruction that presses the model, or hides what is asked."
CONFIG = "jailbreak"
GENERAL = True


def load(path: Path) -> Part:
    """Return what a framing file does: wrappers in YAML, or a Python file's `part()`."""
    if path.suffix == ".yaml":
        return rewriting.load(path)
    module: Any = module_at(path)
    found: Part = module.part()
    return found
