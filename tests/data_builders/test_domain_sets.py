"""Our own domain sets and agents: complete on their axes, paired, and refused when malformed."""

import json
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from convsafe.data_builders.card import ABOUT
from convsafe.data_builders.domain_sets import SETS, about_sets, read_set, set_cases
from convsafe.data_builders.scope import (
    OUTSIDE,
    assigned,
    load_agents,
    load_pool,
    own_agent_cases,
)
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case

CASES = list(set_cases())
BY_ID = {case.id: case for case in CASES}


def of(name: str) -> list[Case]:
    return [case for case in CASES if case.facets[0].name == name and not case.transforms]


def axes(name: str, *kinds: str) -> Counter[tuple[str, ...]]:
    """How many requests of a set stand on each combination of facets."""
    found = ({f.kind: f.name for f in case.facets} for case in of(name) if not is_twin(case))
    return Counter(tuple(facets[kind] for kind in kinds) for facets in found)


def is_twin(case: Case) -> bool:
    return case.id.endswith("-twin")


@pytest.mark.parametrize("name", sorted(about_sets()))
def test_every_case_of_a_set_keeps_the_rules(name: str) -> None:
    for case in (case for case in CASES if case.facets[0].name == name):
        case.check()
        assert case.rubric
        assert case.config in ABOUT
        assert case.base_id in BY_ID
        assert case.twin_id is None or case.twin_id in BY_ID
        if case.choices:
            assert case.expected == "choose"
            assert case.answer in case.choices
            assert all(choice in case.prompt for choice in case.choices)


@pytest.mark.parametrize("name", sorted(about_sets()))
def test_a_paired_set_has_a_twin_for_every_request(name: str) -> None:
    cases = of(name)
    twins = [case for case in cases if is_twin(case)]
    assert not twins or len(twins) * 2 == len(cases)
    for twin in twins:
        assert BY_ID[twin.twin_id or ""].twin_id == twin.id
        assert twin.facets == BY_ID[twin.twin_id or ""].facets
        assert twin.expected in {"comply", "support", "choose"}


def test_crises_come_in_six_classes_told_openly_or_not() -> None:
    found = axes("crisis", "crisis", "signal")
    assert len({crisis for crisis, _ in found}) == 6
    for crisis in {crisis for crisis, _ in found}:
        assert found[crisis, "indirect"] >= 4
        assert found[crisis, "direct"] >= 4


def test_clinical_hazards_cover_every_domain() -> None:
    found = axes("clinical", "scenario", "domain")
    scenarios, domains = {key[0] for key in found}, {key[1] for key in found}
    assert (len(scenarios), len(domains)) == (14, 10)
    assert set(found) == set(product(scenarios, domains))


def test_manipulation_has_every_strategy_in_every_topic_and_condition() -> None:
    found = axes("manipulation", "topic", "strategy")
    assert len({key[0] for key in found}) == 6
    assert len({key[1] for key in found}) == 15
    assert len(found) == 90
    persuasive = [case for case in CASES if case.id.endswith(".persuasive")]
    assert len(persuasive) == 90
    assert all(case.twin_id == f"{case.base_id}-twin" for case in persuasive)


def test_personal_contexts_come_in_pairs_around_one_question() -> None:
    assert len(axes("personalized", "domain", "attribute")) == 70
    for case in of("personalized"):
        rich, benign = BY_ID[f"{case.id}.context_rich"], BY_ID[f"{case.id}.context_benign"]
        assert (rich.twin_id, benign.twin_id) == (benign.id, rich.id)
        assert rich.prompt.endswith(case.prompt)
        assert benign.prompt.endswith(case.prompt)
        assert (rich.expected, benign.expected) == ("support", "comply")
        keys = [set(json.loads(each.profile or "{}")) for each in (rich, benign)]
        assert keys[0] == keys[1]
        assert keys[0]


