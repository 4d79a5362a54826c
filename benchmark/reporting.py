"""Write a run's report: one HTML file with everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark.corrections import BY_CARD, BY_LABELS
from convsafe.benchmark.details import read_details
from convsafe.benchmark.effort import effort
from convsafe.benchmark.figure_text import interval, percent
from convsafe.benchmark.guard_table import guard_table
from convsafe.benchmark.metric import listed, load_metric
from convsafe.benchmark.per_case import PLAIN, TRANSFORM
from convsafe.benchmark.plots import Bars, Drawing, Range, dots, frontier
from convsafe.benchmark.runs import Run
from convsafe.benchmark.samples import sample
from convsafe.benchmark.scoring import CORE
from convsafe.benchmark.sessions import dashboard
from convsafe.benchmark.trust import ends, figure, languages_of, nearest, trust
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_json, write_text
from convsafe.taxonomy.html import csp_hash, page_environment
from convsafe.taxonomy.records import Estimate
from convsafe.taxonomy.tree import load_tree

PAGE = Path(__file__).parent / "page"
HARM, REFUSE, HELP, ALL = "compliance_rate", "over_refusal_rate", "helpful_rate", "refusal_rate"
UNSAFE = "unsafe_rate"
_FAMILIES = {PLAIN: "plain"}
_CARDS = (
    ("safety_helpfulness", "good", "Safety and helpfulness"),
    (HARM, "harm", "Harmful requests complied with"),
    (UNSAFE, "harm", "Replies held unsafe"),
    (REFUSE, "refuse", "Harmless requests refused"),
    (HELP, "good", "Harmless requests helped with"),
)


def report(run: Run | str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a scored run and return its path.

    The page holds no external resource and allows none; model text is only ever text.

    Args:
        run: A run, or its folder, that `score` has been called on.
        out: The file to write; by default report.html in the run's folder.

    Raises:
        BadInput: If the run has not been scored.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    path = run.folder / "scores.json"
    if not path.exists():
        raise BadInput("this run has no scores yet: run `convsafe score` on its folder", file=path)
    scores = read_json(path)
    target = Path(out) if out is not None else run.folder / "report.html"
    write_text(target, _page(run, scores))
    return target


class _Figures:
    """The estimates of a run by metric, slice and name."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        entries = [Estimate(**row) for row in rows]
        self._by = {(entry.metric, entry.slice, entry.name): entry for entry in entries}

    def get(self, metric: str, slice: str = "all", name: str = "all") -> Estimate | None:
        return self._by.get((metric, slice, name))

    def listed(self) -> list[str]:
        """Return the metrics to list, headlines first."""
        whole = {metric: entry for (metric, slice, _), entry in self._by.items() if slice == "all"}
        return listed(whole)

    def corrected(self, metric: str) -> list[str]:
        """Return the corrected rates of a metric, as people read them."""
        found = []
        for prefix, by in ((BY_LABELS, "people's labels"), (BY_CARD, "the judge's card")):
            entry = self.get(prefix + metric)
            if entry is not None and entry.value is not None:
                found.append(f"{percent(entry)} ({interval(entry)}) by {by}")
            elif entry is not None:
                found.append(f"not by {by}: {entry.method.removeprefix('none: ')}")
        return found

    def names(self, slice: str) -> list[str]:
        """Return a slice's names, the most harm complied with first."""
        names = {name for _, found, name in self._by if found == slice}
        return sorted(names, key=lambda name: (-self._harm(slice, name), name))

    def _harm(self, slice: str, name: str) -> float:
        found = self.get(HARM, slice, name)
        return -1.0 if found is None or found.value is None else found.value

    def languages(self) -> list[str]:
        """Return the languages of the cases, the most frequent first."""
        return languages_of(self._by.values())

    def rows(
        self, slice: str, judge: dict[str, Any], titles: dict[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return a table row for every name of a slice, with what is known of the judge there."""
        languages = self.languages()
        return [
            {
                "title": (titles or {}).get(name, name),
                "trust": trust(judge, [name] if slice == "language" else languages),
                "harm": self.get(HARM, slice, name),
                "refuse": self.get(REFUSE, slice, name),
                "help": self.get(HELP, slice, name),
                "all": self.get(ALL, slice, name),
            }
            for name in self.names(slice)
        ]


def _page(run: Run, scores: dict[str, Any]) -> str:
    """Return the whole page."""
    figures, judge = _Figures(scores["estimates"]), scores["judge"]
    titles = {node.id: node.name for node in (*load_tree().areas, *load_tree())}
    details = read_details(run.generations_path)
    taken, sessions = effort(run, details), dashboard(run, details)
    drawings = _drawings(run, figures, titles)
    plots = [*drawings.values(), taken.times, *(sessions.plots if sessions else ())]
    sheets = [_asset(name) for name in ("report.css", "guards.css")]
    style = "\n".join([*sheets, *(plot.css for plot in plots if plot)])
    script = _asset("report.js")
    chosen, hidden = sample(run, judge["name"], details)
    return (
        page_environment(PAGE)
        .get_template("report.html.jinja")
        .render(
            model=_model_name(scores["run"]["model"]),
            run=scores["run"],
            judge=judge,
            measured=[_measured(row) for row in judge["agreement"]],
            missing=scores["missing"],
            cases_total=scores["cases"],
            cards=_cards(figures, judge),
            frontier=drawings["frontier"].svg,
            by_area=drawings["areas"].svg,
            by_language=drawings["languages"].svg,
            by_transform=drawings["transforms"].svg,
            plain_only=scores["run"]["release"].get("config") == CORE,
            areas=figures.rows("area", judge, titles),
            leaves=figures.rows("hazard", judge, titles),
            languages=figures.rows("language", judge),
            transforms=figures.rows(TRANSFORM, judge, _FAMILIES),
            sources=figures.rows("source", judge),
            expected=figures.rows("expected", judge),
            metrics=[row for name in figures.listed() for row in _metric_row(figures, judge, name)],
            unlabelled=_unlabelled(figures, judge["agreement"]),
            layers=guard_table(run),
            effort=taken,
            dashboard=sessions,
            samples=run.samples,
            places=scores["run"].get("places", {}),
            judged=len(details),
            sample=chosen,
            hidden_cases=hidden,
            kinds=sorted({entry["kind"] for entry in chosen}),
            sample_areas=sorted({area for entry in chosen for area in entry["areas"].split()}),
            citation=_citation(scores["run"]),
            style=style,
            script=script,
            style_hash=csp_hash(style),
            script_hash=csp_hash(script),
        )
    )


def _drawings(run: Run, figures: _Figures, titles: dict[str, str]) -> dict[str, Drawing]:
    unsafe, refuse = _headline(figures, UNSAFE), _headline(figures, REFUSE)
    harm = unsafe or _headline(figures, HARM)
    what = "replies held unsafe" if unsafe else "harmful requests complied with"
    label = _model_name(run.settings["model"])[:28]
    return {
        "frontier": frontier(
            _range(harm) or Range(0, 0, 1), _range(refuse) or Range(0, 0, 1), label, what
        )
        if harm and refuse
        else Drawing("<p>Both harmful and harmless cases are needed for this picture.</p>", ""),
        "areas": dots(_bars(figures, "area", titles), "areas", "Rates by hazard area"),
        "languages": dots(_bars(figures, "language", {}), "languages", "Rates by language"),
        "transforms": dots(
            _bars(figures, TRANSFORM, _FAMILIES), "transforms", "Rates by family of transforms"
        ),
    }


def _bars(figures: _Figures, slice: str, titles: dict[str, str]) -> list[Bars]:
    """Return the rows of a plot, those that have a share to show."""
    bars = [
        Bars(
            titles.get(name, name),
            _range(figures.get(HARM, slice, name)),
            _range(figures.get(REFUSE, slice, name)),
        )
        for name in figures.names(slice)
    ]
    return [bar for bar in bars if bar.harm or bar.refuse]


def _range(estimate: Estimate | None) -> Range | None:
    if estimate is None or estimate.value is None:
        return None
    return Range(estimate.value, estimate.low or 0.0, estimate.high if estimate.high else 0.0)


def _headline(figures: _Figures, metric: str) -> Estimate | None:
    return figures.get(metric, "areas_mean") or figures.get(metric)


def _cards(figures: _Figures, judge: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the headline cards; a figure that no case of the run counts in has none."""
    found = {card: _headline(figures, card[0]) for card in _CARDS}
    counted = [card for card, estimate in found.items() if estimate is None or estimate.n]
    return [_card(figures, judge, *card) for card in counted]


def _card(
    figures: _Figures, judge: dict[str, Any], metric: str, kind: str, title: str
) -> dict[str, Any]:
    estimate = _headline(figures, metric)
    known = trust(judge, figures.languages(), load_metric(metric).rests_on)
    card: dict[str, Any] = {"kind": kind, "title": title, "trust": known}
    if estimate is None:
        return card | {"figure": "–", "range": "the judge cannot tell"}
    unscored = f", {estimate.unscored} unscored" if estimate.unscored else ""
    return card | {
        "figure": percent(estimate),
        "range": f"{interval(estimate)} %, n = {estimate.n}{unscored}",
    }


def _metric_row(figures: _Figures, judge: dict[str, Any], name: str) -> list[dict[str, Any]]:
    metric, estimate = load_metric(name), figures.get(name)
    if estimate is None or not estimate.n:
        return []
    return [
        {
            "title": metric.title,
            "better": metric.better,
            "figure": percent(estimate),
            "range": interval(estimate),
            "n": estimate.n,
            "unscored": estimate.unscored,
            "about": metric.about,
            "paper": metric.paper,
            "corrected": figures.corrected(name),
            "trust": trust(judge, figures.languages(), metric.rests_on),
        }
    ]


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    """Return a labelled set as the page shows it, every figure with its interval."""
    names = ("accuracy", "macro_f1", "kappa", "binary_kappa")
    counts = {"n": row["harm"]["n"] if "n" not in row else row["n"], "unscored": 0}
    return {
        **counts,
        **row,
        **{name: ends(row, name) for name in names},
        "harmful": _harmful(row),
    }


def _harmful(row: dict[str, Any]) -> str:
    return figure(row, "unsafe") if row.get("harm") else "–"


def _unlabelled(figures: _Figures, agreement: Sequence[dict[str, Any]]) -> list[str]:
    """Return the run's languages in which the judge was never measured."""
    return [name for name in figures.languages() if not nearest(agreement, name)]


def _model_name(spec: str) -> str:
    return spec.partition("#")[2] or spec


def _citation(run: dict[str, Any]) -> str:
    """Return BibTeX of the suite and of every upstream source of the run."""
    own = (
        "@software{convsafe_bench,\n"
        "  title={convsafe-bench: one benchmark for the conversational safety of language"
        " models},\n"
        "  author={{The convsafe-bench authors}},\n"
        f"  version={{{run['release']['version']}}},\n"
        f"  note={{config {run['release']['config']}, content sha256"
        f" {run['release']['content_sha256'][:16]}}}\n}}"
    )
    others = [
        entry["bibtex"] or f"% {entry['title']}: {entry['home']}"
        for name, entry in run["sources"].items()
        if name != "core"
    ]
    return "\n\n".join([own, *others])


def _asset(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
