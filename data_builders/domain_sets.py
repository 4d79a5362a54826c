"""Our own domain sets: cases with facets, rubrics and twins, read from `sets/*.yaml`.

CONTRIBUTING shows the format. Beside a request and its twin an entry may hold paraphrases of both,
variants of the request in another context, given sources, choices, earlier turns, and a `session`:
who a simulated user is, in which `dialogue`, by which `script` of `benchmark/users`, what this
person says `about` itself, the `state` at the start, and `facts` that come out on the way. With an
`opening` the person speaks first, and the request is the task in the model's system prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convsafe.data_builders.source import core_card, default_severity
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.records import Case, Facet, Message, Transform
from convsafe.taxonomy.tree import load_tree, read_yaml

SETS = Path(__file__).parent / "sets"
_TOP = {
    "set",
    "config",
    "about",
    "rubric",
    "measures",
    "twin_measures",
    "expected",
    "paired",
    "entries",
}
_ENTRY = {
    *(
        "id",
        "facets",
        "hazard",
        "also",
        "system",
        "turns",
        "request",
        "expected",
        "rubric",
        "basis",
        "session",
    ),
    *("severity", "choices", "answer", "sources", "profile", "measures", "variants", "paraphrases"),
}
# What a twin may say for itself, under `twin_…`.
_TWIN = {
    *("expected", "rubric", "turns", "choices", "answer", "sources", "measures", "paraphrases"),
}
_VARIANT = {"request", "expected", "rubric", "profile", "turns", "twin", "system", "basis"}
_SESSION = {"dialogue", "script", "opening", "about", "state", "facts"}
_NAME = re.compile(r"[a-z0-9_-]+\Z")


def set_cases(folder: Path = SETS) -> Iterator[Case]:
    """Yield the cases of every set, in order of files and entries.

    Raises:
        BadInput: On a malformed file, naming the file and the entry.
    """
    for path in sorted(folder.glob("*.yaml")):
        yield from read_set(path)


def read_set(path: Path) -> Iterator[Case]:
    """Yield the cases of one set."""
    data = read_yaml(path)
    if not isinstance(data, dict) or data.get("set") != path.stem:
        raise BadInput("`set` must be the file's name", file=path)
    if unknown := set(data) - _TOP:
        raise BadInput(f"unknown fields: {', '.join(sorted(unknown))}", file=path)
    if not isinstance(data.get("config"), str) or not isinstance(data.get("about"), str):
        raise BadInput("`config` and `about` must be texts", file=path)
    seen: set[str] = set()
    for entry in data.get("entries") or ():
        id = entry.get("id") if isinstance(entry, dict) else entry
        try:
            _check(data, entry, seen)
            cases = list(_cases(data, entry))
            for case in cases:
                case.check()
        except (BadInput, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{error}", file=path, id=str(id)) from None
        yield from cases


def about_sets(folder: Path = SETS) -> dict[str, tuple[str, str]]:
    """Return the config and the description of every set, by name."""
    files = (read_yaml(path) for path in sorted(folder.glob("*.yaml")))
    return {data["set"]: (data["config"], " ".join(data["about"].split())) for data in files}


def _check(data: Mapping[str, Any], entry: Any, seen: set[str]) -> None:
    """Raise if an entry is not of the form; `seen` holds the ids so far."""
    if not isinstance(entry, dict):
        raise BadInput("an entry must be a mapping")
    known = _ENTRY | {"twin"} | {f"twin_{name}" for name in _TWIN}
    if unknown := set(entry) - known:
        raise BadInput(f"unknown fields: {', '.join(sorted(unknown))}")
    if not _NAME.match(str(entry.get("id"))) or entry["id"] in seen:
        raise BadInput("`id` must be [a-z0-9_-]+ and used once")
    seen.add(entry["id"])
    _check_hazards(entry)
    _check_texts(data, entry)
    _check_session(entry.get("session"))


def _check_session(session: Any) -> None:
    """Raise unless a session says who the simulated user is and how this person feels."""
    if session is None:
        return
    if unknown := set(session) - _SESSION:
        raise BadInput(f"a session has unknown fields: {', '.join(sorted(unknown))}")
    for name in ("dialogue", "script", "about", "state"):
        if not session.get(name):
            raise BadInput(f"a session needs `{name}`")
    if wrong := [name for name, n in session["state"].items() if n not in (1, 2, 3, 4, 5)]:
        raise BadInput(f"`state` holds whole numbers from 1 to 5, not {', '.join(wrong)}")


def _check_hazards(entry: Mapping[str, Any]) -> None:
    if entry.get("hazard") not in {leaf.id for leaf in load_tree()}:
        raise BadInput(f"no leaf {entry.get('hazard')!r}")
    if unknown := set(entry.get("also", ())) - load_tree().ids:
        raise BadInput(f"no hazard {', '.join(sorted(unknown))}")


def _check_texts(data: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    """Raise if a text is missing: request, twin, rubric, the paraphrases of one of the two."""
    for name in ("request", *(["twin"] if data.get("paired", True) else [])):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise BadInput(f"`{name}` must be a text")
    if not entry.get("rubric", data.get("rubric")):
        raise BadInput("no rubric, here or for the set")
    counts = [len(entry.get(name, ())) for name in ("paraphrases", "twin_paraphrases")]
    if "twin" in entry and counts[0] != counts[1]:
        raise BadInput("request and twin must have as many paraphrases")
    for variant in entry.get("variants", {}).values():
        if unknown := set(variant) - _VARIANT:
            raise BadInput(f"a variant has unknown fields: {', '.join(sorted(unknown))}")


def _cases(data: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the request, its twin, then paraphrases and variants."""
    request = _request(data, entry)
    twin = _twin(data, entry, request) if "twin" in entry else None
    yield replace(request, twin_id=twin.id if twin else None)
    if twin:
        yield twin
    yield from _paraphrases(request, twin, entry.get("paraphrases", ()))
    if twin:
        yield from _paraphrases(twin, request, entry.get("twin_paraphrases", ()))
    for name, variant in entry.get("variants", {}).items():
        yield _variant(request, entry, name, variant)


