"""What of a finding may stand in public: its numbers and ids, and no word of a reply."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from convsafe.leaderboard.records import Finding

# A text as `repr` quotes it; an apostrophe within or after a word begins none.
_QUOTED = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_CUT = "[…]"


def unquoted(findings: Iterable[Finding], names: Collection[str]) -> tuple[Finding, ...]:
    """Return findings without what they quote, but for the names of submissions.

    Args:
        findings: What verifying and the suspicion tests found.
        names: The names that may stand.
    """
    kept = {repr(name) for name in names}

    def cut(found: re.Match[str]) -> str:
        return found[0] if found[0] in kept else _CUT

    return tuple(replace(one, text=_QUOTED.sub(cut, one.text)) for one in findings)
