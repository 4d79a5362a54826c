"""Unpack hostile Parquet in a process apart, which may die of it without taking us along.

On some damaged files the library that reads Parquet ends its process, and Python can catch nothing.
The process apart is started once and asked for file after file; after its death the next file has a
new one. It has bounded memory, and bounded time for each file.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

# What the process may take: bytes of addresses, and seconds for a file.
_MEMORY, _SECONDS = 8 << 30, 60


class Died(Exception):
    """The process ended over a file."""


@dataclass
class _Apart:
    """The process, started when it is first asked."""

    process: subprocess.Popen[bytes] | None = None
    owner: int = 0
    lock: Lock = field(default_factory=Lock)

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return what it answers: a head, and the bytes that the head says there are.

        Raises:
            Died: If it ended before it had answered.
        """
        with self.lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
                head: dict[str, Any] = json.loads(process.stdout.readline())
                data = process.stdout.read(head["bytes"])
                if len(data) < head["bytes"]:
                    raise EOFError
            except (OSError, ValueError, EOFError):
                self.end()
                raise Died from None
            return head, data

    def _running(self) -> subprocess.Popen[bytes]:
        # A process that was forked from ours has none: two would share one pipe.
        if self.process is None or self.owner != os.getpid() or self.process.poll() is not None:
            code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self.owner = os.getpid()
        return self.process

    def end(self) -> None:
        """End the process, if it is ours."""
        process, self.process = self.process, None
        if process is not None and self.owner == os.getpid():
            process.kill()
            process.communicate()


_APART = _Apart()
atexit.register(_APART.end)


def unpack_apart(path: Path, rows: int, most: int) -> tuple[dict[str, Any], bytes]:
    """Return the answer of `columns.unpack` about a file, given by the process apart.

    Raises:
        Died: If it died of the file.
    """
    return _APART.ask({"path": os.fspath(path.absolute()), "rows": rows, "most": most})


def serve() -> None:
    """Answer requests, a line each, until there are no more; this runs in the process apart."""
    import resource

    from convsafe.leaderboard.columns import unpack

    # Not every system can bound addresses.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # Nobody handles it: it ends the process, in whatever code that is.
        signal.alarm(_SECONDS)
        head, data = unpack(Path(request["path"]), request["rows"], request["most"])
        signal.alarm(0)
        head["bytes"] = len(data)
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + data)
        sys.stdout.buffer.flush()
