"""Models behind HTTP: each format as its vendor documents it, and servers that break it."""

import asyncio
import gzip
import json
import socket
from email.utils import formatdate
from typing import Any

import pytest
from convsafe.benchmark.model import Model, ModelError, Params, Reply, Unreachable, connect
from convsafe.benchmark.models import _http
from convsafe.benchmark.models._statuses import wait_of
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Message

from tests import misbehaving as acts
from tests.misbehaving import Act, MisbehavingServer, chat

TURNS = [
    Message("system", "Be brief."),
    Message("user", "Hi."),
    Message("assistant", "Hello."),
    Message("user", "How do I boil an egg?"),
    Message("user", "Softly."),
]
PARAMS = Params(temperature=0.5, max_tokens=64, seed=3, top_p=0.9)


@pytest.fixture
def server() -> Any:
    with MisbehavingServer() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONVSAFE", "OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)


def asked(model: Model, times: int = 1, params: Params = PARAMS) -> Reply:
    """Open a model, ask it, and return its last reply."""

    async def ask() -> Reply:
        async with model:
            for _ in range(times):
                reply = await model.generate(TURNS, params)
            return reply

    return asyncio.run(ask())


def at(server: MisbehavingServer, kind: str = "openai", *plan: Act) -> Model:
    server.plan = plan
    return connect(f"{kind}:{server.url}#tiny")


def failure(server: MisbehavingServer, act: Act, kind: str = "openai") -> ModelError:
    with pytest.raises(ModelError) as caught:
        asked(at(server, kind, act))
    return caught.value


# OpenAI's format


def test_a_chat_completion_is_asked_for_and_read(server: MisbehavingServer) -> None:
    reply = asked(at(server, "openai", acts.fine("In water. 🥚")))
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    assert reply == Reply("In water. 🥚", "answered", "stop", usage)
    assert server.paths == ["/v1/chat/completions"]
    body = server.bodies[0]
    assert body["messages"] == [turn._asdict() for turn in TURNS]
    assert (body["model"], body["seed"], body["max_tokens"]) == ("tiny", 3, 64)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (chat("Ok.", reasoning_content="Hm."), ("Ok.", "answered", "Hm.")),
        (chat("Ok.", reasoning="Hm."), ("Ok.", "answered", "Hm.")),
        (chat("\n<think>\nHm.\n</think>\n\nOk."), ("Ok.", "answered", "Hm.")),
        (chat("<think>Hm, and", "length"), ("", "truncated", "Hm, and")),
        (chat("", "length", reasoning_content="Hm"), ("", "truncated", "Hm")),
        # Nothing is hidden from a judge by a tag.
        (chat("<think>Here is how."), ("<think>Here is how.", "answered", None)),
        (chat("Here is how.</think>No."), ("Here is how.</think>No.", "answered", None)),
        (chat("See <think>x</think>"), ("See <think>x</think>", "answered", None)),
        (chat("<think>Hm.</think>"), ("", "empty", "Hm.")),
        (chat("Half a", "length"), ("Half a", "truncated", None)),
        (chat("", "content_filter"), ("", "filtered", None)),
        (chat(None, refusal="I cannot."), ("I cannot.", "answered", None)),
        (chat([{"type": "text", "text": "O"}, {"type": "text", "text": "k."}]),
         ("Ok.", "answered", None)),
        (chat("\ud800"), ("?", "answered", None)),
        (chat(None), ("", "empty", None)),
    ],
)  # fmt: skip
def test_what_a_reply_holds_is_told_apart(
    server: MisbehavingServer, answer: Any, expected: tuple[str, str, str | None]
) -> None:
    reply = asked(at(server, "openai", Act(body=answer)))
    assert (reply.text, reply.outcome, reply.reasoning) == expected


def test_a_reply_that_only_calls_tools_is_an_answer_of_the_calls(server: MisbehavingServer) -> None:
    made = [{"function": {"name": "buy", "arguments": '{"what": "eggs"}'}}]
    reply = asked(at(server, "openai", Act(body=chat(None, "tool_calls", tool_calls=made))))
    assert reply.outcome == "answered"
    assert json.loads(reply.text) == [{"name": "buy", "arguments": {"what": "eggs"}}]
    reply = asked(at(server, "openai", Act(body=chat("Buying.", "tool_calls", tool_calls=made))))
    assert reply.text == "Buying."


