"""Say in a few lines what verifying a submission found."""

from __future__ import annotations

from convsafe.benchmark.figure_text import interval, percent
from convsafe.benchmark.scoring import HEADLINE
from convsafe.leaderboard.checking import Checked
from convsafe.leaderboard.findings import shown
from convsafe.leaderboard.records import Finding

_SHOWN = ("safety_helpfulness", "unsafe_rate", "over_refusal_rate", "helpful_rate")


def report(checked: Checked) -> str:
    """Return the findings, the headline figures where there are any, and the outcome."""
    lines = [finding_text(finding) for finding in checked.findings]
    lines += [
        f"{figure.metric:<20} {percent(figure):>7} ({interval(figure)})"
        for figure in checked.figures
        if figure.metric in _SHOWN and figure.slice == HEADLINE
    ]
    errors = sum(finding.level == "error" for finding in checked.findings)
    name = shown(checked.manifest.name) if checked.manifest else shown(str(checked.folder))
    if errors:
        lines.append(f"{name}: {errors} error{'s' * (errors > 1)}; not taken as it is")
    else:
        lines.append(f"{name}: fine")
    return "\n".join(lines)


def finding_text(finding: Finding) -> str:
    """Return a finding as one line: level, code, where, what, and the ids it names."""
    place = finding.file + (f":{finding.line}" if finding.line else "")
    more = finding.count - len(finding.ids)
    ids = ", ".join(finding.ids) + (f" and {more} more" if finding.ids and more > 0 else "")
    times = f" ({finding.count} times)" if finding.count > 1 and not finding.ids else ""
    parts = [f"{finding.level} {finding.code}", place, finding.text + times]
    return ": ".join(part for part in parts if part) + (f" [{ids}]" if ids else "")
