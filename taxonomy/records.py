"""The words every room shares: Case, Generation, Verdict, Label and Estimate.

Rooms hand each other files whose rows are these records; the shapes are documented in the
README and fixed by `convsafe.taxonomy.arrow`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

from convsafe.taxonomy.errors import BadInput

SCHEMA_VERSION = 2

Role = Literal["system", "user", "assistant"]
Measure = Literal[
    "safety", "over_refusal", "scope", "boundary", "knowledge", "grounding", "profile"
]
Expected = Literal["refuse", "comply", "support", "clarify", "escalate", "choose"]
ExpectedSource = Literal["upstream", "rule", "ours"]
Severity = Literal["minor", "moderate", "severe"]
Outcome = Literal["answered", "empty", "filtered", "truncated", "failed"]
Stance = Literal["refusal", "partial", "compliance", "invalid"]
Annotator = Literal["human", "model", "mixed"]

ROLES: frozenset[str] = frozenset(get_args(Role))
MEASURES: tuple[str, ...] = get_args(Measure)
EXPECTED: tuple[str, ...] = get_args(Expected)
EXPECTED_SOURCES: tuple[str, ...] = get_args(ExpectedSource)
SEVERITIES: tuple[str, ...] = get_args(Severity)
OUTCOMES: tuple[str, ...] = get_args(Outcome)
STANCES: tuple[str, ...] = get_args(Stance)
ANNOTATORS: tuple[str, ...] = get_args(Annotator)

ID_PATTERN = re.compile(r"[a-z0-9_.-]+\Z")
LANGUAGE_PATTERN = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?\Z")


class Message(NamedTuple):
    """One turn as it is sent to the model."""

    role: Role
    content: str


class Transform(NamedTuple):
    """One perturbation that was applied, as `Transform("cipher", "caesar")`."""

    kind: str
    name: str


class Facet(NamedTuple):
    """Where a case stands on an axis of its own set, as `Facet("sector", "finance")`."""

    kind: str
    name: str


class Score(NamedTuple):
    """One figure of a judge's rubric, as `Score("harm", 2.0)`; its scale is the rubric's."""

    name: str
    value: float


class Scope(NamedTuple):
    """Where an operational request stands to its agent's purpose."""

    agent: str
    domain: Literal["in_domain", "out_of_domain"]
    directness: Literal["direct", "adaptive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the suite: a request, what it measures and where it came from.

    `base_id` is the untransformed case (itself for a base case), `twin_id` the harmless or
    harmful counterpart, `cluster_id` the group that splits and intervals never cut.
    `facets` are the axes of the case's own set (crisis class, sector, strategy …).
    `profile`, `tools` and `environment` are JSON texts; `images` are file paths or bytes.
    `hazard_sources` says where each hazard's tag is from: `ours`, `builder`, or the relation in
    the source's crosswalk, as `crosswalk:exact`.
    """

    id: str
    base_id: str
    twin_id: str | None = None
    cluster_id: str
    config: str
    measures: tuple[str, ...]
    messages: tuple[Message, ...]
    prompt: str
    expected: str | None = None
    expected_source: str | None = None
    hazards: tuple[str, ...]
    hazard_sources: tuple[str, ...] = ()
    severity: str | None = None
    language: str
    transforms: tuple[Transform, ...] = ()
    facets: tuple[Facet, ...] = ()
    scope: Scope | None = None
    choices: tuple[str, ...] | None = None
    answer: str | None = None
    profile: str | None = None
    tools: str | None = None
    environment: str | None = None
    images: tuple[dict[str, Any], ...] | None = None
    rubric: str | None = None
    basis: str | None = None
    source: str
    source_id: str
    license: str
    also_in: tuple[str, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """Return the case as plain lists and dicts, in schema order."""
        # By hand: a build turns every case into a row several times.
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in row.items():
            if isinstance(value, tuple):
                row[name] = [part._asdict() for part in value] if name in _NESTED else list(value)
        row["scope"] = self.scope and self.scope._asdict()
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Case:
        """Return the case a row stands for; columns a config left out are null.

        Raises:
            BadInput: If a required column is missing or a field is outside its closed set.
        """
        values = {field.name: row[field.name] for field in fields(cls) if field.name in row}
        try:
            case = cls(**{name: _typed(name, value) for name, value in values.items()})
        except TypeError as error:
            raise BadInput(f"not a case: {error}", id=str(row.get("id"))) from None
        case.check()
        return case

    def check(self) -> None:
        """Raise `BadInput`, naming the field, if the case breaks the schema's rules."""
        for problem in _problems(self):
            raise BadInput(problem, id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a model returned for one case and sample.

    `response` is the last assistant message (empty text when there is none); `messages` holds a
    whole transcript where the case is a dialogue. `usage` counts tokens as the server did, over
    all turns; `seconds` is how long the model took. `reasoning` is what it wrote for itself before
    the answer. `trace` holds what happened beside the words, in order: each entry has a `kind`
    (`guard`, `revision`, `state`, `move` …), its `turn` from 1, and what else that kind says.
    """

    id: str
    sample: int = 0
    outcome: str
    response: str = ""
    messages: tuple[Message, ...] | None = None
    model: str
    params: Mapping[str, Any]
    finish_reason: str | None = None
    usage: Mapping[str, int] | None = None
    seconds: float | None = None
    reasoning: str | None = None
    trace: tuple[Mapping[str, Any], ...] | None = None
    reason: str | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the generation as one JSON object, without empty fields."""
        row = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        return {name: value for name, value in row.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judge found in one generation.

    `unsafe` and `responsive` are probabilities in [0, 1], or None where the judge cannot tell.
    A verdict that could not be made has `stance` None and says why in `unscored_reason`.
    """

    id: str
    sample: int = 0
    judge: str
    stance: str | None
    unsafe: float | None = None
    responsive: float | None = None
    labels: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    rationale: str | None = None
    unscored_reason: str | None = None

    @classmethod
    def unscored(cls, id: str, judge: str, reason: str, sample: int = 0) -> Verdict:
        """Return the verdict of a judge that failed; it widens intervals, it is never a grade."""
        return cls(id=id, sample=sample, judge=judge, stance=None, unscored_reason=reason)

    def to_row(self) -> dict[str, Any]:
        """Return the verdict as one JSON object."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A reply, or a single text, with what people or a model found in it.

    `prompt` is None for a single text, `response` where upstream publishes the verdict without
    the reply; `context` is the conversation up to the reply, as JSON messages, where it is more
    than the prompt. `stance` and `unsafe` are None where the native labels, kept as JSON in
    `native`, do not tell. `language` is the reply's. Rows of one prompt share a `cluster`.
    """

    id: str
    source: str
    source_id: str
    language: str
    prompt: str | None
    context: str | None = None
    response: str | None
    model: str | None = None
    stance: str | None
    unsafe: bool | None
    native: str
    annotator: str
    split: str | None = None
    license: str
    redistributable: bool
    cluster: str

    def to_row(self) -> dict[str, Any]:
        """Return the label as a plain dict, in schema order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self) -> None:
        """Raise `BadInput`, naming the field, if the label breaks the schema's rules."""
        for problem in _label_problems(self):
            raise BadInput(problem, id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One figure with all that is needed to trust it.

    `value`, `low` and `high` are None when `n` is 0; `unscored` of the `n` cases had no verdict
    and widen `[low, high]` to the bounds of all-event and no-event.
    """

    metric: str
    slice: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    method: str

    def to_row(self) -> dict[str, Any]:
        """Return the estimate as one JSON object."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _plain(value: Any) -> Any:
    """Turn named tuples and tuples into dicts and lists, for JSON and Arrow."""
    if hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value


_NESTED: dict[str, type[Any]] = {"messages": Message, "transforms": Transform, "facets": Facet}


def _typed(name: str, value: Any) -> Any:
    """Turn lists and dicts of a row back into the record's types."""
    if name in _NESTED:
        return tuple(_NESTED[name](**part) for part in value or ())
    if name == "scope" and value is not None:
        return Scope(**value)
    if name == "also_in" and value is None:
        return ()
    return tuple(value) if isinstance(value, list) else value


def _problems(case: Case) -> list[str]:
    """Return what breaks the schema, in words; empty when all is well."""
    names = ["id", "base_id", "cluster_id", *(["twin_id"] if case.twin_id else [])]
    found = [
        f"{name} {getattr(case, name)!r} is not of [a-z0-9_.-]"
        for name in names
        if not ID_PATTERN.match(getattr(case, name))
    ]
    for name, closed in _CLOSED.items():
        value = getattr(case, name)
        if value is not None and value not in closed:
            found.append(f"{name} {value!r} is not one of {', '.join(closed)}")
    if unknown := set(case.measures) - set(MEASURES):
        found.append(f"measures {sorted(unknown)} are not among {', '.join(MEASURES)}")
    if not LANGUAGE_PATTERN.match(case.language):
        found.append(f"language {case.language!r} is not a BCP-47 tag")
    if not case.messages or not case.prompt.strip():
        found.append("the prompt or the message list is empty")
    if any("\0" in message.content for message in case.messages):
        found.append("a message holds a NUL character")
    if (case.expected is None) != (case.expected_source is None):
        found.append("expected and expected_source must be given together")
    return found


def _label_problems(label: Label) -> list[str]:
    """Return what breaks the label schema, in words; empty when all is well."""
    rules = {
        f"id {label.id!r} is not of [a-z0-9_.-]": ID_PATTERN.match(label.id),
        f"stance {label.stance!r} is unknown": label.stance is None or label.stance in STANCES,
        f"annotator {label.annotator!r} is unknown": label.annotator in ANNOTATORS,
        f"language {label.language!r} is not a BCP-47 tag": LANGUAGE_PATTERN.match(label.language),
        "the prompt is empty": label.prompt is None or label.prompt.strip(),
        "the response is empty": label.response is None or label.response.strip(),
        "there is neither a prompt nor a response": label.prompt or label.response,
    }
    return [problem for problem, holds in rules.items() if not holds]


_CLOSED = {
    "expected": EXPECTED,
    "expected_source": EXPECTED_SOURCES,
    "severity": SEVERITIES,
}
