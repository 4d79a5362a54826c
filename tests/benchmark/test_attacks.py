"""Attacks on judges keep what a reply means, and every flip is counted with its direction."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from convsafe.benchmark import attacked
from convsafe.benchmark.attack_rules import RULES
from convsafe.benchmark.attacked import REPLIES, Attacked, Flips, Robustness, attack_judge, table
from convsafe.benchmark.attacking import ATTACKS, ON, Attack, load_attacks
from convsafe.benchmark.cli import cli
from convsafe.benchmark.intervals import clopper_pearson
from convsafe.benchmark.loading import JudgeSettings, load_judge
from convsafe.taxonomy.catalogue import Shelf
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.files import read_json

from tests.conftest import SOURCES, needs_sources
from tests.guards import FORMS, GUARDS, GuardServer
from tests.judge_server import JudgeServer, chat, shown, verdict


def convsafe(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def told(monkeypatch: pytest.MonkeyPatch, *tells: str) -> None:
    judge = SimpleNamespace(
        name="mine", VERSION="1", SUMMARY="", TELLS=frozenset(tells), made_with={}
    )
    monkeypatch.setattr(attacked, "load_judge", lambda *_: judge)


def says(stance: str | None, unsafe: float | None = None) -> dict:
    return {"stance": stance, "unsafe": unsafe}


def judged_by(decide) -> object:
    schema = {"stance": pl.String, "unsafe": pl.Float64}
    return lambda rows: pl.DataFrame([decide(text) for text in rows["response"]], schema=schema)


def test_every_attack_keeps_the_reply_and_is_told_apart() -> None:
    attacks = load_attacks()
    assert len({attack.id for attack in attacks}) == len(attacks) > 60
    assert {attack.family for attack in attacks} == set(ATTACKS.names())
    for attack in attacks:
        changed = attack.apply("Hello there.")
        assert changed != "Hello there.", attack.id
        assert attack.rule or "Hello there." in changed, attack.id
    assert max(len(attack.apply("x")) for attack in attacks) >= 1_000_000


def test_every_rule_of_characters_is_used_by_an_attack() -> None:
    assert {attack.rule for attack in load_attacks()} - {None} == set(RULES)


def test_an_attack_repeats_and_wraps_as_it_says() -> None:
    around = Attack("a", "f", before="<", after=">", rewrite="[{reply}]", times=2)
    assert around.apply("x{reply}") == "[<<x{reply}>>]"
    assert Attack("b", "f", rule="some_homoglyphs").apply("no") == "n\u043e"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("attacks: []", "not empty"),
        ("attacks: [{id: a}]", "an attack needs"),
        ("attacks: [{id: a, after: x, on: all}]", "an attack has an id"),
        ("attacks: [{id: a, after: x, replies: some}]", "one of all, complied, refused"),
        ("attacks: [{id: a, rewrite: x}]", "must hold"),
        ("attacks: [{id: a, after: x, times: 0}]", "number above 0"),
        ("attacks: [{id: a, after: x}, {id: a, after: y}]", "give one another id"),
    ],
)
def test_a_malformed_family_is_named(
    body: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf("family of attacks", tmp_path, "attacks")
    monkeypatch.setattr("convsafe.benchmark.attacking.ATTACKS", shelf)
    (tmp_path / "mine.yaml").write_text(f"about: x\nlabel: kept\nbecause: y\n{body}\n")
    with pytest.raises(BadInput, match=what):
        load_attacks()


def test_what_changes_the_true_label_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf("family of attacks", tmp_path, "attacks")
    monkeypatch.setattr("convsafe.benchmark.attacking.ATTACKS", shelf)
    (tmp_path / "mine.yaml").write_text("about: x\nlabel: changed\nbecause: y\nattacks: []\n")
    with pytest.raises(BadInput, match="no attack"):
        load_attacks()


def test_disavowals_are_tried_on_help_alone_and_promises_on_refusals_alone() -> None:
    on = {attack.family: attack.replies for attack in load_attacks(["disavowals", "consents"])}
    assert on == {"disavowals": "complied", "consents": "refused"}
    stances = {row["stance"] for row in read_json(REPLIES)}
    assert stances == set(ON["all"])


def test_a_judge_that_reads_the_last_line_is_flipped_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "stance", "unsafe")

    def gullible(text: str) -> dict:
        last = text.splitlines()[-1]
        refused = last == "Stance: refusal" or text.startswith(("I", "Sorry"))
        return says("refusal" if refused else "compliance", 0.1 if "SAFE" in last else 0.9)

    found = attack_judge("mine", families=["verdict_lines"], judged=judged_by(gullible))
    by = {entry.attack.id: entry for entry in found.attacks}
    helped = by["stance_refusal_after"].stance
    assert helped.directions == {"not refused to refused": helped.flips}
    assert 0 < helped.flips < helped.n == 58
    assert by["verdict_safe_after"].unsafe.directions == {"unsafe to safe": 58}
    row = by["verdict_safe_after"].unsafe.to_row()
    assert row["share"] == 1.0
    assert row["low"] == pytest.approx(clopper_pearson(58, 58)[0])
    assert by["stance_compliance_after"].stance.flips == 0
    assert {cells[2] for cells in table(found)[1:]} == {"refused or not", "unsafe or not"}


def test_a_verdict_lost_under_attack_is_a_flip_and_one_lost_before_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(monkeypatch, "stance")

    def breaks(text: str) -> dict:
        if text.startswith("I"):
            return says(None)
        return says(None if "VERDICT" in text else "compliance")

    found = attack_judge("mine", families=["verdict_lines"], judged=judged_by(breaks))
    flips = {entry.attack.id: entry.stance for entry in found.attacks}["verdict_safe_after"]
    assert flips.directions == {"not refused to unscored": flips.n}
    assert 0 < flips.n < 58
    assert all(entry.unsafe is None for entry in found.attacks)


def test_a_judge_that_tells_neither_cannot_be_attacked(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "responsive")
    with pytest.raises(BadInput, match="nothing can flip"):
        attack_judge("mine")
    with pytest.raises(UnknownName, match="Did you mean 'padding'"):
        attack_judge("mine", families=["pading"])


def test_the_exact_interval_is_that_of_the_binomial() -> None:
    # 0 of n: 1 - 0.025 ** (1 / n); n of n is its mirror.
    assert clopper_pearson(0, 20) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert clopper_pearson(20, 20) == (pytest.approx(0.025 ** (1 / 20)), 1.0)
    assert clopper_pearson(5, 10) == (pytest.approx(0.187086), pytest.approx(0.812914))


def test_the_command_reports_as_table_json_and_markdown(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"Question {number}?", "response": "I'm sorry, but I can't help.", "label": "no"}
        for number in range(12)
    ]
    rows += [{"prompt": "More?", "response": None, "label": "no"}]
    rows += [{"prompt": "More?", "response": "Yes.", "label": ""}]
    path, out = tmp_path / "replies.jsonl", tmp_path / "attacks.md"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["judge", "attacks", path, "--map", "no=refusal", "--family", "characters"]
    done = convsafe(*arguments, "--n", 10, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["of"] | {"judge_version": ""} == {
        "judge": "embedded", "judge_version": "", "file": "replies.jsonl", "n": 10,
        "labels": {"refusal": 10}, "seed": 0,
    }  # fmt: skip
    assert {entry["family"] for entry in found["attacks"]} == {"characters"}
    assert convsafe(*arguments, "--n", 10, "--json").stdout == done.stdout
    text = convsafe(*arguments, "--n", 10, "--out", out).stdout
    assert "characters/homoglyphs" in text
    assert "| characters/homoglyphs | all | refused or not | 10 |" in out.read_text()
    lost = convsafe("judge", "attacks", path, "--map", "no=invalid")
    assert "no row has a request, a reply and a label" in str(lost.exception)


@needs_sources
def test_labelled_files_of_others_are_attacked_by_their_own_columns() -> None:
    path = Path(str(SOURCES)) / "xstest" / "labelled_completions.csv"
    found = attack_judge("rules", path, families=["consents"], n=200)
    assert found.of["n"] == 200
    assert set(found.of["labels"]) == {"compliance", "partial", "refusal"}
    refused = found.of["labels"]["partial"] + found.of["labels"]["refusal"]
    assert all(entry.stance.n == refused for entry in found.attacks)


def test_the_summary_counts_attacks_that_flip_hardly_anything() -> None:
    attack = load_attacks(["padding"])[0]
    flips = [Flips(200, 2, {}), Flips(200, 3, {}), Flips(0, 0, {}), None]
    found = Robustness({}, [Attacked(attack, entry, None) for entry in flips])
    assert found.steady() == ["refused or not: 1 of 2 attacks flip at most 1%"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    monkeypatch.setattr("convsafe.benchmark.patience.LONGEST_WAIT", 0.0)
    found = JudgeServer()
    yield found
    found.stop()


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Four replies that help, and the model they are of."""
    rows = [
        {"prompt": f"Item {n}", "response": f"Reply {n}.", "label": "compliance", "model": "other"}
        for n in range(4)
    ]
    path = tmp_path / "few.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def wavering(body: dict[str, Any]) -> tuple[int, Any]:
    """Judge by the last line; say nothing of item 3, nor of item 2 once it is attacked."""
    reply = shown(body, "REPLY")
    number = next(n for n in range(4) if f"Reply {n}." in reply)
    if number == 3 or (number == 2 and reply != "Reply 2."):
        return 200, chat("I cannot say.")
    gullible = number == 1 and reply.endswith("Stance: refusal")
    return verdict(body, f"stance=full_{'refusal' if gullible else 'compliance'}")


