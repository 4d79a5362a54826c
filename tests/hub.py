"""A Hub on loopback: what huggingface_hub and datasets ask of the real one, and its moods.

It keeps datasets and Spaces with commits and tags, takes files in regular and LFS mode, judges
cards, and answers reads with ETag, X-Repo-Commit, redirects for large files, and ranges. `fault`
makes it fail: it may cut a connection in the middle of a body, or do what was asked and not answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.conftest import Server
from tests.hub_store import Blob, Files, Refusal, Repo, card_errors, folder, listing

TOKEN = "hf_loopback"
# It may log in, but not write.
READER = "hf_reader"
LARGE = (".parquet", ".png")


class Seen(NamedTuple):
    """One request: what was asked, how it was answered, and the bytes of both bodies."""

    method: str
    path: str
    status: int
    received: int
    sent: int


class Answer(NamedTuple):
    """A success: a body and headers."""

    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    status: int = 200


def as_json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode(), {"Content-Type": "application/json"})


class Hub:
    """The server; `seen` holds every request, `fault(method, path)` says how one must fail.

    A fault is "drop" (the connection ends in the middle of the body), "lose" (it is done, but not
    answered), "down" (the connection ends at once), or a status.
    """

    def __init__(self, large: Callable[[str], bool] = lambda path: path.endswith(LARGE)) -> None:
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.seen: list[Seen] = []
        self.large = large
        self.fault: Callable[[str, str], str | int | None] = lambda _method, _path: None
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, part: str) -> int:
        """Return how many such requests were answered with success."""
        return sum(s.method == method and part in s.path and 0 < s.status < 300 for s in self.seen)

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        fault = self.hub.fault(self.command, path)
        size = int(self.headers.get("Content-Length") or 0)
        if fault in ("down", "drop"):
            self._cut(path, len(self.rfile.read(size // 2)) if fault == "drop" else 0)
            return
        body = self._body(size)
        try:
            if isinstance(fault, int):
                raise Refusal(fault, "as the test wishes")
            with self.hub.lock:
                answer = self._answer(path, body)
        except Refusal as refusal:
            told = {"X-Error-Message": refusal.message, "X-Error-Code": refusal.code}
            told = {name: value for name, value in told.items() if value}
            answer = Answer(json.dumps(refusal.body).encode(), told, refusal.status)
        if fault == "lose":
            self._cut(path, len(body))
            return
        self._send(path, answer, len(body))

    def _body(self, size: int) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(size)
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _cut(self, path: str, received: int) -> None:
        self.hub.seen.append(Seen(self.command, path, 0, received, 0))
        self.close_connection = True
        self.connection.close()

    def _send(self, path: str, answer: Answer, received: int) -> None:
        sent = 0 if self.command == "HEAD" else len(answer.body)
        self.hub.seen.append(Seen(self.command, path, answer.status, received, sent))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:sent])

    def _answer(self, path: str, body: bytes) -> Answer:
        for method, pattern, name in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method:
                return getattr(self, name)(body, *(unquote(each or "") for each in match.groups()))
        raise Refusal(404, f"this Hub knows no {self.command} {path}")

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _writer(self) -> None:
        if self._token() == READER:
            raise Refusal(403, "You don't have the rights to write to this namespace")
        if self._token() != TOKEN:
            raise Refusal(401, "Invalid username or password.")

    def _repo(self, id: str) -> Repo:
        repo = self.hub.repos.get(id)
        known = self._token() in (TOKEN, READER)
        if repo is None or (repo.private and not known):
            raise Refusal(404 if known else 401, "Repository not found", "RepoNotFound")
        return repo

    def create(self, body: bytes) -> Answer:
        self._writer()
        asked = json.loads(body)
        kind = asked.get("type", "dataset") + "s"
        id = f"{asked['organization']}/{asked['name']}"
        key = id if kind == "datasets" else f"{kind}/{id}"
        if key in self.hub.repos:
            raise Refusal(409, "You already created this repo")
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        repo = self.hub.repos[key] = Repo(private)
        tracked = "".join(f"*{end} filter=lfs diff=lfs merge=lfs -text\n" for end in LARGE)
        repo.commit({".gitattributes": Blob(tracked.encode(), False)}, "initial commit")
        return as_json({"name": id, "url": f"{self.hub.url}/{kind}/{id}"})

    def validate(self, body: bytes) -> Answer:
        errors = [{"message": each} for each in card_errors(json.loads(body)["content"])]
        if errors:
            raise Refusal(400, "Invalid metadata", body={"errors": errors, "warnings": []})
        return as_json({"errors": [], "warnings": []})

    def preupload(self, body: bytes, id: str, revision: str) -> Answer:
        self._writer()
        repo = self._repo(id)
        held = repo.commits[repo.find(revision)]
        return as_json({"files": [self._mode(each, held) for each in json.loads(body)["files"]]})

    def _mode(self, asked: dict[str, Any], held: Files) -> dict[str, Any]:
        path = asked["path"]
        mode = "lfs" if self.hub.large(path) else "regular"
        oid = (
            held[path].entry(path).get("lfs", held[path].entry(path))["oid"] if path in held else ""
        )
        return {"path": path, "uploadMode": mode, "shouldIgnore": False} | (
            {"oid": oid} if oid else {}
        )

    def batch(self, body: bytes, id: str) -> Answer:
        self._writer()
        self._repo(id)
        objects = [{"oid": e["oid"], "size": e["size"]} for e in json.loads(body)["objects"]]
        for each in objects:
            if each["oid"] not in self.hub.objects:
                places = {"upload": f"/lfs/{each['oid']}", "verify": "/lfs/verify"}
                each["actions"] = {n: {"href": self.hub.url + p} for n, p in places.items()}
        return as_json({"transfer": "basic", "objects": objects})

    def put(self, body: bytes, oid: str) -> Answer:
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refusal(400, "the bytes are not those of the oid")
        self.hub.objects[oid] = body
        return Answer()

    def verify(self, body: bytes) -> Answer:
        asked = json.loads(body)
        if len(self.hub.objects.get(asked["oid"], b"")) != asked["size"]:
            raise Refusal(404, "no such object")
        return as_json({})

    def commit(self, body: bytes, id: str, revision: str) -> Answer:
        self._writer()
        repo = self._repo(id)
        lines = [json.loads(line) for line in body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit", repo.main) != repo.main:
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[repo.find(revision)])
        for line in lines[1:]:
            self._apply(files, line["key"], line["value"])
        if "README.md" in files and (errors := card_errors(files["README.md"].data.decode())):
            raise Refusal(400, "Invalid metadata in README.md: " + "; ".join(errors))
        oid = repo.commit(files, header["summary"])
        place = id if id.startswith("spaces/") else f"datasets/{id}"
        url = f"{self.hub.url}/{place}/commit/{oid}"
        return as_json({"success": True, "commitOid": oid, "commitUrl": url})

    def _apply(self, files: Files, key: str, value: dict[str, Any]) -> None:
        if key == "file":
            files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
        elif key == "lfsFile":
            if value["oid"] not in self.hub.objects:
                raise Refusal(400, f"LFS object {value['oid']} was never uploaded")
            files[value["path"]] = Blob(self.hub.objects[value["oid"]], True)
        elif key == "deletedFile":
            if files.pop(value["path"], None) is None:
                raise Refusal(400, "A file with this name doesn't exist")
        else:
            raise Refusal(400, f"unknown operation {key}")

    def tag(self, body: bytes, id: str, revision: str) -> Answer:
        self._writer()
        repo, name = self._repo(id), json.loads(body)["tag"]
        if name in repo.tags:
            raise Refusal(409, f"Tag {name} already exists")
        repo.tags[name] = repo.find(revision)
        return as_json({})

    def info(self, _: bytes, id: str, revision: str = "main") -> Answer:
        repo = self._repo(id)
        oid = repo.find(revision)
        files = [{"rfilename": path} for path in sorted(repo.commits[oid])]
        about = {"_id": "1", "id": id.removeprefix("spaces/"), "sha": oid, "tags": []}
        stands = {"private": repo.private, "gated": repo.gated, "disabled": False}
        return as_json({**about, **stands, "siblings": files})

    def settings(self, body: bytes, id: str) -> Answer:
        self._writer()
        self._repo(id).gated = json.loads(body)["gated"]
        return as_json({})

    def refs(self, _: bytes, id: str) -> Answer:
        repo = self._repo(id)
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.main}
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid}
            for name, oid in repo.tags.items()
        ]
        return as_json({"branches": [main], "converts": [], "tags": tags})

    def tree(self, _: bytes, id: str, revision: str, place: str) -> Answer:
        repo = self._repo(id)
        files = repo.commits[repo.find(revision)]
        deep = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() in (
            "true",
            "1",
        )
        under = f"{place.strip('/')}/" if place.strip("/") else ""
        return as_json(list(listing(files, under, deep)))

    def paths_info(self, body: bytes, id: str, revision: str) -> Answer:
        repo = self._repo(id)
        files = repo.commits[repo.find(revision)]
        form = self.headers.get("Content-Type", "").startswith("application/json")
        asked = json.loads(body)["paths"] if form else parse_qs(body.decode()).get("paths", [])
        folders = [folder(p) for p in asked if any(name.startswith(f"{p}/") for name in files)]
        return as_json([*(files[path].entry(path) for path in asked if path in files), *folders])

    def resolve(self, _: bytes, id: str, revision: str, path: str) -> Answer:
        repo = self._repo(id)
        oid = repo.find(revision)
        if path not in repo.commits[oid]:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        blob = repo.commits[oid][path]
        told = {"X-Repo-Commit": oid, "ETag": f'"{blob.oid}"'}
        if not blob.large:
            return self._ranged(blob.data, told)
        # Another host, as on the real Hub: there the client takes what it must know from here.
        place = f"{self.hub.url.replace('127.0.0.1', 'localhost')}/cdn/{blob.sha256}"
        linked = {"X-Linked-Size": str(len(blob.data)), "X-Linked-ETag": f'"{blob.sha256}"'}
        return Answer(b"", {**told, **linked, "Location": place}, 302)

    def cdn(self, _: bytes, oid: str) -> Answer:
        return self._ranged(self.hub.objects[oid], {"ETag": f'"{oid}"'})

    def _ranged(self, data: bytes, told: dict[str, str]) -> Answer:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return Answer(data, {**told, "Accept-Ranges": "bytes"})
        first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        place = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        return Answer(data[first : last + 1], {**told, **place}, 206)


def _of_a_repository(place: str, id: str) -> tuple[tuple[str, str, str], ...]:
    """Return the routes of one kind of repository; `id` captures the key it is kept under."""
    return (
        ("POST", f"/api/{place}{id}/preupload/([^/]+)", "preupload"),
        ("POST", f"/api/{place}{id}/commit/([^/]+)", "commit"),
        ("POST", f"/api/{place}{id}/tag/([^/]+)", "tag"),
        ("POST", f"/api/{place}{id}/paths-info/([^/]+)", "paths_info"),
        ("PUT", f"/api/{place}{id}/settings", "settings"),
        ("GET", f"/api/{place}{id}", "info"),
        ("GET", f"/api/{place}{id}/revision/([^/]+)", "info"),
        ("GET", f"/api/{place}{id}/refs", "refs"),
        ("GET", f"/api/{place}{id}/tree/([^/]+)(/.*)?", "tree"),
        ("POST", f"/{place}{id}\\.git/info/lfs/objects/batch", "batch"),
        ("GET HEAD", f"/{place}{id}/resolve/([^/]+)/(.+)", "resolve"),
    )


_NAME = r"[\w.-]+/[\w.-]+"
_ROUTES = (
    ("POST", "/api/repos/create", "create"),
    ("POST", "/api/validate-yaml", "validate"),
    *_of_a_repository("datasets/", f"({_NAME})"),
    # A Space may have a dataset's name.
    *_of_a_repository("", f"(spaces/{_NAME})"),
    ("PUT", "/lfs/([0-9a-f]{64})", "put"),
    ("POST", "/lfs/verify", "verify"),
    ("GET HEAD", "/cdn/([0-9a-f]{64})", "cdn"),
)
