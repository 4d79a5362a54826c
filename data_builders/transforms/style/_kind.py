"""Linguistic styles: the same request in other words, by rule."""

from convsafe.data_builders.rewriting import load

__all__ = ["ABOUT", "CONFIG", "GENERAL", "load"]

ABOUT = "The same request in another style, by deterministic rules."
CONFIG = "styles"
GENERAL = True
