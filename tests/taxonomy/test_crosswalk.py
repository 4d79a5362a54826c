"""Every upstream category is mapped into the tree."""

from pathlib import Path

import pytest
from convsafe.taxonomy import crosswalk as crosswalks
from convsafe.taxonomy.crosswalk import crosswalk_names, load_crosswalk, map_between
from convsafe.taxonomy.errors import BadInput, UnknownName


@pytest.mark.parametrize("name", crosswalk_names())
def test_a_crosswalk_maps_every_category_or_says_why_not(name: str) -> None:
    crosswalk = load_crosswalk(name)
    assert crosswalk.url.startswith("https://")
    for category in crosswalk.categories:
        assert bool(category.links) != bool(category.why), category.name


def test_at_most_a_tenth_of_the_links_is_partial() -> None:
    links = [
        link
        for name in crosswalk_names()
        for category in load_crosswalk(name).categories
        for link in category.links
    ]
    assert sum(link.match == "partial" for link in links) <= 0.1 * len(links)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("ailuminate", 12),
        ("aegis2", 21),
        ("simple_safety_tests", 5),
        ("weidinger2021", 27),
    ],
)
def test_the_reference_taxonomies_are_covered(name: str, count: int) -> None:
    assert len(load_crosswalk(name).categories) >= count


def test_an_unknown_category_names_its_neighbours() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'Child safety'"):
        load_crosswalk("simple_safety_tests").hazards("Child safty")


def test_rows_of_a_union_may_be_any_part_but_a_sure_hazard_comes_alone() -> None:
    sst = load_crosswalk("simple_safety_tests")
    assert sst.hazards("Suicide, Self-Harm, and Eating Disorders") == ("self_harm",)
    assert len(sst.hazards("Scams and fraud")) > 1


def test_two_taxonomies_meet_through_shared_hazards() -> None:
    pairs = map_between("simple_safety_tests", "aegis2")
    assert any(
        pair.native.startswith("Suicide") and pair.other == "Suicide and Self Harm"
        for pair in pairs
    )
    assert not any(pair.native == "Scams and fraud" and pair.other == "Profanity" for pair in pairs)


def test_a_category_two_taxonomies_share_is_mapped_once() -> None:
    ours, theirs = load_crosswalk("llama_guard").get("S9"), load_crosswalk("ailuminate")
    assert ours.name == "S9"
    assert ours.links == theirs.get("Indiscriminate Weapons (CBRNE)").links
    assert any(pair.other == "Hate" for pair in map_between("llama_guard", "ailuminate"))


@pytest.mark.parametrize(
    ("same_as", "error"),
    [
        ("{taxonomy: mine, category: A}", "names a taxonomy and a category"),
        ("{taxonomy: ailuminate}", "names a taxonomy and a category"),
        ("{taxonomy: ailuminat, category: Hate}", "no taxonomy 'ailuminat'"),
        ("{taxonomy: ailuminate, category: Hatred}", "no category of ailuminate 'Hatred'"),
    ],
)
def test_a_category_is_not_the_same_as_one_that_is_not_there(
    same_as: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = crosswalks.CROSSWALKS / "ailuminate.yaml"
    (tmp_path / "ailuminate.yaml").write_text(theirs.read_text())
    (tmp_path / "mine.yaml").write_text(
        "id: mine\nname: Mine\nurl: https://example.org\naxis: category\n"
        f"categories:\n  - name: A\n    same_as: {same_as}\n"
    )
    monkeypatch.setattr(crosswalks, "CROSSWALKS", tmp_path)
    with pytest.raises((BadInput, UnknownName), match=error):
        load_crosswalk.__wrapped__("mine")
