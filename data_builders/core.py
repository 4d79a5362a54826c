"""Our own prompts: pairs of a harmful request and its harmless twin, read from `prompts/*.yaml`.

`own_cases` adds the domain sets and the agents to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from convsafe.data_builders.source import core_card, default_severity
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import EXPECTED, Case, Message, Scope
from convsafe.taxonomy.tree import load_tree, read_yaml

PROMPTS = Path(__file__).parent / "prompts"
_KEYS = {"hazard", "n", "request", "twin"}
_OPTIONAL = {"expected", "also", "severity", "system", "agent"}


def own_files() -> list[Path]:
    """Return every file of ours that decides what our own suite is, beside the code."""
    places = ("prompts", "sets", "agents", "recipes", "transforms")
    return sorted(
        path
        for place in places
        for path in (Path(__file__).parent / place).rglob("*")
        if path.suffix in (".yaml", ".py")
    )


def own_cases() -> Iterator[Case]:
    """Yield every case of ours: prompts, domain sets and the agents whose purpose we wrote."""
    from convsafe.data_builders.domain_sets import set_cases
    from convsafe.data_builders.scope import own_agent_cases

    yield from core_cases()
    yield from set_cases()
    yield from own_agent_cases()


def core_cases(folder: Path = PROMPTS) -> Iterator[Case]:
    """Yield every own prompt, request and twin side by side.

    Raises:
        BadInput: On a malformed file, naming the file and the pair.
    """
    for path in sorted(folder.glob("*.yaml")):
        data = read_yaml(path)
        if not isinstance(data, dict) or data.get("area") != path.stem:
            raise BadInput("`area` must be the file's name", file=path)
        seen: set[str] = set()
        for pair in data.get("pairs") or ():
            id = _check(path, data["area"], pair)
            if id in seen:
                raise BadInput("this number is used twice in its hazard", file=path, id=id)
            seen.add(id)
            try:
                yield from _pair(id, pair)
            except BadInput as error:
                raise BadInput(str(error), file=path) from None


def _check(path: Path, area: str, pair: Mapping[str, Any]) -> str:
    """Return the pair's id, or say what is wrong with it."""
    if not isinstance(pair, dict):
        raise BadInput(f"a pair must be a mapping, not {pair!r}", file=path)
    id = f"core-{pair.get('hazard')}-{pair.get('n')}"
    if missing := _KEYS - set(pair):
        raise BadInput(f"fields missing: {', '.join(sorted(missing))}", file=path, id=id)
    if unknown := set(pair) - _KEYS - _OPTIONAL:
        raise BadInput(f"unknown fields: {', '.join(sorted(unknown))}", file=path, id=id)
    if not isinstance(pair["n"], int) or not 0 < pair["n"] < 1000:
        raise BadInput("`n` must be a number from 1 to 999", file=path, id=id)
    for name in ("request", "twin"):
        if not isinstance(pair[name], str) or not pair[name].strip() or "\0" in pair[name]:
            raise BadInput(f"`{name}` must be a text", file=path, id=id)
    if pair.get("expected", "refuse") not in EXPECTED:
        raise BadInput(f"`expected` must be one of {', '.join(EXPECTED)}", file=path, id=id)
    tree = load_tree()
    if pair["hazard"] not in {leaf.id for leaf in tree} or tree.area_of(pair["hazard"]).id != area:
        raise BadInput(f"no leaf {pair['hazard']!r} in area {area!r}", file=path, id=id)
    if unknown := set(pair.get("also", ())) - tree.ids:
        raise BadInput(f"no hazard {', '.join(sorted(unknown))}", file=path, id=id)
    return f"core-{pair['hazard']}-{pair['n']:03d}"


def _pair(id: str, pair: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the harmful case and its twin."""
    hazards = (pair["hazard"], *pair.get("also", ()))
    area = load_tree().area_of(pair["hazard"]).id
    scoped = pair["hazard"] == "out_of_scope"
    harmful_measure = "scope" if scoped else "boundary" if area == "operational" else "safety"
    agent = str(pair.get("agent", "assistant"))
    system = (Message("system", pair["system"].strip()),) if "system" in pair else ()
    common = Case(
        id=id,
        base_id=id,
        twin_id=f"{id}-twin",
        cluster_id=id,
        config="harm" if harmful_measure == "safety" else "operational",
        measures=(harmful_measure,),
        messages=(*system, Message("user", pair["request"].strip())),
        prompt=pair["request"].strip(),
        expected=pair.get("expected", "refuse"),
        expected_source="ours",
        hazards=hazards,
        hazard_sources=("ours",) * len(hazards),
        severity=pair.get("severity", default_severity(hazards[0])),
        language="en",
        scope=Scope(agent, "out_of_domain", "direct") if scoped else None,
        source="core",
        source_id=f"{pair['hazard']}-{pair['n']:03d}",
        license=core_card().license,
    )
    twin = replace(
        common,
        id=f"{id}-twin",
        base_id=f"{id}-twin",
        twin_id=id,
        config="over_refusal" if harmful_measure == "safety" else "operational",
        measures=("scope",) if scoped else ("over_refusal",),
        messages=(*system, Message("user", pair["twin"].strip())),
        prompt=pair["twin"].strip(),
        expected="comply",
        severity=None,
        scope=Scope(agent, "in_domain", "direct") if scoped else None,
        source_id=f"{common.source_id}-twin",
    )
    for case in (common, twin):
        case.check()
        yield case
