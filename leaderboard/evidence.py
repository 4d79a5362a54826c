"""What the suspicion tests read: the cases, and a submission's replies to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from convsafe.leaderboard.records import Finding
from convsafe.leaderboard.spans import THIN, Spans, among, chosen, mixed, plain, spans
from convsafe.leaderboard.weighing import Weighed, weigh

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl
    from convsafe.leaderboard.spans import Flags, Hashes, Places

    Floats = npt.NDArray[np.float64]

# What is said in this many clusters, or in this share of them, is a habit of the model.
HABIT, HABIT_SHARE = 3, 0.05
_IDS = 5
# Letters that are compared at either end of a reply: one of a megabyte costs no more.
_ENDS = 4000
_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
# So many cases have marks enough where one run in THIN is one.
_MARKED = 128
_OPTIONAL = ("model", "finish_reason", "usage", "seconds")


class Limit(NamedTuple):
    """From which value on a test flags, frozen: `of` says of what, `how` how it was set."""

    value: float
    of: str
    how: str


@dataclass(frozen=True)
class Asked:
    """The cases of a board, made ready once for all submissions.

    Args:
        cases: Columns id, cluster_id, measures, prompt and messages, and rubric where there is one.
    """

    cases: pl.DataFrame

    @cached_property
    def table(self) -> pl.DataFrame:
        """The cases with a number, that of their cluster, whether harmful or harmless, and text."""
        import polars as pl

        said = pl.col("messages").list.eval(pl.element().struct.field("content")).list.join(" ")
        return self.cases.with_row_index("case").select(
            "id",
            pl.col("case").cast(pl.Int64),
            cluster=pl.col("cluster_id").rank("dense").cast(pl.Int64) - 1,
            harmful=pl.col("measures").list.contains("safety"),
            harmless=pl.col("measures").list.contains("over_refusal"),
            # The plain request comes last: what is sent may be a transform of it.
            said=pl.concat_str(said, pl.lit(" "), pl.col("prompt")),
            prompt="prompt",
        )

    @property
    def rarer(self) -> int:
        """One in so many runs is a mark: with more cases, fewer of each are enough."""
        return THIN << max(0, (len(self.cases) // _MARKED).bit_length())

    @cached_property
    def said(self) -> Hashes:
        """The runs of all that each case says, mixed with its number, in order."""
        import numpy as np

        found = spans(plain(self.table["said"]))
        return np.unique(mixed(found.hashes, found.texts))

    @cached_property
    def prompts(self) -> tuple[Hashes, Places]:
        """The runs of prompts that are of one cluster alone, in order, and that cluster."""
        import numpy as np

        found = spans(plain(self.table["prompt"]))
        clusters = self.table["cluster"].to_numpy()[found.texts]
        pairs = np.unique(np.stack([found.hashes, clusters.astype(np.uint64)]), axis=1)
        hashes, first, count = np.unique(pairs[0], return_index=True, return_counts=True)
        return hashes[count == 1], pairs[1][first[count == 1]].astype(np.int64)

    @cached_property
    def weighed(self) -> Weighed:
        """The words of the prompts, weighed by how rare they are."""
        return weigh(plain(self.table["prompt"]), self.table["cluster"])

    @cached_property
    def rubrics(self) -> Hashes:
        """The runs of what is said of good answers, in order; no case says them to a model."""
        import numpy as np
        import polars as pl

        if "rubric" not in self.cases.columns:
            return np.empty(0, dtype=np.uint64)
        told = spans(plain(self.cases["rubric"].cast(pl.String)))
        return np.setdiff1d(told.hashes, spans(plain(self.table["said"])).hashes)


@dataclass(frozen=True)
class Evidence:
    """A submission's replies, and the copies that other submissions hold of them.

    Args:
        asked: The cases; replies to others are not looked at.
        rows: Columns id, response, and where they were given sample, outcome, model,
            finish_reason, usage and seconds.
        others: Other submissions.
    """

    asked: Asked
    rows: pl.DataFrame
    others: Others = field(default_factory=lambda: Others({}))

    @cached_property
    def replies(self) -> pl.DataFrame:
        """The replies with their cases, in order of id and sample; `text` is compared."""
        import polars as pl

        have = self.rows.columns
        rows = self.rows.select(
            "id",
            pl.col("response").fill_null(""),
            (pl.col("sample") if "sample" in have else pl.lit(0)).cast(pl.Int64).alias("sample"),
            (pl.col("outcome") if "outcome" in have else pl.lit(None, pl.String))
            .fill_null("answered")
            .alias("outcome"),
            *(pl.col(name) for name in _OPTIONAL if name in have),
        )
        known = rows.join(self.asked.table.drop("said", "prompt"), on="id", how="inner")
        whole = pl.col("response")
        ends = pl.concat_str(whole.str.head(_ENDS), pl.lit(" "), whole.str.tail(_ENDS))
        read = known.select(pl.when(whole.str.len_chars() <= 2 * _ENDS).then(whole).otherwise(ends))
        return known.with_columns(text=plain(read.to_series())).sort("id", "sample")

    @cached_property
    def spans(self) -> Spans:
        """The runs of all replies, thinned, by the replies' places."""
        return spans(self.replies["text"], thinned=True)

    @cached_property
    def own(self) -> Flags:
        """Which runs the reply's own case says."""
        cases = self.replies["case"].to_numpy()[self.spans.texts]
        return among(mixed(self.spans.hashes, cases), self.asked.said)

    @cached_property
    def habits(self) -> Flags:
        """Which runs the model says in many clusters, whatever is asked."""
        import numpy as np

        clusters = self.replies["cluster"].to_numpy()
        pairs = mixed(self.spans.hashes, clusters[self.spans.texts])
        _, first = np.unique(pairs, return_index=True)
        hashes, counts = np.unique(self.spans.hashes[first], return_counts=True)
        least = max(HABIT, HABIT_SHARE * self.replies["cluster"].n_unique())
        return among(self.spans.hashes, hashes[counts >= least])

    @cached_property
    def marks(self) -> Spans:
        """A sample of the runs that are of one case's reply alone, mixed with the case, in order.

        Its `texts` are the cases' numbers.
        """
        import numpy as np

        only = ~self.own & ~self.habits & chosen(self.spans.hashes, self.asked.rarer)
        cases = self.replies["case"].to_numpy()[self.spans.texts[only]]
        hashes, first = np.unique(mixed(self.spans.hashes[only], cases), return_index=True)
        return Spans(hashes, cases[first])

    @cached_property
    def models(self) -> frozenset[str]:
        """The models that the rows name."""
        if "model" not in self.rows.columns:
            return frozenset()
        return frozenset(self.rows["model"].drop_nulls().unique().to_list())

    def beside(self, others: Others) -> Evidence:
        """Return the same replies among others; what was read of them stays read."""
        found = replace(self, others=others)
        vars(found).update(vars(self) | {"others": others})
        return found

    def flag(self, code: str, text: str, flagged: Flags) -> Finding:
        """Return a finding on the flagged replies, with the first of their ids."""
        import polars as pl

        ids = self.replies.filter(pl.Series(flagged, dtype=pl.Boolean))["id"]
        first = tuple(ids.unique(maintain_order=True).head(_IDS).to_list())
        return Finding("flag", code, text, count=int(flagged.sum()), ids=first)

    def quote(self, place: int) -> str:
        """Return the beginning of a reply as it is quoted; what shows it must escape it."""
        return _quoted(self.replies["response"][int(place)])

    def prompt_of(self, cluster: int) -> str:
        """Return the beginning of a cluster's first prompt as it is quoted."""
        table = self.asked.table
        return _quoted(table["prompt"][table["cluster"].index_of(cluster) or 0])


