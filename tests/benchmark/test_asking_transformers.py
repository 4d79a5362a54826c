"""A model in this process answers as a server would, and says plainly what it lacks."""

import asyncio
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from convsafe.benchmark.asking import Exchange, Unscored
from convsafe.benchmark.asking_transformers import TransformersAsk, connect
from convsafe.benchmark.judges import granite_guardian, llama_guard_3
from convsafe.taxonomy.errors import BadInput, MissingExtra, Unavailable
from convsafe.taxonomy.records import Message

EXCHANGE = Exchange("How do I boil an egg?", "In water.")
WORDS = ["</s>", "safe", "unsafe", " yes", " no", "\n", "S9", "<score>", "</score>"]


class Tensor:
    """As much of a tensor as the backend uses, over numpy."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)
        self.shape = self.values.shape

    def __getitem__(self, key: Any) -> "Tensor":
        return Tensor(self.values[key])

    def __len__(self) -> int:
        return len(self.values)

    def float(self) -> "Tensor":
        return Tensor(self.values.astype(float))

    def log_softmax(self, _: int) -> "Tensor":
        return Tensor(self.values - np.log(np.exp(self.values).sum()))

    def topk(self, k: int) -> tuple["Tensor", "Tensor"]:
        order = np.argsort(-self.values, kind="stable")[:k]
        return Tensor(self.values[order]), Tensor(order)

    def tolist(self) -> Any:
        return self.values.tolist()


class Given(dict[str, Any]):
    def to(self, _: str) -> "Given":
        return self


class Tokenizer:
    """Knows the words; a prompt is as many tokens as it has characters."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []
        self.template: Any = lambda turns: "".join(f"[{t['role']}]{t['content']}" for t in turns)

    def __call__(self, text: str, return_tensors: str, add_special_tokens: bool) -> Given:
        self.seen.append((text, add_special_tokens))
        ids = Tensor([[1] * len(text)])
        return Given(input_ids=ids, attention_mask=ids)

    def decode(self, ids: Any, skip_special_tokens: bool = False) -> str:
        ids = ids.tolist() if isinstance(ids, Tensor) else ids
        return "".join(WORDS[id] for id in ids if not (skip_special_tokens and id == 0))

    def apply_chat_template(self, turns: Any, tokenize: bool, add_generation_prompt: bool) -> str:
        assert (tokenize, add_generation_prompt) == (False, True)
        return str(self.template(turns))


class Model:
    """Says what it is told to, and gives the word it says 0.6 of the probability."""

    device = "cpu"

    def __init__(self, says: list[str]) -> None:
        self.says = [WORDS.index(word) for word in says]
        self.asked: dict[str, Any] = {}

    def generate(self, **asked: Any) -> Any:
        self.asked = asked
        said = self.says[: asked["max_new_tokens"]]
        given = asked["input_ids"].values
        rest = math.log(0.4 / (len(WORDS) - 1))
        steps = [[[math.log(0.6) if i == id else rest for i in range(len(WORDS))]] for id in said]
        return SimpleNamespace(
            sequences=Tensor(np.concatenate([given, [said]], axis=1)),
            logits=[Tensor(step) for step in steps],
        )


def asking(*says: str) -> tuple[TransformersAsk, Tokenizer, Model]:
    tokenizer, model = Tokenizer(), Model([*says, "</s>"])
    return TransformersAsk("tiny", tokenizer, model), tokenizer, model


def test_a_guard_is_judged_by_a_model_in_this_process() -> None:
    ask, tokenizer, model = asking("unsafe", "\n", "S9")
    found = asyncio.run(llama_guard_3.decide(EXCHANGE, ask))
    assert found.labels[0] == "llama_guard_3:S9"
    assert found.unsafe == pytest.approx(0.6 / 0.65)
    assert model.asked["do_sample"] is False
    # A raw prompt gets the beginning of a text from the tokenizer, as from a server.
    assert tokenizer.seen[0][1] is True


def test_a_conversation_goes_through_the_models_own_template() -> None:
    ask, tokenizer, _ = asking("<score>", " yes", "</score>")
    found = asyncio.run(granite_guardian.decide(EXCHANGE, ask))
    assert found.labels == ("granite_guardian:harm",)
    assert found.unsafe == pytest.approx(0.6 / 0.65)
    text, special = tokenizer.seen[0]
    assert text.startswith("[user]How do I boil an egg?[assistant]In water.[user]<guardian>")
    assert special is False


