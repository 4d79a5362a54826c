"""Files that are whole or absent: atomic writing, checked reading, durable appending."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from convsafe.taxonomy.errors import BadInput, Unavailable


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and rename it there when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; results are meant to be read by others.
        temporary.chmod(0o644)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise Unavailable(f"{path}: could not be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, atomically."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as out:
        out.writelines(dump_line(row) for row in rows)


def dump_line(row: Mapping[str, Any]) -> str:
    """Return one JSON line; U+2028 and lone surrogates are escaped so that any text survives."""
    text = json.dumps(row, ensure_ascii=False)
    if not text.isprintable():
        text = json.dumps(row)
    return text + "\n"


def read_json(path: Path) -> Any:
    """Return the JSON value in `path`.

    Raises:
        BadInput: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput("no such file", file=path) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON: {error}", file=path) from None


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for every line of a JSONL file.

    Raises:
        BadInput: On a line that is no JSON object, naming the file and line.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            yield number, parse_line(path, number, line)


def parse_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Return the object of a line of JSONL.

    Raises:
        BadInput: If it is none, naming the file and line.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not a JSON object: {error}", file=path, line=number) from None
    if not isinstance(row, dict):
        raise BadInput("not a JSON object", file=path, line=number)
    return row


def sha256_of(path: Path) -> str:
    """Return the file's sha256 in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as data:
        while block := data.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def file_stem(name: str) -> str:
    """Return a name as part of a file's name; one that had to be changed gets its sum's beginning.

    Two different names never get the same part.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80]
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class Appender:
    """Append JSON lines durably, one process at a time.

    Opening cuts off a last line that a killed process left half-written; a write that fails
    (a full disk) is rolled back, so the file never holds a broken line.
    """

    def __init__(self, path: Path, sync_every: int = 64) -> None:
        self.path, self._since_sync, self._sync_every = path, 0, sync_every
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Unavailable(
                f"{path}: another process is writing to it; wait for it to end"
            ) from None
        self._end = self._cut_torn_line()
        self._thread = ThreadPoolExecutor(1)
        self._syncing: Future[None] | None = None

    def _cut_torn_line(self) -> int:
        size = os.fstat(self._file).st_size
        end = size
        while end > 0:
            start = max(0, end - 65536)
            found = os.pread(self._file, end - start, start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._file, end)
        return end

    def append(self, row: Mapping[str, Any]) -> None:
        """Append one line, whole or not at all.

        Raises:
            Unavailable: If the disk refuses it; earlier lines stay.
        """
        data = dump_line(row).encode()
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            self._since_sync += 1
            if self._since_sync >= self._sync_every:
                self._sync()
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise Unavailable(
                f"{self.path}: cannot append: {error.strerror}. Everything before it is saved;"
                " make room and run the same command again."
            ) from error
        self._end += len(data)

    def _sync(self) -> None:
        """Flush to disk beside other work; one that is still under way counts for this one too.

        Raises:
            OSError: If the one before failed.
        """
        if self._syncing is not None:
            if not self._syncing.done():
                return
            self._syncing.result()
        self._since_sync = 0
        self._syncing = self._thread.submit(os.fsync, self._file)

    def close(self) -> None:
        """Flush to disk and release the lock."""
        self._thread.shutdown()
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)

    def __enter__(self) -> Appender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
