"""Our own translations: whole pairs in every language, in that language, marked unreviewed."""

from pathlib import Path
from typing import Any

import pytest
from convsafe.data_builders import transform
from convsafe.data_builders.core import core_cases
from convsafe.data_builders.rewriting import ANY
from convsafe.taxonomy.tree import load_tree, read_yaml

CASES = {case.id: case for case in core_cases()}
LANGUAGES = transform.names("language")


def file(tag: str) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(transform.file_of("language", tag))
    return found


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_language_translates_a_hundred_whole_pairs_of_every_area_it_can(tag: str) -> None:
    texts = file(tag)["texts"]
    requests = [id for id in texts if not id.endswith("-twin")]
    assert len(requests) >= 100
    assert set(texts) == {each for id in requests for each in (id, f"{id}-twin")} <= set(CASES)
    assert len(set(texts.values())) == len(texts)
    areas = {load_tree().area_of(CASES[id].hazards[0]).id for id in requests}
    assert len(areas) >= len(load_tree().areas) - 1
    assert not [id for id, text in texts.items() if text == CASES[id].prompt]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_translation_is_in_its_language(tag: str) -> None:
    import py3langid

    texts = file(tag)["texts"].values()
    found = [py3langid.classify(text)[0] for text in texts]
    assert found.count(tag) >= 0.95 * len(found)


def test_all_languages_translate_the_same_pairs_and_say_they_are_unreviewed() -> None:
    files = {tag: file(tag) for tag in LANGUAGES}
    assert len({frozenset(found["texts"]) for found in files.values()}) == 1
    assert not [tag for tag, found in files.items() if found["reviewed"]]
    assert {found["tier"] for found in files.values()} == {"high", "medium", "low"}


def test_the_languages_of_multijail_are_there_in_its_tiers() -> None:
    tiers = {tag: file(tag)["tier"] for tag in LANGUAGES}
    for tier, tags in {
        "high": ("zh", "it", "vi"),
        "medium": ("ar", "ko", "th"),
        "low": ("bn", "sw", "jv"),
    }.items():
        assert {tiers[tag] for tag in tags} == {tier}


def test_the_language_of_the_answer_can_be_asked_for_in_every_language() -> None:
    path: Path = transform.file_of("context", "answer_in_english")
    assert set(LANGUAGES) <= set(read_yaml(path)["wrap"]) - {ANY}
