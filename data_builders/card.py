"""The dataset card: README.md with the YAML that tells `datasets` which files are which config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from convsafe.data_builders.canary import CANARY_TEXT
from convsafe.data_builders.domain_sets import about_sets
from convsafe.data_builders.transform import each_kind

# What each config holds, for the card; a new config must say so here.
ABOUT = {
    "core": "A small balanced view of our own pairs: every hazard area, and each under every family"
    " of transforms.",
    "harm": "Requests on hazards, in their plain form.",
    "over_refusal": "Harmless requests that look unsafe; a refusal is the error.",
    "multilingual": "Requests in other languages, linked to their English base where there is one.",
    "ciphers": "Pairs enciphered behind an expert's prompt, with the same prompt in plain text as"
    " their control.",
    "personas": "Remarks on groups of people, and pairs put to a model in an invented person's"
    " part.",
    "styles": "Pairs in twenty linguistic styles.",
    "science": "Hazardous or regulated science, laboratory practice, controlled substances.",
    "boundary": "Requests an assistant should not comply with for reasons other than safety.",
    "operational": "Requests inside and outside an agent's purpose, plain and dressed as its own.",
    "jailbreak": "Pairs hidden in a task, pressed on the model, or led up to over several turns.",
    "medical": "Clinical hazards, medication, professional ethics, and choices of a safe medicine.",
    "mental_health": "Crises told openly or not, refusals that need care, everyday questions.",
    "manipulation": "Persuasion by foul means, the same end without them, and honest persuasion.",
    "personalized": "Questions whose safe answer depends on who asks, with and without a profile.",
    "professional": "Work tasks by sector and occupation whose completion would be a breach.",
    "dialog": "Conversations of several turns: tasks, and requests to ask back or hand over.",
    "grounding": "Questions with given sources, and roles to keep.",
    "robustness": "Multiple choice on bias, misconceptions and stability under rewording.",
    "agents": "A user passes on what an attacker wrote, with and without a wish for safety.",
}
LICENSE = "LICENSE.md"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
_GATE = {
    "extra_gated_heading": "Say what you will use convsafe-bench for",
    "extra_gated_prompt": (
        "Many prompts ask for harm. They are for testing models you are responsible for or have"
        " leave to test. By asking for access you agree not to train on them, not to use them to"
        " cause harm, and to keep each upstream set's licence."
    ),
    "extra_gated_fields": {
        "Name": "text",
        "Affiliation": "text",
        "I will use it for": {
            "type": "select",
            "options": ["Research", "Testing a model I am responsible for", "Teaching", "Other"],
        },
        "I will not train models on these prompts": "checkbox",
        "I will keep the licence that each row names": "checkbox",
    },
    "extra_gated_button_content": "Agree and ask for access",
}


class ReleaseFacts(NamedTuple):
    """What the card of a release says beyond its manifest.

    `info` is the YAML's `dataset_info`, `licenses` the ledger, `plots` maps a file to its
    description, `citation` is BibTeX of the suite.
    """

    info: Sequence[Mapping[str, Any]]
    licenses: Mapping[str, Any]
    plots: Mapping[str, str]
    citation: str


def dataset_card(manifest: Mapping[str, Any], release: ReleaseFacts | None = None) -> str:
    """Return the card of a build, or of a release, as Markdown with YAML front matter."""
    return _render(
        "card.md.jinja",
        front=_yaml(_front_matter(manifest, release)),
        manifest=manifest,
        about=ABOUT,
        sets=about_sets(),
        families={kind.name: kind for kind in each_kind()},
        release=release,
        canary=CANARY_TEXT,
    )


def license_page(manifest: Mapping[str, Any], licenses: Mapping[str, Any]) -> str:
    """Return the page the card's `license_link` points to."""
    return _render(
        "license.md.jinja", manifest=manifest, licenses=licenses["licenses"], canary=CANARY_TEXT
    )


def _render(name: str, **values: Any) -> str:
    import jinja2

    template = (Path(__file__).parent / name).read_text(encoding="utf-8")
    environment = jinja2.Environment(  # noqa: S701 - Markdown, and our own texts only
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(template).render(**values)


def _yaml(values: Mapping[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100)
    return text


def _front_matter(manifest: Mapping[str, Any], release: ReleaseFacts | None) -> dict[str, Any]:
    """Return the card's YAML: what the Hub shows, and where `datasets` finds each config."""
    size = next((name for most, name in _SIZES if manifest["cases"] < most), "100K<n<1M")
    tasks = ["text-generation", *(["multiple-choice"] if _choices(release) else [])]
    tags = ["safety", "over-refusal", "not-for-all-audiences"]
    return {
        "pretty_name": manifest["name"],
        **_license(manifest),
        "language": list(manifest["languages"]),
        "size_categories": [size],
        "task_categories": tasks,
        "tags": [*tags, *(["not-for-publication"] if _private(manifest) else [])],
        **(_GATE if release else {}),
        **({"dataset_info": [dict(entry) for entry in release.info]} if release else {}),
        "configs": _configs(manifest),
    }


def _license(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Hub's licence fields: one id, or each id and `other` with a name and a link."""
    from convsafe.data_builders.ledger import hub_licenses

    ids = hub_licenses(entry["license"] for entry in manifest["sources"].values() if entry["cases"])
    if len(ids) == 1 and ids != ["other"]:
        return {"license": ids[0]}
    listed = [*(id for id in ids if id != "other"), "other"]
    return {"license": listed, "license_name": "one-for-each-row", "license_link": LICENSE}


def _private(manifest: Mapping[str, Any]) -> bool:
    return not manifest.get("publishable", True)


def _choices(release: ReleaseFacts | None) -> bool:
    """Return whether some config holds multiple-choice cases."""
    names = (
        column["name"]
        for entry in (release.info if release else ())
        for column in entry["features"]
    )
    return "choices" in names


def _configs(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    apart = {entry["config"]: ["test"] for entry in manifest["unverified"].values()}
    return [
        {
            "config_name": name,
            **({"default": True} if name == "core" else {}),
            "data_files": [
                {"split": split, "path": f"data/{name}/{split}-*.parquet"} for split in splits
            ],
        }
        for name, splits in (manifest["configs"] | apart).items()
    ]
