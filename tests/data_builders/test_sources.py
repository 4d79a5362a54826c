"""Every upstream source: its card is whole, no row is lost, and damage is told with its place."""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from convsafe.data_builders import build
from convsafe.data_builders.card import ABOUT
from convsafe.data_builders.fetch import fetch
from convsafe.data_builders.source import SOURCES, Reader, Row, load_source
from convsafe.taxonomy.crosswalk import load_crosswalk
from convsafe.taxonomy.errors import BadInput, ChecksumMismatch
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import load_tree

MIRROR = os.environ.get("CONVSAFE_SOURCES", "")
needs_sources = pytest.mark.skipif(
    not MIRROR, reason="CONVSAFE_SOURCES names no mirror of the upstream sets"
)
every_source = pytest.mark.parametrize("name", SOURCES.names())
# A builder that never saw its data has nothing here to be tried on.
VERIFIED = [name for name in SOURCES.names() if load_source(name).CARD.verified]
every_mirrored_source = pytest.mark.parametrize("name", VERIFIED)

SPDX = {
    "Apache-2.0",
    "BSD-3-Clause",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "MIT",
    "ODC-By-1.0",
}
# Upstream's ledger counted line ends there, and the last line has none.
UNCOUNTED = {"xsafety_en_zh_de_fr": 1}
# Files that other rows are looked up in and that yield none of their own.
LOOKED_UP = {"test_answers_zh_subset.json"}


def facts(name: str) -> dict[str, Any]:
    """What the mirror says of a source."""
    found: dict[str, Any] = json.loads(Path(MIRROR, name, "SOURCE.json").read_text())
    return found


def read(name: str) -> tuple[Reader, list[Case]]:
    """A source's reader after all its cases were taken."""
    module = load_source(name)
    reader = fetch(module.CARD)
    return reader, list(module.cases(reader))


@every_source
def test_a_card_says_all_that_is_needed_to_cite_and_check(name: str) -> None:
    card = load_source(name).CARD
    assert card.name == name
    assert card.files
    assert card.home.startswith("https://")
    assert card.bibtex.startswith("@") if card.bibtex else card.notes


@every_mirrored_source
def test_what_was_seen_is_pinned_and_licensed(name: str) -> None:
    card = load_source(name).CARD
    assert re.fullmatch(r"[0-9a-f]{40}", card.revision)
    assert card.license in SPDX
    for file in card.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "")
        assert file.url.startswith("https://")
        assert card.revision in file.url


def test_no_two_sources_share_a_prefix() -> None:
    prefixes = [load_source(name).CARD.prefix for name in SOURCES.names()]
    assert len(set(prefixes)) == len(prefixes)


@needs_sources
@every_mirrored_source
def test_every_upstream_row_is_a_case_or_a_counted_drop(name: str) -> None:
    reader, cases = read(name)
    reader.finish()
    assert cases
    files = {file.path for file in reader.card.files}
    stated = {
        file["path"]: file["rows"] + UNCOUNTED.get(name, 0)
        for file in facts(name)["files"]
        if file["path"] in files and file.get("rows") is not None
    }
    for file, rows in stated.items():
        assert reader.read[Path(file).name] == (0 if file in LOOKED_UP else rows), file
    assert all(entry.reason and entry.line and entry.file for entry in reader.dropped)


@needs_sources
@every_mirrored_source
def test_every_case_keeps_the_rules(name: str) -> None:
    reader, cases = read(name)
    tree, known = load_tree().ids, {case.id for case in cases}
    assert len(known) == len(cases)
    for case in cases:
        case.check()
        assert case.id.startswith(f"{reader.card.prefix}-")
        assert case.source == name
        assert case.config in ABOUT
        assert case.measures
        assert case.base_id in known
        assert set(case.hazards) <= set(tree)
        assert (case.base_id == case.id) or case.transforms
        if case.choices:
            assert case.expected == "choose"
            assert case.answer in case.choices
            assert all(choice in case.messages[-1].content for choice in case.choices)


@needs_sources
@every_mirrored_source
def test_a_case_without_hazard_has_a_category_that_says_why(name: str) -> None:
    _, cases = read(name)
    if any(not case.hazards for case in cases):
        assert any(category.why for category in load_crosswalk(name).categories)


@needs_sources
@every_mirrored_source
def test_one_changed_byte_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Path(MIRROR, name), tmp_path / name, copy_function=shutil.copyfile)
    (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("CONVSAFE_SOURCES", str(tmp_path))
    card = load_source(name).CARD
    for file in card.files:
        path = tmp_path / name / file.path
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ChecksumMismatch, match=re.escape(path.name)):
            fetch(card)
        path.write_bytes(content)


@needs_sources
@pytest.mark.parametrize(
    "damage",
    [lambda _: "", lambda text: text + "\0", lambda _: None],
    ids=["empty", "NUL", "no text"],
)
@every_mirrored_source
def test_a_row_without_its_text_names_file_and_line(
    name: str, damage: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, reader = load_source(name), None
    cases = module.cases(fetch(module.CARD))
    first = next(cases, None)
    # Only the system prompts are upstream's there.
    carrier = first and (first.messages[0].content if first.scope else first.prompt)
    met: list[Row] = []

    def damaged(self: Reader, row: Row) -> Row:
        row.values = _carried(row.values, carrier, damage)
        met.append(row)
        return row

    monkeypatch.setattr(Reader, "_opened", damaged)
    reader = fetch(module.CARD)
    with pytest.raises(BadInput) as error:
        list(module.cases(reader))
    assert error.value.file == met[-1].file
    assert error.value.line == met[-1].line
    assert f"{met[-1].file}:{met[-1].line}" in str(error.value)


def _carried(value: Any, prompt: str | None, damage: Callable[[str], Any]) -> Any:
    """Damage the texts that the prompt was made of; all, where there is no prompt."""
    if isinstance(value, dict):
        return {key: _carried(part, prompt, damage) for key, part in value.items()}
    if isinstance(value, list):
        return [_carried(part, prompt, damage) for part in value]
    if not isinstance(value, str) or len(value.strip()) < 4:
        return value
    text = value.strip()
    carries = prompt is None or text[:20] in prompt or prompt[:20] in text
    return damage(value) if carries else value


@needs_sources
def test_a_row_that_is_lost_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_source("simple_safety_tests")

    def careless(reader: Reader) -> list[Case]:
        rows = list(reader.csv("simple_safety_tests.csv", ["prompts_final"]))
        about: Any = {"config": "harm", "measures": ("safety",), "hazards": ()}
        return [reader.case(row, f"{row.line}", row["prompts_final"], **about) for row in rows[:-1]]

    monkeypatch.setattr(module, "cases", careless)
    with pytest.raises(BadInput, match=r"simple_safety_tests\.csv:\d+: .*no case"):
        build(tmp_path / "release", sources=["simple_safety_tests"])


@needs_sources
def test_dropped_rows_are_listed_and_counted(tmp_path: Path) -> None:
    built = build(tmp_path / "release", sources=["latent_jailbreak_p1"], transforms=[])
    lines = (tmp_path / "release" / "dropped.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert len(entries) == len(built.assembly.dropped) == built.manifest["dropped"] > 0
    counted = built.manifest["sources"]["latent_jailbreak_p1"]["dropped"]
    assert counted == dict(Counter(entry["reason"] for entry in entries))
    assert entries[0]["file"].endswith(".json")
    assert entries[0]["line"] > 0
