"""The release: it loads, says what it is, is the same for everybody, and is whole or absent."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from convsafe.benchmark.suite import load_suite
from convsafe.data_builders.assembly import Assembly
from convsafe.data_builders.canary import CANARY
from convsafe.data_builders.ledger import LICENSES, PROFILES, check_rows, decide, decisions
from convsafe.data_builders.manifest import content_sha256
from convsafe.data_builders.released import read_rows
from convsafe.data_builders.releasing import release
from convsafe.data_builders.source import SOURCES, core_card, load_source
from convsafe.taxonomy.errors import BadInput, Unavailable, UnknownName
from convsafe.taxonomy.files import sha256_of
from convsafe.taxonomy.records import Case

from tests.conftest import needs_sources

SOME = ["multijail", "rxsafebench", "xstest", "simple_safety_tests"]
MADE = ["framing", "cipher/caesar"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of our own prompts alone, in shards of 300 rows."""
    out = tmp_path_factory.mktemp("own") / "hub"
    return release(
        "1.2.0", out, sources=[], transforms=[], date="2026-11-24", shard_rows=300
    ).folder


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of our own prompts and four mirrored sources."""
    out = tmp_path_factory.mktemp("some") / "hub"
    return release("1.0.0", out, sources=SOME, transforms=MADE).folder


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def front_matter(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    return found


def sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


@needs_sources
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_config_loads_by_name_with_the_features_the_card_promises(
    some: Path, tmp_path: Path
) -> None:
    import datasets
    from pyarrow import parquet

    promised = {entry["config_name"]: entry for entry in front_matter(some)["dataset_info"]}
    for config, splits in manifest_of(some)["configs"].items():
        for split, count in splits.items():
            loaded = datasets.load_dataset(str(some), config, split=split, cache_dir=tmp_path)
            assert len(loaded) == count
            assert [entry["name"] for entry in promised[config]["features"]] == list(
                loaded.features
            )
            path = next((some / "data" / config).glob(f"{split}-*.parquet"))
            schema = parquet.read_schema(path)
            assert loaded.features == datasets.Features.from_arrow_schema(schema.remove_metadata())
    default = datasets.load_dataset(str(some), split="test", cache_dir=tmp_path)
    assert default.config_name == "core"


def test_shards_follow_each_other_in_order_of_ids(own: Path) -> None:
    names = sorted(path.name for path in (own / "data" / "core").iterdir())
    assert names == ["dev-00000-of-00001.parquet"] + [
        f"test-{number:05}-of-00002.parquet" for number in range(2)
    ]
    ids = [case.id for case in load_suite(own, "core").cases]
    assert ids == sorted(ids)
    assert len(ids) == manifest_of(own)["configs"]["core"]["test"]


def test_the_card_speaks_the_hubs_language(own: Path) -> None:
    card = front_matter(own)
    assert card["license"] == "cc-by-4.0"
    assert card["pretty_name"] == "convsafe-bench"
    assert card["size_categories"] == ["1K<n<10K"]
    assert "not-for-all-audiences" in card["tags"]
    assert {"extra_gated_heading", "extra_gated_prompt", "extra_gated_fields"} < set(card)
    assert [entry["config_name"] for entry in card["configs"] if entry.get("default")] == ["core"]
    text = (own / "README.md").read_text()
    counts = json.loads((own / "manifest.json").read_text())["configs"]["core"]
    assert f"| `core` | {counts['dev']} | {counts['test']} |" in text
    assert "assets/cases_by_area.png" in text


@needs_sources
def test_several_licences_are_named_one_by_one_and_linked(some: Path) -> None:
    card = front_matter(some)
    assert card["license"] == ["cc-by-4.0", "cc0-1.0", "mit", "other"]
    assert card["license_name"] == "one-for-each-row"
    assert "https://opensource.org/license/mit" in (some / card["license_link"]).read_text()


@needs_sources
def test_croissant_is_valid_and_its_records_are_the_rows(some: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        # mlcroissant's own dependencies warn on import.
        warnings.simplefilter("ignore")
        import mlcroissant

        dataset = mlcroissant.Dataset(jsonld=str(some / "croissant.json"))
        issues = dataset.metadata.ctx.issues
        assert not issues.errors
        records = list(dataset.records("multilingual/dev"))
        core = next(iter(dataset.records("core/test")))
    assert len(records) == manifest_of(some)["configs"]["multilingual"]["dev"]
    assert core["core/test/messages"][0]["core/test/messages/role"] in (b"user", b"system")


def test_croissant_of_a_dated_release_has_no_warning_and_says_how_it_may_be_used(own: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        dataset = mlcroissant.Dataset(jsonld=str(own / "croissant.json"))
        issues = dataset.metadata.ctx.issues
    assert (set(issues.errors), set(issues.warnings)) == (set(), set())
    told = {name for name in json.loads((own / "croissant.json").read_text()) if "rai:" in name}
    assert {"rai:dataCollection", "rai:dataBiases", "rai:personalSensitiveInformation"} < told
    assert {"rai:dataLimitations", "rai:dataUseCases", "rai:dataSocialImpact"} < told


@needs_sources
def test_the_canary_is_in_every_file(some: Path) -> None:
    for path in some.rglob("*"):
        if path.is_file() and path.stat().st_size:
            assert CANARY.encode() in path.read_bytes(), path.name
    lines = (some / "duplicates.jsonl").read_text().splitlines()
    assert all(json.loads(line)["canary"] == CANARY for line in lines)


@needs_sources
def test_the_manifest_names_every_input_and_every_output(some: Path) -> None:
    manifest = manifest_of(some)
    listed = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    assert listed == {name: sum for name, sum in sums(some).items() if name != "manifest.json"}
    for name in SOME:
        card = load_source(name).CARD
        assert manifest["sources"][name]["revision"] == card.revision
        assert manifest["sources"][name]["files"] == {file.path: file.sha256 for file in card.files}
    assert "data_builders/prompts/self_harm.yaml" in manifest["inputs"]
    assert (manifest["version"], manifest["profile"]) == ("1.0.0", "permissive")
    assert {"python", "pyarrow", "matplotlib"} < set(manifest["tools"])


@needs_sources
def test_every_row_of_a_source_stands_in_the_ledger(some: Path) -> None:
    ledger = json.loads((some / "licenses.json").read_text())
    assert set(ledger["sources"]) == {"core", *SOURCES.names()}
    assert ledger["sources"]["xstest"]["license"] == "CC-BY-4.0"
    assert sum(ledger["sources"]["xstest"]["rows"].values()) == 450
    left_out = ledger["sources"]["taskmaster1"]
    assert (left_out["included"], left_out["why"]) == (False, "not among the sources asked for")
    assert "never ran on its data" in ledger["sources"]["sorry_bench"]["why"]


@needs_sources
def test_order_of_sources_and_number_of_workers_change_no_byte(
    some: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = SOURCES.names()
    monkeypatch.setattr(type(SOURCES), "names", lambda self: names[::-1])
    again = release(
        "1.0.0", tmp_path / "hub", sources=SOME[::-1], transforms=MADE, workers=2
    ).folder
    assert sums(again) == sums(some)


def test_a_users_plot_style_and_time_zone_change_no_byte(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib as mpl

    monkeypatch.setenv("TZ", "Pacific/Auckland")
    with mpl.rc_context({"font.size": 20, "figure.dpi": 50, "axes.facecolor": "black"}):
        again = release(
            "1.2.0",
            tmp_path / "hub",
            sources=[],
            transforms=[],
            date="2026-11-24",
            shard_rows=300,
            workers=3,
        )
    assert sums(again.folder) == sums(own)


@needs_sources
def test_rows_read_back_have_the_sum_of_the_manifest(some: Path) -> None:
    manifest = manifest_of(some)
    rows = [Case.from_row(shelved.row) for shelved in read_rows(some, manifest)]
    assert content_sha256(rows) == manifest["content_sha256"]


@pytest.mark.parametrize(
    ("spdx", "redistributable", "taken"),
    [
        ("MIT", True, ("permissive", "research", "all")),
        ("Apache-2.0", True, ("permissive", "research", "all")),
        ("CC0-1.0", True, ("permissive", "research", "all")),
        ("ODC-By-1.0", True, ("permissive", "research", "all")),
        ("CC-BY-NC-4.0", True, ("research", "all")),
        ("CC-BY-SA-4.0", True, ("research", "all")),
        ("CC-BY-NC-ND-4.0", False, ("all",)),
        ("MIT", False, ("all",)),
        ("LicenseRef-unknown", True, ("all",)),
    ],
)
def test_a_profile_takes_what_its_licences_allow(
    spdx: str, redistributable: bool, taken: tuple[str, ...]
) -> None:
    card = replace(core_card(), license=spdx, redistributable=redistributable)
    assert tuple(name for name in PROFILES if decide(card, name).included) == taken


def test_an_unverified_source_is_in_no_profile() -> None:
    for profile in PROFILES:
        for card, included, why in decisions(profile):
            assert why
            assert card.verified or not included
    with pytest.raises(BadInput, match=r"'sorry_bench' .* cannot be in a release of profile 'all'"):
        decisions("all", ["sorry_bench"])


def test_every_card_has_a_licence_the_profiles_know() -> None:
    assert {load_source(name).CARD.license for name in SOURCES.names()} <= set(LICENSES)


def test_an_unknown_licence_names_source_and_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_source("xstest")
    monkeypatch.setattr(module, "CARD", replace(module.CARD, license="WTFPL"))
    with pytest.raises(BadInput, match="source 'xstest' has the licence 'WTFPL', which no profile"):
        release("1.0.0", tmp_path / "hub", sources=[], transforms=[])
    assert not (tmp_path / "hub").exists()


def test_a_row_under_a_licence_of_its_own_is_noticed(core_release: Path) -> None:
    case = replace(load_suite(core_release).cases[0], license="CC-BY-NC-4.0")
    assembly = Assembly((case,), (), (), (), (), {})
    check_rows(assembly, "research")
    with pytest.raises(BadInput, match=r"'core' holds rows under 'CC-BY-NC-4\.0'"):
        check_rows(assembly, "permissive")


@needs_sources
def test_what_may_not_be_published_is_left_out_or_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_source("simple_safety_tests")
    closed = replace(module.CARD, license="CC-BY-NC-ND-4.0", redistributable=False)
    monkeypatch.setattr(module, "CARD", closed)
    with pytest.raises(BadInput, match="do not let others publish it"):
        release(
            "1.0.0",
            tmp_path / "hub",
            sources=["simple_safety_tests"],
            transforms=[],
            profile="research",
        )
    asked = ["simple_safety_tests"]
    folder = release("1.0.0", tmp_path / "hub", sources=asked, transforms=[], profile="all").folder
    manifest = manifest_of(folder)
    assert (manifest["publishable"], manifest["sources"][asked[0]]["cases"]) == (False, 100)
    assert "**NOT FOR PUBLICATION.**" in (folder / "README.md").read_text()


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-rc1", "01.0.0", "1.0.0\n", ""])
def test_a_version_must_be_semantic(version: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no release version: write X\.Y\.Z"):
        release(version, tmp_path / "hub", sources=[])


def test_other_wrong_wishes_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (UnknownName, {"profile": "permisive"}),
        (BadInput, {"date": "24.11.2026"}),
        (BadInput, {"workers": 0}),
        (UnknownName, {"sources": ["xtest"]}),
    ]
    for error, wish in wrong:
        with pytest.raises(error):
            release("1.0.0", tmp_path / "hub", **wish)
    assert not (tmp_path / "hub").exists()


def test_a_source_that_cannot_be_had_stops_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONVSAFE_SOURCES", raising=False)
    with pytest.raises(Unavailable):
        release("1.0.0", tmp_path / "hub")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["write_shards", "bars", "write_documents", "file_sums"])
def test_a_release_that_fails_leaves_the_earlier_one_whole(
    step: str, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "hub"
    release("1.0.0", out, sources=[], transforms=[])
    before = sums(out)

    def fail(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"convsafe.data_builders.releasing.{step}", fail)
    with pytest.raises(Unavailable, match="could not be written: No space"):
        release("1.0.1", out, sources=[], transforms=[])
    assert sums(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]


def test_a_hidden_commitment_is_shipped_and_its_salts_never(tmp_path: Path) -> None:
    from convsafe.data_builders.hidden import commit, salts_path, verify

    prompts = tmp_path / "private.jsonl"
    pair = {"hazard": "suicide", "n": 1, "request": "A request.", "twin": "A twin."}
    prompts.write_text(json.dumps(pair) + "\n")
    commit(prompts, tmp_path / "public.json")
    folder = release(
        "1.0.0", tmp_path / "hub", sources=[], transforms=[], hidden=tmp_path / "public.json"
    ).folder
    assert verify(prompts, folder / "hidden.json").proven
    assert manifest_of(folder)["hidden"]["rows"] == 1
    for private in (salts_path(prompts), own_pair(tmp_path, pair)):
        with pytest.raises(BadInput, match="never the prompts or their salts"):
            release("1.0.0", tmp_path / "hub", sources=[], hidden=private)


def own_pair(folder: Path, pair: dict[str, Any]) -> Path:
    path = folder / "pair.json"
    path.write_text(json.dumps(pair))
    return path


def test_the_citation_file_names_version_day_and_canary(own: Path) -> None:
    cff = yaml.safe_load((own / "CITATION.cff").read_text())
    assert (cff["version"], str(cff["date-released"])) == ("1.2.0", "2026-11-24")
    assert cff["identifiers"][0]["value"] == CANARY
    assert "@software{convsafe_bench" in (own / "CITATION.bib").read_text()


def test_no_path_of_this_machine_is_in_a_release(own: Path) -> None:
    for path in own.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(own.parent).encode() not in content
            assert str(Path(__file__).parents[2]).encode() not in content


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    from convsafe.benchmark.cli import cli

    out = str(tmp_path / "hub")
    run: Callable[..., Any] = CliRunner().invoke
    done = run(
        cli,
        ["release", "--version", "1.0.0", "--out", out, "--sources", "", "--transforms", "none"],
    )
    assert done.exit_code == 0, done.output
    assert " cases in 3 languages from 1 sources, profile permissive" in done.output
    again = run(
        cli,
        [
            "release",
            "--version",
            "1.0.0",
            "--out",
            out,
            "--sources",
            "",
            "--transforms",
            "none",
            "--json",
        ],
    )
    assert json.loads(again.stdout)["version"] == "1.0.0"
