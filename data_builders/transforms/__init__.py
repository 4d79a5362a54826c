"""The transforms: one folder a kind with its `_kind.py`, one file a transform."""
