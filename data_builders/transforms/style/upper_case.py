"""Everything in capitals."""

from convsafe.data_builders.transform import NotApplicable

ABOUT = "All letters in capitals."
AFTER = "ours"
LANGUAGES = "any"


def rewrite(text: str, key: str) -> str:  # noqa: ARG001 - the contract of a style
    """Return the text in capitals.

    Raises:
        NotApplicable: If its script has none, or nothing changes.
    """
    if text.lower() == text.upper():
        raise NotApplicable("its script has no capitals")
    if text.upper() == text:
        raise NotApplicable("nothing changes")
    return text.upper()
