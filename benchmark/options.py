r"""Read the option a reply chooses in a multiple choice question, by rule.

A reply names an option by its letter where it

- is the letter alone, or begins a line with it and a mark: `B`, `(b)`, `B.`, `B) lamictal`,
- holds the letter in round brackets, or in a TeX box: `(B)`, `\boxed{B}`,
- says `option B`, `choice B`, `answer is B`, `answer: B`, or the like in Chinese: `选B`, `答案是B`,
- is one option's text and nothing else.

If it names none by these, the text of one option anywhere in it counts, not after `not`; a text
within another option's text that is there too does not. None, several, or a letter the question
does not have is an invalid answer: it is wrong, and stays in n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

LABEL = "option:"
INVALID = f"{LABEL}invalid"
LETTERS = "ABCDEFGHIJ"
_CAPITAL = f"([{LETTERS}])"
_ANY = f"([{LETTERS}{LETTERS.lower()}])"
_ASIDE = r"[\s*_`\"“”']*"
_SIGNS = (
    rf"^{_ASIDE}[(\[（]?{_ASIDE}{_ANY}{_ASIDE}[)\]）.:：。]?{_ASIDE}$",
    rf"(?m)^{_ASIDE}{_CAPITAL}{_ASIDE}[).:：、．）]",
    rf"[(（]{_ASIDE}{_ANY}{_ASIDE}[)）]",
    rf"\\boxed\{{\s*(?:\\text\{{)?\s*{_ANY}\b",
    rf"(?i:\b(?:option|choice|answer|answer\s+is|answer\s+would\s+be|choose|pick))"
    rf"{_ASIDE}[:=]?{_ASIDE}\(?{_CAPITAL}\b",
    rf"(?:选项?|选择|答案(?:是|为|选)?|应?选)[\s*:：]*{_CAPITAL}",
)
_LEAD = rf"^{_ASIDE}[(（]?{_CAPITAL}{_ASIDE}[).:：、．）]"


def chosen(replies: pl.DataFrame) -> pl.DataFrame:
    """Return the option each reply chooses.

    Args:
        replies: Of multiple choice cases, at least one: id, sample, response, choices.

    Returns:
        id, sample and `option`, the label: `option:B`, or `option:invalid`.
    """
    import polars as pl

    found = replies.with_row_index("row").with_columns(
        named=_letters(replies).list.unique(),
        plain=_plain(pl.col("response")),
        rest=_plain(pl.col("response").str.replace(_LEAD, "")),
    )
    texts = _texts(found)
    return (
        found.join(texts, on="row", how="left")
        .with_columns(
            named=pl.concat_list("named", pl.col("exact").fill_null([])).list.unique(),
            size=pl.col("choices").list.len(),
        )
        .with_columns(
            named=pl.when(pl.col("named").list.len() > 0)
            .then("named")
            .otherwise(pl.col("within").fill_null([]))
        )
        .select("id", "sample", option=_label(pl.col("named"), pl.col("size")))
    )


def with_options(
    verdicts: pl.DataFrame, replies: pl.DataFrame, cases: pl.DataFrame
) -> pl.DataFrame:
    """Return verdicts with the label of the chosen option, where a case has choices.

    Args:
        verdicts: One row a reply: id, sample, labels.
        replies: The same replies as a judge sees them: id, sample, response.
        cases: The cases: id and, where there are any, choices.
    """
    import polars as pl

    if "choices" not in cases.columns:
        return verdicts
    asked = cases.filter(pl.col("choices").list.len() > 0).select("id", "choices")
    given = replies.select("id", "sample", "response").join(asked, on="id")
    if given.is_empty():
        return verdicts
    found = chosen(given)
    labels = pl.concat_list(pl.col("labels").fill_null([]), "option")
    return (
        verdicts.join(found, on=["id", "sample"], how="left", maintain_order="left")
        .with_columns(labels=pl.when(pl.col("option").is_null()).then("labels").otherwise(labels))
        .drop("option")
    )


def right_option() -> pl.Expr:
    """Tell whether a reply chose the answer; null where no option was read.

    It reads a reply's labels beside its case's choices and answer.
    """
    import polars as pl

    label = pl.col("labels").list.filter(pl.element().str.starts_with(LABEL)).list.first()
    numbers = {letter: place for place, letter in enumerate(LETTERS)}
    letter = label.str.strip_prefix(LABEL)
    place = letter.replace_strict(numbers, default=None, return_dtype=pl.Int64)
    picked = pl.col("choices").list.get(place, null_on_oob=True)
    return pl.when(label.is_not_null()).then((picked == pl.col("answer")).fill_null(False))


def beyond_chance() -> pl.Expr:
    """Return a reply's accuracy with its question's chance level taken out; null if unread."""
    import polars as pl

    chance = 1 / pl.col("choices").list.len()
    return (right_option().cast(pl.Float64) - chance) / (1 - chance)


def with_answer() -> pl.Expr:
    """Select the cases that have at least two choices and an answer."""
    import polars as pl

    return (pl.col("choices").list.len() > 1).fill_null(False) & pl.col("answer").is_not_null()


def _letters(replies: pl.DataFrame) -> pl.Series:
    """Return the letters every reply names, capital, with repetitions."""
    import polars as pl

    last = rf"[{LETTERS}{LETTERS.lower()}]"
    parts = [
        # A match may hold other letters ("answer is B"): the option's is the last one in it.
        pl.col("response")
        .fill_null("")
        .str.extract_all(sign)
        .list.eval(pl.element().str.extract(rf"(?s).*({last})").str.to_uppercase())
        for sign in _SIGNS
    ]
    return replies.select(pl.concat_list(parts)).to_series()


def _texts(found: pl.DataFrame) -> pl.DataFrame:
    """Return the options whose text is a reply's whole (`exact`) or in it (`within`), by row."""
    import polars as pl

    options = (
        found.select("row", "plain", "rest", text="choices")
        .with_columns(letter=pl.lit(list(LETTERS)).list.head(pl.col("text").list.len()))
        .explode("text", "letter")
        .with_columns(text=_plain(pl.col("text")))
    )
    inside = pl.col("plain").str.contains(pl.col("text"), literal=True)
    denied = pl.col("plain").str.contains(pl.lit(" not") + pl.col("text"), literal=True)
    exact = (pl.col("rest") == pl.col("text")) | (pl.col("plain") == pl.col("text"))
    hits = options.with_columns(exact=exact, within=inside & ~denied & (pl.col("text") != " "))
    longer = hits.filter("within").select("row", longer="text")
    covered = (
        hits.filter("within")
        .join(longer, on="row")
        .filter(
            (pl.col("longer") != pl.col("text"))
            & pl.col("longer").str.contains(pl.col("text"), literal=True)
        )
        .select("row", "letter")
        .unique()
    )
    within = hits.filter("within").join(covered, on=["row", "letter"], how="anti")
    return (
        hits.filter("exact")
        .group_by("row")
        .agg(exact="letter")
        .join(within.group_by("row").agg(within="letter"), on="row", how="full", coalesce=True)
    )


def _plain(text: pl.Expr) -> pl.Expr:
    """Return a text in small letters between single spaces; Chinese has none, so each is set off.

    So a text is found in another at the bounds of words only.
    """
    import polars as pl

    words = text.fill_null("").str.to_lowercase().str.replace_all(r"(\p{Han})", " $1 ")
    bare = words.str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ").str.strip_chars()
    return pl.lit(" ") + bare + pl.lit(" ")


def _label(named: pl.Expr, size: pl.Expr) -> pl.Expr:
    """Return the label of the one letter named, if the question has that option."""
    import polars as pl

    letter = named.list.first()
    numbers = {name: place for place, name in enumerate(LETTERS)}
    place = letter.replace_strict(numbers, default=None, return_dtype=pl.Int64)
    one = (named.list.len() == 1) & (place < size)
    return pl.when(one.fill_null(False)).then(pl.lit(LABEL) + letter).otherwise(pl.lit(INVALID))
