"""Rooms import one way: taxonomy <- data_builders <- benchmark <- leaderboard."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("taxonomy", "data_builders", "benchmark", "leaderboard")
HEAVY = ("datasets", "evaluate", "polars", "pyarrow", "sklearn", "numpy", "matplotlib", "torch")


def imports(path: Path) -> set[str]:
    """Return every module a file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


def files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_earlier_rooms(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    later = ROOMS[ROOMS.index(room) + 1 :]
    for name in imports(path):
        assert name.split(".")[0] not in ROOMS, f"{name}: import convsafe.{name}"
        for other in later:
            assert not f"{name}.".startswith(f"convsafe.{other}."), f"{room} imports {other}"


def test_the_benchmark_takes_only_decoders_and_the_build_of_our_own_prompts() -> None:
    taken = {
        name
        for path in (ROOT / "benchmark").rglob("*.py")
        # Scripts that measure may use every room; nothing imports them.
        if "perf" not in path.parts
        for name in imports(path)
        if name.startswith("convsafe.data_builders")
    }
    assert taken == {
        "convsafe.data_builders.ciphers",
        "convsafe.data_builders.writer",
        "convsafe.data_builders.core",
        "convsafe.data_builders.fetch",
    }


@pytest.mark.parametrize(
    "code",
    [
        "import convsafe.taxonomy, convsafe.data_builders, convsafe.benchmark",
        "import convsafe.benchmark.cli as c; c.main(['--help'])",
        "import convsafe.benchmark.cli as c; c.main(['taxonomy', 'find', 'suicide'])",
    ],
)
def test_nothing_heavy_is_imported_at_start(code: str) -> None:
    script = f"""
import sys
try:
    {code}
except SystemExit:
    pass
print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded: []", done.stdout + done.stderr
