"""Transforms that reword the last request: by wrappers and word tables in YAML, or by a function.

A YAML file holds `about`, `after`, and `wrap` (for each language, wrappers that hold `{request}`
once) or `words` (for each language, what is said instead), or both. A Python file holds `ABOUT`,
`AFTER`, `LANGUAGES` and `rewrite(text, key) -> str`, or a `part()` that does more. Which wrapper a
case gets depends on its pair alone, so that a request and its twin get the same one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from convsafe.data_builders.transform import (
    Changed,
    NotApplicable,
    Part,
    last_request,
    module_at,
    pair_key,
    with_request,
)
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import LANGUAGE_PATTERN, Case
from convsafe.taxonomy.tree import read_yaml

SLOT = "{request}"
# A wrapper or table under this key serves every language.
ANY = "any"
_KEYS = {"about", "after", "wrap", "words"}
_NEEDED = ("ABOUT", "AFTER", "LANGUAGES", "rewrite")


def load(path: Path) -> Part:
    """Return what a rewriting file does."""
    return from_yaml(path) if path.suffix == ".yaml" else _from_python(path)


def from_yaml(path: Path) -> Part:
    """Return what a YAML file of wrappers or words does.

    Raises:
        BadInput: If it is malformed, naming the file.
    """
    data = check_about(path, _KEYS)
    if not data.get("wrap") and not data.get("words"):
        raise BadInput("`wrap` or `words` is missing", file=path)
    wrap = {language: wrappers(path, texts) for language, texts in data.get("wrap", {}).items()}
    tables = {language: _table(path, words) for language, words in data.get("words", {}).items()}
    for language in {*wrap, *tables} - {ANY}:
        if not LANGUAGE_PATTERN.match(str(language)):
            raise BadInput(f"language {language!r} is not a BCP-47 tag", file=path)

    def change(case: Case) -> Changed:
        text = last_request(case)
        texts, words = of_language(wrap, case, tables), of_language(tables, case, wrap)
        if words:
            reworded = words(text)
            if reworded == text and not texts:
                raise NotApplicable("none of its words occurs")
            text = reworded
        if texts:
            text = pick(texts, pair_key(case), path.stem).replace(SLOT, text)
        return Changed(with_request(case, text))

    return Part(data["about"], data["after"], change)


def check_about(path: Path, keys: set[str]) -> dict[str, Any]:
    """Return a YAML file's mapping, known to hold texts `about` and `after` and no other keys."""
    data = read_yaml(path)
    if not isinstance(data, dict) or not all(
        isinstance(data.get(k), str) for k in ("about", "after")
    ):
        raise BadInput("`about` and `after` must be texts", file=path)
    if unknown := set(data) - keys:
        raise BadInput(f"unknown fields: {', '.join(sorted(unknown))}", file=path)
    return data


def wrappers(path: Path, texts: Any) -> tuple[str, ...]:
    """Return wrappers, each known to hold the slot once."""
    if not isinstance(texts, list) or not texts:
        raise BadInput("a language's wrappers must be a list", file=path)
    for text in texts:
        if not isinstance(text, str) or text.count(SLOT) != 1:
            raise BadInput(f"a wrapper must hold {SLOT} once: {text!r}", file=path)
    return tuple(text.strip() for text in texts)


def of_language(
    found: Mapping[str, Any], case: Case, other: Mapping[str, Any] | None = None
) -> Any:
    """Return what serves the case's language; None where only `other` does.

    Raises:
        NotApplicable: If nothing does.
    """
    language = case.language.split("-", maxsplit=1)[0]
    if language in found or ANY in found:
        return found.get(language, found.get(ANY))
    if other and (language in other or ANY in other):
        return None
    raise NotApplicable(f"no wording in {language}")


def pick(options: Sequence[Any], key: str, salt: str) -> Any:
    """Return one of the options, chosen by a sum of the key."""
    digest = hashlib.sha256(f"{salt}:{key}".encode()).digest()
    return options[int.from_bytes(digest[:4], "big") % len(options)]


def _table(path: Path, words: Any) -> Callable[[str], str]:
    """Return a function that says other words for some; the first letter keeps its case."""
    if not isinstance(words, dict) or not words:
        raise BadInput(
            "`words` must map each language to words and what is said instead", file=path
        )
    table = {str(word).casefold(): str(instead) for word, instead in words.items()}
    longest_first = sorted(table, key=len, reverse=True)
    pattern = re.compile(
        r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)", re.IGNORECASE
    )

    def instead(match: re.Match[str]) -> str:
        word, said = match[0], table[match[0].casefold()]
        return said[:1].upper() + said[1:] if word[0].isupper() and word != "I" else said

    return lambda text: pattern.sub(instead, text)


def _from_python(path: Path) -> Part:
    module: Any = module_at(path)
    if hasattr(module, "part"):
        whole: Part = module.part()
        return whole
    if missing := [name for name in _NEEDED if not hasattr(module, name)]:
        raise BadInput(f"a rewriting file needs part(), or {', '.join(missing)}", file=path)
    languages, rewrite = module.LANGUAGES, module.rewrite

    def change(case: Case) -> Changed:
        text = last_request(case)
        if languages != ANY and case.language.split("-", maxsplit=1)[0] not in languages:
            raise NotApplicable(f"no rule for {case.language}")
        return Changed(with_request(case, rewrite(text, pair_key(case))))

    return Part(module.ABOUT, module.AFTER, change)
