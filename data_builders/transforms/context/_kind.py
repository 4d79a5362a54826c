"""Contexts: one sentence more, for the sets it fits."""

from convsafe.data_builders.rewriting import load

__all__ = ["ABOUT", "CONFIG", "GENERAL", "load"]

ABOUT = (
    "One sentence more around the same request: a wish for safety, or the language to answer in."
)
CONFIG = None
GENERAL = False