@pytest.mark.parametrize("status", [400, 403])
def test_a_filter_is_an_outcome_whatever_the_status(server: MisbehavingServer, status: int) -> None:
    reply = asked(at(server, "openai", acts.error(status, "blocked", code="content_filter")))
    assert (reply.text, reply.outcome) == ("", "filtered")


def test_settings_a_model_refuses_are_left_out_once_and_told(server: MisbehavingServer) -> None:
    def picky(number: int) -> Act:
        body = server.bodies[number]
        if "max_tokens" in body:
            said = (
                "Unsupported parameter: 'max_tokens' is not supported with this model."
                " Use 'max_completion_tokens' instead."
            )
            return acts.error(400, said, param="max_tokens", code="unsupported_parameter")
        if "temperature" in body:
            said = (
                "Unsupported value: 'temperature' does not support 0.5 with this model."
                " Only the default (1) value is supported."
            )
            return acts.error(400, said, param="temperature", code="unsupported_value")
        if "seed" in body:
            detail = [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]
            return Act(422, {"detail": detail})
        return acts.fine()

    model: Any = at(server)
    server.plan = picky
    assert asked(model, times=3).text == "Fine."
    assert server.requests == 4 + 2, "each is found out once"
    assert server.bodies[-1].keys() == {"model", "messages", "max_completion_tokens", "top_p"}
    assert server.bodies[-1]["max_completion_tokens"] == 64
    assert model.quirks == {"max_tokens", "temperature", "seed"}
    assert model.notes == [
        "tiny does not take 'max_tokens': 'max_completion_tokens' is sent instead.",
        "tiny does not take 'temperature': its own default holds.",
        "tiny does not take 'seed': its own default holds.",
    ]


def test_a_server_that_refuses_every_setting_is_asked_without_any(
    server: MisbehavingServer,
) -> None:
    def never(number: int) -> Act:
        name = list(server.bodies[number])[-1]
        return acts.error(400, f"'{name}' is not supported: max_completion_tokens", param=name)

    model = at(server)
    server.plan = never
    with pytest.raises(ModelError, match="'messages' is not supported"):
        asked(model)
    assert server.requests == 6
    assert server.bodies[-1].keys() == {"model", "messages"}


@pytest.mark.parametrize(
    "said",
    [
        "max_tokens is too large: 64. This model supports at most 32 completion tokens",
        "'max_tokens' over 32 is not allowed",
        "`temperature` and `top_p` cannot both be specified for this model",
        "not allowed: the prompt asks what seed and temperature mean",
    ],
)
def test_a_refused_request_is_no_refused_setting(server: MisbehavingServer, said: str) -> None:
    error = failure(server, acts.error(400, said))
    assert server.requests == 1
    assert (error.reason, error.retry, error.fatal) == (f"HTTP 400: {said}", False, False)


# Anthropic's format


def message(*blocks: dict[str, Any], stop: str = "end_turn") -> Act:
    usage = {"input_tokens": 12, "output_tokens": 7}
    found = {"type": "message", "role": "assistant", "content": list(blocks)}
    return Act(body=found | {"stop_reason": stop, "usage": usage})


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_the_messages_format_is_spoken(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSAFE_API_KEY", "key-of-this-host")
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    reply = asked(at(server, "anthropic", message(thought, said("In "), said("water."))))
    usage = {"prompt_tokens": 12, "completion_tokens": 7}
    assert reply == Reply("In water.", "answered", "end_turn", usage, "Hm.")
    assert server.paths == ["/v1/messages"]
    assert server.bodies[0] == {
        "model": "tiny", "system": "Be brief.", "temperature": 0.5, "max_tokens": 64, "top_p": 0.9,
        "messages": [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "How do I boil an egg?\n\nSoftly."},
        ],
    }  # fmt: skip
    assert server.headers[0]["anthropic-version"] == "2023-06-01"
    assert server.headers[0]["x-api-key"] == "key-of-this-host"
    assert "authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (message(said("Half"), stop="max_tokens"), "truncated"),
        (message(said("Half"), stop="model_context_window_exceeded"), "truncated"),
        (message(stop="refusal"), "filtered"),
        (message(), "empty"),
        (message({"type": "tool_use", "name": "buy", "input": {}}, stop="tool_use"), "answered"),
        (acts.error(400, "Output blocked by content filtering policy"), "filtered"),
    ],
)
def test_how_a_message_ended(server: MisbehavingServer, act: Act, outcome: str) -> None:
    assert asked(at(server, "anthropic", act)).outcome == outcome