def test_the_other_sets_are_as_large_as_promised() -> None:
    assert len(of("mental_health_questions")) == 100
    assert all(len((case.answer or "").split()) >= 30 for case in of("mental_health_questions"))
    assert len(axes("recovery", "error")) == 6
    assert Counter(case.expected for case in of("recovery") if not is_twin(case)) == {
        "clarify": 36,
        "escalate": 36,
    }
    substances = [case for case in CASES if case.facets[0].name == "controlled_substances"]
    rewordings = Counter(case.base_id for case in substances if case.transforms)
    assert set(rewordings.values()) == {5}
    assert len(of("task_dialogues")) >= 60
    assert len(axes("task_dialogues", "domain")) == 6
    assert all(len(case.messages) >= 5 for case in of("task_dialogues"))
    assert all(case.basis for case in of("regulated_science"))
    assert all("[1]" in case.messages[0].content for case in of("grounding"))
    assert len(axes("professional_tasks", "sector")) == 9
    assert len(axes("user_mediated", "agent")) == 2


# Agents.


def test_every_agent_has_thirty_requests_inside_and_thirty_outside() -> None:
    agents = load_agents()
    assert sum(agent.origin == "ours" for agent in agents) >= 12
    assert sum(agent.origin == "offtopiceval" for agent in agents) == 21
    for agent in agents:
        assert len(agent.in_domain["en"]) >= 30
        questions = assigned()[agent.name]
        assert len({question.id for question in questions}) == OUTSIDE
        assert not {question.subject for question in questions} & agent.covers
        for language in agent.languages:
            assert sum(language in question.translations for question in questions) >= 10


def test_no_question_is_asked_of_more_than_a_few_agents() -> None:
    used = Counter(question.id for found in assigned().values() for question in found)
    assert max(used.values()) <= 6
    assert len(used) == len(load_pool())


def test_an_agent_is_asked_inside_and_outside_its_purpose() -> None:
    cases = list(own_agent_cases())
    assert {case.expected for case in cases} == {"comply", "refuse"}
    for case in cases:
        case.check()
        assert case.scope
        assert (case.scope.domain == "in_domain") == (case.expected == "comply")
        assert case.messages[0].role == "system"
    assert {case.language for case in cases} == {"en", "zh", "hi"}


# Bad input.

GOOD = {"id": "one", "hazard": "drugs", "request": "a request", "twin": "its twin", "rubric": "r"}
TOP = {"set": "given", "config": "harm", "about": "A test."}


@pytest.mark.parametrize(
    ("top", "change", "message"),
    [
        ({}, {"hazard": "malware2"}, r"given\.yaml \[one\]: no leaf 'malware2'"),
        ({}, {"twin": ""}, r"\[one\]: `twin` must be a text"),
        ({}, {"colour": "red"}, "unknown fields: colour"),
        ({}, {"rubric": ""}, "no rubric"),
        ({}, {"id": "Two Words"}, "`id` must be"),
        ({}, {"paraphrases": ["one more"]}, "as many paraphrases"),
        ({}, {"variants": {"x": {"colour": "red"}}}, "a variant has unknown fields: colour"),
        ({}, {"expected": "reply"}, "expected 'reply' is not one of"),
        ({}, {"also": ["nothing"]}, "no hazard nothing"),
        ({"set": "other"}, {}, "`set` must be the file's name"),
        ({"colour": "red"}, {}, "unknown fields: colour"),
    ],
)
def test_a_malformed_set_names_file_and_entry(
    tmp_path: Path, top: dict, change: dict, message: str
) -> None:
    path = tmp_path / "given.yaml"
    path.write_text(json.dumps(TOP | top | {"entries": [GOOD | change]}))
    with pytest.raises(BadInput, match=message):
        list(read_set(path))


def test_an_id_used_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "given.yaml"
    path.write_text(json.dumps(TOP | {"entries": [GOOD, GOOD]}))
    with pytest.raises(BadInput, match="used once"):
        list(read_set(path))


def test_every_set_says_what_it_measures() -> None:
    assert set(about_sets()) == {path.stem for path in SETS.glob("*.yaml")}
    assert all(len(about) > 30 for _, about in about_sets().values())
