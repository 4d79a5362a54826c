"""Look at a submission's folder before anything in it is read.

Links are not followed, archives and pickles are not opened, and what is no plain file (a pipe, a
device) is not touched.
"""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from convsafe.leaderboard.findings import Findings, shown
from convsafe.leaderboard.records import GENERATIONS, MANIFEST
from convsafe.taxonomy.errors import BadInput

LINES = "generations.jsonl"
# The largest manifest, in bytes, and the most entries of a folder that are looked at.
MOST_MANIFEST, _MOST_ENTRIES = 64 << 10, 50
_HEAD = 512
_ARCHIVES = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_ENDINGS = {
    "archive": ".zip .tar .gz .tgz .bz2 .xz .7z .rar .zst .whl .jar",
    "pickle": ".pkl .pickle .pt .pth .ckpt .bin .joblib .dill .npy .npz .h5 .hdf5",
    "code": ".py .pyc .pyd .so .dll .dylib .exe .sh .bat .ps1 .ipynb .js .html .yml .yaml .toml",
}
_BY_ENDING = {end: kind for kind, ends in _ENDINGS.items() for end in ends.split()}
_WHY = {
    "archive": "an archive; it was not opened: send the two files as they are",
    "pickle": "of a kind that can run code when it is read; it was not opened",
    "code": "code or markup, which a submission has no use for; it was not opened",
    "extra_file": f"not part of a submission, which is {MANIFEST} and {GENERATIONS}: take it out",
}


class Files(NamedTuple):
    """The two files of a submission, as far as they can be read."""

    manifest: Path | None
    generations: Path | None


def look(folder: Path, most_bytes: int, findings: Findings) -> Files:
    """Return the files of a submission that are plain files and not too large.

    Args:
        folder: The submission.
        most_bytes: Of the file of generations.
        findings: What is wrong is added to it.
    """
    if not _is_folder(folder, findings):
        return Files(None, None)
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in islice(entries, _MOST_ENTRIES + 1))
    if len(names) > _MOST_ENTRIES:
        findings.error("too_many_files", f"more than {_MOST_ENTRIES} files: a submission is two")
    limits = {MANIFEST: MOST_MANIFEST, GENERATIONS: most_bytes, LINES: most_bytes}
    there = {name for name in names if name in limits}
    fine = {name for name in names if _is_fine(folder / name, limits.get(name), findings)}
    if MANIFEST not in there:
        findings.error("no_manifest", f"there is no {MANIFEST}; `convsafe submit` writes it")
    if not there - {MANIFEST}:
        what = f"there is no {GENERATIONS} and no {LINES}; `convsafe submit` writes the first"
        findings.error("no_generations", what)
    if {GENERATIONS, LINES} <= there:
        what = f"both {GENERATIONS} and {LINES} are there: keep one"
        findings.error("two_files", what)
        fine -= {GENERATIONS, LINES}
    usable = [folder / name for name in (GENERATIONS, LINES) if name in fine]
    return Files(folder / MANIFEST if MANIFEST in fine else None, usable[0] if usable else None)


def _is_folder(folder: Path, findings: Findings) -> bool:
    try:
        mode = folder.lstat().st_mode
    except (OSError, ValueError):
        findings.error("no_folder", "there is no such folder")
        return False
    if stat.S_ISLNK(mode):
        findings.error("link", "the folder is a link; links are not followed")
    elif stat.S_ISREG(mode):
        kind = kind_of(folder)
        what = _WHY.get(kind or "", "a file")
        findings.error(kind or "no_folder", f"a submission is a folder; this is {what}")
    elif not stat.S_ISDIR(mode):
        findings.error("no_folder", "a submission is a folder; this is none")
    return stat.S_ISDIR(mode)


def _is_fine(path: Path, limit: int | None, findings: Findings) -> bool:
    """Return whether an entry of the folder is one of the files and may be read."""
    info, name = path.lstat(), shown(path.name)
    if stat.S_ISLNK(info.st_mode):
        findings.error("link", f"{name!r} is a link; links are not followed", file=path.name)
    elif stat.S_ISDIR(info.st_mode):
        what = f"{name!r} is a folder; a submission has none inside"
        findings.error("extra_folder", what, file=path.name)
    elif not stat.S_ISREG(info.st_mode):
        what = f"{name!r} is a pipe, socket or device; it was not opened"
        findings.error("not_a_file", what, file=path.name)
    elif limit is None or kind_of(path, of_ending=False):
        kind = kind_of(path) or "extra_file"
        findings.error(kind, f"{name!r} is {_WHY[kind]}", file=path.name)
    elif info.st_size > limit:
        what = f"{name} has {info.st_size:,} bytes; the board takes {limit:,}"
        findings.error("size", what, file=path.name)
    elif not info.st_size:
        findings.error("empty_file", f"{name} is empty", file=path.name)
    else:
        return True
    return False


def kind_of(path: Path, *, of_ending: bool = True) -> str | None:
    """Return `archive`, `pickle` or `code` for a plain file of such a kind, by its beginning.

    Args:
        path: The file.
        of_ending: Go by its name too.
    """
    with open_plain(path) as file:
        head = file.read(_HEAD)
    if any(head.startswith(magic) for magic in _ARCHIVES) or head[257:262] == b"ustar":
        return "archive"
    if (head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05") or head[:6] == b"\x93NUMPY":
        return "pickle"
    if head.startswith((b"#!", b"\x7fELF", b"MZ")):
        return "code"
    return _BY_ENDING.get(path.suffix.lower()) if of_ending else None


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading bytes; never a link, and never one that blocks.

    Raises:
        BadInput: If it is no plain file any more.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadInput("not a plain file", file=path)
    return os.fdopen(handle, "rb")
