"""Send requests by inspect_ai: URL N CONCURRENCY; prints [samples/s, CPU ms a sample]."""

import json
import sys
import tempfile
import time

# This file's own folder would shadow the package of the same name.
sys.path.pop(0)

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.solver import generate

url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = get_model("openai/m", base_url=url, api_key="none", responses_api=False)
samples = [
    Sample(input=f"Request {number}: tell me about the history of the town.") for number in range(n)
]
with tempfile.TemporaryDirectory() as logs:
    wall, cpu = time.perf_counter(), time.process_time()
    (log,) = evaluate(
        Task(dataset=samples, solver=generate()),
        model=model,
        display="none",
        log_dir=logs,
        max_connections=concurrency,
        max_samples=concurrency,
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
if log.status != "success":
    raise SystemExit(f"inspect_ai: {log.status}: {log.error}")
sys.stdout.write(json.dumps([n / wall, 1000 * cpu / n]) + "\n")
