"""A key goes to one host in one header, and is found nowhere else."""

import asyncio
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from convsafe.benchmark import load_suite, run
from convsafe.benchmark.limits import Limits
from convsafe.benchmark.model import ModelError, Params, connect
from convsafe.taxonomy.errors import BadInput, Unavailable
from convsafe.taxonomy.records import Message

from tests import misbehaving as acts
from tests.misbehaving import Act, MisbehavingServer

KEY = "sk-planted-0123456789abcdef"
KINDS = ["openai", "anthropic", "gemini"]
ECHO = f"Incorrect API key provided: {KEY}"
ELSEWHERE = {"Location": f"http://127.0.0.1:1/v1?key={KEY}"}
PLANS = {
    "401": acts.error(401, ECHO),
    "404": acts.error(404, ECHO),
    "429": acts.error(429, ECHO),
    "500": Act(500, ECHO.encode()),
    "400": acts.error(400, ECHO),
    "html": Act(body=f"<html>{ECHO}</html>".encode()),
    "empty": Act(body={"choices": [], "error": {"message": ECHO}}),
    "302": Act(302, b"", ELSEWHERE),
    "307": Act(307, ECHO.encode(), ELSEWHERE),
    "reset": acts.reset(),
    "gzip": Act(body=ECHO.encode(), headers={"Content-Encoding": "gzip"}),
    "header": Act(body=b"", headers={"Content-Length": KEY}),
    "dies": acts.dies(60),
}


@pytest.fixture
def server() -> Any:
    with MisbehavingServer() as found:
        yield found


@pytest.fixture(autouse=True)
def _planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSAFE_API_KEY", KEY)
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", f"{KEY}-of-the-vendor")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PLANS)
def test_no_error_tells_the_key(
    server: MisbehavingServer, caplog: pytest.LogCaptureFixture, kind: str, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.plan = [PLANS[name]]
    model: Any = connect(f"{kind}:{server.url}#tiny")

    async def ask() -> None:
        async with model:
            assert KEY not in repr(model) + repr(vars(model)).replace(repr(model._secret), "")
            await model.generate([Message("user", "Hi.")], Params())

    with pytest.raises(ModelError) as caught:
        asyncio.run(ask())
    assert KEY in str(server.headers[0]), "the host itself is sent it"
    told = "".join(traceback.format_exception(caught.value))
    assert KEY not in told + caught.value.reason + caplog.text + str(model.notes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_is_not_followed_and_says_where_to(server: MisbehavingServer, kind: str) -> None:
    with MisbehavingServer() as other:
        server.plan = [Act(308, b"", {"Location": f"{other.url}/x?key=1"})]
        model = connect(f"{kind}:{server.url}#tiny")

        async def ask() -> None:
            async with model:
                await model.generate([Message("user", "Hi.")], Params())

        with pytest.raises(ModelError, match=f"points to '{other.url}/x'") as caught:
            asyncio.run(ask())
        assert caught.value.fatal
        assert other.requests == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_vendors_key_goes_to_no_other_host(server: MisbehavingServer, kind: str) -> None:
    model: Any = connect(f"{kind}:{server.url}#tiny")
    assert model._key() == KEY
    hosts = ["openai.com", "anthropic.com", "generativelanguage.googleapis.com"]
    own = hosts[KINDS.index(kind)]
    for url, vendors in {
        f"https://api.{own}/v1": True,
        f"https://{own}": True,
        f"http://api.{own}/v1": False,
        f"https://{own}.example.org/v1": False,
        f"https://not{own}/v1": False,
        f"https://example.org/{own}": False,
    }.items():
        model = connect(f"{kind}:{url}#tiny")
        assert (model._key() == f"{KEY}-of-the-vendor") == vendors, url


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["https://{}@host/v1", "https://host/v1?api_key={}"])
def test_a_key_in_an_address_is_refused_unspoken(kind: str, form: str) -> None:
    with pytest.raises(BadInput, match="holds a key: put it into CONVSAFE_API_KEY") as caught:
        connect(f"{kind}:{form.format(KEY)}#tiny")
    assert KEY not in str(caught.value)


def test_a_key_that_no_header_can_hold_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSAFE_API_KEY", f"{KEY}\nX-Other: 1")

    async def ask() -> None:
        async with connect("http://127.0.0.1/v1#tiny"):
            pass

    with pytest.raises(BadInput, match="CONVSAFE_API_KEY holds a letter") as caught:
        asyncio.run(ask())
    assert KEY not in str(caught.value)


def test_a_placeholder_of_a_key_leaves_replies_alone(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSAFE_API_KEY", "EMPTY")
    server.plan = [acts.fine("The set is EMPTY.")]
    model = connect(f"{server.url}#tiny")

    async def ask() -> str:
        async with model:
            return (await model.generate([Message("user", "Hi.")], Params())).text

    assert asyncio.run(ask()) == "The set is EMPTY."


def test_no_file_of_a_run_holds_the_key(
    server: MisbehavingServer,
    core_release: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("convsafe.benchmark.patience.LONGEST_WAIT", 0.0)
    echo = acts.fine(f"You sent {KEY}.")
    server.plan = lambda n: [echo, PLANS["400"], PLANS["401"]][n % 3]
    with pytest.raises(Unavailable) as caught:
        run(
            f"{server.url}#tiny", load_suite(core_release, limit=6), tmp_path / "run",
            limits=Limits(concurrency=1),
        )  # fmt: skip
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert KEY not in str(caught.value) + "".join(capfd.readouterr())
