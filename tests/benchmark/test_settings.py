"""Run settings: words around every case, recorded with the run and never mixed."""

import json
from pathlib import Path

import pytest
from convsafe.benchmark.engine import run
from convsafe.benchmark.setting import SETTINGS, load_settings
from convsafe.benchmark.suite import load_suite
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Message

PLAIN = (Message("user", "Where is the station?"),)
AGENT = (Message("system", "You sell tickets."), *PLAIN)


@pytest.mark.parametrize("name", SETTINGS.names())
def test_a_setting_adds_words_and_keeps_every_turn(name: str) -> None:
    (setting,) = load_settings([name])
    for messages in (PLAIN, AGENT):
        found = setting.apply(messages)
        assert found != messages
        assert found[-1].role == "user"
        assert PLAIN[0].content in found[-1].content
        assert [turn.role for turn in found][-len(messages) :] == [turn.role for turn in messages]
        if messages is AGENT:
            assert AGENT[0].content in found[0].content


def test_settings_go_around_each_other_in_order() -> None:
    both = load_settings(["safety_prompt", "p_ground"])
    messages = AGENT
    for setting in both:
        messages = setting.apply(messages)
    assert messages[0].content.startswith("Safety comes first")
    assert messages[1].content.startswith(PLAIN[0].content)


def test_an_unknown_or_repeated_setting_is_an_error() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'p_ground'"):
        load_settings(["p_grund"])
    with pytest.raises(BadInput, match="given twice"):
        load_settings(["p_ground", "p_ground"])


def test_a_run_sends_them_and_records_them(core_release: Path, tmp_path: Path) -> None:
    suite = load_suite(core_release, limit=20)
    plain = run("echo", suite, tmp_path / "plain")
    grounded = run("echo", suite, tmp_path / "grounded", settings=["p_ground"])
    said = grounded.generations()["response"].to_list()
    assert all("look back at the system prompt" in text for text in said)
    assert not any("look back at the system prompt" in t for t in plain.generations()["response"])
    stored = json.loads((grounded.folder / "run.json").read_text())["settings"]
    assert stored == {setting.name: setting.identity for setting in load_settings(["p_ground"])}
    with pytest.raises(BadInput, match="another settings"):
        run("echo", suite, tmp_path / "plain", settings=["q_ground"])


def test_the_folder_of_a_run_names_its_settings(
    core_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = load_suite(core_release, limit=20)
    assert run("echo", suite, settings=["q_ground"]).folder.name == "echo-core-20-q_ground"
