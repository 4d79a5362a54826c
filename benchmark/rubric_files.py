"""Read a rubric's file and check it: an error names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from convsafe.benchmark.rubric import HOW, RUBRICS, Combined, Condition, Rubric, Score
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import sha256_of
from convsafe.taxonomy.records import STANCES
from convsafe.taxonomy.tree import read_yaml

_TEXTS = ("name", "version", "about", "source", "instructions")
_KEYS = {*_TEXTS, "scores"}
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_SPAN = re.compile(r"(\d+)(?:-(\d+))?\Z")
_NUMBERS = ("unsafe", "responsive")
LONGEST_SPAN = 100


def load_rubric(name: str) -> Rubric:
    """Return a rubric by its name, or from a file of one's own (`PATH.yaml`).

    Raises:
        UnknownName: If there is no such rubric, with the nearest names.
        BadInput: If the file is broken, naming it and the key.
    """
    own = name.endswith((".yaml", ".yml"))
    path = Path(name) if own else RUBRICS.path(name)
    if not path.is_file():
        raise BadInput("no such rubric file", file=path)
    return _File(path).rubric()


class _File:
    """A file of a rubric; every error says which key is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rubric(self) -> Rubric:
        data = self.mapping(read_yaml(self.path), "the file", _KEYS, {"combined", "tells"})
        texts = {key: self.text(data[key], key) for key in _TEXTS}
        if not _NAME.match(texts["name"]):
            raise self.wrong("name", "is written in a-z, 0-9 and _")
        scores = tuple(self.score(n, s) for n, s in self.named(data["scores"], "scores"))
        by_name = {score.name: score for score in scores}
        combined = {
            n: self.combination(f"combined.{n}", c, by_name)
            for n, c in self.named(data.get("combined", {}), "combined", empty=True)
        }
        if twice := set(combined) & set(by_name):
            raise self.wrong(f"combined.{min(twice)}", "is a score already")
        numbers = {n for n, score in by_name.items() if not score.is_choice} | set(combined)
        tells = self.mapping(data.get("tells", {}), "tells", set(), {"stance", "labels", *_NUMBERS})
        return Rubric(
            **texts,
            scores=scores,
            combined=combined,
            stance=self.stance(tells["stance"], by_name) if "stance" in tells else None,
            numbers={
                n: self.probability(f"tells.{n}", tells[n], numbers, combined)
                for n in _NUMBERS
                if n in tells
            },
            labels={
                n: self.condition(f"tells.labels.{n}", c, numbers)
                for n, c in self.named(tells.get("labels", {}), "tells.labels", empty=True)
            },
            sha256=sha256_of(self.path),
        )

    def wrong(self, key: str, what: str) -> BadInput:
        return BadInput(f"`{key}` {what}", file=self.path)

    def mapping(self, value: Any, key: str, needed: set[str], optional: set[str]) -> dict[Any, Any]:
        """Return a mapping that has all that is needed and nothing unknown."""
        if not isinstance(value, dict):
            raise self.wrong(key, "is not a mapping of keys to values")
        if missing := needed - set(value):
            raise self.wrong(min(missing), f"is missing from {key}")
        if unknown := [str(name) for name in value if name not in needed | optional]:
            known = ", ".join(sorted(needed | optional))
            raise self.wrong(min(unknown), f"is no key of {key}; there are {known}")
        return value

    def named(self, value: Any, key: str, empty: bool = False) -> Iterable[tuple[str, Any]]:
        """Return the entries of a mapping whose keys are names."""
        if not isinstance(value, dict) or not (value or empty):
            raise self.wrong(key, "is not a mapping of names to what they are")
        for name in value:
            if not isinstance(name, str) or not _NAME.match(name):
                raise self.wrong(f"{key}.{name}", "is a name that is not written in a-z, 0-9, _")
        return value.items()

    def text(self, value: Any, key: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "is not a text (put numbers between quotes)")
        return value.strip()

    def score(self, name: str, data: Any) -> Score:
        key = f"scores.{name}"
        entry = self.mapping(data, key, {"question", "values"}, set())
        question = self.text(entry["question"], f"{key}.question")
        if not isinstance(entry["values"], dict) or not entry["values"]:
            raise self.wrong(f"{key}.values", "is not a mapping of answers to their meaning")
        meanings = {
            self.answer(a, f"{key}.values"): self.text(m, f"{key}.values.{a}")
            for a, m in entry["values"].items()
        }
        values = {v: m for a, m in meanings.items() for v in _written(a)}
        kinds = {value.isdigit() for value in values}
        if (
            len(kinds) > 1
            or len(values) < 2
            or len(values) < sum(len(_written(a)) for a in meanings)
        ):
            raise self.wrong(
                f"{key}.values", "is not two or more answers, each once, all numbers or all words"
            )
        return Score(name, question, values, meanings)

    def answer(self, value: Any, key: str) -> str:
        """Return an answer as it is written; YAML reads yes and no as something else."""
        written = str(value)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        word = isinstance(value, str) and (_NAME.match(value) or _SPAN.match(value))
        if not whole and not word:
            raise self.wrong(f"{key}.{value}", "is no whole number, span as 3-4, or word in quotes")
        span = _SPAN.match(written)
        if span and span[2] and not 0 < int(span[2]) - int(span[1]) <= LONGEST_SPAN:
            raise self.wrong(f"{key}.{value}", f"is a span that is not of 2 to {LONGEST_SPAN + 1}")
        return written

    def combination(self, key: str, data: Any, scores: Mapping[str, Score]) -> Combined:
        entry = self.mapping(data, key, {"how", "of"}, {"unless"})
        if entry["how"] not in HOW:
            raise self.wrong(f"{key}.how", f"is not one of {', '.join(HOW)}")
        numbers = [name for name, score in scores.items() if not score.is_choice]
        of = entry["of"]
        if not isinstance(of, list) or not of:
            raise self.wrong(f"{key}.of", "is not a list of scores")
        for name in [*of, *([entry["unless"]] if "unless" in entry else [])]:
            self.among(key, name, numbers)
        return Combined(entry["how"], tuple(of), entry.get("unless"))

    def among(self, key: str, name: Any, known: Iterable[str]) -> str:
        """Return a score's name if it is one of these."""
        if not isinstance(name, str) or name not in known:
            raise self.wrong(key, f"names {name!r}, which is none of {', '.join(sorted(known))}")
        return name

    def condition(self, key: str, data: Any, numbers: set[str]) -> Condition:
        entry = self.mapping(data, key, {"score"}, {"at_least", "at_most"})
        score = self.among(f"{key}.score", entry["score"], numbers)
        bounds = {name: entry.get(name) for name in ("at_least", "at_most")}
        for name, bound in bounds.items():
            if isinstance(bound, bool) or not isinstance(bound, (int, float, type(None))):
                raise self.wrong(f"{key}.{name}", "is not a number")
        return Condition(score, **bounds)

    def probability(
        self, key: str, data: Any, numbers: set[str], combined: Mapping[str, Combined]
    ) -> Condition:
        """Return a condition; without a bound, the score must be a share."""
        found = self.condition(key, data, numbers)
        share = found.score in combined and combined[found.score].how == "share"
        if found.at_least is None and found.at_most is None and not share:
            raise self.wrong(key, "has no at_least or at_most, which only a share may lack")
        return found

    def stance(self, data: Any, scores: Mapping[str, Score]) -> tuple[str, dict[str, str]]:
        """Return the score that tells the stance, and the stance of each of its answers."""
        if not isinstance(data, dict) or "score" not in data:
            raise self.wrong("tells.stance", "is not a mapping with a score")
        score = scores[self.among("tells.stance.score", data["score"], scores)]
        stances = {str(answer): stance for answer, stance in data.items() if answer != "score"}
        if set(stances) != set(score.values):
            raise self.wrong("tells.stance", f"does not have each of {', '.join(score.values)}")
        if wrong := [str(s) for s in stances.values() if s not in STANCES]:
            raise self.wrong("tells.stance", f"{wrong[0]!r} is none of {', '.join(STANCES)}")
        return score.name, stances


def _written(answer: str) -> list[str]:
    """Return the numbers of a span, or the answer itself."""
    found = _SPAN.match(answer)
    if found is None or found[2] is None:
        return [answer]
    return [str(number) for number in range(int(found[1]), int(found[2]) + 1)]
