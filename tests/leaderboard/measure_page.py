"""Measure the board's first page with many models in headless Chromium.

`python -m tests.leaderboard.measure_page [MODELS] [RUNS]` prints its size, the time from the start
of the navigation until its script ran and the page was laid out, and of each sort, laid out too.
"""

import json
import os
import re
import statistics
import sys
import tempfile
from pathlib import Path

from convsafe.leaderboard import site

from tests import browser
from tests.leaderboard.boards import write_board

# Real time: no virtual clock, everything before the document is dumped.
_PROBE = """
const laid = () => document.body.offsetHeight;
laid();
const out = {ready: performance.now()};
const timed = work => {
  const start = performance.now();
  work();
  laid();
  return performance.now() - start;
};
const press = key => document.querySelector(`#board th[data-key="${key}"] button`).click();
const view = value => {
  const box = document.getElementById("view");
  box.value = value;
  box.dispatchEvent(new Event("input", {bubbles: true}));
};
out.sort = ["unsafe_rate", "unsafe_rate", "name", "over_refusal_rate", "n", "rank"]
  .map(key => timed(() => press(key)));
out.find = timed(() => {
  const box = document.getElementById("find");
  box.value = "tern";
  box.dispatchEvent(new Event("input", {bubbles: true}));
  box.value = "";
  box.dispatchEvent(new Event("input", {bubbles: true}));
});
out.columns = timed(() => view("area.unsafe_rate"));
out.sort_columns = ["area-3", "area-3", "area-7"].map(key => timed(() => press(key)));
document.body.textContent = "MEASURED " + JSON.stringify(out) + " END";
"""


def measure(models: int, runs: int) -> dict[str, float]:
    """Return the medians of all runs, in milliseconds, and the worst of every sort."""
    with tempfile.TemporaryDirectory() as folder:
        page = site(write_board(Path(folder) / "board", models), Path(folder) / "site")
        size = page.stat().st_size
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
        page.write_text(text.replace("</body>", f"<script>{_PROBE}</script></body>"))
        found = [_once(page, Path(folder) / f"profile{run}") for run in range(runs)]
    sorts = [one for run in found for one in run["sort"]]
    columns = [one for run in found for one in run["sort_columns"]]
    return {
        "bytes": size,
        "ready": statistics.median(run["ready"] for run in found),
        "ready, best": min(run["ready"] for run in found),
        "ready, worst": max(run["ready"] for run in found),
        "sort, best": min(sorts),
        "sort": statistics.median(sorts),
        "sort, worst": max(sorts),
        "find": statistics.median(run["find"] for run in found),
        "columns of areas": statistics.median(run["columns"] for run in found),
        "sort in columns of areas, best": min(columns),
        "sort in columns of areas": statistics.median(columns),
        "sort in columns of areas, worst": max(columns),
    }


def _once(page: Path, profile: Path) -> dict[str, list[float]]:
    found = re.search(r"MEASURED (\{.*?\}) END", browser.dom(page, profile))
    assert found, "the page was not measured"
    return json.loads(found[1])


if __name__ == "__main__":
    models, runs = (*map(int, sys.argv[1:]), *(200, 7)[len(sys.argv) - 1 :])
    print(f"{models} models, {runs} runs, load {os.getloadavg()[0]:.1f}, milliseconds")
    for name, value in measure(models, runs).items():
        print(f"{name:<32}{value:>10.1f}")
