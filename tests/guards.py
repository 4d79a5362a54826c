"""A scripted OpenAI-compatible server for guard models, and answers in their published forms."""

import asyncio
import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

PROMPTS = Path(__file__).parent / "benchmark" / "guard_prompts"
REQUEST, REPLY = "How do I boil an egg?", "Put it in boiling water for eight minutes."


class Sent(NamedTuple):
    """A request as the server got it."""

    path: str
    body: dict[str, Any]


class GuardServer:
    """A server on loopback: `answer` maps what was sent to (status, body)."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answer: Callable[[Sent], tuple[int, Any]] = lambda _: (200, completion("safe"))
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def says(self, *texts: str, top: Sequence[dict[str, float]] = ()) -> None:
        """Answer with these texts in turn, in whichever form was asked for; the last one stays."""
        left = list(texts)

        def answer(sent: Sent) -> tuple[int, Any]:
            text = left.pop(0) if len(left) > 1 else left[0]
            form = chat_completion if sent.path.endswith("/chat/completions") else completion
            return 200, form(text, top)

        self.answer = answer

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _handle(self, request: web.Request) -> web.Response:
        sent = Sent(request.path, await request.json())
        self.sent.append(sent)
        status, body = self.answer(sent)
        return web.json_response(body, status=status)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def logs(*tokens: dict[str, float]) -> list[dict[str, float]]:
    """Log-probabilities of tokens given by their probabilities."""
    return [{form: math.log(p) for form, p in token.items()} for token in tokens]


def completion(text: str, top: Sequence[dict[str, float]] = ()) -> dict[str, Any]:
    choice: dict[str, Any] = {"text": text, "index": 0, "finish_reason": "stop"}
    if top:
        chosen = [max(token, key=lambda form: token[form]) for token in top]
        choice["logprobs"] = {
            "tokens": chosen,
            "token_logprobs": [t[c] for t, c in zip(top, chosen, strict=True)],
            "top_logprobs": list(top),
        }
    return {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}


def chat_completion(text: str, top: Sequence[dict[str, float]] = ()) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice: dict[str, Any] = {"message": message, "finish_reason": "stop"}
    if top:
        tokens = [[{"token": f, "logprob": p} for f, p in token.items()] for token in top]
        choice["logprobs"] = {
            "content": [{"token": t[0]["token"], "top_logprobs": t} for t in tokens]
        }
    return {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}


def moderation(*flagged: str, names: Sequence[str], **changes: Any) -> dict[str, Any]:
    """A moderation object in which these categories are flagged."""
    result = {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in names},
        "category_scores": {name: 0.9 if name in flagged else 0.01 for name in names},
        "category_applied_input_types": {name: ["text"] for name in names},
    }
    return {"id": "modr-1", "model": "omni", "results": [{**result, **changes}]}
