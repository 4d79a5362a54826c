"""Shared parts: a built release, a scripted chat server on loopback, an empty cache."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SOURCES = os.environ.get("CONVSAFE_SOURCES")
needs_sources = pytest.mark.skipif(
    not SOURCES, reason="CONVSAFE_SOURCES names no mirror of the upstream sets"
)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's cache out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSAFE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        # Tests run side by side, and the local model's threads spin while they wait.
        patch.setenv("CONVSAFE_THREADS", "1")
        yield


@pytest.fixture(scope="session")
def core_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of our own cases alone, none of them transformed."""
    from convsafe.data_builders import build

    out = tmp_path_factory.mktemp("core") / "release"
    return build(out, sources=[], transforms=[]).folder


@pytest.fixture(scope="session")
def own_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of our own cases alone, transformed by the full recipe."""
    from convsafe.data_builders import build

    return build(tmp_path_factory.mktemp("own") / "release", sources=[]).folder


@pytest.fixture(scope="session")
def full_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of every source that is mirrored."""
    if not SOURCES:
        pytest.skip("CONVSAFE_SOURCES names no mirror of the upstream sets")
    from convsafe.data_builders import build

    return build(tmp_path_factory.mktemp("full") / "release").folder


class Server(ThreadingHTTPServer):
    """A server that so many clients as a run has may knock at, all at the same moment."""

    request_queue_size = 256
    daemon_threads = True


class ChatServer:
    """A scripted OpenAI-compatible server: `answer` maps a request body to (status, body)."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.answer: Callable[[dict[str, Any]], tuple[int, Any]] = lambda _: (200, reply("Fine."))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                outer.headers.append(dict(self.headers))
                status, answer = outer.answer(body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status == 429:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def reply(text: str, finish: str = "stop") -> dict[str, Any]:
    """A chat completion as servers send it."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.stop()
