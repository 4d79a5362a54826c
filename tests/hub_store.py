"""What the loopback Hub keeps: repositories with commits and tags, and what it says of cards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

_LICENSES = {
    *("apache-2.0", "mit", "cc-by-4.0", "cc0-1.0", "cc-by-nc-4.0", "cc-by-sa-4.0", "odc-by"),
    *("cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "other", "unknown"),
}
_SIZES = {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M"}


class Blob(NamedTuple):
    """A file of a commit."""

    data: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def oid(self) -> str:
        """Git's sum; of a large file, that of its pointer."""
        data = self.data
        if self.large:
            data = (
                f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\n"
                f"size {len(self.data)}\n"
            ).encode()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def entry(self, path: str) -> dict[str, Any]:
        large = {"oid": self.sha256, "size": len(self.data), "pointerSize": 130}
        base = {"type": "file", "path": path, "size": len(self.data), "oid": self.oid}
        return base | ({"lfs": large} if self.large else {})


Files = dict[str, Blob]


@dataclass
class Repo:
    """A dataset repository: every commit with all its files, and where main and tags point."""

    private: bool = False
    gated: str | bool = False
    commits: dict[str, Files] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    main: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Files, title: str) -> str:
        told = json.dumps([title, self.main, sorted((p, b.oid) for p, b in files.items())])
        self.main = hashlib.sha1(told.encode()).hexdigest()
        self.commits[self.main] = files
        self.titles.append(title)
        return self.main

    def find(self, revision: str) -> str:
        oid = self.tags.get(revision, self.main if revision == "main" else revision)
        if oid not in self.commits:
            raise Refusal(404, "Invalid rev id: " + revision, "RevisionNotFound")
        return oid


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, code: str = "", body: Any = None) -> None:
        self.status, self.message, self.code = status, message, code
        self.body = {"error": message} if body is None else body


def card_errors(content: str) -> list[str]:
    """Return what the Hub would say against a card's YAML."""
    found = re.match(r"---\n(.*?)\n---\n", content, re.S)
    if not found:
        return ["no YAML front matter"]
    front = yaml.safe_load(found[1])
    licenses = front.get("license", "unknown")
    licenses = licenses if isinstance(licenses, list) else [licenses]
    errors = [f'"license" must be one of [{each}]' for each in licenses if each not in _LICENSES]
    if "other" in licenses and "license_name" in front and "license_link" not in front:
        errors.append('"license_link" is required with "license_name"')
    errors += [
        f'"size_categories" must be one of [{each}]'
        for each in front.get("size_categories", [])
        if each not in _SIZES
    ]
    errors += [
        f'"language[{n}]" must only contain lowercase characters'
        for n, each in enumerate(front.get("language", []))
        if each != each.lower()
    ]
    return errors


def listing(files: Files, under: str, deep: bool) -> Iterable[dict[str, Any]]:
    """Yield the entries of a folder as the Hub lists them."""
    if under and not any(path.startswith(under) for path in files):
        raise Refusal(404, "no such folder", "EntryNotFound")
    folders = set()
    for path, blob in sorted(files.items()):
        if not path.startswith(under):
            continue
        parts = path[len(under) :].split("/")
        inner = range(1, len(parts)) if deep else range(1, min(2, len(parts)))
        folders |= {under + "/".join(parts[:n]) for n in inner}
        if deep or len(parts) == 1:
            yield blob.entry(path)
    yield from map(folder, sorted(folders))


def folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": "0" * 40}
