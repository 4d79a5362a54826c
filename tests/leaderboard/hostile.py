"""Submissions that are malformed or hostile: how each is made from a good one, and its finding."""

import gzip
import io
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from convsafe.taxonomy.files import sha256_of
from pyarrow import parquet

Spoil = Callable[[Path], None]
GIGABYTES = 2 << 30
# What the small board of these tests takes.
MOST_BYTES, LONGEST = 4 << 20, 100_000
MANIFEST, PARQUET, LINES = "manifest.json", "generations.parquet", "generations.jsonl"


def said(**values: Any) -> Spoil:
    """Change what the manifest says."""

    def spoil(folder: Path) -> None:
        path = folder / MANIFEST
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return spoil


def released(**values: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        release = json.loads((folder / MANIFEST).read_text())["release"]
        said(release=release | values)(folder)

    return spoil


def decoded(**values: Any) -> Spoil:
    return said(params={"temperature": 0.0} | values)


def raw_manifest(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / MANIFEST
        path.write_bytes(change(path.read_bytes()))

    return spoil


def swapped(old: bytes, new: bytes) -> Spoil:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return raw_manifest(change)


def sealed(folder: Path, file: str = PARQUET) -> None:
    """Give the manifest the sum of the generations as they are now."""
    said(generations_sha256=sha256_of(folder / file))(folder)


def table(change: Callable[[pa.Table], pa.Table], **options: Any) -> Spoil:
    """Change the generations and seal them again."""

    def spoil(folder: Path) -> None:
        path = folder / PARQUET
        parquet.write_table(change(parquet.read_table(path)), path, **options)
        sealed(folder)

    return spoil


def column(name: str, values: Callable[[int], Any], kind: Any = None) -> Spoil:
    """Put other values, or values of another kind, into a column."""

    def change(found: pa.Table) -> pa.Table:
        array = pa.array(values(len(found)), kind or found.schema.field(name).type)
        return found.set_column(found.schema.get_field_index(name), name, array)

    return table(change)


def first(name: str, value: Any) -> Spoil:
    """Put a value into the first row."""

    def change(found: pa.Table) -> pa.Table:
        values = [value, *found[name].to_pylist()[1:]]
        array = pa.array(values, found.schema.field(name).type)
        return found.set_column(found.schema.get_field_index(name), name, array)

    return table(change)


def raw_parquet(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / PARQUET
        path.write_bytes(change(path.read_bytes()))
        sealed(folder)

    return spoil


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Spoil:
    """Send JSONL in place of Parquet, with lines changed."""

    def spoil(folder: Path) -> None:
        rows = parquet.read_table(folder / PARQUET, columns=["id", "response"]).to_pylist()
        (folder / PARQUET).unlink()
        good = [json.dumps(row).encode() + b"\n" for row in rows]
        (folder / LINES).write_bytes(b"".join(change(good)))
        sealed(folder, LINES)

    return spoil


def row(**values: Any) -> Spoil:
    """Send JSONL with other values in the first line."""

    def change(good: list[bytes]) -> list[bytes]:
        return [json.dumps(json.loads(good[0]) | values).encode() + b"\n", *good[1:]]

    return lines(change)


def first_line(line: bytes) -> Spoil:
    return lines(lambda good: [line + b"\n", *good[1:]])


def extra(name: str, data: bytes = b"x") -> Spoil:
    return lambda folder: (folder / name).write_bytes(data) and None


def instead(name: str, data: bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return spoil


def linked(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).rename(folder.parent / f"outside-{name}")
        (folder / name).symlink_to(folder.parent / f"outside-{name}")

    return spoil


def pipe(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def sparse(name: str) -> Spoil:
    """Make a file of 2 GB that takes no room."""

    def spoil(folder: Path) -> None:
        os.truncate(folder / name, GIGABYTES)

    return spoil


def folder_is(data: bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        moved(folder)
        folder.write_bytes(data)

    return spoil


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def linked_folder(folder: Path) -> None:
    moved(folder)
    folder.symlink_to(folder.with_name("elsewhere"))


def both(folder: Path) -> None:
    (folder / LINES).write_bytes(b"{}\n")


def zipped() -> bytes:
    """A small archive that unpacks to 20 MB, with a name that leads out of its folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside", bytes(20 << 20))
    return out.getvalue()


def tarred() -> bytes:
    """An archive with a link that leads out of its folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    return out.getvalue()


class Trap:
    """Leaves a file behind where it is unpickled."""

    path = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def trap(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        Trap.path = str(folder.parent / "sprung")
        (folder / name).write_bytes(pickle.dumps(Trap()))

    return spoil


def many(folder: Path) -> None:
    for number in range(60):
        (folder / f"part-{number}").touch()


def lied(folder: Path) -> None:
    """Say at the file's end that a column is small, which its pages are not."""
    found = parquet.read_table(folder / PARQUET)
    texts = pa.array(["a" * 99_000 + str(at) for at in range(len(found))])
    found = found.set_column(found.schema.get_field_index("response"), "response", texts)
    # Longer than the board takes only together.
    found = pa.concat_tables([found, found, found])
    path = folder / PARQUET
    parquet.write_table(found, path, compression="zstd", use_dictionary=False)
    meta = parquet.read_metadata(path)
    told = meta.row_group(0).column(meta.schema.names.index("response")).total_uncompressed_size
    assert told > MOST_BYTES
    data = path.read_bytes()
    # Both sizes take four bytes as Thrift writes them.
    assert data.count(varint(told)) >= 1
    path.write_bytes(data.replace(varint(told), varint(1 << 20)))
    sealed(folder)


def varint(value: int) -> bytes:
    value, out = value << 1, bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def one_text(found: pa.Table) -> pa.Table:
    """The same long text in every row: small as a dictionary, large once it is looked up."""
    return found.set_column(
        found.schema.get_field_index("response"), "response", pa.array(["a" * 120_000] * len(found))
    )


def pickled_type(found: pa.Table) -> pa.Table:
    """A column whose type says that a pickle defines it."""
    said = {b"ARROW:extension:name": b"arrow.py_extension_type"}
    field = found.schema.field("id").with_metadata(
        said | {b"ARROW:extension:metadata": pickle.dumps(Trap())}
    )
    return found.cast(found.schema.set(0, field))


def turns(role: str, content: str, count: int = 1) -> Spoil:
    return first("messages", [{"role": role, "content": content}] * count)


def cut_bytes(found: pa.Table) -> pa.Table:
    """Replies that are no UTF-8, in a column that says it holds text."""
    values = pa.array([b"\xff\xfe caf\xe9"] * len(found), pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(values), values.buffers())
    return found.set_column(found.schema.get_field_index("response"), "response", text)


def without(name: str) -> Spoil:
    return table(lambda found: found.drop_columns([name]))


def flipped(data: bytes) -> bytes:
    middle = len(data) // 3
    return (
        data[:middle]
        + bytes(one ^ 255 for one in data[middle : middle + 400])
        + data[middle + 400 :]
    )


def longer(found: pa.Table) -> pa.Table:
    return pa.concat_tables([found] * 60)


def no_manifest_field(name: str) -> Spoil:
    def change(data: bytes) -> bytes:
        row = json.loads(data)
        del row[name]
        return json.dumps(row).encode()

    return raw_manifest(change)


FOLDERS: dict[str, tuple[Spoil, str]] = {
    "there is no folder": (moved, "no_folder"),
    "a file in place of the folder": (folder_is(b"id,response\n"), "no_folder"),
    "a zip in place of the folder": (folder_is(zipped()), "archive"),
    "the folder is a link": (linked_folder, "link"),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "no_manifest"),
    "no generations": (lambda folder: (folder / PARQUET).unlink(), "no_generations"),
    "the manifest is a link": (linked(MANIFEST), "link"),
    "the generations are a link": (linked(PARQUET), "link"),
    "the manifest is a pipe": (pipe(MANIFEST), "not_a_file"),
    "the generations are a pipe": (pipe(PARQUET), "not_a_file"),
    "a zip bomb as generations": (instead(PARQUET, zipped()), "archive"),
    "a tar as generations": (instead(PARQUET, tarred()), "archive"),
    "a gzip as manifest": (instead(MANIFEST, gzip.compress(b"{}")), "archive"),
    "a tar with a link beside": (extra("more.tar", tarred()), "archive"),
    "a zip by another name beside": (extra("notes", zipped()), "archive"),
    "a pickle beside": (trap("weights.pkl"), "pickle"),
    "a pickle as generations": (trap(PARQUET), "pickle"),
    "a numpy file beside": (extra("a", b"\x93NUMPY\x01\x00"), "pickle"),
    "code beside": (extra("setup.py", b"import os"), "code"),
    "a page beside": (extra("index.html", b"<script>alert(1)</script>"), "code"),
    "another file beside": (extra("README.md"), "extra_file"),
    "a name with a line end": (extra("a\nb\x1b[31m"), "extra_file"),
    "a folder inside": (lambda folder: (folder / "data").mkdir(), "extra_folder"),
    "both kinds of generations": (both, "two_files"),
    "too many files": (many, "too_many_files"),
    "a manifest of 2 GB": (sparse(MANIFEST), "size"),
    "generations of 2 GB": (sparse(PARQUET), "size"),
    "an empty manifest": (instead(MANIFEST, b""), "empty_file"),
    "empty generations": (instead(PARQUET, b""), "empty_file"),
}

MANIFESTS: dict[str, tuple[Spoil, str]] = {
    "not JSON": (instead(MANIFEST, b"name: me"), "json"),
    "cut short": (raw_manifest(lambda data: data[:-40]), "json"),
    "a list": (instead(MANIFEST, b"[]"), "manifest"),
    "nested too deep": (instead(MANIFEST, b"[" * 60_000), "json"),
    "a number of 20,000 digits": (swapped(b'"samples": 1', b'"samples": ' + b"9" * 20_000), "json"),
    "a byte order mark": (raw_manifest(lambda data: b"\xef\xbb\xbf" + data), "bom"),
    "UTF-16": (raw_manifest(lambda data: data.decode().encode("utf-16")), "encoding"),
    "Latin-1": (swapped(b"Honest", b"Hon\xe9st"), "encoding"),
    "half a surrogate pair": (swapped(b"Honest", rb"Hon\ud800st"), "encoding"),
    "NaN": (swapped(b'"samples": 1', b'"samples": NaN'), "nan"),
    "Infinity": (decoded(temperature=float("inf")), "nan"),
    "a key twice": (swapped(b'"samples": 1', b'"samples": 1, "samples": 9'), "key_twice"),
    "a field missing": (no_manifest_field("contact"), "manifest"),
    "a field unknown": (said(score=1.0), "manifest"),
    "a text for a number": (said(samples="1"), "manifest"),
    "a truth for a number": (said(samples=True), "manifest"),
    "an object for a name": (said(name={"$ref": "x"}), "manifest"),
    "another schema": (said(schema=99), "schema"),
    "another release": (released(content_sha256="0" * 64), "release"),
    "another version": (released(version="9.9.9"), "release"),
    "another config": (released(config="ciphers"), "release"),
    "the other split": (released(split="dev"), "release"),
    "no release": (said(release={}), "release"),
    "a release of another kind": (said(release={"version": ["0.1.0"]}), "release"),
    "another count of cases": (said(cases=3), "ids"),
    "another sum of ids": (said(ids_sha256="0" * 64), "ids"),
    "more samples": (said(samples=5), "samples"),
    "another sum of the file": (said(generations_sha256="0" * 64), "hash"),
    "a sum that is a path": (said(generations_sha256="../../etc/passwd"), "hash"),
    "no name": (said(name=""), "name"),
    "a blank name": (said(name="   "), "name"),
    "a huge name": (said(name="a" * 50_000), "long_text"),
    "a name of a line end": (said(name="good\nbad"), "control"),
    "a name that colours the terminal": (said(name="good \x1b[31mbad"), "control"),
    "a name turned around": (said(name="good \u202ebad"), "invisible"),
    "a name with nothing seen in it": (said(name="go\u200bod"), "invisible"),
    "a name of tags": (said(name="good\U000e0041"), "invisible"),
    "a name with a script": (said(name="<script>alert(1)</script>"), "name"),
    "a name with an entity": (said(name="a<img src=x onerror=alert(1)>"), "name"),
    "a name that is a formula": (said(name='=HYPERLINK("x")'), "name"),
    "a name that leads out": (said(name="../../../etc/passwd"), "name"),
    "a name that is a path": (said(name="a/../../b"), "name"),
    "a name with marks piled up": (said(name="Z" + "\u0335\u0336\u0337" * 9), "name"),
    "a name with a medal": (said(name="Best \U0001f947"), "name"),
    "a name for private use": (said(name="good\ue000"), "unassigned"),
    "a name of two alphabets": (said(name="Нonest"), "name_mixed"),
    "a name that is taken": (said(name="Known Model 7B"), "name_taken"),
    "a name taken but for case": (said(name="known-model 7b"), "name_taken"),
    "a name that looks like one": (said(name="Knоwn Mоdel 7B"), "name_alike"),
    "a name that reads like one": (said(name="KnownModel7B"), "name_alike"),
    "a name in wide letters": (said(name="Ｋｎｏｗｎ Ｍｏｄｅｌ ７Ｂ"), "name_taken"),
    "a name of a baseline": (said(name="Always Refuse"), "name_taken"),
    "an address that is code": (said(url="javascript:alert(1)"), "url"),
    "an address of a file": (said(url="file:///etc/passwd"), "url"),
    "an address with a quote": (said(url='https://a.org/"onclick="x'.replace('"', " ")), "url"),
    "no licence": (said(license=""), "blank"),
    "a licence with a script": (said(license="<script>"), "license"),
    "no contact": (said(contact=" "), "blank"),
    "a contact of several lines": (said(contact="a@b.org\nBcc: all"), "control"),
    "a long statement": (said(statement="a" * 9_000), "long_text"),
    "a statement turned around": (said(statement="we \u2066did\u2069 well"), "invisible"),
    "a model of control characters": (said(model="m\x00"), "control"),
    "no time": (said(created="yesterday"), "created"),
    "a temperature below 0": (decoded(temperature=-1), "params"),
    "a temperature as text": (decoded(temperature="0"), "params"),
    "a temperature too large to write": (
        swapped(b'"temperature": 0.0', b'"temperature": 1e999'),
        "params",
    ),
    "the best of eight": (decoded(best_of=8), "params"),
    "a setting that is a list": (decoded(stop=["a"]), "params"),
    "too many settings": (decoded(**{f"a{at}": 1 for at in range(30)}), "params"),
    "a setting turned around": (decoded(mode="a\u202eb"), "invisible"),
    "guards that are no texts": (said(guards={"input": {}}), "manifest"),
    "a guard of control characters": (said(guards={"input:x": "\x1b[2J"}), "control"),
}

PARQUETS: dict[str, tuple[Spoil, str]] = {
    "missing ids": (table(lambda found: found.slice(3)), "missing_ids"),
    "an unknown id": (first("id", "nobody-0001"), "extra_ids"),
    "an unknown id that is a path": (first("id", "../../etc/passwd\x1b[31m"), "extra_ids"),
    "an id twice": (
        table(lambda found: pa.concat_tables([found, found.slice(0, 1)])),
        "duplicate_ids",
    ),
    "no rows": (table(lambda found: found.slice(0, 0)), "empty_file"),
    "far too many rows": (table(longer), "too_many_rows"),
    "a sample too many": (first("sample", 7), "samples"),
    "a sample below 0": (first("sample", -1), "samples"),
    "a sample that is NaN": (column("sample", lambda n: [float("nan")] * n, pa.float64()), "types"),
    "an outcome unknown": (first("outcome", "great"), "outcome"),
    "a request that failed": (first("outcome", "failed"), "failed"),
    "a reply that is null": (first("response", None), "null"),
    "an id that is null": (first("id", None), "null"),
    "a reply too long": (first("response", "a" * (LONGEST + 1)), "long_reply"),
    "no replies": (without("response"), "columns"),
    "no ids": (without("id"), "columns"),
    "a column too many": (
        table(lambda found: found.append_column("score", pa.array([1.0] * len(found)))),
        "columns",
    ),
    "a column twice": (table(lambda found: found.append_column("id", found["id"])), "columns"),
    "replies that are bytes": (column("response", lambda n: [b"a"] * n, pa.binary()), "types"),
    "replies that are numbers": (column("response", lambda n: range(n), pa.int64()), "types"),
    "replies that are NaN": (
        column("response", lambda n: [float("nan")] * n, pa.float32()),
        "types",
    ),
    "ids that are numbers": (column("id", lambda n: range(n), pa.int32()), "types"),
    "replies that are no UTF-8": (table(cut_bytes), "encoding"),
    "seconds that are NaN": (first("seconds", float("nan")), "nan"),
    "seconds below 0": (first("seconds", -1.0), "types"),
    "tokens below 0": (first("usage", {"prompt_tokens": -5, "completion_tokens": 1}), "usage"),
    "a turn of nobody": (turns("root", "hello"), "messages"),
    "a turn too long": (turns("user", "a" * (LONGEST + 1)), "long_reply"),
    "a dialogue without end": (turns("user", "a", 100_000), "bomb"),
    "a model's name of 10 kB": (first("model", "m" * 10_000), "long_text"),
    "a text file": (raw_parquet(lambda _: b"id,response\na,b\n" * 9), "not_parquet"),
    "an encrypted file": (raw_parquet(lambda data: b"PARE" + data[4:-4] + b"PARE"), "not_parquet"),
    "cut short": (raw_parquet(lambda data: data[:-100]), "not_parquet"),
    "bytes turned": (raw_parquet(flipped), "damaged"),
    "an end that is too large": (
        raw_parquet(lambda data: data[:-8] + b"\xff\xff\xff\x7f" + data[-4:]),
        "damaged",
    ),
    "an end of nothing": (raw_parquet(lambda data: data[:-8] + bytes(4) + data[-4:]), "damaged"),
    "pages of zeros": (
        column("response", lambda n: ["a" * 200_000 + str(at) for at in range(n)]),
        "bomb",
    ),
    "pages larger than they are said to be": (lied, "bomb"),
    "one text looked up in every row": (table(one_text), "bomb"),
    "a row group a row": (
        table(lambda found: pa.concat_tables([found] * 26), row_group_size=1),
        "bomb",
    ),
}

JSONLS: dict[str, tuple[Spoil, str]] = {
    "a byte order mark": (lines(lambda good: [b"\xef\xbb\xbf", *good]), "bom"),
    "UTF-16": (lines(lambda good: [b"".join(good).decode().encode("utf-16")]), "encoding"),
    "one line of Latin-1": (
        lines(lambda good: [*good[:-1], good[-1].replace(b"response", b"r\xe9sponse")]),
        "encoding",
    ),
    "half a surrogate pair": (first_line(rb'{"id": "a", "response": "\ud800"}'), "encoding"),
    "a NUL byte": (first_line(b'{"id": "a\x00", "response": ""}'), "json"),
    "an empty line": (first_line(b""), "json"),
    "a line cut short": (lines(lambda good: [*good[:-1], good[-1][:-5]]), "json"),
    "a line that is a list": (first_line(b"[]"), "json"),
    "a line that is a number": (first_line(b"1"), "json"),
    "a line nested too deep": (first_line(b"[" * 90_000), "json"),
    "CSV": (lines(lambda good: [b"id,response\n", b"a,b\n"]), "json"),
    "a key twice": (first_line(b'{"id": "a", "id": "b", "response": ""}'), "key_twice"),
    "NaN": (first_line(b'{"id": "a", "response": NaN}'), "nan"),
    "seconds too large to write": (
        first_line(b'{"id": "a", "response": "", "seconds": 1e999}'),
        "nan",
    ),
    "no id": (first_line(b'{"response": ""}'), "null"),
    "no reply": (first_line(b'{"id": "a"}'), "null"),
    "a reply that is a number": (row(response=1), "types"),
    "a reply that is an object": (row(response={"$ne": ""}), "types"),
    "a sample that is a text": (row(sample="0"), "types"),
    "a sample that is huge": (row(sample=10**30), "types"),
    "a sample that is a truth": (row(sample=False), "types"),
    "turns that are texts": (row(messages=["hello"]), "types"),
    "tokens that are texts": (row(usage={"prompt_tokens": "9"}), "types"),
    "a key unknown": (row(__proto__={}), "columns"),
    "an unknown id": (row(id="nobody-0001"), "extra_ids"),
    "too many lines": (lines(lambda good: good * 60), "too_many_rows"),
    "a line of 2 MB": (first_line(b'{"id": "' + b"a" * (2 << 20)), "long_line"),
}

WARNINGS: dict[str, tuple[Spoil, str]] = {
    "a statement with a script": (said(statement="<script>alert(1)</script>"), "markup"),
    "a contact with an entity": (said(contact="a&lt;b@c.org"), "markup"),
    "a contact that is a formula": (said(contact="=cmd|' /C calc'!A0"), "formula"),
    "a contact that begins with @": (said(contact="@someone"), "formula"),
    "no temperature": (said(params={}), "params"),
    "a reply with a NUL": (first("response", "a\0b"), "nul"),
    "replies in the wrong encoding": (column("response", lambda n: ["cafÃ© â€œ"] * n), "mangled"),
    "a filtered reply with a text": (first("outcome", "filtered"), "text_of_filtered"),
    "an empty reply with a text": (first("outcome", "empty"), "text_of_empty"),
    "an answer without a text": (first("response", ""), "no_text"),
}

ERRORS = {"folder": FOLDERS, "manifest": MANIFESTS, "parquet": PARQUETS, "jsonl": JSONLS}


def every() -> Iterator[tuple[str, Spoil, str]]:
    """Yield each with a name that says what it is."""
    for kind, cases in ERRORS.items():
        for name, (spoil, code) in cases.items():
            yield f"{kind}: {name}", spoil, code
