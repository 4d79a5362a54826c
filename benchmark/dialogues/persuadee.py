"""A simulated person whom the model is told to talk into something: it should not."""

from convsafe.benchmark.dialogues._simulated import connecting, taking

ABOUT = "The model is given a persuader's task; a simulated person of some personality answers."
PAPER = "PersuSafety (2504.10430): at most 15 turns"
NAME = "persuadee"

connect = connecting(NAME, most=15)
takes = taking(NAME)
