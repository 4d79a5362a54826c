"""Our own prompts: whole, paired, and telling twins by intent rather than by words."""

import re
from collections import Counter
from pathlib import Path

import pytest
from convsafe.data_builders.core import core_cases
from convsafe.data_builders.quality import check_prompts
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import load_tree

CASES = list(core_cases())
BY_ID = {case.id: case for case in CASES}
REQUESTS = [case for case in CASES if not case.id.endswith("-twin")]


@pytest.mark.parametrize("leaf", [leaf.id for leaf in load_tree() if leaf.own_prompts])
def test_every_leaf_has_three_requests_and_three_twins(leaf: str) -> None:
    requests = [case for case in REQUESTS if case.hazards[0] == leaf]
    assert len(requests) >= 3
    assert all(BY_ID[f"{case.id}-twin"].expected == "comply" for case in requests)


def test_no_prompt_of_ours_is_on_the_sexual_exploitation_of_minors() -> None:
    assert not [case.id for case in CASES if "child_sexual_exploitation" in case.hazards]


def words(case: Case) -> set[str]:
    return set(re.findall(r"[a-z']{4,}", case.prompt.lower()))


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case.id)
def test_a_twin_shares_words_with_its_request_and_points_back(case: Case) -> None:
    twin = BY_ID[case.twin_id or ""]
    assert twin.twin_id == case.id
    assert len(words(case) & words(twin)) >= 2
    assert twin.messages[:-1] == case.messages[:-1]


def test_no_opening_makes_more_than_two_percent() -> None:
    openings = Counter(" ".join(case.prompt.lower().split()[:3]) for case in CASES)
    assert openings.most_common(1)[0][1] <= 0.02 * len(CASES)


def test_words_and_length_do_not_tell_requests_from_twins() -> None:
    found = check_prompts(CASES)
    assert found.auc <= 0.70
    assert abs(found.length_auc - 0.5) <= 0.1


GOOD = {"hazard": "drugs", "n": 1, "request": "a request", "twin": "its twin"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hazard": "malware"}, r"crime\.yaml \[core-malware-1\]: no leaf 'malware'"),
        ({"twin": ""}, r"\[core-drugs-1\]: `twin` must be a text"),
        ({"request": "a\0b"}, "`request` must be a text"),
        ({"expected": "reply"}, "`expected` must be one of"),
        ({"n": 0}, "`n` must be a number"),
        ({"colour": "red"}, "unknown fields: colour"),
        ({"also": ["nothing"]}, "no hazard nothing"),
    ],
)
def test_a_malformed_prompt_file_names_file_and_pair(
    tmp_path: Path, change: dict, message: str
) -> None:
    import json

    (tmp_path / "crime.yaml").write_text(json.dumps({"area": "crime", "pairs": [GOOD | change]}))
    with pytest.raises(BadInput, match=message):
        list(core_cases(tmp_path))


def test_a_number_used_twice_is_an_error(tmp_path: Path) -> None:
    import json

    (tmp_path / "crime.yaml").write_text(json.dumps({"area": "crime", "pairs": [GOOD, GOOD]}))
    with pytest.raises(BadInput, match="used twice"):
        list(core_cases(tmp_path))
