"""Scope: a request dressed as an agent's business (adaptive, after OffTopicEval)."""

from convsafe.data_builders.rewriting import load

__all__ = ["ABOUT", "CONFIG", "GENERAL", "load"]

ABOUT = "A request to an agent dressed as its own business; in-domain requests are dressed alike."
CONFIG = None
GENERAL = False
