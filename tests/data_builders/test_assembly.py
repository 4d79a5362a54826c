"""The whole suite from the mirror: every upstream row is kept, merged or dropped, and is named."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from convsafe.data_builders.assembly import Assembly, assemble
from convsafe.data_builders.core import own_cases
from convsafe.data_builders.fetch import fetch
from convsafe.data_builders.near import normalise
from convsafe.data_builders.source import load_source, verified_names
from convsafe.data_builders.writer import tables
from convsafe.taxonomy.records import Case

from tests.conftest import needs_sources

pytestmark = needs_sources
every_source = pytest.mark.parametrize("name", verified_names())
# A row of MultiJail is one prompt in ten languages; elsewhere a row is one prompt.
CASES_A_ROW = {"multijail": 10}
# A row of these is what cases of ours are about.
OURS_ON_UPSTREAM = {"offtopiceval"}


def read_cases(suite: Assembly) -> list[Case]:
    """The cases that were read, not made by a transform."""
    return [case for case in suite.cases if case.id not in suite.derived_ids]


class Account(NamedTuple):
    """What one source was read as: ids of its cases, its rows, and those that are no case."""

    ids: set[str]
    rows: int
    dropped: int


@pytest.fixture(scope="module")
def suite() -> Assembly:
    return assemble()


@pytest.fixture(scope="module")
def accounts() -> dict[str, Account]:
    return dict(_accounts())


def _accounts() -> Iterator[tuple[str, Account]]:
    for name in verified_names():
        module = load_source(name)
        reader = fetch(module.CARD)
        ids = {case.id for case in module.cases(reader)}
        yield name, Account(ids, reader.read.total(), len(reader.dropped))


# That a reader met every row the mirror's SOURCE.json states is held by test_sources.
@every_source
def test_every_row_is_kept_merged_or_dropped_and_named(
    name: str, suite: Assembly, accounts: dict[str, Account]
) -> None:
    account = accounts[name]
    kept = {case.id for case in read_cases(suite) if case.source == name}
    merged = {
        entry.id for entry in suite.duplicates if (entry.source, entry.action) == (name, "dropped")
    }
    dropped = [entry for entry in suite.dropped if entry.source == name]
    assert kept | merged == account.ids
    assert not kept & merged
    assert len(dropped) == account.dropped
    assert all(entry.reason and entry.file and entry.line for entry in dropped)
    if name not in OURS_ON_UPSTREAM:
        rows = (account.rows - len(dropped)) * CASES_A_ROW.get(name, 1)
        assert rows == len(kept) + len(merged)


def test_a_merged_row_names_the_case_that_stands_for_it(suite: Assembly) -> None:
    known = {case.id: case for case in suite.cases}
    for entry in suite.duplicates:
        assert entry.kept in known, entry
        if entry.why != "similar":
            found = known[entry.kept].also_in
            assert any(place.startswith(f"{entry.source}/") for place in found), entry


def test_the_suite_is_as_large_and_as_many_tongued_as_promised(
    suite: Assembly, accounts: dict[str, Account]
) -> None:
    assert sum(account.rows for account in accounts.values()) >= 16_700
    assert len(suite.cases) >= 15_000
    assert len({case.language for case in suite.cases}) >= 12
    assert len({case.id for case in suite.cases}) == len(suite.cases)


def test_no_split_cuts_a_cluster_and_no_duplicate_leaves_its_cluster(suite: Assembly) -> None:
    splits = defaultdict(set)
    for config in tables(suite).values():
        for split, cases in config.items():
            for case in cases:
                splits[case.cluster_id].add(split)
    assert all(len(found) == 1 for found in splits.values())
    clusters = {case.id: case.cluster_id for case in suite.cases}
    for case in suite.cases:
        assert clusters[case.base_id] == case.cluster_id
        assert clusters[case.twin_id or case.id] == case.cluster_id
    for entry in suite.duplicates:
        assert clusters.get(entry.id, clusters[entry.kept]) == clusters[entry.kept]


def test_all_our_twins_survive(suite: Assembly) -> None:
    known = {case.id: case for case in suite.cases}
    ours = list(own_cases())
    twins = [case for case in ours if case.twin_id]
    assert len(twins) > 400
    for case in twins:
        assert known[case.id].twin_id == case.twin_id
        assert known[known[case.id].twin_id or ""].prompt
    assert {case.id for case in ours} <= known.keys()


def equal_cases(cases: tuple[Case, ...]) -> Iterator[list[Case]]:
    """Yield the cases that a model would see as one."""
    groups = defaultdict(list)
    for case in cases:
        frame = tuple((turn.role, normalise(turn.content)) for turn in case.messages)
        groups[case.language, case.expected, case.answer, frame].append(case)
    yield from (group for group in groups.values() if len(group) > 1)


def test_equal_cases_remain_only_where_a_link_holds_them(suite: Assembly) -> None:
    remaining = list(equal_cases(tuple(read_cases(suite))))
    bases = {case.base_id for case in suite.cases if case.base_id != case.id}
    for group in remaining:
        assert len({case.cluster_id for case in group}) == 1
        for case in group:
            assert case.base_id != case.id or case.id in bases or case.twin_id, case.id
    by_source = Counter(case.source for group in remaining for case in group)
    assert by_source.total() <= 6, by_source