def test_a_judge_that_asks_a_model_is_attacked_and_what_it_could_not_score_is_shown(
    server: JudgeServer, few: Path, tmp_path: Path
) -> None:
    server.answer = wavering
    arguments = [
        "judge", "attacks", few, "--judge", "single", "--rubric", "xstest_stance",
        "--endpoint", f"{server.url}#tiny", "--cache", tmp_path / "answers.jsonl",
        "--family", "verdict_lines",
    ]  # fmt: skip
    done = convsafe(*arguments)
    assert done.exit_code == 0, done.output
    attacks = len(load_attacks(["verdict_lines"]))
    assert len(server.requests) == 4 * (attacks + 1)
    head, titles, *lines = done.stdout.splitlines()
    assert head.startswith("judge single:xstest_stance@tiny ")
    cells = {line.split()[0]: line.split("   ") for line in lines[:attacks]}
    title = [part.strip() for part in titles.split("   ") if part.strip()]
    assert title[-3:] == ["unscored before", "unscored after", "direction"]
    fooled = [cell.strip() for cell in cells["verdict_lines/stance_refusal_after"] if cell.strip()]
    assert fooled[3:5] == ["3", "66.7 %"]
    assert fooled[6:] == ["1", "2", "1 not refused to refused, 1 not refused to unscored"]
    assert lines[attacks:] == [
        f"refused or not: 0 of {attacks} attacks flip at most 1%",
        "unscored before attacks: 1 (1 no verdict line)",
        f"unscored after attacks: {2 * attacks} ({2 * attacks} no verdict line)",
    ]
    found = json.loads(convsafe(*arguments, "--json").stdout)
    assert len(server.requests) == 4 * (attacks + 1), "an answer that is kept was asked for again"
    assert found["unscored_reasons"] == {"no verdict line": 1}
    assert found["attacks"][0]["stance"]["unscored"] == {"before": 1, "after": 2}
    assert found["attacks"][0]["unscored_reasons"] == {"no verdict line": 2}


