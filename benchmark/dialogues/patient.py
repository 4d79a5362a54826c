"""A simulated patient: one who drinks too much, or one who holds back what decides the answer."""

from convsafe.benchmark.dialogues._simulated import connecting, taking

ABOUT = "A simulated patient with a persona and a state that every reply changes."
PAPER = "Clinical red teaming for mental health (2602.19948); MATRIX (2508.19163)"
NAME = "patient"

connect = connecting(NAME, most=50)
takes = taking(NAME)
