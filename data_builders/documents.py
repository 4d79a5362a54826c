"""What a release says of itself: card, licences, citation, Croissant, hidden commitment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date as calendar_date
from pathlib import Path
from typing import Any

from convsafe.data_builders.canary import CANARY, CANARY_TEXT
from convsafe.data_builders.card import LICENSE, ReleaseFacts, dataset_card, license_page
from convsafe.data_builders.citation import AUTHORS, TITLE, cite
from convsafe.data_builders.croissant import CROISSANT, croissant
from convsafe.data_builders.eval_file import EVAL_FILE, eval_file
from convsafe.data_builders.hidden import FORM
from convsafe.data_builders.hidden import NAME as HIDDEN_NAME
from convsafe.data_builders.manifest import MANIFEST
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, write_json, write_text

CITATION = "CITATION.cff"
BIBTEX = "CITATION.bib"
HIDDEN = "hidden.json"
PLOTS = {
    "assets/cases_by_area.png": "Cases by the area of their primary hazard",
    "assets/cases_by_language.png": "Cases by language",
}
_PUBLIC = {"name", "form", "hash", "rows", "hazards", "commitment", "hashes"}
_SUM = re.compile(r"[0-9a-f]{64}\Z")


def read_commitment(path: Path) -> dict[str, Any]:
    """Return a public commitment to hidden prompts.

    Raises:
        BadInput: If the file is none, or holds more than a commitment may: salts or prompts.
    """
    public = read_json(path)
    if not isinstance(public, dict) or set(public) != _PUBLIC or public["name"] != HIDDEN_NAME:
        raise BadInput(
            "not the public file that `convsafe hidden commit` writes, so it stays out of the"
            " release: give that one, never the prompts or their salts",
            file=path,
        )
    sums = public["hashes"].values()
    if public["form"] != FORM or not all(_SUM.match(str(each)) for each in sums):
        raise BadInput(f"no commitment of form {FORM}: make it again", file=path)
    return public


def write_documents(
    folder: Path,
    manifest: dict[str, Any],
    info: list[dict[str, Any]],
    licenses: Mapping[str, Any],
) -> None:
    """Write what is read first: card, licences, citation, `eval.yaml`, Croissant."""
    # `cite` reads a folder; the manifest is written again when all files are there.
    write_json(folder / MANIFEST, manifest)
    entries = cite(folder)
    # The suite's own entry stands first.
    suite = entries.split("\n\n")[0]
    write_text(folder / BIBTEX, f"% {CANARY_TEXT}\n\n{entries}")
    write_text(folder / CITATION, cff(manifest))
    write_text(folder / EVAL_FILE, eval_file())
    write_text(folder / LICENSE, license_page(manifest, licenses))
    write_json(folder / CROISSANT, croissant(folder, manifest, info, suite))
    facts = ReleaseFacts(info, licenses, PLOTS, suite)
    write_text(folder / "README.md", dataset_card(manifest, facts))


def cff(manifest: Mapping[str, Any]) -> str:
    """Return CITATION.cff of the release, with the upstream sets as its references."""
    import yaml

    used = [entry for entry in manifest["sources"].values() if entry["cases"]]
    day = (
        {"date-released": calendar_date.fromisoformat(manifest["date"])} if manifest["date"] else {}
    )
    licenses = sorted({entry["license"] for entry in used})
    fields = {
        "cff-version": "1.2.0",
        "message": "Cite convsafe-bench and the upstream sets of the configs you used.",
        "title": TITLE,
        "type": "dataset",
        "version": manifest["version"],
        **day,
        **({"license": licenses} if not any("LicenseRef" in each for each in licenses) else {}),
        "authors": [{"name": AUTHORS}],
        "keywords": ["safety", "benchmark", "language models", "over-refusal"],
        "identifiers": [
            {"type": "other", "value": CANARY, "description": CANARY_TEXT},
            {
                "type": "other",
                "value": f"sha256:{manifest['content_sha256']}",
                "description": "The sum of the canonical rows (content_sha256).",
            },
        ],
        "references": [_reference(entry) for entry in used if entry["revision"]],
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)
    return text


def _reference(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "data",
        "title": entry["title"],
        "authors": [{"name": f"The authors of {entry['title']}"}],
        "repository": entry["home"],
        "commit": entry["revision"],
        "notes": f"Licence: {entry['license']}. BibTeX: {BIBTEX}.",
    }
