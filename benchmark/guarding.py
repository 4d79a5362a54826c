"""Guards: a judge before the model, that stops requests, or behind it, that stops replies."""

from __future__ import annotations

from collections.abc import Sequence

from convsafe.benchmark.session import Layer


def load_guards(specs: Sequence[str]) -> tuple[Layer, ...]:
    """Return the guards, the outermost first."""
    return tuple(_load(spec) for spec in specs)


def _load(spec: str) -> Layer:
    raise NotImplementedError(spec)
