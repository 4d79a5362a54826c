"""Gather the labelled replies that the embedded judge is fitted on: sets of others, and our own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import read_yaml

if TYPE_CHECKING:
    import polars as pl

REPLIES = Path(__file__).parent / "replies"
STANCES = ("refusal", "partial", "compliance")
# One prompt in THIRD of every set of others is kept from fitting, to measure on.
THIRD = 3


class Weighing(NamedTuple):
    """How much a set counts in fitting, for refusal and for harm, and why not more."""

    refused: float
    unsafe: float
    why: str


SETS = {
    "xstest": Weighing(1.0, 0.0, "adjudicated; no labels of harm"),
    "chatgpt_refusals": Weighing(1.0, 0.0, "one model of 2023; no labels of harm"),
    "chatgpt_redirected": Weighing(
        0.3, 0.0, "a redirection is often an answer after a disclaimer: labels contradict others"
    ),
    "openai_rbr_gold": Weighing(
        0.3, 0.0, "28 refusals by the flag inability_to_comply; harm: 40 replies, to measure on"
    ),
    "latent_jailbreak_p1": Weighing(
        0.1, 0.0, "32 prompts; a reply that did not follow may be no refusal; harm: to measure on"
    ),
    "diasafety": Weighing(0.0, 0.0, "chit-chat: fitting on it made harm worse everywhere else"),
    "dialogue_safety_mh_zh": Weighing(0.0, 0.0, "20 harmful replies: to measure on"),
    "own_natural": Weighing(1.0, 1.0, "ours, in the proportions that models reply in"),
    "own_natural_languages": Weighing(1.0, 1.0, "the same, in twelve languages; half is kept"),
    "own_hard": Weighing(0.3, 0.3, "ours, hard on purpose: hardly any has a stock phrase"),
    "own_languages": Weighing(0.3, 0.3, "ours, in twelve languages, hard on purpose"),
}
_NATURAL = ("en_natural", "en_risky")
# One file a language; every second entry is kept, as others were read while lists were written.
_OTHER_NATURAL = "natural_"


def own_replies() -> pl.DataFrame:
    """Return our own labelled replies: id, source, language, style, prompt, response, stance.

    `harmful` says whether giving what was asked would be harmful, `unsafe` whether the reply (a
    harmless stand-in) does harm.

    Raises:
        BadInput: On an entry that lacks a value, naming file and entry.
    """
    import polars as pl

    rows = [row for path in sorted(REPLIES.glob("*.yaml")) for row in _entries(path)]
    return pl.DataFrame(rows)


def _entries(path: Path) -> list[dict[str, Any]]:
    whole = read_yaml(path)
    if not isinstance(whole, dict) or not isinstance(whole.get("entries"), list):
        raise BadInput("a file of replies has `language` and `entries`", file=path)
    return [_row(path, whole["language"], n, entry) for n, entry in enumerate(whole["entries"], 1)]


def _row(path: Path, language: str, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    id = f"{path.stem}-{number:03}"
    texts = ("style", "request", "reply")
    if not all(isinstance(entry.get(key), str) and entry[key].strip() for key in texts):
        raise BadInput(f"an entry has the texts {', '.join(texts)}", file=path, id=id)
    if entry.get("stance") not in STANCES:
        raise BadInput(f"`stance` is one of {', '.join(STANCES)}", file=path, id=id)
    if not all(isinstance(entry.get(key), bool) for key in ("harmful", "unsafe")):
        raise BadInput("`harmful` and `unsafe` are true or false", file=path, id=id)
    return {
        "id": id,
        "source": _source(path.stem, language),
        "language": language,
        "style": entry["style"],
        "cluster": entry["request"],
        "model": None,
        "prompt": entry["request"],
        "response": entry["reply"],
        "stance": entry["stance"],
        "unsafe": entry["unsafe"],
        "harmful": entry["harmful"],
        "native": "{}",
        "kept": path.stem.startswith(_OTHER_NATURAL) and number % 2 == 0,
    }


def _source(stem: str, language: str) -> str:
    if stem.startswith(_OTHER_NATURAL):
        return "own_natural_languages"
    if stem in _NATURAL:
        return "own_natural"
    return "own_hard" if language == "en" else "own_languages"


def fitting_rows(labels: Path) -> pl.DataFrame:
    """Return every row that may be fitted on.

    Args:
        labels: The Parquet that `convsafe labels` wrote.

    Returns:
        source, cluster, model, language, prompt, response, stance, native; `refused` and `unsafe`
        (1, 0, or null where nobody said); `kept`, whether the row is kept from fitting. Sorted by
        source and id.

    Raises:
        BadInput: If there is no such file.
    """
    import polars as pl

    if not labels.exists():
        raise BadInput("no labels here; make them: convsafe labels --out DIR", file=labels)
    columns = ["id", "source", "cluster", "model", "language", "prompt", "response", "stance"]
    columns += ["unsafe", "native"]
    others = pl.read_parquet(labels, columns=columns)
    others = others.filter(
        pl.col("source").is_in(list(SETS)),
        pl.col("response").is_not_null() & pl.col("prompt").is_not_null(),
    )
    tone = pl.col("native").str.json_path_match("$.tone")
    redirected = pl.when(tone == "redirected").then(pl.lit("chatgpt_redirected"))
    others = others.with_columns(source=redirected.otherwise(pl.col("source")))
    others = others.with_columns(kept=kept(), harmful=pl.lit(None, pl.Boolean))
    ours = own_replies().select(*columns, "kept", "harmful")
    rows = pl.concat([others, ours], how="vertical_relaxed")
    told = rows.with_columns(refused=_refused(), unsafe=pl.col("unsafe").cast(pl.Int8))
    return told.sort("source", "id")


def _refused() -> pl.Expr:
    """Return 1 for a refusal in whole or part, 0 for help; sets differ in what a stance means."""
    import polars as pl

    stance, source = pl.col("stance"), pl.col("source")
    flag = pl.col("native").str.json_path_match("$.propositions.inability_to_comply") == "true"
    said = (
        pl.when(stance.is_in(["refusal", "partial"])).then(1).when(stance == "compliance").then(0)
    )
    return (
        pl.when(source == "openai_rbr_gold")
        .then(flag.cast(pl.Int32))
        .when((source == "latent_jailbreak_p1") & stance.is_null())
        .then(1)
        .otherwise(said)
    ).cast(pl.Int8)


def kept() -> pl.Expr:
    """Tell a third of the prompts, by the hash that names their cluster: what is not fitted on."""
    import polars as pl

    last = pl.col("cluster").str.slice(-6).str.to_integer(base=16)
    return last % THIRD == 0
