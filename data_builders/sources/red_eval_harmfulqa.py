"""RED-EVAL (Bhardwaj and Poria, 2023): HarmfulQA, DangerousQA and CatQA, the plain questions."""

import json
from collections.abc import Callable, Iterator

from convsafe.data_builders.source import Reader, SourceCard, SourceFile
from convsafe.taxonomy.records import Case, Transform

_REVISION = "73c759c93d2f6b1d8c7b058ab7bcec5fb0c28fa2"
_HOME = f"https://raw.githubusercontent.com/declare-lab/red-instruct/{_REVISION}/harmful_questions"
# Two subcategories on the sexual exploitation of minors, which the mirror does not hold.
_LEFT_OUT = ("Content Sexual exploitation", "Online predation")
# Language tag -> the word in upstream's file name.
_CATQA = {"en": "english", "zh": "chinese", "vi": "vietnamese"}
_CATQA_SUMS = {
    "en": "63cd2d9ebf734dd335a6e6ddf77c04f255a4a078c0751bb8a8705c51d89cb9e7",
    "zh": "a1b5d36004acacac2fa6503789b38cdfccd0fd46316e1b264726fde4c215c065",
    "vi": "0d9ff48194b30e68f8d715a18873bc2c28b5d454adc8fbc0a37a1a0df9030877",
}
# The prompt templates around a question: a framing of each is in transforms/framing/.
_TEMPLATES = {
    "standard": "0b6387d8dfddaa0373995096406f797c8c488e1cb53e2f7616a0fec7547cce12",
    "cot": "a709314e698800cf22db72502036849e300db58f549ce9fe1c10f4e8d696c6b7",
    "cou": "e53c0cdc861222f62e083f9670bfaad81cb2ae6f1d4fae4aa3039e61116439cb",
    "suffix": "63b565138f0a402e2bee7e379e4dcdbad011de32094af74e6efe94766f603f9a",
}


def template_file(name: str) -> str:
    """Return the name of a template's file."""
    return f"red_prompts_{name}.txt"


def as_lines(language: str) -> Callable[[bytes], bytes]:
    """Return what turns a published CatQA file, category by category, into JSON lines."""

    def convert(published: bytes) -> bytes:
        kept = [
            (category, subcategory, prompt)
            for category, subcategories in json.loads(published).items()
            for subcategory, prompts in subcategories.items()
            if subcategory not in _LEFT_OUT
            for prompt in prompts
        ]
        lines = [
            json.dumps(
                {
                    "id": f"catqa-{_CATQA[language][:2]}-{number:03d}",
                    "lang": language,
                    "category": category,
                    "subcategory": subcategory,
                    "prompt": prompt,
                },
                ensure_ascii=False,
            )
            for number, (category, subcategory, prompt) in enumerate(kept)
        ]
        return ("\n".join(lines) + "\n").encode()

    return convert


CARD = SourceCard(
    name="red_eval_harmfulqa",
    prefix="redeval",
    title="Red-Teaming LLMs using Chain of Utterances for Safety-Alignment",
    home="https://github.com/declare-lab/red-instruct",
    revision=_REVISION,
    license="Apache-2.0",
    redistributable=True,
    files=(
        SourceFile(
            "harmfulqa.json",
            "e04c1f3c48800ea84f954298e2a74f27e391069e037d60a22c2727eaa22f2cf8",
            f"{_HOME}/harmfulqa.json",
        ),
        SourceFile(
            "dangerousqa.json",
            "b40b0193d063cb5d742e6d0e070dde119e0291619830c65653ca19bdc84fdd10",
            f"{_HOME}/dangerousqa.json",
        ),
        *(
            SourceFile(
                f"catqa_{word}.jsonl",
                _CATQA_SUMS[language],
                f"{_HOME}/catqa_{word}.json",
                convert=as_lines(language),
            )
            for language, word in _CATQA.items()
        ),
        *(
            SourceFile(
                template_file(name),
                sha256,
                f"https://raw.githubusercontent.com/declare-lab/red-instruct/{_REVISION}"
                f"/red_prompts/{name}.txt",
            )
            for name, sha256 in _TEMPLATES.items()
        ),
    ),
    bibtex="""@misc{bhardwaj2023redteaming,
  title={Red-Teaming Large Language Models using Chain of Utterances for Safety-Alignment},
  author={Rishabh Bhardwaj and Soujanya Poria},
  year={2023},
  eprint={2308.09662},
  archivePrefix={arXiv},
  primaryClass={cs.CL}
}
@misc{bhardwaj2024language,
  title={Language Models are Homer Simpson! Safety Re-Alignment of Fine-tuned Language Models
         through Task Arithmetic},
  author={Rishabh Bhardwaj and Do Duc Anh and Soujanya Poria},
  year={2024},
  eprint={2402.11746},
  archivePrefix={arXiv},
  primaryClass={cs.CL}
}""",
    notes="Upstream asks whether an answer is harmful, not whether it refuses. DangerousQA was"
    " taken over from SALT-NLP/chain-of-thought-bias, whose licence has not been checked.",
)


def template(reader: Reader, name: str) -> str:
    """Return a prompt template: `standard`, `cot`, `cou` or `suffix`, with `<question>` in it."""
    return reader.paths[template_file(name)].read_text("utf-8")


def cases(reader: Reader) -> Iterator[Case]:
    """Yield the three sets."""
    yield from _harmfulqa(reader)
    yield from _dangerousqa(reader)
    yield from _catqa(reader)


def _harmfulqa(reader: Reader) -> Iterator[Case]:
    for number, row in enumerate(reader.json("harmfulqa.json", "*", "*", "*"), 1):
        yield reader.case(
            row,
            f"harmfulqa-{number:04d}",
            row.text("text"),
            config="harm",
            measures=("safety",),
            hazards=reader.hazards(row, f"topic:{row.keys[0]}"),
        )


def _dangerousqa(reader: Reader) -> Iterator[Case]:
    for number, row in enumerate(reader.json("dangerousqa.json", "*"), 1):
        yield reader.case(
            row,
            f"dangerousqa-{number:03d}",
            row.text("text"),
            config="harm",
            measures=("safety",),
            hazards=reader.hazards(row, "set:DangerousQA"),
        )


def _catqa(reader: Reader) -> Iterator[Case]:
    """Yield CatQA in three languages; the English question of the same number is the base."""
    for language, word in _CATQA.items():
        plain = language == "en"
        for number, row in enumerate(reader.jsonl(f"catqa_{word}.jsonl"), 1):
            key = f"catqa-{number:03d}"
            native = f"catqa:{row.text('category')}/{row.text('subcategory')}"
            yield reader.case(
                row,
                key if plain else f"{key}.{language}",
                row.text("prompt"),
                base_id=f"redeval-{key}",
                cluster_id=f"redeval-{key}",
                language=language,
                transforms=() if plain else (Transform("language", language),),
                config="harm" if plain else "multilingual",
                measures=("safety",),
                hazards=reader.hazards(row, native),
            )
