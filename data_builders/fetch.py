"""Get a source's files: from `CONVSAFE_SOURCES`, from the cache, or from their public home.

The path of an unverified source may also be given by its own variable, as `CONVSAFE_SOSBENCH`.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from convsafe.data_builders.source import Reader, SourceCard, SourceFile
from convsafe.taxonomy.errors import BadInput, ChecksumMismatch, Unavailable
from convsafe.taxonomy.files import atomic, sha256_of

ENV = "CONVSAFE_SOURCES"
HUB = "https://huggingface.co"
# Twenty sources at one host that cannot be reached are not tried one after the other.
_PATIENCE = 60.0
_UNREACHED: dict[str, float] = {}


def cache_folder() -> Path:
    """Return where downloads and built suites are kept: `CONVSAFE_CACHE` or `~/.cache/convsafe`."""
    default = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "convsafe"
    return Path(os.environ.get("CONVSAFE_CACHE", default))


def offline() -> bool:
    """Return True where the user forbids the network (`HF_HUB_OFFLINE`)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}


def given_path(card: SourceCard) -> Path | None:
    """Return the path a user gives for an unverified source by its variable, or None."""
    value = "" if card.verified else os.environ.get(card.variable, "")
    return Path(value).expanduser() if value else None


def fetch(card: SourceCard) -> Reader:
    """Return a reader over the source's files, each checked against its sum.

    The reader's card holds every file's sum, also of those that had none pinned.

    Raises:
        BadInput: If a published file cannot be converted.
        ChecksumMismatch: If a file found or downloaded is not the pinned one.
        Unavailable: If a file is in no mirror and cannot be downloaded.
    """
    paths = {file.path: _locate(card, file) for file in card.files}
    sums = (file.sha256 or sha256_of(paths[file.path]) for file in card.files)
    files = tuple(replace(file, sha256=found) for file, found in zip(card.files, sums, strict=True))
    return Reader(replace(card, files=files), paths)


def _locate(card: SourceCard, file: SourceFile) -> Path:
    if given := given_path(card):
        return _checked(_taken(card, file, given), file.sha256)
    mirror = os.environ.get(ENV)
    if mirror:
        folder = Path(mirror)
        if not folder.is_dir():
            raise Unavailable(f"{ENV}={mirror}: no such folder")
        if (found := folder / card.name / file.path).exists():
            return _checked(found, file.sha256)
    cached = cache_folder() / "sources" / card.name / (card.revision or "unpinned") / file.path
    return _checked(cached if cached.exists() else _download(card, file, cached), file.sha256)


def _checked(path: Path, expected: str | None) -> Path:
    if expected is not None and (found := sha256_of(path)) != expected:
        raise ChecksumMismatch(path, expected, found)
    return path


def _taken(card: SourceCard, file: SourceFile, given: Path) -> Path:
    """Return the user's own copy of a file, converted where it is as published."""
    published = Path(urlsplit(file.url).path).name
    names = dict.fromkeys(name for name in (file.path, published) if name)
    found = [given / name for name in names if (given / name).is_file()]
    if given.is_file() and len(card.files) == 1:
        found = [given]
    if not found:
        raise Unavailable(
            f"{card.variable}={given}: no file {' or '.join(names)} there. {card.access}"
        )
    if file.convert is None or found[0].name == file.path:
        return found[0]
    folder = cache_folder() / "sources" / card.name / f"given-{sha256_of(found[0])[:16]}"
    with atomic(folder / file.path) as temporary:
        temporary.write_bytes(_converted(file, found[0].read_bytes(), found[0]))
    return folder / file.path


def _converted(file: SourceFile, content: bytes, place: str | Path) -> bytes:
    try:
        return file.convert(content) if file.convert else content
    except ValueError as error:
        raise BadInput(f"cannot be converted to {file.path}: {error}", file=place) from error


def _download(card: SourceCard, file: SourceFile, target: Path) -> Path:
    """Download a file, convert it and put it in the cache only if its sum is right."""
    if not file.url:
        raise _absent(card, file, "it is published in no single file")
    if card.gated and not os.environ.get("HF_TOKEN"):
        raise _absent(card, file, "its home is gated, but HF_TOKEN is not set")
    if offline():
        raise _absent(card, file, "HF_HUB_OFFLINE is set")
    raw = _retrieved(card, file, target)
    try:
        content = raw.read_bytes()
    finally:
        raw.unlink(missing_ok=True)
    with atomic(target) as temporary:
        temporary.write_bytes(_converted(file, content, file.url))
        if file.sha256 is not None and (found := sha256_of(temporary)) != file.sha256:
            raise ChecksumMismatch(file.url, file.sha256, found)
    return target


def _retrieved(card: SourceCard, file: SourceFile, target: Path) -> Path:
    """Download the published bytes beside `target`; the Hub's token goes to the Hub alone."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    address, token, headers = file.url, os.environ.get("HF_TOKEN"), {}
    if address.startswith(f"{HUB}/"):
        address = os.environ.get("HF_ENDPOINT", HUB) + address.removeprefix(HUB)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
    host = urlsplit(address).netloc
    if time.monotonic() - _UNREACHED.get(host, -_PATIENCE) < _PATIENCE:
        raise _absent(card, file, f"{host} was not reached a moment ago")
    try:
        loader = pooch.HTTPDownloader(headers=headers)
        name = f"{target.name}.download"
        return Path(pooch.retrieve(address, None, name, target.parent, downloader=loader))
    except (requests.RequestException, OSError) as error:
        if isinstance(error, requests.ConnectionError):
            _UNREACHED[host] = time.monotonic()
        raise _absent(card, file, _failure(card, file, error)) from error


def _failure(card: SourceCard, file: SourceFile, error: Exception) -> str:
    """Say what a failed download means for the user."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if response is not None:
        response.close()
    if status in (401, 403) and not os.environ.get("HF_TOKEN"):
        return f"{file.url} answered {status}, and HF_TOKEN is not set"
    if status in (401, 403):
        return f"{file.url} answered {status}: the account of HF_TOKEN has no access yet"
    if status == 404 and not card.verified:
        return f"{file.url} answered 404: it has moved, or was never where the builder expects it"
    return f"{file.url} gave {type(error).__name__}"


def _absent(card: SourceCard, file: SourceFile, why: str) -> Unavailable:
    what = f"source {card.name!r}: {file.path} is not here and {why}."
    if card.verified:
        return Unavailable(
            f"{what} Try again with a network,"
            f" or point {ENV} to a folder that holds {card.name}/{file.path}"
        )
    return Unavailable(
        f"{what} {card.access} Or point {card.variable} to the file, or to the folder it is in"
    )
