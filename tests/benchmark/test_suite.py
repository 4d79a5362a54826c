"""Suites: checked against the manifest, and sampled in balance with twins together."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from convsafe.benchmark.suite import load_suite
from convsafe.taxonomy.errors import BadInput, ChecksumMismatch, UnknownName
from convsafe.taxonomy.tree import load_tree


def test_our_own_core_needs_nothing_but_the_package() -> None:
    assert 500 < len(load_suite()) <= 1_200


def test_a_sample_is_balanced_and_keeps_twins_together(core_release: Path) -> None:
    suite = load_suite(core_release, limit=150)
    assert 150 <= len(suite) <= 152
    ids = {case.id for case in suite.cases}
    assert all(case.twin_id in ids for case in suite.cases)
    tree = load_tree()
    areas = Counter(tree.area_of(case.hazards[0]).id for case in suite.cases)
    assert len(areas) == len(tree.areas)
    assert max(areas.values()) - min(areas.values()) <= 2


def test_a_sample_depends_on_ids_and_seed_alone(core_release: Path) -> None:
    first, again = (load_suite(core_release, limit=40) for _ in range(2))
    assert first.ids_sha256 == again.ids_sha256
    assert load_suite(core_release, limit=40, seed=1).ids_sha256 != first.ids_sha256
    assert load_suite(core_release, limit=10_000).sample is None


def test_a_changed_release_is_refused(core_release: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(core_release, tmp_path / "release")
    path = next((copy / "data" / "core").glob("test-*.parquet"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ChecksumMismatch, match="core"):
        load_suite(copy)
    path.unlink()
    with pytest.raises(BadInput, match="it is not there"):
        load_suite(copy)


def test_an_unknown_config_names_those_there_are(core_release: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'harm'"):
        load_suite(core_release, "harms")
