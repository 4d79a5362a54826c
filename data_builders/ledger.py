"""The licence ledger: what each source allows, and what a licence profile does with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from convsafe.data_builders.assembly import Assembly
from convsafe.data_builders.canary import CANARY
from convsafe.data_builders.source import SOURCES, SourceCard, core_card, load_source
from convsafe.taxonomy.errors import BadInput

LEDGER = "licenses.json"

Profile = Literal["permissive", "research", "all"]
PROFILES: tuple[str, ...] = get_args(Profile)
Terms = Literal["permissive", "research", "restricted"]
_STRICTNESS: tuple[str, ...] = get_args(Terms)


class License(NamedTuple):
    """What a licence is called and where it may go; `hub` is empty where the Hub has no id."""

    terms: Terms
    hub: str
    url: str


_CC = "https://creativecommons.org"
LICENSES: Mapping[str, License] = {
    "Apache-2.0": License(
        "permissive", "apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"
    ),
    "CC-BY-4.0": License("permissive", "cc-by-4.0", f"{_CC}/licenses/by/4.0/"),
    "CC0-1.0": License("permissive", "cc0-1.0", f"{_CC}/publicdomain/zero/1.0/"),
    "MIT": License("permissive", "mit", "https://opensource.org/license/mit"),
    "ODC-By-1.0": License("permissive", "odc-by", "https://opendatacommons.org/licenses/by/1-0/"),
    "CC-BY-NC-4.0": License("research", "cc-by-nc-4.0", f"{_CC}/licenses/by-nc/4.0/"),
    "CC-BY-NC-SA-4.0": License("research", "cc-by-nc-sa-4.0", f"{_CC}/licenses/by-nc-sa/4.0/"),
    "CC-BY-SA-4.0": License("research", "cc-by-sa-4.0", f"{_CC}/licenses/by-sa/4.0/"),
    "CC-BY-NC-ND-4.0": License("restricted", "cc-by-nc-nd-4.0", f"{_CC}/licenses/by-nc-nd/4.0/"),
    "LicenseRef-sorry-bench": License("restricted", "", ""),
    "LicenseRef-unknown": License("restricted", "", ""),
}
_TAKES: Mapping[str, tuple[str, ...]] = {
    "permissive": ("permissive",),
    "research": ("permissive", "research"),
}


class Decision(NamedTuple):
    """What a profile does with a source, and why."""

    card: SourceCard
    included: bool
    why: str


def find_license(spdx: str, source: str) -> License:
    """Return what is known of a licence; of several (`MIT AND CC-BY-4.0`) the strictest.

    Raises:
        BadInput: If nothing is, naming the source and the licence.
    """
    if " AND " in spdx:
        parts = [find_license(part, source) for part in spdx.split(" AND ")]
        return max(parts, key=lambda part: _STRICTNESS.index(part.terms))
    if spdx not in LICENSES:
        raise BadInput(
            f"source {source!r} has the licence {spdx!r}, which no profile knows, so nothing says"
            f" whether it may be published. Known: {', '.join(sorted(LICENSES))}. Correct the"
            " source's card, or add the licence and its terms to data_builders/ledger.py"
        )
    return LICENSES[spdx]


def decide(card: SourceCard, profile: str) -> Decision:
    """Return whether a profile takes a source.

    Raises:
        BadInput: On a licence that no profile knows.
    """
    terms = find_license(card.license, card.name).terms
    if not card.verified:
        return Decision(card, False, "its builder never ran on its data: in no release")
    if profile == "all":
        return Decision(card, True, "`all` takes whatever can be read")
    if not card.redistributable:
        return Decision(card, False, "its terms do not let others publish it")
    if terms not in _TAKES[profile]:
        return Decision(card, False, f"`{profile}` does not take {card.license}")
    return Decision(card, True, f"redistributable, and `{profile}` takes {card.license}")


def decisions(profile: str, sources: Sequence[str] | None = None) -> list[Decision]:
    """Return what a profile does with our own prompts and every source, in order of names.

    Args:
        profile: One of `PROFILES`.
        sources: The only sources to take, by name; by default all that the profile takes.

    Raises:
        BadInput: On an unknown licence, or a source asked for that the profile does not take.
        UnknownName: On a source that is not there.
    """
    asked = None if sources is None else {load_source(name).CARD.name for name in sources}
    cards = [load_source(name).CARD for name in sorted(SOURCES.names())]
    found = [decide(card, profile) for card in (core_card(), *cards)]
    for card, included, why in found:
        if asked and card.name in asked and not included:
            raise BadInput(
                f"source {card.name!r} ({card.license}) cannot be in a release of profile"
                f" {profile!r}: {why}. Leave it out of --sources, or choose another --profile"
            )
    return [_narrowed(each, asked) for each in found]


def _narrowed(decision: Decision, asked: set[str] | None) -> Decision:
    name = decision.card.name
    if not decision.included or asked is None or name in asked or name == core_card().name:
        return decision
    return Decision(decision.card, False, "not among the sources asked for")


def check_rows(assembly: Assembly, profile: str) -> None:
    """Raise `BadInput` if a row has a licence of its own that the profile does not take."""
    for source, spdx in sorted({(case.source, case.license) for case in assembly.cases}):
        terms = find_license(spdx, source).terms
        if profile != "all" and terms not in _TAKES[profile]:
            raise BadInput(
                f"source {source!r} holds rows under {spdx!r}, which profile {profile!r} does not"
                " take. Let its builder drop them, or choose another --profile"
            )


def ledger(
    made: Iterable[Decision], assembly: Assembly, release: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the content of `licenses.json`: every source, its licence and what became of it."""
    kept = Counter(case.source for case in assembly.cases)
    merged = Counter(entry.source for entry in assembly.duplicates if entry.action == "dropped")
    dropped = Counter(entry.source for entry in assembly.dropped)
    sources = {}
    for card, included, why in made:
        name = card.name
        rows = {"cases": kept[name], "merged": merged[name], "dropped": dropped[name]}
        sources[name] = _entry(card) | {"included": included, "why": why, "rows": rows}
    used = sorted({entry["license"] for entry in sources.values()})
    return {
        **release,
        "canary": CANARY,
        "licenses": {spdx: LICENSES[spdx]._asdict() for spdx in used},
        "sources": sources,
    }


def _entry(card: SourceCard) -> dict[str, Any]:
    return {
        "title": card.title,
        "license": card.license,
        "redistributable": card.redistributable,
        "home": card.home,
        "revision": card.revision,
        "verified": card.verified,
    }


def hub_licenses(spdx: Iterable[str]) -> list[str]:
    """Return licences by the ids the Hub knows, `other` for one it does not know."""
    return sorted({LICENSES[each].hub or "other" for each in spdx})
