"""What runs on pull requests of strangers may read and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[1] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.y*ml"))
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}\Z")
# Whoever writes a title, a branch or a comment writes into the script that holds one of these.
_WRITTEN_BY_OTHERS = re.compile(r"\$\{\{")


def load(path: Path) -> dict[str, Any]:
    """Return a workflow; YAML reads the key `on` as a truth."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in found.items()}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_the_two_workflows() -> None:
    assert [path.name for path in FILES] == ["ci.yml", "submission.yml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_workflow_can_write_or_holds_a_secret(path: Path) -> None:
    workflow, text = load(path), path.read_text(encoding="utf-8")
    assert workflow["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in workflow["jobs"].values())
    assert set(workflow["on"]) <= {"push", "pull_request"}
    assert "secrets." not in text
    assert "self-hosted" not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_and_no_token_is_left_behind(path: Path) -> None:
    used = [step for step in steps(load(path)) if "uses" in step]
    assert used
    for step in used:
        assert _PINNED.match(step["uses"]), step["uses"]
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_hold_no_expression_and_jobs_end(path: Path) -> None:
    workflow = load(path)
    for step in steps(workflow):
        assert not _WRITTEN_BY_OTHERS.search(step.get("run", "")), step
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


def test_the_code_that_verifies_is_the_base_branch_s() -> None:
    every = steps(load(FOLDER / "submission.yml"))
    taken = [step["with"].get("ref") for step in every if "checkout@" in step.get("uses", "")]
    assert taken == ["${{ github.event.pull_request.base.sha }}"]
    scripts = "\n".join(step.get("run", "") for step in every)
    assert not re.search(r"git (checkout|switch|merge|pull|worktree|reset|apply)", scripts)
    assert "--require-hashes" in scripts
