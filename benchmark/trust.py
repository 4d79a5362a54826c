"""Say beside a rate how far its judge was measured to agree with people, in its language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from convsafe.benchmark.metric import BY_RULE, TRACE
from convsafe.taxonomy.records import Estimate

# How many languages are named before the rest are counted.
_NAMED = 3
_KAPPA = "binary_kappa"
# What cards do not measure.
_UNMEASURED = {
    "responsive": "of whether a reply does what was asked",
    "scores": "of the scores this rate is made from",
}


class Trust(NamedTuple):
    """The judge of a rate: `figure` is its agreement or why there is none, `note` the rest.

    `short` is the figure where there is little room.
    """

    judge: str
    figure: str
    note: str
    short: str = "not measured"


def trust(judge: Mapping[str, Any], languages: Sequence[str], needs: str = "stance") -> Trust:
    """Return what is known of the judge of a rate over cases in some languages.

    The figure is κ of refused or not, or AUC where the rate is of harm, on the largest labelled set
    in the language; the note counts the sets.

    Args:
        judge: The judge's card as scores.json has it.
        languages: Of the cases, the most frequent first.
        needs: What the rate is made from: stance, responsive, unsafe, scores, option
            or trace.
    """
    name = f"{judge['name']} {judge['version']}"
    if needs == BY_RULE:
        return Trust("rule", "by rule", "it is read from the reply by rule, not judged", "by rule")
    if needs == TRACE:
        return Trust("rule", "by rule", "it is read from the session, not judged", "by rule")
    if needs in _UNMEASURED:
        return Trust(name, "not measured", _UNMEASURED[needs])
    sets = {language: nearest(judge["agreement"], language, needs) for language in languages}
    found = [language for language, rows in sets.items() if rows]
    absent = [language for language in languages if language not in found]
    if not found:
        return Trust(name, f"not measured in {listed(absent) or 'any language'}", "")
    first, *rest = sets[found[0]]
    others = [row for row in rest if _value(row, needs) is not None]
    notes = [_set(judge, first)]
    if others:
        spread = _spread([first, *others], needs)
        notes = [f"{_set(judge, first)}, largest of {len(others) + 1} sets with {spread}"]
    notes += [_found(first)] if needs == "unsafe" else []
    notes += [f"not measured in {listed(absent)}" if absent else ""]
    short = " ".join(figure(first, needs).split()[:2]).rstrip(",")
    return Trust(name, figure(first, needs), "; ".join(filter(None, notes)), short)


def languages_of(estimates: Iterable[Estimate]) -> list[str]:
    """Return the languages of the cases that figures are of, the most frequent first."""
    most = dict[str, int]()
    for entry in estimates:
        if entry.slice == "language":
            most[entry.name] = max(entry.n, most.get(entry.name, 0))
    return sorted(most, key=lambda name: (-most[name], name))


def nearest(
    agreement: Sequence[Mapping[str, Any]], language: str, needs: str = "stance"
) -> list[Mapping[str, Any]]:
    """Return the sets in a language, else in the same one of another region, largest first.

    Those that give no figure, for all that people or the judge said of them is the same, come last.
    """
    told = [row for row in agreement if (row.get("harm") if needs == "unsafe" else _KAPPA in row)]
    exact = [row for row in told if row["language"] == language]
    kin = [row for row in told if _primary(row["language"]) == _primary(language)]

    def place(row: Mapping[str, Any]) -> tuple[bool, bool, int, str]:
        return _value(row, needs) is None, _far(row), -_size(row, needs), row["dataset"]

    return sorted(exact or kin, key=place)


def _far(row: Mapping[str, Any]) -> bool:
    """Tell a set of what people said to one another, which is less like what models reply."""
    return row.get("replies_by") == "people"


def _size(row: Mapping[str, Any], needs: str) -> int:
    size: int = row["harm"]["n"] if needs == "unsafe" else row["n"]
    return size


def _value(row: Mapping[str, Any], needs: str) -> float | None:
    """Return a set's AUC of harm, or κ of refused or not; None where it gives none."""
    harm = needs == "unsafe"
    found = row["harm"]["figures"].get("auc") if harm else row.get("intervals", {}).get(_KAPPA)
    value: float | None = None if harm else row[_KAPPA]
    return value if found is None else found["value"]


def figure(row: Mapping[str, Any], needs: str = "stance") -> str:
    """Return a set's figure with its interval, where it has one, and its n."""
    if needs == "unsafe":
        harm = row["harm"]
        return f"AUC {_interval(harm['figures'].get('auc'), None)}, n = {harm['n']}"
    interval = row.get("intervals", {}).get(_KAPPA)
    return f"κ {_interval(interval, row[_KAPPA])}, n = {row['n']}"


def _found(row: Mapping[str, Any]) -> str:
    """Say how many harmful replies of a set the judge finds at its threshold, if it was counted."""
    counts = row["harm"].get("counts")
    if counts is None:
        return ""
    return (
        f"at its threshold it finds {counts['tp']} of {counts['tp'] + counts['fn']} harmful and"
        f" passes {counts['tn']} of {counts['tn'] + counts['fp']} others there"
    )


def _spread(rows: Sequence[Mapping[str, Any]], needs: str) -> str:
    """Return the lowest and highest figure of some sets: one alone could flatter."""
    told = [value for row in rows if (value := _value(row, needs)) is not None]
    return f"{min(told):.2f} to {max(told):.2f}"


def ends(row: Mapping[str, Any], name: str) -> str:
    """Return a figure of a set with its interval, where it has one."""
    return _interval(row.get("intervals", {}).get(name), row.get(name))


def _interval(found: Mapping[str, Any] | None, value: float | None) -> str:
    middle = value if found is None else found["value"]
    if middle is None:
        return "–"
    if not found or found["low"] is None:
        return f"{float(middle):.2f}"
    return f"{middle:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _set(judge: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Name a set, and the version that was measured on it where it is not this one."""
    old = row.get("judge_version", judge["version"])
    return f"{row['dataset']} (version {old})" if old != judge["version"] else str(row["dataset"])


def listed(names: Sequence[str]) -> str:
    """Return some names, and how many more there are."""
    more = len(names) - _NAMED
    named = ", ".join(names[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()
