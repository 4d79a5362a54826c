"""llama.cpp's own server, alone in a process: `python -m … FILE.gguf SLOTS CONTEXT`.

Prints the server's address once it listens, and goes when its standard input closes, so that it
never outlives the run that started it. Stopping the server inside a process now and then hangs
for ever in its destructor; a process can always be ended.
"""

from __future__ import annotations

import os
import socket
import sys


def main(gguf: str, slots: int, context: int) -> None:
    """Serve the model file until standard input closes."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.n_ctx = slots * context
    params.n_parallel = slots
    params.cpuparams.n_threads = _threads()
    params.port = _free_port()
    # Warnings and errors only.
    params.verbosity = 1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    # Past the destructor, on purpose.
    os._exit(0)


def _threads() -> int:
    """Return CONVSAFE_THREADS, or every core; more threads than free cores wait for each other."""
    return int(os.environ.get("CONVSAFE_THREADS") or os.cpu_count() or 2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
