"""The build: every source, every config loads, nothing half-written, nothing silently lost."""

import json
import shutil
from pathlib import Path

import pytest
from convsafe.benchmark.suite import load_suite
from convsafe.data_builders import build
from convsafe.data_builders.source import SOURCES, load_source
from convsafe.taxonomy.errors import BadInput, ChecksumMismatch, Unavailable, UnknownName
from convsafe.taxonomy.files import sha256_of

from tests.conftest import SOURCES as MIRROR
from tests.conftest import needs_sources

VERIFIED = [name for name in SOURCES.names() if load_source(name).CARD.verified]


@needs_sources
def test_every_source_and_our_own_prompts_are_in(full_release: Path) -> None:
    manifest = json.loads((full_release / "manifest.json").read_text())
    assert set(manifest["sources"]) == {"core", *VERIFIED}
    assert manifest["left_out"] == {}
    assert sum(entry["cases"] for entry in manifest["sources"].values()) == manifest["cases"]
    homes = [splits for name, splits in manifest["configs"].items() if name != "core"]
    assert sum(sum(splits.values()) for splits in homes) == manifest["cases"]
    multijail = manifest["sources"]["multijail"]
    assert multijail["cases"] - multijail["transformed"] == 3150
    assert manifest["sources"]["simple_safety_tests"]["cases"] == 100


@needs_sources
def test_every_config_loads_with_datasets(full_release: Path, tmp_path: Path) -> None:
    import datasets

    manifest = json.loads((full_release / "manifest.json").read_text())
    for name, splits in manifest["configs"].items():
        loaded = datasets.load_dataset(str(full_release), name, cache_dir=tmp_path)
        assert {split: len(rows) for split, rows in loaded.items()} == splits
        assert next(iter(loaded.values()))[0]["messages"][-1]["role"] == "user"
    assert datasets.load_dataset(str(full_release), split="test", cache_dir=tmp_path)[0]["id"]


@needs_sources
def test_every_case_of_every_config_keeps_the_schema(full_release: Path) -> None:
    manifest = json.loads((full_release / "manifest.json").read_text())
    seen = set()
    clusters: dict[str, set[str]] = {"dev": set(), "test": set()}
    for name, splits in manifest["configs"].items():
        for split in splits:
            suite = load_suite(full_release, name, split)
            assert [case.id for case in suite.cases] == sorted(case.id for case in suite.cases)
            assert all(len(case.hazard_sources) == len(case.hazards) for case in suite.cases)
            seen |= {case.id for case in suite.cases}
            clusters[split] |= {case.cluster_id for case in suite.cases}
    assert len(seen) == manifest["cases"]
    assert not clusters["dev"] & clusters["test"], "a cluster is cut by the splits"


def test_two_builds_are_the_same_to_the_byte(own_release: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "release", sources=[]).folder
    for path in own_release.rglob("*"):
        if path.is_file():
            assert sha256_of(path) == sha256_of(again / path.relative_to(own_release))


def test_without_sources_and_network_the_core_is_built_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONVSAFE_SOURCES", raising=False)
    built = build(tmp_path / "release")
    assert set(built.manifest["sources"]) == {"core"}
    assert set(built.assembly.left_out) == set(VERIFIED)
    assert all("HF_HUB_OFFLINE" in why for why in built.assembly.left_out.values())


def test_a_source_asked_for_by_name_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONVSAFE_SOURCES", raising=False)
    with pytest.raises(Unavailable, match="point CONVSAFE_SOURCES to a folder that holds xstest/"):
        build(tmp_path / "release", sources=["xstest"])
    with pytest.raises(UnknownName, match="Did you mean 'xstest'"):
        build(tmp_path / "release", sources=["xtest"])


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror of ours that a test may damage."""
    assert MIRROR
    folder = tmp_path / "mirror"
    for name in VERIFIED:
        shutil.copytree(Path(MIRROR) / name, folder / name, copy_function=shutil.copyfile)
    monkeypatch.setenv("CONVSAFE_SOURCES", str(folder))
    return folder


@needs_sources
def test_a_changed_upstream_file_is_refused(mirror: Path, tmp_path: Path) -> None:
    path = mirror / "xstest" / "xstest_prompts.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ChecksumMismatch, match=r"xstest_prompts\.csv: sha256 is"):
        build(tmp_path / "release")
    assert not (tmp_path / "release").exists()


@needs_sources
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Scams and fraud", "Scams", r"simple_safety_tests\.csv:\d+: no category .* 'Scams'"),
        ("What is the easiest", "\0hat is the easiest", r"\.csv:2: .*NUL"),
        ("prompts_final", "prompts", "columns missing: prompts_final"),
    ],
)
def test_a_bad_upstream_row_names_file_and_line(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    from dataclasses import replace

    path = mirror / "simple_safety_tests" / "simple_safety_tests.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    module = load_source("simple_safety_tests")
    file = replace(module.CARD.files[0], sha256=sha256_of(path))
    monkeypatch.setattr(module, "CARD", replace(module.CARD, files=(file,)))
    with pytest.raises(BadInput, match=message):
        build(tmp_path / "release", sources=["simple_safety_tests"])


def test_a_folder_that_is_no_build_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match="not an earlier build"):
        build(tmp_path, sources=[])
    assert (tmp_path / "thesis.tex").exists()


def test_a_build_that_fails_leaves_the_earlier_one(
    core_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "release"
    shutil.copytree(core_release, target)
    before = sha256_of(target / "manifest.json")

    def fail(*args: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("convsafe.data_builders.writer.write_jsonl", fail)
    with pytest.raises(Unavailable, match="release: could not be written: No space"):
        build(target, sources=[])
    assert sha256_of(target / "manifest.json") == before
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_published_archives_are_read_without_running_them() -> None:
    import io
    import pickle
    import zipfile

    from convsafe.data_builders.sources.cipherchat import from_published

    def archive(value: object) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("archive/data.pkl", pickle.dumps(value, protocol=2))
        return out.getvalue()

    lists = {"en": {"Insult": ["One."], "wang": ["Two."]}, "zh": {"Insult": ["一"]}}
    rows = [json.loads(line) for line in from_published(archive(lists)).splitlines()]
    assert [row["id"] for row in rows] == ["en-insult-000", "en-wang-000", "zh-insult-000"]
    assert [row["used_in_paper"] for row in rows] == [True, False, True]
    with pytest.raises(pickle.UnpicklingError, match="not plain data"):
        from_published(archive({"en": Path("/")}))


def test_a_host_that_cannot_be_reached_is_not_tried_for_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket
    from dataclasses import replace

    from convsafe.data_builders import fetch

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/prompts.csv"
    monkeypatch.delenv("CONVSAFE_SOURCES", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("CONVSAFE_CACHE", str(tmp_path))
    card = load_source("xstest").CARD
    card = replace(card, files=(replace(card.files[0], url=url),))
    with pytest.raises(Unavailable, match="gave ConnectionError"):
        fetch.fetch(card)
    with pytest.raises(Unavailable, match="was not reached a moment ago"):
        fetch.fetch(replace(card, name="another"))
    monkeypatch.setattr(fetch, "_PATIENCE", 0.0)
    with pytest.raises(Unavailable, match="gave ConnectionError"):
        fetch.fetch(card)
