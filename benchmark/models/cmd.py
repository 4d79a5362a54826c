"""Any program as a model: `cmd:./my_model --flag`.

The program is started once, without a shell, and gets one JSON line a request on its standard
input: `{"id", "messages", "params"}`. It writes one JSON line an answer, in any order, on its
standard output: `{"id", "response"}` with, where it knows them, `finish_reason`, `outcome`,
`reasoning` and `usage`, or `{"id", "error"}` with `retry: true` where asking again may help. Its
standard error is for whatever it has to say; the last lines of it are told when it ends. It should
end when its standard input does; after the run it is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark.model import ModelError, Params, Reply
from convsafe.benchmark.models._format import replied, tokens
from convsafe.benchmark.models._http import LARGEST
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import dump_line
from convsafe.taxonomy.records import OUTCOMES, Message

_OUTCOMES = {"length": "truncated", "content_filter": "filtered"}
# Seconds a program has to end by itself once nothing more will be asked.
GRACE = 2.0


class Command:
    """A program that answers JSON lines with JSON lines, as many at once as it is sent."""

    def __init__(self, arguments: Sequence[str], timeout: float = 300.0) -> None:
        self.arguments, self.timeout = list(arguments), timeout
        # With the script that an interpreter runs; flags may say what is nobody's business.
        named = [part for part in self.arguments[:2] if not part.startswith("-")]
        self.name = " ".join(Path(part).name for part in named)
        self._asked, self._writing = 0, asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._said: deque[str] = deque(maxlen=5)
        self._ended: ModelError | None = None

    async def __aenter__(self) -> Command:
        pipe = asyncio.subprocess.PIPE
        try:
            self._program = await asyncio.create_subprocess_exec(
                *self.arguments, stdin=pipe, stdout=pipe, stderr=pipe, limit=LARGEST,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            what = f"cmd: {self.arguments[0]!r} cannot be started: {error.strerror}"
            raise BadInput(what) from None
        self._listener = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        program = self._program
        if program.stdin is not None:
            program.stdin.close()
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(program.wait(), GRACE)
        finally:
            # Also what the program started.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, signal.SIGKILL)
        await self._listener

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:
        """Send one conversation and return the program's answer.

        Raises:
            ModelError: If it answers with an error, with no reply, or never; fatal if it ended.
        """
        self._asked += 1
        id = str(self._asked)
        turns = [message._asdict() for message in messages]
        line = dump_line({"id": id, "messages": turns, "params": params.to_row()})
        self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            await self._write(line)
            return _reply(await asyncio.wait_for(self._waiting[id], self.timeout))
        except asyncio.TimeoutError:
            raise ModelError(f"no answer in {self.timeout:.0f} s", retry=True) from None
        finally:
            del self._waiting[id]

    async def _write(self, line: str) -> None:
        if self._ended is not None:
            raise self._ended
        if (stdin := self._program.stdin) is not None:
            # A program that ended is told of by what reads its output.
            with contextlib.suppress(ConnectionError):
                async with self._writing:
                    stdin.write(line.encode())
                    await stdin.drain()

    async def _watch(self) -> None:
        """Hand out answers until there are no more, and say why to whoever still waits."""
        listening = asyncio.create_task(self._listen())
        try:
            reason = await self._read()
        except ModelError as error:
            self._end(error.reason)
            with contextlib.suppress(ProcessLookupError):
                self._program.kill()
            reason = ""
        status = await self._program.wait()
        # What it started may hold its standard error open.
        await asyncio.wait([listening], timeout=GRACE)
        listening.cancel()
        last = " | ".join(self._said) or "nothing on its standard error"
        self._end(reason or f"{self.name} ended with status {status}, saying: {last}")

    def _end(self, reason: str) -> None:
        if self._ended is None:
            self._ended = ModelError(reason, fatal=True)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._ended)

    async def _read(self) -> str:
        """Read answers to the end of the program's output.

        Raises:
            ModelError: On a line that is no answer.
        """
        output = self._program.stdout
        while output is not None:
            try:
                line = await output.readline()
            except ValueError:
                raise ModelError(
                    f"a line that {self.name} wrote is over {LARGEST // 2**20} MB"
                ) from None
            if not line:
                break
            if line.strip():
                self._hand_out(line)
        return ""

    def _hand_out(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
            id = str(answer["id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            shown = line[:120].decode("utf-8", "replace").strip()
            raise ModelError(
                f'{self.name} wrote a line that is no JSON object with an "id": {shown!r}; an'
                " answer is one line, and messages belong on standard error"
            ) from None
        future = self._waiting.get(id)
        if future is not None and not future.done():
            future.set_result(answer)
        elif not (id.isdecimal() and 0 < int(id) <= self._asked):
            raise ModelError(f"{self.name} answered a request {id[:40]!r} that it was not sent")

    async def _listen(self) -> None:
        """Keep the last lines of standard error; unread, it would stop the program."""
        errors = self._program.stderr
        while errors is not None and (part := await errors.read(65536)):
            lines = part.decode("utf-8", "replace").splitlines()
            self._said.extend(line.strip()[:200] for line in lines if line.strip())


def _reply(answer: dict[str, Any]) -> Reply:
    """Return the reply that a line is, or raise the error it is."""
    if (error := answer.get("error")) is not None:
        raise ModelError(str(error)[:300], retry=answer.get("retry") is True)
    text, outcome = answer.get("response"), answer.get("outcome")
    if not isinstance(text, str):
        raise ModelError('an answer has no text in "response"')
    if outcome is not None and outcome not in OUTCOMES:
        raise ModelError(f"outcome {outcome!r} is not one of {', '.join(OUTCOMES)}")
    if outcome == "failed":
        raise ModelError('an answer is "failed"; put the reason into "error"')
    finish = answer.get("finish_reason")
    finish = finish if isinstance(finish, str) else None
    usage = tokens(answer.get("usage"), ("prompt_tokens",), ("completion_tokens",))
    reasoning = answer.get("reasoning")
    return replied(
        text, outcome or _OUTCOMES.get(finish or ""), finish, usage,
        reasoning if isinstance(reasoning, str) else "",
    )  # fmt: skip


def connect(target: str) -> Command:
    """Return the program that a command line names.

    Raises:
        BadInput: If there is none, or its quotes are open.
    """
    try:
        arguments = shlex.split(target)
    except ValueError as error:
        raise BadInput(f"cmd:{target}: {error}") from None
    if not arguments:
        raise BadInput("name the program, as cmd:./my_model --flag")
    return Command(arguments)
