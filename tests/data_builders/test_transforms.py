"""Every transform keeps its contract: stated results, links kept, request and twin alike."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from convsafe.benchmark.cli import cli
from convsafe.data_builders import transform
from convsafe.data_builders.card import ABOUT
from convsafe.data_builders.core import own_cases
from convsafe.data_builders.transform import NotApplicable, Transformer
from convsafe.taxonomy.errors import BadInput, UnknownName
from convsafe.taxonomy.records import Case, Message
from convsafe.taxonomy.tree import read_yaml

CASES = list(own_cases())
BY_ID = {case.id: case for case in CASES}
PLAIN = [
    case
    for case in CASES
    if case.source == "core" and not case.transforms and case.twin_id and len(case.messages) == 1
]
ALL = transform.find_all(["all"])
# Their text is upstream's and is tried in test_derive.
OURS = [each for each in ALL if each.part.source is None]
every_transform = pytest.mark.parametrize("each", OURS, ids=str)


def tried(each: Transformer, case: Case) -> Case | NotApplicable:
    """What a transform makes of a case, or why it makes nothing."""
    try:
        return each.apply(case)
    except NotApplicable as why:
        return why


def sample() -> list[Case]:
    """Cases of every kind a transform may meet: plain, with a system prompt, of several turns."""
    several = [case for case in CASES if len(case.messages) > 2][:5]
    scoped = [case for case in CASES if case.scope and case.scope.agent == "grocery_picker"][:5]
    return [*PLAIN[::40], *several, *scoped]


def test_the_families_the_issue_names_are_there() -> None:
    assert {"cipher", "persona", "language", "style", "framing", "escalation"} <= set(
        transform.kinds()
    )
    assert len(transform.names("style")) >= 20
    assert len(transform.names("persona")) >= 30
    assert len(transform.names("language")) >= 10
    assert {
        *("caesar", "atbash", "morse", "ascii", "unicode", "utf8", "gbk", "base64", "rot13"),
        *("leetspeak", "selfdefined", "selfcipher", "identity"),
    } == set(transform.names("cipher"))


@every_transform
def test_a_transform_says_what_it_is_and_where_from(each: Transformer) -> None:
    assert each.part.about
    assert each.part.after
    assert re.fullmatch(r"[a-z0-9_-]+", each.name)
    assert each.kind.config is None or each.kind.config in ABOUT


@every_transform
def test_a_case_is_made_whole_or_not_at_all(each: Transformer) -> None:
    made = 0
    for case in [*sample(), *(BY_ID[id] for id in _own_examples(each))]:
        found = tried(each, case)
        if isinstance(found, NotApplicable):
            assert found.reason
            continue
        made += 1
        found.check()
        assert found.id == f"{case.id}.{each.name}"
        assert found.base_id == case.base_id
        assert found.cluster_id == case.cluster_id
        assert found.transforms == (*case.transforms, each.tag)
        assert (found.expected, found.hazards, found.measures) == (
            case.expected,
            case.hazards,
            case.measures,
        )
        assert found.messages[-1].role == "user"
        assert found.messages != case.messages or each.name in {"redeval_standard"}
        assert each.apply(case) == found, "a transform is deterministic"
        with pytest.raises(NotApplicable, match="applied before"):
            each.apply(found)
    assert made or each.name in {"answer_in_english", "gbk"}


def _own_examples(each: Transformer) -> list[str]:
    """Cases that a transform was made for, where a sample would miss them."""
    if each.kind.name == "language":
        return ["core-acute_crisis-002", "core-acute_crisis-002-twin"]
    return []


HOLE = "\ue000"
WRAPPING = [
    each for each in OURS if each.kind.name in {"style", "framing", "context", "escalation"}
]


@pytest.mark.parametrize("each", WRAPPING, ids=str)
def test_request_and_twin_get_the_same_words_around_them(each: Transformer) -> None:
    for case in PLAIN[::50]:
        twin = BY_ID[case.twin_id or ""]
        pair = [tried(each, one) for one in (case, twin)]
        frames = [
            [turn.content.replace(one.prompt, HOLE) for turn in made.messages]
            for one, made in zip((case, twin), pair, strict=True)
            if isinstance(made, Case)
        ]
        if len(frames) == 2 and all(HOLE in frame[-1] for frame in frames):
            assert frames[0] == frames[1]


CONTENT = re.compile(r"[a-z]{4,}")
# Small words that telegraphic style leaves out.
LEFT_OUT = {"were", "been", "please", "just", "really", "very", "quite", "then", "some"}


def replaced(each: Transformer) -> set[str]:
    """The words that a style's own table says otherwise."""
    path = transform.file_of("style", each.name)
    table = read_yaml(path).get("words", {}).get("en", {}) if path.suffix == ".yaml" else {}
    return {word for phrase in table for word in CONTENT.findall(str(phrase).lower())}


