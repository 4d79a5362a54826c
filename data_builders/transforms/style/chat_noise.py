"""Chat noise: fillers, stretched marks and no capitals, as typed on a phone."""

import hashlib

from convsafe.data_builders.transform import NotApplicable

ABOUT = "Fillers between words, marks repeated, all letters small."
AFTER = "ours"
LANGUAGES = ("en",)
_FILLERS = ("like", "um", "idk", "ok so", "hmm", "you know", "i mean", "lol")
_EVERY = 7
_LEAST = 3


def rewrite(text: str, key: str) -> str:
    """Return the text with a filler after every seventh word.

    Raises:
        NotApplicable: If it is shorter than three words.
    """
    words = text.lower().split(" ")
    if len(words) < _LEAST:
        raise NotApplicable("fewer than three words")
    first = hashlib.sha256(f"chat_noise:{key}".encode()).digest()[0]
    noisy = []
    for place, word in enumerate(words):
        if place % _EVERY == min(_EVERY, len(words)) - 1:
            noisy.append(_FILLERS[(first + place) % len(_FILLERS)])
        noisy.append(word)
    return " ".join(noisy).replace("?", "???").replace("!", "!!!")