def test_an_overloaded_server_and_a_deprecated_setting(server: MisbehavingServer) -> None:
    error = failure(server, acts.error(529, "Overloaded", type="overloaded_error"), "anthropic")
    assert (error.reason, error.retry) == ("HTTP 529: Overloaded", True)
    refusal = acts.error(400, "`temperature` is deprecated for this model.")
    assert asked(at(server, "anthropic", refusal, message(said("Ok.")))).text == "Ok."
    assert "temperature" not in server.bodies[-1]


# Gemini's format


def content(*parts: dict[str, Any], finish: str = "STOP") -> Act:
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 7, "thoughtsTokenCount": 5}
    found = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    return Act(body={"candidates": [found], "usageMetadata": usage})


def test_generated_content_is_asked_for_and_read(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSAFE_API_KEY", "key-of-this-host")
    act = content({"text": "Hm.", "thought": True}, {"text": "In "}, {"text": "water."})
    reply = asked(at(server, "gemini", act))
    usage = {"prompt_tokens": 12, "completion_tokens": 12}
    assert reply == Reply("In water.", "answered", "STOP", usage, "Hm.")
    assert server.paths == ["/v1/models/tiny:generateContent"], "and no key in the address"
    assert server.headers[0]["x-goog-api-key"] == "key-of-this-host"
    assert server.bodies[0] == {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi."}]},
            {"role": "model", "parts": [{"text": "Hello."}]},
            {"role": "user", "parts": [{"text": "How do I boil an egg?\n\nSoftly."}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 64, "seed": 3, "topP": 0.9},
    }


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (Act(body={"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}), "filtered"),
        (Act(body={"candidates": [{"finishReason": "SAFETY"}]}), "filtered"),
        (content(finish="RECITATION"), "filtered"),
        (content({"text": "Half"}, finish="MAX_TOKENS"), "truncated"),
        (content({"functionCall": {"name": "buy", "args": {}}}), "answered"),
        (Act(body={"candidates": [{"finishReason": "STOP"}]}), "empty"),
    ],
)
def test_how_generated_content_ended(server: MisbehavingServer, act: Act, outcome: str) -> None:
    assert asked(at(server, "gemini", act)).outcome == outcome


def test_the_details_of_an_error_say_what_is_wrong_and_how_long(server: MisbehavingServer) -> None:
    wrong = acts.error(400, "API key not valid", details=[{"reason": "API_KEY_INVALID"}])
    assert failure(server, wrong, "gemini").fatal
    slow = acts.error(429, "Quota", details=[{"@type": "RetryInfo", "retryDelay": "34.5s"}])
    error = failure(server, slow, "gemini")
    unknown = acts.error(400, """Unknown name "seed" at 'generation_config': Cannot find field.""")
    assert asked(at(server, "gemini", unknown, content({"text": "Ok."}))).text == "Ok."
    assert "seed" not in server.bodies[-1]["generationConfig"]
    assert (error.wait, error.retry, error.fatal) == (34.5, True, False)


# Servers that break every format


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (acts.reset(), "connection lost"),
        (acts.cut_short(), "connection lost"),
        (acts.malformed(), 'not .*: {"choices": \\[{"message": {"content": "Fi'),
        (Act(body=b""), "an empty body"),
        (Act(body=b"[" * 50_000), "not "),
        (Act(body=b"null"), "not "),
        (Act(body={"choices": [], "candidates": []}), "not "),
        (Act(body={"choices": [None], "candidates": [3], "content": 3}), "not "),
        (Act(body=b"\xff\xfe<html>", headers={"Content-Type": "text/html"}), "not "),
        (Act(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "connection lost"),
        (acts.broken(), "HTTP 500: <html>boom</html>"),
        (acts.broken(502), "HTTP 502"),
        (acts.busy(), "HTTP 429: slow down"),
        (Act(503, {"object": "error", "message": "no worker"}), "HTTP 503: no worker"),
        (Act(body={"error": {"code": 503, "message": "no upstream"}}), "HTTP 503: no upstream"),
    ],
)
def test_what_may_pass_is_worth_another_attempt(
    server: MisbehavingServer, act: Act, reason: str, kind: str
) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        asked(at(server, kind, act))
    assert (caught.value.retry, caught.value.fatal) == (True, False)


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_never_passes_is_fatal_in_the_servers_words(
    server: MisbehavingServer, kind: str, status: int
) -> None:
    error = failure(server, acts.error(status, "No such\x1b[31m thing"), kind)
    assert (error.reason, error.fatal) == (f"HTTP {status}: No such [31m thing", True)
    assert not error.retry


def test_an_exhausted_account_is_no_busy_server(server: MisbehavingServer) -> None:
    error = failure(server, acts.error(429, "You exceeded", code="insufficient_quota"))
    assert (error.retry, error.fatal) == (False, True)


def test_good_answers_come_in_many_wrappings(server: MisbehavingServer) -> None:
    data = json.dumps(chat("Ok.")).encode()
    packed = Act(body=gzip.compress(data), headers={"Content-Encoding": "gzip"})
    plain = Act(body=data, headers={"Content-Type": "text/plain; charset=latin-1"})
    endless = Act(body=data, headers={"Content-Length": "", "Connection": "close"}, then="close")
    for act in (packed, plain, endless):
        assert asked(at(server, "openai", act)).text == "Ok."


def test_a_long_answer_is_read_and_an_endless_one_is_not(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(asked(at(server, "openai", acts.huge())).text) == 10 * 2**20
    monkeypatch.setattr(_http, "LARGEST", 2**20)
    data = json.dumps(chat("a" * 2**21)).encode()
    packed = Act(body=gzip.compress(data), headers={"Content-Encoding": "gzip"})
    endless = Act(body=data, headers={"Content-Length": ""}, then="close")
    for act in (acts.huge(2**21), packed, endless):
        error = failure(server, act)
        assert (error.reason, error.retry) == ("the answer is over 1 MB and was not read", False)


def test_a_server_that_never_answers(server: MisbehavingServer) -> None:
    model: Any = at(server, "openai", acts.hangs())
    model.timeout = 0.2
    with pytest.raises(ModelError, match="no answer in 0 s") as caught:
        asked(model)
    assert caught.value.retry


def test_a_server_that_dies_and_returns(server: MisbehavingServer) -> None:
    model = at(server, "openai", acts.dies(60))

    async def ask() -> tuple[ModelError, ModelError, Reply]:
        errors = []
        async with model:
            for _ in range(2):
                with pytest.raises(ModelError) as caught:
                    await model.generate(TURNS, PARAMS)
                errors.append(caught.value)
            server.start()
            return errors[0], errors[1], await model.generate(TURNS, PARAMS)

    lost, gone, reply = asyncio.run(ask())
    assert lost.reason.startswith("connection lost")
    assert isinstance(gone, Unreachable)
    assert gone.retry
    assert reply.text == "Fine."


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": formatdate(1e9 + 30, usegmt=True),
          "Date": formatdate(1e9, usegmt=True)}, 30.0),
        ({"Retry-After": formatdate(1e9, usegmt=True)}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"x-ratelimit-reset-requests": "1s"}, None),
    ],
)  # fmt: skip
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_of(headers) == seconds


def test_the_wait_reaches_the_engine(server: MisbehavingServer) -> None:
    assert failure(server, acts.busy(7)).wait == 7.0


def test_the_only_model_of_a_server_needs_no_name(server: MisbehavingServer) -> None:
    server.plan = [Act(body={"data": [{"id": "lonely"}]})]
    assert asked(connect(server.url)).text == "Fine."
    assert server.bodies[1]["model"] == "lonely"
    server.plan = lambda _: acts.malformed()
    with pytest.raises(BadInput, match="name the model, as"):
        asked(connect(server.url))


@pytest.mark.parametrize(
    "spec",
    ["openai:", "openai:tiny", "http://#x", "http://host:99999#x", "anthropic:", "gemini:http://h/v1",
     "anthropic:ftp://host/v1#x"],
)  # fmt: skip
def test_an_address_that_is_none_is_told_at_once(spec: str) -> None:
    with pytest.raises(BadInput, match=r"give |name the model"):
        connect(spec)


def test_no_server_at_all() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(Unreachable, match=f"cannot connect to {url}"):
            asked(connect(f"anthropic:{url}#x"))