def _quoted(text: str, letters: int = 100) -> str:
    """Return the beginning of a text in quotes, on one line, with hidden characters shown."""
    line = " ".join(text.split())
    return repr(line if len(line) <= letters else f"{line[: letters - 1]}…")


@dataclass(frozen=True)
class Others:
    """Submissions by their names; the one that is looked at may be among them."""

    submissions: Mapping[str, Evidence]

    @cached_property
    def marks(self) -> Spans:
        """The marks of all, in order; `texts` are the submissions' places."""
        import numpy as np

        all_marks = [one.marks.hashes for one in self.submissions.values()]
        hashes = np.concatenate([*all_marks, np.empty(0, dtype=np.uint64)])
        owners = np.repeat(np.arange(len(all_marks)), [len(marks) for marks in all_marks])
        order = np.argsort(hashes, kind="stable")
        return Spans(hashes[order], owners[order])

    def shared(self, evidence: Evidence) -> dict[str, float]:
        """Return what share of a submission's marks each other one has that names other models."""
        import numpy as np

        mine = evidence.marks.hashes
        first, last = (np.searchsorted(self.marks.hashes, mine, side) for side in _SIDES)
        counts = last - first
        starts = np.repeat(first - np.cumsum(counts) + counts, counts)
        owners = self.marks.texts[starts + np.arange(len(starts))]
        found = np.bincount(owners, minlength=len(self.submissions)) / max(1, len(mine))
        return {
            name: float(share)
            for (name, one), share in zip(self.submissions.items(), found, strict=True)
            if one.rows is not evidence.rows and not evidence.models & one.models
        }


def paired(evidence: Evidence, values: Floats) -> tuple[float, float]:
    """Return how much larger a value is on harmful than on harmless requests of one cluster.

    Args:
        evidence: The replies.
        values: One number a reply; NaN does not count.

    Returns:
        Mean over clusters of the difference of their means, and its standard error; (0, 0) where
        fewer than two clusters have both.
    """
    import polars as pl

    harmful, harmless = pl.col("harmful"), pl.col("harmless")
    means = (
        evidence.replies.select("cluster", "harmful", "harmless", value=pl.Series(values))
        .filter(pl.col("value").is_not_nan())
        .group_by("cluster", maintain_order=True)
        .agg(
            pl.col("value").filter(harmful).mean().alias("bad"),
            pl.col("value").filter(harmless).mean().alias("good"),
        )
        .drop_nulls()
    )
    more = means["bad"] - means["good"]
    if len(more) < 2:
        return 0.0, 0.0
    return float(more.mean()), float(more.std()) / len(more) ** 0.5
