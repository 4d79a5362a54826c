"""What a transform is: one file that turns a case into its perturbed counterpart.

A kind is a folder of `transforms/` with a `_kind.py`, a transform is any other file there, and
its name is the file's name. `CONVSAFE_TRANSFORMS` names a folder of the same shape with more.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Case, Message, Scope, Transform

FOLDER = Path(__file__).parent / "transforms"
VARIABLE = "CONVSAFE_TRANSFORMS"
_HINT = "Add one: data_builders/transforms/<kind>/<name>.yaml or .py"


class NotApplicable(Exception):
    """A transform cannot be applied to a case.

    `reason` says why in words that many cases share, `detail` what is particular to this one.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Changed(NamedTuple):
    """What a transform makes of a case; what is None stays as it was."""

    messages: tuple[Message, ...]
    prompt: str | None = None
    language: str | None = None
    scope: Scope | None = None


Change = Callable[[Case], Changed]


class Part(NamedTuple):
    """What a kind reads from one of its files.

    `about` says what the transform does, `after` the paper it follows; `source` and `license` are
    those of upstream text it puts around the request, if any; `only` holds the ids of the cases
    it has texts for, where it was made for some alone.
    """

    about: str
    after: str
    change: Change
    source: str | None = None
    license: str | None = None
    only: frozenset[str] | None = None


class Kind(NamedTuple):
    """A family of transforms.

    `general` is False where the family fits only some sets, so that it is no column of the
    coverage matrix. `config` is where its cases live; None leaves them in their base's config.
    """

    name: str
    about: str
    config: str | None
    general: bool
    load: Callable[[Path], Part]


@dataclass(frozen=True)
class Transformer:
    """One transform, ready to use."""

    kind: Kind
    name: str
    part: Part

    @property
    def tag(self) -> Transform:
        """How the cases it makes name it."""
        return Transform(self.kind.name, self.name)

    def __str__(self) -> str:
        """Return `kind/name`."""
        return f"{self.kind.name}/{self.name}"

    def apply(self, case: Case) -> Case:
        """Return the perturbed case.

        Raises:
            NotApplicable: With a reason, if this transform does not fit this case.
        """
        if self.tag in case.transforms:
            raise NotApplicable("it was applied before")
        found = self.part.change(case)
        return replace(
            case,
            id=f"{case.id}.{self.name}",
            twin_id=case.twin_id and f"{case.twin_id}.{self.name}",
            config=self.kind.config or case.config,
            messages=found.messages,
            prompt=found.prompt or case.prompt,
            language=found.language or case.language,
            scope=found.scope or case.scope,
            transforms=(*case.transforms, self.tag),
            license=_both(case.license, self.part.license),
            also_in=(),
        )


def _both(ours: str, theirs: str | None) -> str:
    """Return the SPDX expression of a text under two licences."""
    return ours if theirs is None or theirs == ours else f"{ours} AND {theirs}"


def of_text(transformer: Transformer, text: str, language: str = "en") -> tuple[Message, ...]:
    """Return the messages that a transform makes of one request of a user's own.

    Raises:
        BadInput: If the text is empty or the language is no BCP-47 tag.
        NotApplicable: With a reason, if the transform does not fit.
    """
    case = Case(
        id="text",
        base_id="text",
        cluster_id="text",
        config="harm",
        measures=(),
        messages=(Message("user", text),),
        prompt=text,
        hazards=(),
        language=language,
        source="user",
        source_id="text",
        license="LicenseRef-unknown",
    )
    case.check()
    return transformer.apply(case).messages


def last_request(case: Case) -> str:
    """Return the text of the last message, which must be the user's.

    Raises:
        NotApplicable: If the conversation ends otherwise.
    """
    if case.messages[-1].role != "user":
        raise NotApplicable("the last turn is not the user's")
    return case.messages[-1].content


def with_request(case: Case, text: str) -> tuple[Message, ...]:
    """Return the messages with another text in the last one."""
    return (*case.messages[:-1], Message("user", text))


