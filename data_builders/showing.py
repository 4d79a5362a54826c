"""Look up one case of a release with its base, its twin and the others made of its base."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsafe.data_builders.released import find_release, read_manifest, read_rows
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Case
from convsafe.taxonomy.tree import NEVER_SHOWN, load_tree

_WIDTH = 96
_LONG = 1_200


@dataclass(frozen=True)
class Family:
    """A case with those it is compared with: base and twin where they are others, and siblings."""

    case: Case
    base: Case | None
    twin: Case | None
    siblings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the cases as plain values."""
        return {
            "case": self.case.to_row(),
            "base": self.base and self.base.to_row(),
            "twin": self.twin and self.twin.to_row(),
            "siblings": list(self.siblings),
        }


def family(id: str, release: str | Path) -> Family:
    """Return a case of a release and those it is compared with.

    Raises:
        BadInput: If the folder is no release.
        UnknownName: If no case has this id, with the nearest ids.
    """
    folder = find_release(release)
    manifest = read_manifest(folder)
    columns = ["id", "base_id", "twin_id"]
    links = [shelved.row for shelved in read_rows(folder, manifest, columns)]
    mine = next((row for row in links if row["id"] == id), None)
    if mine is None:
        near = [row["id"] for row in links if row["id"].startswith(id.split(".", maxsplit=1)[0])]
        raise UnknownName(
            "case", id, near or [row["id"] for row in links], f"It is not in {folder}."
        )
    wanted = {id, mine["base_id"], mine.get("twin_id")}
    rows = {s.row["id"]: s.row for s in read_rows(folder, manifest) if s.row["id"] in wanted}
    cases = {key: Case.from_row(row) for key, row in rows.items()}
    if any(NEVER_SHOWN in case.hazards for case in cases.values()):
        raise BadInput("prompts on the sexual exploitation of minors are never displayed", id=id)
    siblings = sorted(
        row["id"] for row in links if row["base_id"] == mine["base_id"] and row["id"] not in wanted
    )
    base = cases[mine["base_id"]] if mine["base_id"] != id else None
    return Family(cases[id], base, cases.get(mine.get("twin_id") or ""), tuple(siblings))


def page(found: Family) -> str:
    """Return a family as text for a terminal."""
    lines = [*_case("case", found.case)]
    if found.base:
        lines += ["", *_case("base", found.base)]
    if found.twin:
        lines += ["", *_case("twin", found.twin)]
    lines += ["", f"{len(found.siblings)} more of the same base:"]
    shown = textwrap.fill(", ".join(found.siblings) or "none", _WIDTH, break_on_hyphens=False)
    return "\n".join([*lines, textwrap.indent(shown, "  ")]) + "\n"


def _case(title: str, case: Case) -> Iterator[str]:
    """Yield a case's lines: what it is, then every message."""
    yield f"{title}  {case.id}"
    tags = " → ".join(f"{tag.kind}/{tag.name}" for tag in case.transforms) or "plain"
    facets = ", ".join(f"{facet.kind} {facet.name}" for facet in case.facets)
    facts = {
        "hazards": ", ".join(load_tree().get(id).name for id in case.hazards) or "none",
        "expected": case.expected or "no gold answer",
        "measures": ", ".join(case.measures),
        "language": case.language,
        "transforms": tags,
        "facets": facets,
        "from": f"{case.source} ({case.license})",
        "config": case.config,
        "cluster": case.cluster_id,
        "rubric": case.rubric or "",
        "basis": case.basis or "",
    }
    yield from (f"  {name:<11}{text}" for name, text in facts.items() if text)
    for message in case.messages:
        yield f"  {message.role}:"
        yield textwrap.indent(_clean(message.content), "    ")


def _clean(text: str) -> str:
    """Return a text that cannot steer a terminal, cut where it is very long."""
    kept = "".join(
        letter if letter == "\n" or letter.isprintable() else f"\\u{ord(letter):04x}"
        for letter in text
    )
    cut = f"{kept[:_LONG]} … ({len(kept):,} characters)" if len(kept) > _LONG else kept
    return "\n".join(
        textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in cut.split("\n")
    )
