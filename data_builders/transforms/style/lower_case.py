"""Everything in lower case, without marks at the ends of sentences."""

import re

from convsafe.data_builders.transform import NotApplicable

ABOUT = "All letters small, sentence marks left out."
AFTER = "ours"
LANGUAGES = "any"


def rewrite(text: str, key: str) -> str:  # noqa: ARG001 - the contract of a style
    """Return the text as someone types who never presses shift.

    Raises:
        NotApplicable: If its script has no small letters, or nothing changes.
    """
    changed = re.sub(r"[.!?;:]+(?=\s|$)", "", text.lower())
    if text.lower() == text.upper():
        raise NotApplicable("its script has no small letters")
    if changed == text:
        raise NotApplicable("nothing changes")
    return changed
