"""The commands as a user types them."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import needs_sources


def convsafe(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    code = "from convsafe.benchmark.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd
    )


def test_help_lists_every_command() -> None:
    text = convsafe("--help").stdout
    for name in ("build", "run", "score", "report", "taxonomy", "sources", "judge-eval", "rank"):
        assert f"\n  {name} " in text


def test_a_mistyped_command_names_its_neighbour() -> None:
    done = convsafe("scor")
    assert done.returncode == 2
    assert "Did you mean 'score'?" in done.stderr


def test_errors_are_one_line_with_an_exit_code(tmp_path: Path) -> None:
    done = convsafe("score", str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert convsafe("run", "--model", "ecco").returncode == 3


def test_taxonomy_is_shown_searched_and_mapped() -> None:
    assert "self_harm/suicide" in convsafe("taxonomy", "find", "suicide").stdout
    assert json.loads(convsafe("taxonomy", "show", "malware", "--json").stdout)["area"] == "cyber"
    assert "Child safety: " in convsafe("taxonomy", "map", "--from", "simple_safety_tests").stdout


def test_run_scores_and_reports_in_one_command(core_release: Path, tmp_path: Path) -> None:
    done = convsafe(
        "run", "--model", "always_refuse", "--release", str(core_release), "--limit", "40",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "always-refuse-core-40"
    assert (folder / "report.html").exists()
    assert "Compliance with harmful requests" in done.stdout
    scores = json.loads(convsafe("score", str(folder), "--json").stdout)
    assert scores["missing"] == 0


def test_an_incomplete_run_has_its_own_exit_code(core_release: Path, tmp_path: Path) -> None:
    arguments = ("run", "--model", "echo", "--release", str(core_release), "--limit", "20",
                 "--only-run", "--out", str(tmp_path / "run"))  # fmt: skip
    assert convsafe(*arguments).returncode == 0
    path = tmp_path / "run" / "generations.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert convsafe("score", str(tmp_path / "run")).returncode == 4
    assert convsafe("score", str(tmp_path / "run"), "--partial").returncode == 0


@needs_sources
def test_build_prints_rows_per_source_and_config(tmp_path: Path) -> None:
    done = convsafe("build", "--out", str(tmp_path / "release"))
    assert done.returncode == 0, done.stderr
    assert "multijail                  3150" in done.stdout
    assert "114 of 114 fields filled" in done.stdout


def test_the_repository_as_working_folder_shadows_nothing() -> None:
    root = Path(__file__).parents[1]
    assert convsafe("taxonomy", "find", "suicide", cwd=root).returncode == 0
