"""The control of every cipher: the same prompt and demonstrations, in plain text."""

ABOUT = "The control: the expert's prompt and its demonstrations without a cipher."
AFTER = "ours, the control of Yuan et al., 2024"
ALPHABET = None
EXPLAINED = {
    "en": ("plain English", "It is written with the usual letters and words, nothing is replaced."),
    "zh": ("普通中文", "它就用平常的字和词来写，没有任何替换。"),
}


def encode(text: str) -> str:
    """Return the text as it is."""
    return text


decode = encode
