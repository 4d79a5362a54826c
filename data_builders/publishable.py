"""Check a release folder before it is published: every file there, unchanged, and publishable."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convsafe.data_builders.manifest import MANIFEST, NAME
from convsafe.data_builders.released import read_manifest
from convsafe.data_builders.uploading import LocalFile
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import sha256_of

CARD = "README.md"
_VERSION = re.compile(r"v?\d+\.\d+\.\d+\Z")
_SHOWN = 5


def check_folder(folder: Path, version: str) -> tuple[LocalFile, ...]:
    """Return the files of a release, each known to be the one its manifest names.

    Args:
        folder: What `convsafe release` or `convsafe build` wrote.
        version: The version it must be, as `1.0.0` or `v1.0.0`.

    Raises:
        BadInput: If the folder is no release, is another version or may not be published, or if
            a file is missing, changed or not in the manifest.
    """
    if not _VERSION.match(version):
        raise BadInput(f"{version!r} is no version: write it like 1.0.0")
    if not (folder / MANIFEST).is_file():
        raise BadInput(
            f"there is no {MANIFEST} in it, so it is no release: write one with"
            f" `convsafe release --version {version.removeprefix('v')} --out {folder}`",
            file=folder,
        )
    manifest = read_manifest(folder)
    _check_version(folder, manifest, version.removeprefix("v"))
    _check_terms(folder, manifest)
    return _check_files(folder, manifest["files"])


def _check_version(folder: Path, manifest: Mapping[str, Any], version: str) -> None:
    if manifest.get("name") != NAME:
        raise BadInput(
            f"this is a build of {manifest.get('name')!r}, not of {NAME!r}: it is never published",
            file=folder / MANIFEST,
        )
    found = str(manifest.get("release", manifest["version"])).removeprefix("v")
    if found != version:
        raise BadInput(
            f"this is version {found}, not {version}: publish it with --version {found}, or write"
            f" the other with `convsafe release --version {version}`",
            file=folder / MANIFEST,
        )


def _check_terms(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse what was made for the maintainer alone, or holds rows nobody may pass on."""
    if manifest.get("profile") == "all" or not manifest.get("publishable", True):
        why = "it was made with the profile 'all'"
    elif kept := _kept(manifest["sources"]):
        why = f"the terms of {', '.join(kept)} do not let others publish their rows"
    elif manifest.get("unverified"):
        why = f"nobody has checked what is in {', '.join(manifest['unverified'])}"
    else:
        return
    raise BadInput(
        f"not for publication: {why}. Write one that may be published with `convsafe release"
        " --profile permissive`",
        file=folder / MANIFEST,
    )


def _kept(sources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the sources in a release whose terms forbid passing their rows on."""
    return [
        name for name, entry in sources.items() if entry["cases"] and not entry["redistributable"]
    ]


def _check_files(folder: Path, named: Mapping[str, Mapping[str, Any]]) -> tuple[LocalFile, ...]:
    """Return every file, the manifest among them; each has the sum the manifest says."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    held = {*named, MANIFEST}
    _refuse(folder, "the manifest names files that are not there", held - found.keys())
    _refuse(folder, "there are files that the manifest does not name", found.keys() - held)
    links = [name for name, path in found.items() if path.is_symlink()]
    _refuse(folder, "a release holds files, not links", links)
    files = [
        LocalFile(name, path, path.stat().st_size, sha256_of(path)) for name, path in found.items()
    ]
    changed = [
        each.path
        for each in files
        if each.path != MANIFEST and each.sha256 != named[each.path]["sha256"]
    ]
    _refuse(folder, "files are not those the manifest names (their sha256 differ)", changed)
    return tuple(files)


def _refuse(folder: Path, what: str, names: Sequence[str] | set[str]) -> None:
    """Raise if there are such files, naming the first ones."""
    if not names:
        return
    listed = sorted(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    raise BadInput(
        f"{what}: {', '.join(listed[:_SHOWN])}{more}. Nothing was sent: write the folder again"
        " with `convsafe release`",
        file=folder,
    )


def check_card(files: Sequence[LocalFile]) -> None:
    """Let the Hub judge the card before anything is made or sent.

    Raises:
        BadInput: If there is none, or the Hub refuses it, with the Hub's own words.
    """
    import yaml
    from huggingface_hub import DatasetCard

    card = next((each.place for each in files if each.path == CARD), None)
    if card is None:
        raise BadInput(f"there is no {CARD}: the Hub needs a card", file=files[0].place.parent)
    try:
        DatasetCard(card.read_text(encoding="utf-8")).validate()
    except (ValueError, yaml.YAMLError) as error:
        raise BadInput(
            f"the Hub refuses the card: {_complaints(str(error))}. Nothing was sent: correct what"
            " writes it (data_builders/card.py) and write the release again",
            file=card,
        ) from error


def _complaints(answer: str) -> str:
    """Return the messages in the Hub's answer about a card."""
    try:
        found = [str(each["message"]) for each in json.loads(answer)["errors"]]
    except (ValueError, KeyError, TypeError):
        found = []
    return "; ".join(found).rstrip(".") or answer
