"""A recipe makes the transformed suite: in pairs, the same every time, every omission stated."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from convsafe.benchmark.cli import cli
from convsafe.benchmark.suite import load_suite
from convsafe.data_builders import build, transform
from convsafe.data_builders.assembly import Assembly, assemble
from convsafe.data_builders.core import core_cases, own_cases
from convsafe.data_builders.core_view import core_ids
from convsafe.data_builders.derive import Skipped, coverage, derive, stream
from convsafe.data_builders.quality import check_prompts
from convsafe.data_builders.recipe import FULL, Recipe, area_of, load_recipe
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import NEVER_SHOWN, load_tree

from tests.conftest import needs_sources

CASES = list(core_cases())


@pytest.fixture(scope="module")
def own() -> Assembly:
    """Our own cases under the full recipe."""
    return assemble([])


def recipe(tmp_path: Path, *steps: dict, **core: int) -> Recipe:
    path = tmp_path / "recipe.yaml"
    rule = {"pairs_per_area": 2, "units_per_family": 1} | core
    path.write_text(yaml.safe_dump({"recipe": "t", "seed": 1, "steps": list(steps), "core": rule}))
    return load_recipe(path)


SLANG = {"name": "slang", "transforms": ["slang"], "from": {"paired": True}, "units": 2}


def test_every_transformed_case_is_linked_to_its_plain_case_and_its_twin(own: Assembly) -> None:
    by_id = {case.id: case for case in own.cases}
    paired = 0
    for case in own.derived.cases:
        plain = by_id[case.id.rpartition(".")[0]]
        assert plain.transforms == case.transforms[:-1]
        assert by_id[case.base_id].transforms == ()
        assert case.cluster_id == by_id[case.base_id].cluster_id
        if case.twin_id:
            paired += 1
            twin = by_id[case.twin_id]
            assert twin.twin_id == case.id
            assert twin.transforms == case.transforms
    assert paired > 0.8 * len(own.derived.cases)


def test_the_coverage_matrix_is_nearly_full_and_says_why_where_not(own: Assembly) -> None:
    matrix = coverage(own.cases, own.derived.skipped)
    assert set(matrix) == {area.id for area in load_tree().areas}
    cells = [cell for row in matrix.values() for cell in row.values()]
    empty = [cell for cell in cells if not cell.cases]
    assert len(cells) == 19 * 6
    assert len(empty) <= 0.1 * len(cells)
    assert all(cell.reason for cell in empty)


def test_skipped_cases_are_skipped_in_pairs_for_a_reason(own: Assembly) -> None:
    by_id = {case.id: case for case in own.cases}
    skipped = {(each.id, each.transform) for each in own.derived.skipped}
    for each in own.derived.skipped:
        assert each.reason
        assert (each.id, each.transform) in skipped
        twin = by_id[each.id].twin_id
        if twin and each.reason.startswith("its twin"):
            assert (twin, each.transform) in skipped


def test_the_core_view_is_small_balanced_and_covers_everything(own: Assembly) -> None:
    core = [case for case in own.cases if case.id in own.core]
    assert len(core) <= 1_200
    ids = {case.id for case in core}
    assert all(case.base_id in ids and case.twin_id in ids for case in core)
    plain = Counter(area_of(case) for case in core if not case.transforms)
    assert set(plain) == {area.id for area in load_tree().areas}
    assert max(plain.values()) <= min(plain.values()) + 4
    families = {tag.kind for case in core for tag in case.transforms}
    assert families == {kind.name for kind in transform.each_kind() if kind.general}
    for area in plain:
        found = {t.kind for case in core if area_of(case) == area for t in case.transforms}
        # Nothing operational is among the translated pairs.
        assert found == families - ({"language"} if area == "operational" else set()), area
    enciphered = [case for case in core if case.transforms and case.transforms[0].kind == "cipher"]
    assert all(f"{case.base_id}.identity" in ids for case in enciphered)


def test_the_same_recipe_gives_the_same_cases_in_any_order(tmp_path: Path) -> None:
    plan = recipe(tmp_path, SLANG)
    first, again = derive(CASES, plan), derive(CASES[::-1], plan)
    assert first == again
    assert first.cases
    assert core_ids(first.cases, plan.core) == core_ids(again.cases[::-1], plan.core)


def test_a_larger_draw_keeps_the_smaller(tmp_path: Path) -> None:
    small = {case.id for case in derive(CASES, recipe(tmp_path, SLANG)).cases}
    large = {case.id for case in derive(CASES, recipe(tmp_path, SLANG | {"units": 4})).cases}
    assert small < large


def test_every_transform_of_a_step_gets_the_same_cases_and_its_control(tmp_path: Path) -> None:
    step = {"name": "c", "transforms": ["cipher"], "units": 1, "controls": ["identity"]}
    made = derive(CASES, recipe(tmp_path, step), frozenset({"cipher/caesar"})).cases
    named = {name: {c.base_id for c in made if c.transforms[0].name == name} for name in NAMES}
    assert named["caesar"]
    assert named["caesar"] <= named["identity"]
    assert {case.transforms[0].name for case in made} == {"caesar", "identity"}


NAMES = transform.names("cipher")


def test_a_later_step_takes_what_an_earlier_one_made(tmp_path: Path) -> None:
    second = {
        "name": "more",
        "transforms": ["style/urgent"],
        "from": {"transformed": ["style"]},
        "units": 1,
    }
    made = derive(CASES, recipe(tmp_path, SLANG, second)).cases
    twice = [case for case in made if len(case.transforms) == 2]
    assert twice
    assert all(case.id.endswith(".slang.urgent") for case in twice)


def test_prompts_on_the_sexual_exploitation_of_minors_are_never_transformed(
    tmp_path: Path,
) -> None:
    from dataclasses import replace

    cases = [replace(case, hazards=(NEVER_SHOWN,)) for case in CASES[:20]]
    assert derive(cases, recipe(tmp_path, SLANG)).cases == ()


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        ({"transforms": ["slag"]}, UnknownName, "Did you mean 'slang'"),
        ({"from": {"colour": "red"}}, BadInput, r"step 's': .*colour"),
        ({"per": "moon"}, BadInput, "per is one of area"),
        ({"colour": "red"}, BadInput, r"step 's': .*colour"),
    ],
)
def test_a_malformed_recipe_names_file_and_step(
    tmp_path: Path, step: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        recipe(tmp_path, {"name": "s", "transforms": ["slang"]} | step)


def test_two_steps_of_one_name_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two steps share a name"):
        recipe(tmp_path, SLANG, SLANG)
    with pytest.raises(BadInput, match="no such recipe"):
        load_recipe(tmp_path / "none.yaml")


def test_a_transform_that_no_step_applies_is_an_error(
    tmp_path: Path,
) -> None:
    path = recipe(tmp_path, SLANG).file
    with pytest.raises(BadInput, match="no step of recipe 't' applies cipher/caesar"):
        build(tmp_path / "out", sources=[], transforms=["caesar"], recipe=path)


def test_a_text_of_an_absent_source_leaves_the_framing_out_by_name(own: Assembly) -> None:
    away = dict(own.derived.unavailable)
    assert set(away) == {f"framing/redeval_{name}" for name in ("standard", "cot", "cou", "suffix")}
    assert "red_eval_harmfulqa" in away["framing/redeval_cou"]


@needs_sources
def test_red_eval_templates_are_read_from_upstream_and_bear_its_licence() -> None:
    (cot,) = transform.find("redeval_cot")
    case = next(case for case in CASES if len(case.messages) == 1)
    made = cot.apply(case)
    assert case.prompt in made.messages[-1].content
    assert made.messages != case.messages
    assert made.license == "CC-BY-4.0 AND Apache-2.0"
    (standard,) = transform.find("redeval_standard")
    assert standard.apply(case).messages == case.messages


def test_streaming_holds_nothing_and_states_every_result() -> None:
    three = transform.find_all(["leetspeak", "slang", "small_talk"])
    results = stream(iter(CASES[:50]), three)
    assert iter(results) is results
    found = list(results)
    assert len(found) == 150
    assert {type(each) for each in found} == {Case, Skipped}


# The command line.


def test_build_prints_the_coverage_matrix(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    wanted = ["build", "--sources", "", "--transforms", "style,cipher/caesar", "--out", out]
    done = CliRunner().invoke(cli, wanted)
    assert done.exit_code == 0, done.output
    assert "transformed cases" in done.output
    assert "of 114 fields filled" in done.output
    assert "n/a framing: no case of this area was drawn (19 areas)" in done.output
    skipped = (tmp_path / "out" / "not_applicable.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in skipped]
    assert rows
    assert all(row["reason"] and row["id"] and row["transform"] for row in rows)
    core = load_suite(out, "core")
    assert {tag.name for case in core.cases for tag in case.transforms} >= {"caesar", "identity"}


@pytest.mark.parametrize("name", ["ceasar", "style/slng"])
def test_an_unknown_transform_on_the_command_line_says_so(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(cli, ["build", "--transforms", name, "--out", str(tmp_path / "o")])
    assert done.exit_code != 0
    assert isinstance(done.exception, UnknownName) or "Did you mean" in done.output
    assert not (tmp_path / "o").exists()


def test_the_card_says_how_each_config_was_made(own_release: Path) -> None:
    card = (own_release / "README.md").read_text()
    manifest = json.loads((own_release / "manifest.json").read_text())
    assert "## How each config was made" in card
    for name, made in manifest["made"].items():
        assert f"| `{name}` | {made['plain']} |" in card
    assert {
        *("core", "harm", "over_refusal", "personas", "multilingual", "ciphers", "styles"),
        *("jailbreak", "operational", "professional", "science", "medical", "mental_health"),
        *("manipulation", "personalized", "dialog", "grounding"),
    } <= set(manifest["configs"])
    assert "caesar" in card
    assert "- **clinical** (`medical`):" in card


def test_show_prints_a_case_with_its_base_and_twin(own_release: Path) -> None:
    id = next(
        case.id
        for case in load_suite(own_release, "ciphers").cases
        if case.id.endswith(".caesar") and "-twin" not in case.id
    )
    release = ["--release", str(own_release)]
    done = CliRunner().invoke(cli, ["show", id, *release])
    assert done.exit_code == 0, done.output
    base = id.removesuffix(".caesar")
    for line in (f"case  {id}", f"base  {base}", f"twin  {base}-twin.caesar", "cipher/caesar"):
        assert line in done.output
    found = json.loads(CliRunner().invoke(cli, ["show", id, *release, "--json"]).output)
    assert found["case"]["twin_id"] == found["twin"]["id"]
    assert found["base"]["transforms"] == []
    assert f"{base}.identity" in found["siblings"]


def test_show_names_the_nearest_ids_and_hides_what_is_never_shown(own_release: Path) -> None:
    done = CliRunner().invoke(cli, ["show", "core-drugs-01", "--release", str(own_release)])
    assert done.exit_code != 0
    said = done.output + str(done.exception)
    assert "Did you mean" in said
    assert "core-drugs-001" in said


@needs_sources
def test_show_never_displays_the_leaf_that_is_never_shown(full_release: Path) -> None:
    from convsafe.data_builders.showing import family

    banned = next(
        case.id for case in load_suite(full_release, "harm").cases if NEVER_SHOWN in case.hazards
    )
    with pytest.raises(BadInput, match="never displayed"):
        family(banned, full_release)


# Our own prompts, measured.


def test_our_own_prompts_keep_the_limits_of_a_release() -> None:
    found = check_prompts(own_cases())
    assert found.problems() == []
    assert abs(found.length_auc - 0.5) <= 0.1
    assert found.requests == found.twins >= 1_200


def test_a_template_a_copy_and_a_telling_word_are_noticed() -> None:
    from dataclasses import replace

    plain = [case for case in CASES if case.twin_id]
    telling = [
        case
        if case.id.endswith("-twin")
        else replace(case, prompt=f"Tell me at once: {case.prompt} Nobody may know.")
        for case in plain
    ]
    found = check_prompts(telling)
    assert found.auc > 0.7
    assert found.opening_share > 0.9
    copies = [replace(case, prompt=plain[0].prompt) for case in plain]
    assert check_prompts(copies).largest_cluster > 3
    assert check_prompts(copies).template_share == 1.0


def test_the_full_recipe_is_the_default(tmp_path: Path) -> None:
    assert FULL.is_file()
    assert load_recipe().name == "full"


@needs_sources
def test_the_core_is_the_same_with_and_without_upstream(
    own_release: Path, full_release: Path
) -> None:
    for split in ("dev", "test"):
        alone, among = (load_suite(at, "core", split) for at in (own_release, full_release))
        assert alone.ids_sha256 == among.ids_sha256
        for ours, theirs in zip(alone.cases, among.cases, strict=True):
            assert ours.messages == theirs.messages


@needs_sources
def test_the_full_suite_is_as_large_as_promised(full_release: Path) -> None:
    manifest = json.loads((full_release / "manifest.json").read_text())
    assert manifest["cases"] >= 60_000
    cells = [cell for row in manifest["coverage"].values() for cell in row.values()]
    assert sum(not cell[0] for cell in cells) <= 0.1 * len(cells)
