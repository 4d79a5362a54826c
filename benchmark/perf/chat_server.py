"""A chat server on loopback that answers everything after a while: `python -m … LATENCY`.

It prints its port. It does as little as it can, so that what is measured is who asks.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

REPLY = "I am sorry, but I cannot help with that. " * 8


def application(latency: float) -> web.Application:
    """Return the server.

    Args:
        latency: Seconds until an answer.
    """
    choice = {"index": 0, "message": {"role": "assistant", "content": REPLY}}
    answer = {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": "loopback",
        "choices": [choice | {"finish_reason": "stop"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 80, "total_tokens": 120},
    }
    body = json.dumps(answer).encode()

    async def chat(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(latency)
        return web.Response(body=body, content_type="application/json")

    found = web.Application(client_max_size=1 << 26)
    found.router.add_post("/v1/chat/completions", chat)
    return found


async def serve(latency: float) -> None:
    """Serve until standard input closes."""
    runner = web.AppRunner(application(latency), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address: Any = runner.addresses[0]
    sys.stdout.write(f"{address[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
