"""A loopback server that answers chat requests as it is told, also as no server should.

    with MisbehavingServer([busy(0.1), reset(), fine("Hello.")]) as server:
        run(f"{server.url}#tiny", …)
    assert server.requests == 3

A plan is a list of acts, after which every request is answered well, or a function from the number
of a request (from 0) to its act. It speaks HTTP by hand, as libraries refuse to break it.
"""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


@dataclass(frozen=True)
class Act:
    """What is done with one request.

    Args:
        status: The status.
        body: What is sent: bytes, or what becomes JSON, or a function of the request's body.
        headers: Headers beside the usual ones.
        delay: Seconds before anything is sent.
        cut: After how many bytes of the body to stop, though more were announced.
        then: What becomes of the connection; `hang` sends nothing at all.
        dies: Seconds for which the server is gone before it answers, None for not at all.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    then: Literal["keep", "close", "reset", "hang"] = "keep"
    dies: float | None = None


Plan = Sequence[Act] | Callable[[int], Act]


def chat(text: str, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion as servers send it."""
    said = {"role": "assistant", "content": text, **message}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    return {"choices": [{"index": 0, "message": said, "finish_reason": finish}], "usage": usage}


def fine(text: str = "Fine.", finish: str = "stop", delay: float = 0.0) -> Act:
    """A good answer."""
    return Act(body=chat(text, finish), delay=delay)


def error(status: int, message: str, **more: Any) -> Act:
    """An error as servers send it."""
    return Act(status, {"error": {"message": message, **more}})


def unauthorized() -> Act:
    return error(401, "Incorrect API key provided", code="invalid_api_key")


def not_found() -> Act:
    return error(404, "The model 'tiny' does not exist", code="model_not_found")


def busy(retry_after: float | str | None = 0) -> Act:
    """Too many requests; `retry_after` is put into the header of that name."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Act(429, {"error": {"message": "slow down"}}, headers)


def broken(status: int = 500) -> Act:
    return Act(status, b"<html>boom</html>", {"Content-Type": "text/html"})


def reset(after: int = 10) -> Act:
    """A connection that is reset in the middle of the body."""
    return Act(body=chat("Fine."), cut=after, then="reset")


def cut_short(after: int = 10) -> Act:
    """A body that is closed before its announced end."""
    return Act(body=chat("Fine."), cut=after, then="close")


def malformed() -> Act:
    return Act(body=b'{"choices": [{"message": {"content": "Fi')


def empty_choices() -> Act:
    return Act(body={"choices": []})


def huge(size: int = 10 * 2**20) -> Act:
    """A good answer of that many letters."""
    return fine("a" * size)


def hangs() -> Act:
    """A request that is never answered."""
    return Act(then="hang")


def dies(seconds: float = 0.2) -> Act:
    """The server is gone with all its connections, and is back at its address after a while."""
    return Act(dies=seconds)


class MisbehavingServer:
    """A server on loopback that follows a plan.

    Attributes:
        plan: What it does; it may be changed at any time, and numbers count from then on.
        bodies: The JSON of every request, in order.
        headers: The headers of every request, by names in lower case.
        paths: The path of every request.
    """

    def __init__(self, plan: Plan = ()) -> None:
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.plan = plan
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def plan(self) -> Plan:
        return self._plan

    @plan.setter
    def plan(self, plan: Plan) -> None:
        self._plan, self._since = plan, len(self.bodies)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> int:
        """How many requests have come."""
        return len(self.bodies)

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._do(self._listen())

    def stop(self) -> None:
        """Go away, and reset every connection."""
        self._do(self._vanish())

    def __enter__(self) -> "MisbehavingServer":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._do(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._connection, "127.0.0.1", self.port, backlog=1024, limit=2**26
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _vanish(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            # A connection that is being accepted while its server closes would be left open.
            self._loop.remove_reader(server.sockets[0])
            await asyncio.sleep(0.01)
            server.close()
        for writer in list(self._open):
            _reset(writer)

    async def _finish(self) -> None:
        await self._vanish()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            while await self._request(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._open.discard(writer)
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (x.partition(":") for x in lines if x)}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        number = len(self.bodies)
        self.bodies.append(json.loads(data) if data else None)
        self.headers.append(headers)
        self.paths.append(first.split()[1])
        act = self._act(number - self._since)
        if act.dies is not None:
            await self._vanish()
            await asyncio.sleep(act.dies)
            await self._listen()
            return False
        await asyncio.sleep(act.delay)
        if act.then == "hang":
            await asyncio.Event().wait()
        body = act.body(self.bodies[number]) if callable(act.body) else act.body
        writer.write(_head_and_body(act, body))
        await writer.drain()
        if act.then == "reset":
            # Let what was sent arrive before the connection goes.
            await asyncio.sleep(0.01)
            _reset(writer)
        return act.then == "keep"

    def _act(self, number: int) -> Act:
        if callable(self.plan):
            return self.plan(number)
        return self.plan[number] if number < len(self.plan) else fine()


def _head_and_body(act: Act, body: Any) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(data), **act.headers}
    lines = [f"HTTP/1.1 {act.status} {REASONS.get(act.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value != ""]
    return "\r\n".join([*lines, "", ""]).encode() + data[: act.cut]


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a reset, not by the usual farewell."""
    found = writer.get_extra_info("socket")
    if found is not None and found.fileno() >= 0:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