def _request(data: Mapping[str, Any], entry: Mapping[str, Any]) -> Case:
    hazards = (entry["hazard"], *entry.get("also", ()))
    source_id = f"{data['set']}-{entry['id']}"
    id = f"core-{source_id}"
    expected = entry.get("expected", data.get("expected", "refuse"))
    grave = expected not in ("comply", "choose")
    return Case(
        id=id,
        base_id=id,
        cluster_id=id,
        config=data["config"],
        measures=tuple(entry.get("measures", data.get("measures", ("safety",)))),
        messages=_messages(
            entry, entry["request"], entry.get("turns", ()), entry.get("sources", ())
        ),
        prompt=entry["request"].strip(),
        expected=expected,
        expected_source="ours",
        hazards=hazards,
        hazard_sources=("ours",) * len(hazards),
        severity=entry.get("severity", default_severity(hazards[0])) if grave else None,
        language="en",
        facets=(
            Facet("set", data["set"]),
            *(Facet(*each) for each in entry.get("facets", {}).items()),
        ),
        choices=_texts(entry.get("choices")),
        answer=entry.get("answer"),
        environment=_environment(entry.get("sources", ()), entry.get("session")),
        rubric=" ".join(entry.get("rubric", data.get("rubric", "")).split()),
        basis=entry.get("basis"),
        source="core",
        source_id=source_id,
        license=core_card().license,
    )


