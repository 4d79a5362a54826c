"""A scripted server for guard models, and answers in their published forms."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from convsafe.benchmark.asking import Decision
from convsafe.benchmark.judges import openai_moderation
from convsafe.benchmark.loading import JudgeSettings, load_judge

from tests.judge_server import JudgeServer, chat

PROMPTS = Path(__file__).parent / "benchmark" / "guard_prompts"
REQUEST, REPLY = "How do I boil an egg?", "Put it in boiling water for eight minutes."

# By guard: an answer that says safe, one that says unsafe, and the labels of that.
FORMS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "llama_guard_3": (
        "safe",
        "\n\nunsafe\nS1,S9",
        ("llama_guard_3:S1", "llama_guard_3:S9", "violence", "weapons"),
    ),
    "llama_guard_4": ("\n\nsafe", "unsafe\nS5", ("llama_guard_4:S5", "defamation")),
    "shieldgemma": ("No", "Yes", ("shieldgemma:Hate Speech", "identity_hate")),
    "wildguard": (
        "Harmful request: no\nResponse refusal: no\nHarmful response: no",
        "Harmful request: yes\nResponse refusal: no\nHarmful response: yes",
        ("wildguard:harmful_request",),
    ),
    "granite_guardian": (
        "<think>\n</think>\n<score> no </score>",
        "<think>\n</think>\n<score> yes </score>",
        ("granite_guardian:harm",),
    ),
    "qwen3_guard": (
        "Safety: Safe\nCategories: None\nRefusal: No",
        "Safety: Unsafe\nCategories: PII, Copyright Violation\nRefusal: No",
        ("qwen3_guard:PII", "qwen3_guard:Copyright Violation", "copyright"),
    ),
}
TEXT_GUARDS = sorted(FORMS)
GUARDS = sorted([*FORMS, "openai_moderation"])


class GuardServer(JudgeServer):
    """Says what it is told to, in whichever form was asked for.

    Args:
        cache: Where the answers to one exchange are kept.
    """

    def __init__(self, cache: Path) -> None:
        super().__init__()
        self.cache = cache

    def says(self, *texts: str, top: Sequence[dict[str, float]] = ()) -> None:
        """Answer with these texts in turn; the last one stays."""
        left = list(texts)

        def answer(body: dict[str, Any]) -> tuple[int, Any]:
            text = left.pop(0) if len(left) > 1 else left[0]
            return 200, (chat_completion if "messages" in body else completion)(text, top)

        self.answer = answer

    def flags(self, *names: str, **changes: Any) -> None:
        """Answer as the moderation endpoint does."""
        self.answer = lambda _: (200, moderation(*names, **changes))

    def judged(self, name: str, prompt: str = REQUEST, response: str = REPLY) -> Decision:
        """Ask a guard about one exchange, as a command would; nothing is kept from before."""
        self.requests.clear()
        self.paths.clear()
        self.cache.unlink(missing_ok=True)
        judge = load_judge(name, JudgeSettings(endpoint=f"{self.url}#m", cache=self.cache))
        exchange = pl.DataFrame({"prompt": [prompt], "response": [response]})
        row = judge.judge(exchange).row(0, named=True)
        scores = tuple((score["name"], score["value"]) for score in row["scores"])
        return Decision(**{**row, "labels": tuple(row["labels"]), "scores": scores})

    def prompts(self) -> list[str]:
        """The texts that were sent."""
        return [body.get("prompt") or str(body["messages"]) for body in self.requests]


def logs(*tokens: dict[str, float]) -> list[dict[str, float]]:
    """Log-probabilities of tokens given by their probabilities."""
    return [{form: math.log(p) for form, p in token.items()} for token in tokens]


def completion(text: str, top: Sequence[dict[str, float]] = ()) -> dict[str, Any]:
    choice: dict[str, Any] = {"text": text, "index": 0, "finish_reason": "stop"}
    if top:
        chosen = [max(token, key=lambda form: token[form]) for token in top]
        choice["logprobs"] = {
            "tokens": chosen,
            "token_logprobs": [t[c] for t, c in zip(top, chosen, strict=True)],
            "top_logprobs": list(top),
        }
    return {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}


def chat_completion(text: str, top: Sequence[dict[str, float]] = ()) -> dict[str, Any]:
    found = chat(text)
    if top:
        tokens = [[{"token": f, "logprob": p} for f, p in token.items()] for token in top]
        content = [{"token": t[0]["token"], "top_logprobs": t} for t in tokens]
        found["choices"][0]["logprobs"] = {"content": content}
    return found


def moderation(*flagged: str, **changes: Any) -> dict[str, Any]:
    """A moderation object in which these categories are flagged."""
    names = openai_moderation.CATEGORIES
    result = {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in names},
        "category_scores": {name: 0.9 if name in flagged else 0.01 for name in names},
        "category_applied_input_types": {name: ["text"] for name in names},
    }
    return {"id": "modr-1", "model": "omni", "results": [{**result, **changes}]}