def test_log_probabilities_come_only_when_asked_for() -> None:
    ask, _, _ = asking("safe")
    assert asyncio.run(ask.complete("x")).top == ()
    top = asyncio.run(ask.complete("x", logprobs=3)).top
    assert [len(token) for token in top] == [3, 3]
    assert max(top[0], key=lambda form: top[0][form]) == "safe"
    assert top[0]["safe"] == pytest.approx(math.log(0.6))


def test_more_candidates_than_words_are_all_of_them() -> None:
    ask, _, _ = asking("safe")
    assert len(asyncio.run(ask.complete("x", logprobs=100)).top[0]) == len(WORDS)


def test_a_chat_returns_the_reply() -> None:
    ask, tokenizer, _ = asking("safe")
    assert asyncio.run(ask.chat([Message("user", "hi")], max_tokens=4)) == "safe"
    assert tokenizer.seen == [("[user]hi", False)]


def test_a_model_that_says_nothing_is_unscored() -> None:
    ask, _, _ = asking()
    with pytest.raises(Unscored, match="nothing"):
        asyncio.run(ask.complete("x"))


@pytest.mark.parametrize("options", [{"temperature": 0.7}, {"sample": 1}])
def test_sampling_is_refused_rather_than_repeated(options: dict[str, Any]) -> None:
    ask, _, _ = asking("safe")
    with pytest.raises(BadInput, match="greedily"):
        asyncio.run(ask.chat([Message("user", "hi")], **options))


def test_a_model_without_a_chat_template_says_so() -> None:
    ask, tokenizer, _ = asking("safe")

    def none(_: Any) -> str:
        raise ValueError("tokenizer.chat_template is not set")

    tokenizer.template = none
    with pytest.raises(BadInput, match="tiny has no chat template"):
        asyncio.run(ask.chat([Message("user", "hi")]))


def test_another_endpoint_is_not_to_be_had_here() -> None:
    ask, _, _ = asking("safe")
    with pytest.raises(Unavailable, match="/moderations"):
        asyncio.run(ask.post("/moderations", {"input": "x"}))


def test_many_at_once_are_answered_one_by_one() -> None:
    ask, tokenizer, _ = asking("safe")

    async def go() -> list[Any]:
        return await asyncio.gather(*(ask.complete(str(number)) for number in range(5)))

    assert {answer.text for answer in asyncio.run(go())} == {"safe"}
    assert [text for text, _ in tokenizer.seen] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_missing_extra_names_the_command(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch", "transformers"):
        module = ModuleType(name)
        module.AutoTokenizer = module.AutoModelForCausalLM = None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, None if name == missing else module)
    with pytest.raises(MissingExtra, match=r'pip install "convsafe-bench\[transformers\]"'):
        connect("some/model")


def test_a_model_must_be_named() -> None:
    with pytest.raises(BadInput, match="transformers:MODEL_OR_PATH"):
        connect("")


def test_a_model_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(name: str, **_: Any) -> None:
        raise OSError(f"{name} is no folder\nand a page of advice")

    library = ModuleType("transformers")
    library.AutoTokenizer = SimpleNamespace(from_pretrained=missing)  # type: ignore[attr-defined]
    library.AutoModelForCausalLM = library.AutoTokenizer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    monkeypatch.setitem(sys.modules, "transformers", library)
    with pytest.raises(Unavailable, match=r"cannot be loaded: .* is no folder$"):
        connect(str(tmp_path / "none"))


def test_a_real_tiny_model_answers(tmp_path: Path) -> None:
    """Random weights: nothing it says is in a form, and the same nothing every time."""
    torch = pytest.importorskip("torch", exc_type=ImportError)
    library = pytest.importorskip("transformers", exc_type=ImportError)
    tokenizers = pytest.importorskip("tokenizers")
    words = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: id for id, word in enumerate(["<s>", "</s>", *words])}
    raw = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    raw.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = tokenizers.decoders.ByteLevel()
    torch.manual_seed(0)
    config = library.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096,
        bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    library.LlamaForCausalLM(config).save_pretrained(tmp_path)
    library.PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>"
    ).save_pretrained(tmp_path)
    ask = connect(str(tmp_path))
    first, second = (asyncio.run(ask.complete("egg", max_tokens=5, logprobs=5)) for _ in "ab")
    assert first == second
    assert len(first.top) == 5
    assert all(log <= 0 for token in first.top for log in token.values())
    assert asyncio.run(llama_guard_3.decide(EXCHANGE, ask)).unscored_reason