def with_system(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """Return messages with a text added after their system prompt, or as one if there is none."""
    if messages[0].role == "system":
        return (Message("system", f"{messages[0].content}\n\n{text}"), *messages[1:])
    return (Message("system", text), *messages)


def need_one_turn(case: Case) -> None:
    """Raise `NotApplicable` if the case is more than one request, besides a system prompt."""
    last_request(case)
    if sum(message.role != "system" for message in case.messages) > 1:
        raise NotApplicable("a conversation of several turns")


def pair_key(case: Case) -> str:
    """Return a text that a case and its twin share, so that choices by it are the same."""
    return min(case.id, case.twin_id or case.id)


def folders() -> list[Path]:
    """Return where transforms are looked for: ours, then the user's."""
    more = os.environ.get(VARIABLE)
    if more and not Path(more).is_dir():
        raise BadInput(f"{VARIABLE} names no folder", file=more)
    return [FOLDER, *([Path(more)] if more else [])]


def kinds() -> list[str]:
    """Return the families in order of their names, without importing any."""
    return sorted({path.parent.name for place in folders() for path in place.glob("*/_kind.py")})


def names(kind: str) -> list[str]:
    """Return the transforms of a family in order, without reading any.

    Raises:
        UnknownName: If there is no such family.
    """
    return sorted(_files(kind))


def find(name: str) -> list[Transformer]:
    """Return the transforms a name stands for: `cipher`, `cipher/caesar` or `caesar`.

    Raises:
        UnknownName: If it stands for none, with the nearest names.
        BadInput: If a plain name is one of several families.
    """
    known = kinds()
    kind, slash, part = name.partition("/")
    if kind in known and not slash:
        return [load(kind, each) for each in names(kind)]
    if slash:
        return [load(kind, part)]
    homes = [each for each in known if name in names(each)]
    if len(homes) > 1:
        raise BadInput(f"several transforms are called {name!r}: say which, as {homes[0]}/{name}")
    if not homes:
        every = {each for home in known for each in names(home)} | set(known)
        raise UnknownName("transform", name, every, _HINT)
    return [load(homes[0], name)]


def find_all(wanted: Iterable[str]) -> list[Transformer]:
    """Return the transforms that several names stand for, each once; `all` stands for every one."""
    found = {
        str(part): part
        for name in wanted
        for each in (kinds() if name == "all" else [name])
        for part in find(each)
    }
    return list(found.values())


def load(kind: str, name: str) -> Transformer:
    """Return one transform.

    Raises:
        UnknownName: If there is no such family or file.
        BadInput: If its file is malformed, naming it.
    """
    files = _files(kind)
    if name not in files:
        raise UnknownName(f"{kind} transform", name, files, _HINT)
    return _load(kind, files[name], tuple(folders()))


def file_of(kind: str, name: str) -> Path:
    """Return the file of a transform that is there."""
    return _files(kind)[name]


def _files(kind: str) -> dict[str, Path]:
    """Return a family's files by name."""
    if kind not in kinds():
        raise UnknownName("kind of transform", kind, kinds(), _HINT)
    found: dict[str, Path] = {}
    for place in folders():
        for path in sorted((place / kind).glob("*")):
            if path.suffix not in (".py", ".yaml") or path.stem.startswith("_"):
                continue
            if path.stem in found:
                raise BadInput(f"a {kind} of this name is already in {found[path.stem]}", file=path)
            found[path.stem] = path
    return found


@cache
def _load(kind: str, path: Path, places: tuple[Path, ...]) -> Transformer:
    family = _kind(kind, places)
    return Transformer(family, path.stem, family.load(path))


@cache
def _kind(kind: str, places: tuple[Path, ...]) -> Kind:
    homes = (place / kind / "_kind.py" for place in places)
    module: Any = module_at(next(home for home in homes if home.is_file()))
    return Kind(kind, module.ABOUT, module.CONFIG, module.GENERAL, module.load)


@cache
def module_at(path: Path) -> ModuleType:
    """Import a Python file by its place."""
    spec = importlib.util.spec_from_file_location(
        f"convsafe.data_builders.transforms.{path.parent.name}.{path.stem}", path
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def each_kind() -> list[Kind]:
    """Return every family in order of the names."""
    return [_kind(kind, tuple(folders())) for kind in kinds()]
