"""What providers behind HTTP share: one session, bounded answers, errors in words, no leaked keys.

A provider is a subclass of `HTTPModel` that says how its format looks. A key is read from the
environment, goes into one header of requests to one host, and into nothing else: redirects are not
followed, and a server that repeats the key has it struck out of what it said.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from convsafe.benchmark.model import ModelError, Params, Reply, Unreachable
from convsafe.benchmark.models._statuses import filtered, refused, unsupported, wait_of
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message

if TYPE_CHECKING:
    from aiohttp import ClientResponse

# An answer beyond this is no answer to a chat; it is not read.
LARGEST = 32 * 2**20
# A shorter key is a placeholder, as servers without keys want one; its letters may be any word.
_SECRET = 16
_KEY_NAMES = {"key", "api_key", "api-key", "apikey", "access_token", "token"}


class HTTPModel:
    """A model behind a server that is asked with JSON.

    Args:
        url: The address, to which `path` is added; a query stays behind it.
        name: The model's name there.
        timeout: Seconds to wait for one answer.

    Attributes:
        quirks: Settings the server refused, by its own names; they are no longer sent.
        notes: What a user should know of how the model was asked, in sentences.
    """

    # Where a conversation is sent.
    path = ""
    # The format's own names of settings; "" where it has none of that kind.
    names: Mapping[str, str] = MappingProxyType({})
    # What is sent instead of a setting that was refused.
    instead: Mapping[str, str] = MappingProxyType({})
    # The environment variable of the vendor's key, and the end of the only host that gets it.
    key_variable, key_host = "", ""

    def __init__(self, url: str, name: str, timeout: float = 300.0) -> None:
        self.url, self.name, self.timeout = url.rstrip("/"), name, timeout
        self.quirks: set[str] = set()
        self.notes: list[str] = []

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers of every request; `key` is empty where there is none."""
        raise NotImplementedError

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        """Return a conversation and the settings as the format has them."""
        raise NotImplementedError

    def read(self, answer: Any) -> Reply:
        """Return the reply in an answer.

        Raises:
            ModelError: If there is none in it.
        """
        raise NotImplementedError

    def refuse(self, status: int, answer: Any, wait: float | None) -> ModelError:
        """Return the error that a status other than 200 is."""
        return refused(status, answer, wait)

    def filtered(self, answer: Any) -> bool:
        """Tell whether an error says that the provider's filter stopped the request."""
        return filtered(answer)

    async def __aenter__(self) -> HTTPModel:
        import aiohttp

        key = self._key()
        self._secret = key.encode() if len(key) >= _SECRET else b""
        self._session = aiohttp.ClientSession(
            headers={"Content-Type": "application/json", **self.headers(key)},
            timeout=aiohttp.ClientTimeout(total=self.timeout, sock_connect=15),
            # The engine bounds how many requests are under way.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:
        """Send one conversation and return the reply.

        Raises:
            ModelError: If there is no reply.
        """
        status, answer, wait = await self.post(
            self.path, self.settings(params), lambda taken: self.body(messages, taken)
        )
        if status == 200:
            return self.read(answer)
        if self.filtered(answer):
            return Reply("", "filtered", "content_filter")
        raise self.refuse(status, answer, wait)

    def settings(self, params: Params) -> dict[str, Any]:
        """Return the decoding settings by the format's names."""
        named = ((self.names.get(name, name), value) for name, value in params.to_row().items())
        return {own: value for own, value in named if own}

    async def post(
        self,
        path: str,
        settings: Mapping[str, Any],
        body: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> tuple[int, Any, float | None]:
        """Send what `body` makes of the settings; return what `send` does.

        A setting that the server says it does not know is left out, there and from then on.
        """
        while True:
            taken = self._taken(settings)
            status, answer, wait = await self.send("POST", path, body(taken))
            name = unsupported(answer, taken, self.instead) if status in (400, 422) else None
            if name is None:
                return status, answer, wait
            self._leave_out(name)

    def _taken(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings by the names the server takes, without those it refused."""
        found = {}
        for name, value in settings.items():
            own = self.instead.get(name, "") if name in self.quirks else name
            if own and own not in self.quirks:
                found[own] = value
        return found

    def _leave_out(self, name: str) -> None:
        # Requests under way side by side find the same out.
        if name in self.quirks:
            return
        self.quirks.add(name)
        other = self.instead.get(name)
        how = f"{other!r} is sent instead" if other else "its own default holds"
        self.notes.append(f"{self.name} does not take {name!r}: {how}.")

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, Any, float | None]:
        """Return status, parsed body and the seconds the server asked to wait.

        Raises:
            ModelError: If there is no answer, or one that points elsewhere or is too long.
        """
        import aiohttp

        base, mark, query = self.url.partition("?")
        data = None if body is None else json.dumps(body).encode()
        try:
            async with self._session.request(
                method, f"{base}{path}{mark}{query}", data=data, allow_redirects=False
            ) as answer:
                if 300 <= answer.status < 400:
                    raise self._points_elsewhere(answer)
                found = parsed(self._struck(await _bounded(answer)))
                wait = None if answer.status == 200 else wait_of(answer.headers)
                return answer.status, found, wait
        except aiohttp.ClientSSLError as error:
            raise ModelError(f"no safe connection to {self.url}: {error}", fatal=True) from None
        except aiohttp.ClientConnectorError as error:
            reason = f"cannot connect to {self.url}: {error.os_error}"
            raise Unreachable(reason, retry=True) from None
        except aiohttp.ServerTimeoutError:
            raise Unreachable(f"cannot connect to {self.url} in time", retry=True) from None
        except asyncio.TimeoutError:
            raise ModelError(f"no answer in {self.timeout:.0f} s", retry=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise ModelError(f"connection lost: {type(error).__name__}", retry=True) from None

    def _key(self) -> str:
        """Return the vendor's key for the vendor's own host, or else `CONVSAFE_API_KEY`.

        Raises:
            BadInput: If it cannot stand in a header.
        """
        place = urlsplit(self.url)
        own = place.scheme == "https" and f".{place.hostname}".endswith(f".{self.key_host}")
        vendors = os.environ.get(self.key_variable, "") if self.key_variable and own else ""
        key = (vendors or os.environ.get("CONVSAFE_API_KEY", "")).strip()
        if not (key.isascii() and key.isprintable()):
            name = self.key_variable if vendors else "CONVSAFE_API_KEY"
            raise BadInput(f"{name} holds a letter that no key has; set it again")
        return key

    def _struck(self, data: bytes) -> bytes:
        """Return what a server said without the key."""
        if self._secret and self._secret in data:
            return data.replace(self._secret, b"[key]")
        return data

    def _points_elsewhere(self, answer: ClientResponse) -> ModelError:
        to = self._struck(answer.headers.get("Location", "").encode("utf-8", "replace")).decode()
        return ModelError(
            f"HTTP {answer.status}: {self.url} points to {to.partition('?')[0]!r}; redirects are"
            " not followed, so that no key goes astray: give that address",
            fatal=True,
        )


async def _bounded(answer: ClientResponse) -> bytes:
    """Return the body, unpacked; one over `LARGEST` is refused as soon as that is known."""
    if answer.content_length is not None and "Content-Encoding" not in answer.headers:
        if answer.content_length <= LARGEST:
            return await answer.read()
        raise _too_long()
    parts, size = [], 0
    async for part in answer.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise _too_long()
    return b"".join(parts)


def _too_long() -> ModelError:
    return ModelError(f"the answer is over {LARGEST // 2**20} MB and was not read")


def parsed(data: bytes) -> Any:
    """Return the JSON in a body; what is none becomes an error that quotes its beginning."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        text = data[:4000].decode("utf-8", "replace").strip()[:200]
        return {"error": {"message": text or "an empty body"}}


def address(target: str, usual: str, kind: str) -> tuple[str, str]:
    """Return the URL and the name that `URL#NAME`, or `NAME` at the `usual` URL, stands for.

    Raises:
        BadInput: If the URL is none, or holds a key.
    """
    url, _, name = target.partition("#") if "://" in target else (usual, "#", target)
    example = f"{kind}http://HOST:PORT/v1#NAME"
    try:
        place = urlsplit(url)
        whole = place.scheme in ("http", "https") and place.hostname and (place.port or True)
    except ValueError:
        whole = False
    if not whole:
        raise BadInput(f"{target!r} is not a URL: give {example}")
    if place.username or {name.lower() for name, _ in parse_qsl(place.query)} & _KEY_NAMES:
        # Addresses are written down with a run; this one is not repeated here either.
        raise BadInput(f"the URL of {place.hostname} holds a key: put it into CONVSAFE_API_KEY")
    return url, name
