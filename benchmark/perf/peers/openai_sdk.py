"""Send requests by the OpenAI SDK: URL N CONCURRENCY; prints [requests/s, CPU ms a request]."""

import asyncio
import json
import sys
import time

from openai import AsyncOpenAI


async def work(url: str, n: int, concurrency: int) -> None:
    """Send them."""
    client, queue = AsyncOpenAI(base_url=url, api_key="none"), iter(range(n))

    async def draw() -> None:
        for number in queue:
            text = f"Request {number}: tell me about the history of the town."
            turns = [{"role": "user", "content": text}]
            await client.chat.completions.create(model="m", messages=turns)

    await asyncio.gather(*(draw() for _ in range(concurrency)))


url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wall, cpu = time.perf_counter(), time.process_time()
asyncio.run(work(url, n, concurrency))
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
sys.stdout.write(json.dumps([n / wall, 1000 * cpu / n]) + "\n")