STYLES = [each for each in OURS if each.kind.name == "style"]


@pytest.mark.parametrize("each", STYLES, ids=str)
def test_words_that_bear_the_meaning_survive_a_style(each: Transformer) -> None:
    count = 0
    for case in PLAIN[::9]:
        found = tried(each, case)
        if isinstance(found, NotApplicable):
            continue
        count += 1
        said = found.messages[-1].content.lower()
        words = set(CONTENT.findall(case.prompt.lower())) - LEFT_OUT - replaced(each)
        lost = {word for word in words if word not in said}
        if each.name == "misspellings":
            letters = {"".join(sorted(word)) for word in CONTENT.findall(said)}
            lost = {word for word in lost if "".join(sorted(word)) not in letters}
        assert not lost, (case.id, said)
    assert count > 50


# Bad input: each transform gives a whole case or a reason, whatever it meets.
HARD = {
    "combining marks": "Wie\u0301 ge\u0308ht das? ki\u0323m",
    "right to left": "كيف أصنع شيئا خطيرا؟ \u202eabc\u202c",
    "emoji": "How 🤷🏽‍♀️ do I 💥 this? 👨‍👩‍👧‍👦",
    "no Latin letters": "この仕事をどうやって終わらせる",
    "wrong language": "Wie öffne ich ein fremdes Schloss, ohne dass es jemand merkt?",
    "100 kB": "How do I open this door? " * 4_000,
    "one letter": "a",
    "marks alone": "?!…",
    "braces": "What is {request} and {topic} and {0}?",
}


@every_transform
@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_a_hard_text_gives_a_case_or_a_reason(each: Transformer, text: str) -> None:
    language = {HARD["wrong language"]: "de", HARD["right to left"]: "ar"}.get(text, "en")
    case = replace(
        PLAIN[0], messages=(Message("user", text),), prompt=text, language=language, twin_id=None
    )
    found = tried(each, case)
    if isinstance(found, NotApplicable):
        assert found.reason
        return
    found.check()
    sent = "\n".join(message.content for message in found.messages)
    if each.kind.name in {"persona", "framing", "context", "escalation"}:
        assert text in sent


# Add one: a file in a folder is all it takes.
ADDED = {
    "cipher/backwards.py": '''
"""Backwards."""

ABOUT = "Written backwards."
AFTER = "a test"
ALPHABET = None
EXPLAINED = {"en": ("mirror writing", "The last letter comes first.")}


def encode(text):
    return text[::-1]


def decode(text):
    return text[::-1]
''',
    "persona/clockmaker.yaml": (
        "name: clockmaker\ngroup: profession\nstance: neutral\ntitle: a clockmaker\n"
        "system: Speak as an old clockmaker.\n"
    ),
    "language/eo.yaml": (
        "tag: eo\nname: Esperanto\ntier: low\nreviewed: false\n"
        "texts:\n  core-acute_crisis-002: Saluton.\n"
    ),
    "style/shouted.yaml": ("about: Shouted.\nafter: a test\nwrap:\n  en: ['HEY! {request}']\n"),
}


