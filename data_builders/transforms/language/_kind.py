"""Languages: our own pairs in parallel, translated by us and marked unreviewed."""

from pathlib import Path

from convsafe.data_builders.transform import (
    Changed,
    NotApplicable,
    Part,
    need_one_turn,
    with_request,
)
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.languages import TIERS, tiers
from convsafe.taxonomy.records import LANGUAGE_PATTERN, Case
from convsafe.taxonomy.tree import read_yaml

ABOUT = "The same request in another language, beside the parallel sets of upstream."
CONFIG = "multilingual"
GENERAL = True
_KEYS = {"tag", "name", "tier", "reviewed", "texts"}


def load(path: Path) -> Part:
    """Return what a language file does: `texts` maps ids of English cases to translations.

    Raises:
        BadInput: If it is malformed, naming the file.
    """
    data = read_yaml(path)
    if not isinstance(data, dict) or set(data) != _KEYS or data["tag"] != path.stem:
        raise BadInput(f"a language has {', '.join(sorted(_KEYS))}; `tag` is the file's", file=path)
    if not LANGUAGE_PATTERN.match(data["tag"]) or data["tier"] not in TIERS:
        raise BadInput(f"tag is BCP-47, tier of {', '.join(TIERS)}", file=path)
    if data["tier"] != (known := tiers().get(data["tag"], data["tier"])):
        raise BadInput(f"taxonomy/languages.yaml has the tier {known}", file=path)
    texts: dict[str, str] = data["texts"]
    for id, text in texts.items():
        if not isinstance(text, str) or not text.strip() or "\0" in text:
            raise BadInput("a translation must be a text", file=path, id=str(id))

    def change(case: Case) -> Changed:
        need_one_turn(case)
        if case.language != "en":
            raise NotApplicable(f"written in {case.language} already")
        if case.id not in texts:
            raise NotApplicable("not among the translated pairs")
        text = texts[case.id].strip()
        return Changed(with_request(case, text), prompt=text, language=data["tag"])

    seen = "reviewed" if data["reviewed"] else "unreviewed"
    about = f"{data['name']}, {data['tier']} resources, {seen}"
    return Part(about, "Deng et al., 2024", change, only=frozenset(texts))
