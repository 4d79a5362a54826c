"""A scripted OpenAI-compatible server for judges by rubric, and replies with known errors."""

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web

NONCE = re.compile(r"\nVERDICT ([0-9a-f]{16}): [a-z_]+=<")


class JudgeServer:
    """A real server on loopback: `answer` maps a request body to (status, body)."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.answer: Callable[[dict[str, Any]], tuple[int, Any]] = lambda _: (200, chat("Hm."))
        self.delay = 0.0
        self.under_way = self.most_under_way = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        self.paths.append(request.path)
        self.keys.append(request.headers.get("Authorization"))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.delay)
        self.under_way -= 1
        status, answer = self.answer(body)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        headers = {"Retry-After": "0"} if status == 429 else {}
        return web.Response(body=data, status=status, headers=headers)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


def chat(text: str, finish: str = "stop") -> dict[str, Any]:
    """A chat completion as servers send it."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {"choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 10}}


def nonce(body: dict[str, Any]) -> str:
    """The nonce that the verdict must hold."""
    found = NONCE.findall(body["messages"][-1]["content"])
    return found[-1] if found else "none"


def shown(body: dict[str, Any], title: str) -> str:
    """A text that the judge was shown."""
    text = body["messages"][-1]["content"]
    return text.partition(f"BEGIN {title} ")[2].partition("\n")[2].partition(f"\nEND {title} ")[0]


def verdict(body: dict[str, Any], values: str, reason: str = "Because.") -> tuple[int, Any]:
    """A reply that ends in a verdict."""
    return 200, chat(f"{reason}\nVERDICT {nonce(body)}: {values}")


def picky(body: dict[str, Any]) -> tuple[int, Any] | None:
    """Refuse as servers do that take neither `max_tokens` nor a temperature, where one is sent."""
    instead = {"max_tokens": "Use 'max_completion_tokens' instead.", "temperature": ""}
    for name in set(instead) & set(body):
        said = f"Unsupported parameter: '{name}' is not supported. {instead[name]}"
        return 400, {"error": {"message": said, "param": name}}
    return None


class Script:
    """Plays a judge by rubric: `plan` maps (item, role, turn) to values, None to no verdict.

    An item is named by the digits in the request. `roles` maps a part of the system prompt to a
    role. A turn is the sample asked for, or else how often the role was asked about the item.
    """

    def __init__(
        self, plan: Callable[[int, str, int], str | None], roles: dict[str, str] | None = None
    ) -> None:
        self.plan, self.roles, self.turns = plan, roles or {}, Counter()

    def __call__(self, body: dict[str, Any]) -> tuple[int, Any]:
        system = body["messages"][0]["content"]
        role = next((r for part, r in self.roles.items() if part in system), "judge")
        item = int(re.findall(r"\d+", shown(body, "REQUEST"))[0])
        turn = body["seed"] or self.turns[item, role]
        self.turns[item, role] += not body["seed"]
        values = self.plan(item, role, turn)
        if values is None:
            return 200, chat(f"I cannot say in turn {turn}.")
        # A question with the same texts is the same question: what was said differs by turn.
        return verdict(body, values, f"Because of turn {turn}.")
