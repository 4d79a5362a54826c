"""A judge's model in this process, without a server: `--endpoint transformers:MODEL_OR_PATH`.

Decodes greedily and one request at a time, so that a verdict is the same every time. The libraries
are an extra and are imported when a model is loaded; what they download follows their own settings
(`HF_HOME`, `HF_HUB_OFFLINE`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from convsafe.benchmark.asking import Completion, Unscored
from convsafe.taxonomy.errors import BadInput, MissingExtra, Unavailable
from convsafe.taxonomy.records import Message

PREFIX = "transformers:"
_INSTALL = 'pip install "convsafe-bench[transformers]"'


class TransformersAsk:
    """What a judge asks (`Ask`), answered by a model that transformers has loaded."""

    def __init__(self, name: str, tokenizer: Any, model: Any) -> None:
        self.name, self._tokenizer, self._model = name, tokenizer, model
        self._one_at_a_time = asyncio.Lock()

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        sample: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
    ) -> str:
        """Return the reply to a conversation, put into the model's own chat template.

        Raises:
            BadInput: If it is to be sampled, or the model has no template for such a conversation.
            Unscored: If the model says nothing.
        """
        if sample or temperature:
            raise BadInput(f"{PREFIX}{self.name} decodes greedily: ask for one sample at 0")
        turns = [message._asdict() for message in messages]
        return (await self._run(self._templated(turns), max_tokens, 0, special=False)).text

    async def complete(self, prompt: str, *, max_tokens: int = 64, logprobs: int = 0) -> Completion:
        """Return what follows a raw prompt, and the top log-probabilities of each token.

        The token for the beginning of a text is put before it, as servers do.

        Raises:
            Unscored: If the model says nothing.
        """
        return await self._run(prompt, max_tokens, logprobs, special=True)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion in the form of servers; there is no other endpoint here.

        Raises:
            Unavailable: If another is asked for.
        """
        if path != "/chat/completions":
            raise Unavailable(f"{PREFIX}{self.name} has no {path}: give the URL of a server")
        prompt, top = self._templated(body["messages"]), body.get("top_logprobs", 0)
        answer = await self._run(prompt, body.get("max_tokens", 512), top, special=False)
        tokens = [
            {"top_logprobs": [{"token": t, "logprob": log} for t, log in forms.items()]}
            for forms in answer.top
        ]
        message = {"role": "assistant", "content": answer.text}
        return {"choices": [{"message": message, "logprobs": {"content": tokens}}]}

    def _templated(self, turns: list[dict[str, Any]]) -> str:
        try:
            text: str = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:
            # A template is a program of its own and raises what it likes.
            raise BadInput(f"{self.name} has no chat template for this: {error}") from None
        return text

    async def _run(self, prompt: str, max_tokens: int, top: int, *, special: bool) -> Completion:
        async with self._one_at_a_time:
            answer = await asyncio.to_thread(self._generate, prompt, max_tokens, top, special)
        if not answer.text.strip():
            raise Unscored("the model said nothing")
        return answer

    def _generate(self, prompt: str, max_tokens: int, top: int, special: bool) -> Completion:
        tokenizer = self._tokenizer
        given = tokenizer(prompt, return_tensors="pt", add_special_tokens=special)
        given = given.to(self._model.device)
        made = self._model.generate(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            max_new_tokens=max_tokens,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        new = made.sequences[0, given["input_ids"].shape[1] :]
        text = tokenizer.decode(new, skip_special_tokens=True)
        return Completion(text, tuple(self._top(step[0], top) for step in made.logits if top))

    def _top(self, logits: Any, top: int) -> dict[str, float]:
        """Return the likeliest tokens' log-probabilities, by their texts."""
        values, ids = logits.float().log_softmax(-1).topk(min(top, len(logits)))
        found: dict[str, float] = {}
        for value, id in zip(values.tolist(), ids.tolist(), strict=True):
            # Parts of one character can have one text; the likeliest comes first.
            found.setdefault(self._tokenizer.decode([id]), value)
        return found


def connect(target: str) -> TransformersAsk:
    """Load the model that `MODEL_OR_PATH` names.

    Raises:
        MissingExtra: If transformers or torch is not installed.
        Unavailable: If there is no such model, or it cannot be loaded.
    """
    if not target:
        raise BadInput(f"name the model, as {PREFIX}MODEL_OR_PATH")
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise MissingExtra(f"{PREFIX}{target}", _INSTALL) from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(target)
        model = AutoModelForCausalLM.from_pretrained(target, dtype="auto")
    except (OSError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise Unavailable(f"{target} cannot be loaded: {first}") from None
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return TransformersAsk(target, tokenizer, model)