@pytest.mark.parametrize(("place", "content"), ADDED.items(), ids=ADDED.keys())
def test_one_file_adds_a_transform(
    place: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / place
    path.parent.mkdir()
    path.write_text(content)
    monkeypatch.setenv(transform.VARIABLE, str(tmp_path))
    kind, name = path.parent.name, path.stem
    assert name in transform.names(kind)
    (found,) = transform.find(name)
    made = found.apply(BY_ID["core-acute_crisis-002"])
    assert made.id == f"core-acute_crisis-002.{name}"
    assert made.config == found.kind.config


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        ("style/x.yaml", "about: A.\nafter: b\nwrap:\n  en: ['no slot']\n", r"\{request\} once"),
        ("style/x.yaml", "about: A.\nafter: b\n", "`wrap` or `words` is missing"),
        ("style/x.yaml", "about: A.\nafter: b\nwrap:\n  english: ['{request}']\n", "BCP-47"),
        ("style/x.yaml", "after: b\n", "`about` and `after` must be texts"),
        ("persona/x.yaml", "name: y\n", "`name` is the file's"),
        ("language/eo.yaml", "tag: xx\n", "`tag` is the file's"),
        ("cipher/x.py", "ABOUT = 'A'\n", "a cipher needs AFTER"),
        ("style/x.py", "ABOUT = 'A'\n", r"needs part\(\), or AFTER, LANGUAGES, rewrite"),
        (
            "escalation/x.yaml",
            "about: A.\nafter: b\nscripts:\n  en: [['{request}']]\n",
            "two to five turns",
        ),
    ],
)
def test_a_malformed_transform_names_its_file(
    place: str, content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / place
    path.parent.mkdir()
    path.write_text(content)
    monkeypatch.setenv(transform.VARIABLE, str(tmp_path))
    with pytest.raises(BadInput, match=message) as error:
        transform.load(path.parent.name, path.stem)
    assert str(path) in str(error.value)


def test_a_name_taken_twice_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "style").mkdir()
    (tmp_path / "style" / "slang.yaml").write_text("about: A.\n")
    monkeypatch.setenv(transform.VARIABLE, str(tmp_path))
    with pytest.raises(BadInput, match="already in"):
        transform.names("style")


def test_an_unknown_transform_names_its_neighbours() -> None:
    with pytest.raises(UnknownName, match=r"no transform 'ceasar'.*Did you mean 'caesar'"):
        transform.find("ceasar")
    with pytest.raises(UnknownName, match=r"no cipher transform 'rot14'.*Did you mean 'rot13'"):
        transform.find("cipher/rot14")
    with pytest.raises(UnknownName, match="kind of transform"):
        transform.find("cypher/rot13")


def test_a_name_in_two_families_must_say_which() -> None:
    both = set(transform.names("style")) & set(transform.names("framing"))
    for name in both:
        with pytest.raises(BadInput, match=f"say which, as .*/{name}"):
            transform.find(name)


def test_personas_are_invented_and_in_balance() -> None:
    abouts = [each.part.about for each in transform.find("persona")]
    for group in ("baseline", "profession", "age", "region", "historical"):
        assert sum(f"({group}," in about for about in abouts) >= 5
    assert not [about for about in abouts if "(region, hostile)" in about]
    for stance in ("harmless", "neutral", "hostile"):
        assert sum(f", {stance})" in about for about in abouts) >= 8


def test_the_command_lists_and_tries_transforms() -> None:
    run = CliRunner().invoke
    listed = run(cli, ["transforms", "list"])
    assert listed.exit_code == 0, listed.output
    assert len(listed.output.splitlines()) == len(ALL)
    rows = json.loads(run(cli, ["transforms", "list", "cipher", "--json"]).output)
    assert {row["name"] for row in rows} == set(transform.names("cipher"))
    tried = run(cli, ["transforms", "try", "rot13", "Good morning"])
    assert "user: Tbbq zbeavat" in tried.output
    refused = run(cli, ["transforms", "try", "caesar", "Grüße", "--language", "de"])
    assert refused.exit_code == 1
    assert "not applicable, no prompt for this cipher in de" in refused.output


def test_trying_nothing_or_a_wrong_language_is_an_error() -> None:
    (slang,) = transform.find("slang")
    with pytest.raises(BadInput, match="empty"):
        transform.of_text(slang, " ")
    with pytest.raises(BadInput, match="BCP-47"):
        transform.of_text(slang, "Hello", "english")
