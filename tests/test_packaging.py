"""The wheel holds every folder and works in a clean environment."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("taxonomy", "data_builders", "benchmark", "leaderboard")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source],
        check=True, capture_output=True,
    )  # fmt: skip
    return next(out.glob("*.whl"))


def test_every_file_of_every_room_is_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            # Scripts that measure are run from a checkout; the board's own data stays there too.
            shipped = not {"__pycache__", "perf", "submissions", "results"} & set(path.parts)
            if path.is_file() and shipped:
                assert f"convsafe/{path.relative_to(ROOT)}" in held


def test_nothing_else_lands_in_site_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"convsafe"}


def test_the_installed_wheel_runs_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    libraries = sysconfig.get_paths()["purelib"]
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    # The dependencies come from this environment; its editable install does not.
    (site / "dependencies.pth").write_text(libraries + "\n")
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import convsafe.benchmark, sys; from convsafe.benchmark.cli import main;"
        " print(convsafe.benchmark.__file__); main(['build', '--sources', '', '--out', 'out'])"
    )
    done = subprocess.run(
        [home / "bin" / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stdout.splitlines()[0]
    assert (tmp_path / "out" / "manifest.json").exists()
