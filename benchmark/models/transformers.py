"""A model in this process, without a server: `transformers:MODEL_OR_PATH`.

It answers what a server would, raw prompts and conversations, so that a judge can ask it as
`--endpoint transformers:…`. It decodes greedily and one request at a time: the same request has
the same answer. The libraries are an extra and are imported when the model is loaded; what they
download follows their own settings (`HF_HOME`, `HF_HUB_OFFLINE`).
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

from convsafe.benchmark.model import ModelError
from convsafe.benchmark.models.openai import OpenAIModel
from convsafe.taxonomy.errors import BadInput, MissingExtra, Unavailable

_INSTALL = 'pip install "convsafe-bench[transformers]"'


class _Made(NamedTuple):
    """What was generated: its text, the top log-probabilities of its tokens, and the counts."""

    text: str
    top: list[dict[str, float]]
    finish: str
    usage: dict[str, int]


class TransformersModel(OpenAIModel):
    """A model that transformers has loaded, behind the endpoints of a server."""

    def __init__(self, target: str) -> None:
        super().__init__("http://127.0.0.1", name_of(target))
        self.target = target

    async def __aenter__(self) -> TransformersModel:
        self._tokenizer, self._model = await asyncio.to_thread(_load, self.target)
        self._one_at_a_time = asyncio.Lock()
        return self

    async def __aexit__(self, *_: object) -> None:
        del self._tokenizer, self._model

    async def send(
        self,
        method: str,  # noqa: ARG002
        path: str,
        body: dict[str, Any] | None = None,
    ) -> tuple[int, Any, float | None]:
        """Return what a server would: status, answer and no time to wait."""
        body, choice = body or {}, dict[str, Any]()
        if body.get("temperature"):
            raise ModelError(f"{self.name} decodes greedily: ask it at temperature 0", fatal=True)
        if path == "/completions":
            made = await self._run(body["prompt"], body, body.get("logprobs", 0), start=True)
            choice = {"text": made.text, "logprobs": {"top_logprobs": made.top}}
        elif path == "/chat/completions":
            prompt = self._templated(body["messages"])
            made = await self._run(prompt, body, body.get("top_logprobs", 0), start=False)
            message = {"role": "assistant", "content": made.text}
            choice = {"message": message, "logprobs": {"content": _places(made.top)}}
        else:
            return 404, {"error": {"message": f"no {path} here: give the URL of a server"}}, None
        choice["finish_reason"] = made.finish
        return 200, {"choices": [choice], "usage": made.usage}, None

    def _templated(self, turns: list[dict[str, Any]]) -> str:
        """Return a conversation in the model's own chat template, up to its next turn."""
        try:
            text: str = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:
            # A template is a program of its own and raises what it likes.
            reason = f"{self.name} has no chat template for this conversation: {error}"
            raise ModelError(reason, fatal=True) from None
        return text

    async def _run(self, prompt: str, body: dict[str, Any], top: int, *, start: bool) -> _Made:
        async with self._one_at_a_time:
            return await asyncio.to_thread(
                self._generate, prompt, body.get("max_tokens", 512), top, start
            )

    def _generate(self, prompt: str, max_tokens: int, top: int, start: bool) -> _Made:
        """Generate greedily; `start` puts the token for the beginning of a text before it."""
        tokenizer = self._tokenizer
        given = tokenizer(prompt, return_tensors="pt", add_special_tokens=start)
        given = given.to(self._model.device)
        length = given["input_ids"].shape[1]
        made = self._model.generate(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            max_new_tokens=max_tokens,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        new = made.sequences[0, length:]
        text = tokenizer.decode(new, skip_special_tokens=True)
        likeliest = [self._likeliest(step[0], top) for step in made.logits] if top else []
        usage = {"prompt_tokens": length, "completion_tokens": len(new)}
        return _Made(text, likeliest, "length" if len(new) == max_tokens else "stop", usage)

    def _likeliest(self, logits: Any, top: int) -> dict[str, float]:
        """Return the likeliest tokens' log-probabilities at one place, by their texts."""
        values, ids = logits.float().log_softmax(-1).topk(min(top, len(logits)))
        found: dict[str, float] = {}
        for value, id in zip(values.tolist(), ids.tolist(), strict=True):
            # Parts of one character can have one text; the likeliest comes first.
            found.setdefault(self._tokenizer.decode([id]), value)
        return found


def _places(top: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Return log-probabilities as chat completions hold them."""
    return [
        {"top_logprobs": [{"token": form, "logprob": log} for form, log in place.items()]}
        for place in top
    ]


def name_of(target: str) -> str:
    """Return a model's name: that on the hub, or its folder's with a sum of what is in it.

    Answers are kept by the name: other weights in the same folder are another model.
    """
    folder = Path(target)
    if not folder.is_dir():
        return target
    files = sorted(path for path in folder.iterdir() if path.is_file())
    seen = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return f"{folder.resolve().name}-{hashlib.sha256(repr(seen).encode()).hexdigest()[:8]}"


def _load(target: str) -> tuple[Any, Any]:
    """Return tokenizer and model, on the GPU where there is one."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(target)
        model = AutoModelForCausalLM.from_pretrained(target, dtype="auto")
    except (ImportError, OSError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise Unavailable(f"transformers:{target} cannot be loaded: {first}") from None
    return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def connect(target: str) -> TransformersModel:
    """Return the model that `MODEL_OR_PATH` names; it is loaded when it is opened.

    Raises:
        BadInput: If none is named.
        MissingExtra: If transformers or torch is not installed.
    """
    if not target:
        raise BadInput("name the model, as transformers:MODEL_OR_PATH")
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        raise MissingExtra(f"transformers:{target}", _INSTALL)
    return TransformersModel(target)
