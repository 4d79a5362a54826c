"""A model in this process answers as a server would, and says plainly what it lacks."""

import asyncio
import math
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from convsafe.benchmark import load_suite, run
from convsafe.benchmark.answers import Answers
from convsafe.benchmark.asking import Asker, Decision, Exchange
from convsafe.benchmark.judging import JUDGES
from convsafe.benchmark.model import ModelError, Params, connect
from convsafe.benchmark.models.transformers import TransformersModel, name_of
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

    def __init__(self, says: list[str]) -> None:
        self.says = [WORDS.index(word) for word in says]
        self.asked: dict[str, Any] = {}

    def to(self, device: str) -> "Model":
        self.device = device
        return self

    def eval(self) -> "Model":
        return self

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


class Libraries:
    """Stand-ins for torch and transformers that load one tokenizer and one model."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokenizer, self.model = Tokenizer(), Model(["safe", "</s>"])
        self.error: Exception | None = None
        torch, library = ModuleType("torch"), ModuleType("transformers")
        found: dict[str, Any] = {
            "AutoTokenizer": SimpleNamespace(from_pretrained=self._tokenizer),
            "AutoModelForCausalLM": SimpleNamespace(from_pretrained=self._model),
        }
        library.__dict__.update(found)
        torch.__dict__["cuda"] = SimpleNamespace(is_available=lambda: False)
        for module in (torch, library):
            module.__spec__ = ModuleSpec(module.__name__, None)
            monkeypatch.setitem(sys.modules, module.__name__, module)

    def _tokenizer(self, _: str) -> Tokenizer:
        if self.error:
            raise self.error
        return self.tokenizer

    def _model(self, _: str, dtype: str) -> Model:
        assert dtype == "auto"
        return self.model

    def says(self, *words: str) -> None:
        self.model = Model([*words, "</s>"])


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> Libraries:
    return Libraries(monkeypatch)


async def judged(name: str, path: Path, exchange: Exchange = EXCHANGE) -> Decision:
    server = connect("transformers:tiny")
    assert isinstance(server, TransformersModel)
    with Answers(path / "answers.jsonl") as answers:
        async with server:
            found: Decision = await JUDGES.load(name).decide(
                exchange, Asker(server, answers, "here")
            )
            return found


async def sent(path: str, **body: Any) -> Any:
    async with TransformersModel("tiny") as model:
        status, answer, _ = await model.send("POST", path, body)
        return (status, answer)


def test_a_guard_is_judged_by_a_model_in_this_process(libraries: Libraries, tmp_path: Path) -> None:
    libraries.says("unsafe", "\n", "S9")
    found = asyncio.run(judged("llama_guard_3", tmp_path))
    assert found.labels[0] == "llama_guard_3:S9"
    assert found.unsafe == pytest.approx(0.6 / 0.65)
    assert libraries.model.asked["do_sample"] is False
    assert libraries.model.device == "cpu"
    # A raw prompt gets the beginning of a text from the tokenizer, as from a server.
    assert libraries.tokenizer.seen[0][1] is True


def test_what_was_answered_is_not_generated_again(libraries: Libraries, tmp_path: Path) -> None:
    first = asyncio.run(judged("llama_guard_3", tmp_path))
    libraries.says("unsafe", "\n", "S9")
    assert asyncio.run(judged("llama_guard_3", tmp_path)) == first
    assert len(libraries.tokenizer.seen) == 1


def test_a_conversation_goes_through_the_models_own_template(
    libraries: Libraries, tmp_path: Path
) -> None:
    libraries.says("<score>", " yes", "</score>")
    found = asyncio.run(judged("granite_guardian", tmp_path))
    assert found.labels == ("granite_guardian:harm",)
    assert found.unsafe == pytest.approx(0.6 / 0.65)
    text, start = libraries.tokenizer.seen[0]
    assert text.startswith("[user]How do I boil an egg?[assistant]In water.[user]<guardian>")
    assert start is False


def test_log_probabilities_come_only_when_asked_for(libraries: Libraries) -> None:
    def top(**asked: int) -> Any:
        _, answer = asyncio.run(sent("/completions", prompt="x", **asked))
        return answer["choices"][0]["logprobs"]["top_logprobs"]

    assert top() == []
    assert [len(place) for place in top(logprobs=3)] == [3, 3]
    assert len(top(logprobs=100)[0]) == len(WORDS)
    assert top(logprobs=3)[0]["safe"] == pytest.approx(math.log(0.6))


def test_an_answer_that_was_cut_says_so(libraries: Libraries) -> None:
    libraries.says("unsafe", "\n", "S9")
    for limit, finish in ((2, "length"), (20, "stop")):
        _, answer = asyncio.run(sent("/completions", prompt="four", max_tokens=limit))
        assert answer["choices"][0]["finish_reason"] == finish
        assert answer["usage"] == {"prompt_tokens": 4, "completion_tokens": min(limit, 4)}


def test_it_may_be_the_model_under_test(libraries: Libraries) -> None:
    async def go() -> str:
        async with connect("transformers:tiny") as model:
            return (await model.generate([Message("user", "hi")], Params())).text

    assert asyncio.run(go()) == "safe"
    assert libraries.tokenizer.seen == [("[user]hi", False)]


def test_sampling_is_refused_rather_than_repeated(libraries: Libraries) -> None:
    with pytest.raises(ModelError, match="greedily") as found:
        asyncio.run(sent("/completions", prompt="x", temperature=0.7))
    assert found.value.fatal


def test_a_model_without_a_chat_template_stops_the_judge(
    libraries: Libraries, tmp_path: Path
) -> None:
    def none(_: Any) -> str:
        raise ValueError("tokenizer.chat_template is not set")

    libraries.tokenizer.template = none
    with pytest.raises(Unavailable, match=r"no chat template .* is not set"):
        asyncio.run(judged("granite_guardian", tmp_path))


def test_another_endpoint_is_not_to_be_had_here(libraries: Libraries, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no /moderations here"):
        asyncio.run(judged("openai_moderation", tmp_path))


def test_many_at_once_are_answered_one_by_one(libraries: Libraries) -> None:
    async def go() -> list[Any]:
        async with TransformersModel("tiny") as model:
            bodies = [{"prompt": str(number)} for number in range(5)]
            return await asyncio.gather(*(model.send("POST", "/completions", b) for b in bodies))

    assert {answer["choices"][0]["text"] for _, answer, _ in asyncio.run(go())} == {"safe"}
    assert [text for text, _ in libraries.tokenizer.seen] == ["0", "1", "2", "3", "4"]


def test_a_suite_is_run_in_this_process(
    libraries: Libraries, core_release: Path, tmp_path: Path
) -> None:
    libraries.says("safe", "\n", "S9")
    suite = load_suite(core_release, limit=12)
    found = run("transformers:tiny", suite, tmp_path / "run", params=Params(max_tokens=2))
    generations = found.generations()
    assert sorted(generations["id"]) == sorted(case.id for case in suite.cases)
    assert set(generations["response"]) == {"safe\n"}
    assert set(generations["outcome"]) == {"truncated"}
    with pytest.raises(Unavailable, match="decodes greedily: ask it at temperature 0"):
        run("transformers:tiny", suite, tmp_path / "warm", params=Params(temperature=0.7))


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_missing_extra_names_the_command(
    missing: str, libraries: Libraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=r'pip install "convsafe-bench\[transformers\]"'):
        connect("transformers:some/model")


@pytest.mark.parametrize("error", [OSError, ValueError, ImportError])
def test_a_model_that_cannot_be_loaded_is_one_line(
    error: type[Exception], libraries: Libraries
) -> None:
    libraries.error = error("tiny is no folder\nand a page of advice")
    with pytest.raises(Unavailable, match=r"transformers:tiny cannot be loaded: .* no folder$"):
        asyncio.run(sent("/completions", prompt="x"))


def test_a_model_must_be_named() -> None:
    with pytest.raises(BadInput, match="transformers:MODEL_OR_PATH"):
        connect("transformers:")


def test_other_weights_in_a_folder_are_another_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(b"one")
    first = name_of(str(tmp_path / "model"))
    assert first.startswith("model-")
    assert str(tmp_path) not in first
    weights.write_bytes(b"other")
    assert name_of(str(tmp_path / "model")) != first
    assert name_of("org/model") == "org/model"


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

    async def go() -> list[Any]:
        async with TransformersModel(str(tmp_path)) as model:
            body = {"prompt": "egg", "max_tokens": 5, "logprobs": 5}
            return [(await model.send("POST", "/completions", body))[1] for _ in "ab"]

    first, second = asyncio.run(go())
    assert first == second
    top = first["choices"][0]["logprobs"]["top_logprobs"]
    assert len(top) == 5
    assert all(log <= 0 for place in top for log in place.values())