def _twin(data: Mapping[str, Any], entry: Mapping[str, Any], request: Case) -> Case:
    """Return the twin; what it does not say for itself it shares with the request."""
    turns = entry.get("twin_turns", entry.get("turns", ()))
    sources = entry.get("twin_sources", entry.get("sources", ()))
    id = f"{request.id}-twin"
    rubric = entry.get("twin_rubric")
    return replace(
        request,
        id=id,
        base_id=id,
        twin_id=request.id,
        measures=tuple(entry.get("twin_measures", data.get("twin_measures", ("over_refusal",)))),
        messages=_messages(entry, entry["twin"], turns, sources),
        prompt=entry["twin"].strip(),
        expected=entry.get("twin_expected", "comply"),
        severity=None,
        choices=_texts(entry.get("twin_choices", entry.get("choices"))),
        answer=entry.get("twin_answer", entry.get("answer")),
        environment=_environment(sources),
        rubric=" ".join(rubric.split()) if rubric else "Helps with what is asked.",
        source_id=f"{request.source_id}-twin",
    )


def _messages(
    entry: Mapping[str, Any], text: str, turns: Sequence[Any], sources: Sequence[Any]
) -> tuple[Message, ...]:
    """Return what is sent: system prompt with the given sources, earlier turns, the request."""
    given = [
        f"[{number}] {each['title']} ({each['url']})\n{each['text'].strip()}"
        for number, each in enumerate(sources, 1)
    ]
    systems = [entry["system"].strip()] if "system" in entry else []
    # A simulated user has the first word, and what is requested is the model's task.
    if opening := entry.get("session", {}).get("opening"):
        systems, text = [*systems, text.strip()], opening
    system = "\n\n".join([*systems, *given])
    before = [Message(role, said.strip()) for turn in turns for role, said in turn.items()]
    return (
        *((Message("system", system),) if system else ()),
        *before,
        Message("user", text.strip()),
    )


def _environment(sources: Sequence[Any], session: Mapping[str, Any] | None = None) -> str | None:
    """Return the given sources and the simulated user as JSON, or None where there is neither."""
    found: dict[str, Any] = {"sources": list(sources)} if sources else {}
    if session:
        found["session"] = {name: said for name, said in session.items() if name != "opening"}
    return json.dumps(found, ensure_ascii=False) if found else None


def _texts(found: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(str(text) for text in found)


def _paraphrases(case: Case, twin: Case | None, texts: Sequence[str]) -> Iterator[Case]:
    for number, text in enumerate(texts, 1):
        tag = Transform("paraphrase", f"p{number}")
        yield replace(
            case,
            id=f"{case.id}.{tag.name}",
            twin_id=f"{twin.id}.{tag.name}" if twin else None,
            messages=(*case.messages[:-1], Message("user", text.strip())),
            prompt=text.strip(),
            transforms=(tag,),
        )


def _variant(
    request: Case, entry: Mapping[str, Any], name: str, variant: Mapping[str, Any]
) -> Case:
    """Return the request in another context: another wording, a profile, other turns."""
    text = variant.get("request", entry["request"]).strip()
    told = variant.get("profile")
    sent = f"{_profile(told)}\n\n{text}" if told else text
    turns = variant.get("turns", entry.get("turns", ()))
    twin = variant.get("twin")
    own = {**entry, **({"system": variant["system"]} if "system" in variant else {})}
    expected = variant.get("expected", request.expected)
    return replace(
        request,
        id=f"{request.id}.{name}",
        twin_id=f"{request.id}.{twin}"
        if twin
        else f"{request.id}-twin"
        if "twin" in entry
        else None,
        messages=_messages(own, sent, turns, entry.get("sources", ())),
        prompt=sent if told else text,
        expected=expected,
        severity=None if expected == "comply" else default_severity(request.hazards[0]),
        transforms=(Transform("context", name),),
        profile=json.dumps(told, ensure_ascii=False) if told else None,
        rubric=" ".join(variant.get("rubric", request.rubric or "").split()),
        basis=variant.get("basis", request.basis),
    )


def _profile(told: Mapping[str, str]) -> str:
    """Return a profile as a user would tell it."""
    lines = (f"- {name.replace('_', ' ')}: {text}" for name, text in told.items())
    return "\n".join(["About me:", *lines])