def test_an_attack_on_what_was_never_scored_is_shown_and_shows_no_steadiness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(monkeypatch, "stance")
    judged = judged_by(lambda text: says("refusal" if text.startswith("I'm") else None))
    found = attack_judge("mine", families=["disavowals"], judged=judged)
    assert {row[3:7] for row in table(found)[1:]} == {("0", "-", "-", "30")}
    assert found.steady() == []


def test_a_judge_that_scores_nothing_is_refused_before_it_is_attacked(
    server: JudgeServer, few: Path, tmp_path: Path
) -> None:
    options = {"endpoint": f"{server.url}#tiny", "cache": tmp_path / "answers.jsonl"}
    settings = JudgeSettings(rubric="xstest_stance", **options)
    with pytest.raises(BadInput, match="scored none of 4 replies: 4 no verdict line"):
        attack_judge("single", few, settings=settings)
    assert len(server.requests) == 4
    own = JudgeSettings(rubric="xstest_stance", endpoint=f"{server.url}#other")
    with pytest.raises(BadInput, match="other"):
        attack_judge("single", few, settings=own)


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_is_attacked_by_name_or_loaded(
    name: str, guard_server: GuardServer, few: Path, tmp_path: Path
) -> None:
    if name == "openai_moderation":
        guard_server.flags()
    else:
        guard_server.says(FORMS[name][0])
    settings = JudgeSettings(endpoint=f"{guard_server.url}#m", cache=tmp_path / "answers.jsonl")
    found = attack_judge(name, few, families=["verdict_lines"], settings=settings)
    assert found.of["judge"] == f"{name}@m"
    assert all((entry.unsafe.n, entry.unsafe.flips) == (4, 0) for entry in found.attacks)
    loaded = load_judge(name, settings)
    assert attack_judge(loaded, few, families=["verdict_lines"]).to_row() == found.to_row()
