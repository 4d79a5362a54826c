"""Gather the labelled replies that the embedded judge is fitted on: sets of others, and our own."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convsafe.benchmark.judges import rules
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.tree import read_yaml

if TYPE_CHECKING:
    import polars as pl

REPLIES = Path(__file__).parent / "replies"
NOISE = Path(__file__).parent / "noise.yaml"
# Of a hundred replies, how many are fitted on with each kind of noise too; and from how many
# characters on help is help that a sentence cannot take back.
NOISED = {"aside": 50, "disowns": 45, "agrees": 30, "alone": 15}
LONG = 80
STANCES = ("refusal", "partial", "compliance")
# One prompt in THIRD of every set of others is kept from fitting, to measure on.
THIRD = 3


class Weighing(NamedTuple):
    """How much a set counts in fitting, for refusal, harm and toxicity, and why not more."""

    refused: float
    unsafe: float
    toxic: float
    why: str

    @property
    def counts(self) -> bool:
        """Whether anything is fitted on the set."""
        return any((self.refused, self.unsafe, self.toxic))


SETS = {
    "xstest": Weighing(3.0, 0.0, 0.0, "adjudicated; no labels of harm"),
    "chatgpt_refusals": Weighing(
        1.5, 0.0, 0.0, "one model of 2023; a redirection is often an answer after a disclaimer"
    ),
    "openai_rbr_gold": Weighing(1.5, 0.3, 0.0, "made replies; 40 harmful ones"),
    "latent_jailbreak_p1": Weighing(
        0.0, 0.3, 0.0, "32 prompts; a reply that did not follow may be no refusal"
    ),
    "diasafety": Weighing(0.5, 0.3, 0.0, "chit-chat, taken not to refuse; what harms is mild"),
    "dialogue_safety_mh_zh": Weighing(
        0.5, 0.3, 0.0, "counselling, taken not to refuse; 20 harmful replies"
    ),
    "safetext": Weighing(0.5, 0.3, 0.0, "advice in a few words, taken not to refuse"),
    "openai_moderation_1680": Weighing(0.0, 0.3, 1.0, "texts that answer nothing"),
    "cold_test": Weighing(0.0, 0.0, 0.1, "comments that answer nothing"),
    **dict.fromkeys(
        (
            "own_chatter",
            "own_chatter_languages",
            "own_chinese_chatter",
            "own_companions",
            "own_quick",
            "own_smalltalk",
        ),
        Weighing(0.5, 1.0, 0.0, "ours: chit-chat and quick advice, little of it a refusal"),
    ),
}
OWN = Weighing(1.0, 1.0, 0.0, "ours")
# Texts by themselves: their request is empty.
ALONE = ("openai_moderation_1680", "cold_test")
# Of what people said or wrote nobody said whether it refuses, which it hardly ever does: a reply in
# which no phrase of refusal is found is taken not to.
TALK = ("diasafety", "dialogue_safety_mh_zh", "safetext")
# Every second entry of this set is kept, as others were read while phrase lists were written.
HALF_KEPT = "own_natural_languages"


def weighing(source: str) -> Weighing:
    """Return how much a set counts; one of ours that is not listed counts fully."""
    return SETS.get(source, OWN)


def own_replies() -> pl.DataFrame:
    """Return our own labelled replies: id, source, language, style, prompt, response, stance.

    `source` is the set that the file names, `harmful` says whether giving what was asked would be
    harmful, `unsafe` whether the reply (a harmless stand-in) does harm.

    Raises:
        BadInput: On an entry that lacks a value, naming file and entry.
    """
    import polars as pl

    rows = [row for path in sorted(REPLIES.glob("*.yaml")) for row in _entries(path)]
    return pl.DataFrame(rows)


def _entries(path: Path) -> list[dict[str, Any]]:
    whole = read_yaml(path)
    heads = ("language", "set")
    if (
        not isinstance(whole, dict)
        or not all(isinstance(whole.get(key), str) for key in heads)
        or not isinstance(whole.get("entries"), list)
    ):
        raise BadInput("a file of replies has `language`, `set` and `entries`", file=path)
    language, named = whole["language"], whole["set"]
    return [
        _row(path, language, named, number, entry)
        for number, entry in enumerate(whole["entries"], 1)
    ]


def _row(
    path: Path, language: str, named: str, number: int, entry: dict[str, Any]
) -> dict[str, Any]:
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
        "source": named,
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
        "kept": named == HALF_KEPT and number % 2 == 0,
    }


def fitting_rows(labels: Path) -> pl.DataFrame:
    """Return every row that may be fitted on.

    Args:
        labels: The Parquet that `convsafe labels` wrote.

    Returns:
        id, source, cluster, model, language, prompt, response, stance, native, harmful; `refused`,
        `partial` (of those that refuse), `unsafe` and `toxic` (1, 0, or null where nobody said);
        in TALK `refused` is 0 where it is taken to be, with no stance;
        `kept`, whether the row is kept from fitting; `noised`, whether text that changes nothing
        was put beside the reply. Sorted by source and id.

    Raises:
        BadInput: If there is no such file, or none of the sets is in it.
    """
    import polars as pl

    if not labels.exists():
        raise BadInput("no labels here; make them: convsafe labels --out DIR", file=labels)
    columns = ["id", "source", "cluster", "model", "language", "prompt", "response", "stance"]
    columns += ["unsafe", "native"]
    others = pl.read_parquet(labels, columns=columns)
    known = [name for name in SETS if not name.startswith("own_")]
    alone = pl.when(pl.col("source").is_in(list(ALONE))).then(pl.lit(""))
    others = others.with_columns(prompt=pl.coalesce("prompt", alone)).filter(
        pl.col("source").is_in(known),
        pl.col("response").is_not_null() & pl.col("prompt").is_not_null(),
    )
    if others.is_empty():
        raise BadInput(f"none of {', '.join(known)} is here", file=labels)
    others = others.with_columns(kept=kept(), harmful=pl.lit(None, pl.Boolean))
    ours = own_replies().select(*columns, "kept", "harmful")
    rows = pl.concat([others, ours], how="vertical_relaxed")
    unsafe, stance = pl.col("unsafe").cast(pl.Int8), pl.col("stance")
    told = rows.with_columns(
        refused=pl.when(_stances()).then(stance != "compliance").cast(pl.Int8),
        partial=pl.when(_stances() & (stance != "compliance")).then(stance == "partial"),
        unsafe=unsafe,
        toxic=pl.when(pl.col("source").is_in(list(ALONE))).then(unsafe),
    ).with_columns(pl.col("partial").cast(pl.Int8), noised=False)
    told = _supposed(told)
    return pl.concat([told, *_noised(told)]).sort("source", "id")


def _supposed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `refused` 0 for talk in which no phrase of refusal is found."""
    import polars as pl

    talk = rows["source"].is_in(list(TALK))
    found = rules.judge(rows.filter(talk).select("prompt", "response"))["stance"]
    helps = pl.select(pl.when(found == "compliance").then(pl.lit(0, pl.Int8))).to_series()
    return rows.with_columns(rows["refused"].scatter(talk.arg_true(), helps))


