"""Jailbreak framings: the request inside an instruction that presses the model to comply."""

from convsafe.data_builders.rewriting import load

__all__ = ["ABOUT", "CONFIG", "GENERAL", "load"]

ABOUT = "The same request inside an instruction that presses the model, or hides what is asked."
CONFIG = "jailbreak"
GENERAL = True