def _noised(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield some of the rows that are fitted on once more, with text that changes no label."""
    import polars as pl

    noise, stance = read_yaml(NOISE), pl.col("stance")
    free = rows.filter(~pl.col("kept") & stance.is_in(list(STANCES)))
    helped = (stance == "compliance") & (pl.col("response").str.len_chars() >= LONG)
    refused = stance == "refusal"
    of_kind = {"aside": pl.lit(True), "disowns": helped, "agrees": refused, "alone": refused}
    for kind, share in NOISED.items():
        digest = _digest(kind)
        some = free.filter(of_kind[kind] & (digest % 100 < share))
        texts = pl.Series(noise[kind])
        pick = pl.lit(texts).gather((digest // 100) % len(texts))
        front, both = (digest // 10_000) % 2 == 0, (digest // 20_000) % 5 == 0
        before = pl.when(front | both).then(pl.format("{}\n\n", pick)).otherwise(pl.lit(""))
        after = pl.when(~front | both).then(pl.format("\n\n{}", pick)).otherwise(pl.lit(""))
        beside = pl.concat_str(before, "response", after)
        yield some.with_columns(
            id=pl.format("{}~{}", "id", pl.lit(kind)),
            response=pick if kind == "alone" else beside,
            noised=True,
        )


def _digest(kind: str) -> pl.Expr:
    """Return a number for each row that is the same wherever it is told."""
    import polars as pl

    return pl.col("id").map_elements(
        lambda name: int(sha256(f"{kind}{name}".encode()).hexdigest()[:12], 16),
        return_dtype=pl.Int64,
    )


def _stances() -> pl.Expr:
    """Tell rows whose stance means what ours does."""
    import polars as pl

    followed = pl.col("source") == "latent_jailbreak_p1"
    return pl.col("stance").is_in(list(STANCES)) & ~followed


def kept() -> pl.Expr:
    """Tell a third of the prompts, by the hash that names their cluster: what is not fitted on."""
    import polars as pl

    last = pl.col("cluster").str.slice(-6).str.to_integer(base=16)
    return last % THIRD == 0
