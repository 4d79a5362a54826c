"""What the adapters of guard models share: probabilities, labels, and an answer that is none.

An answer that is not exactly in the guard's published form is unscored, never safe. Where the
server gives log-probabilities, a verdict's probability is its share among the verdict words at the
first token that is one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from convsafe.benchmark.asking import Ask, Completion, Decision, Unscored
from convsafe.taxonomy.crosswalk import load_crosswalk

# Servers give at most 5 (OpenAI's completions) to 20 of them.
TOP = 5
# How byte-level and SentencePiece vocabularies write a leading space or newline.
_SPACES = str.maketrans({"Ġ": " ", "▁": " ", "Ċ": "\n"})


async def completed(
    ask: Ask, prompt: str, read: Callable[[Completion], Decision], max_tokens: int
) -> Decision:
    """Send a raw prompt and read what comes back.

    Args:
        ask: The server.
        prompt: The filled template.
        read: Turns the answer into a decision, or raises `Unscored`.
        max_tokens: How long the longest answer in the form is.

    Raises:
        Unscored: If the answer is not in the form, with the answer.
    """
    return decided(await ask.complete(prompt, max_tokens=max_tokens, logprobs=TOP), read)


def decided(answer: Completion, read: Callable[[Completion], Decision]) -> Decision:
    """Return what `read` finds in an answer; an error holds the answer too."""
    try:
        return read(answer)
    except Unscored as error:
        raise Unscored(error.reason, answer.text) from None


def shares(
    answer: Completion, words: Sequence[str], said: str, after: str = ""
) -> Mapping[str, float]:
    """Return each verdict word's probability; without log-probabilities it is 1.0 or 0.0.

    Args:
        answer: The text and the top log-probabilities of its tokens.
        words: The verdicts there are; a token may be the beginning of one.
        said: The one the text says.
        after: What stands before the verdict in the text, as `Safety:`.

    Raises:
        Unscored: If another word is likelier than the one the text says.
    """
    found = _shares(_token(answer.top, words, after), words)
    if not found:
        return {word: float(word == said) for word in words}
    if found[said] < max(found.values()):
        raise Unscored("the answer and its log-probabilities disagree")
    return found


def _token(
    top: Sequence[Mapping[str, float]], words: Sequence[str], after: str
) -> Mapping[str, float]:
    """Return the first token after `after` whose likeliest form is a verdict word."""
    before = ""
    for token in top:
        likeliest = max(token, key=lambda form: token[form], default="").translate(_SPACES)
        if before.rstrip().endswith(after) and _word(likeliest, words):
            return token
        before += likeliest
    return {}


def _shares(token: Mapping[str, float], words: Sequence[str]) -> dict[str, float]:
    """Return the words' shares of the probability at one token; empty without any."""
    mass = dict.fromkeys(words, 0.0)
    for form, log in token.items():
        word = _word(form.translate(_SPACES), words)
        if word and not math.isnan(log):
            mass[word] += math.exp(min(log, 0.0))
    total = sum(mass.values())
    return {word: value / total for word, value in mass.items()} if total else {}


def _word(form: str, words: Sequence[str]) -> str | None:
    """Return the one word a token is, or is the beginning of."""
    form = form.strip().casefold()
    found = [word for word in words if form and word.casefold().startswith(form)]
    return found[0] if len(found) == 1 else None


def labels(judge: str, natives: Sequence[str], crosswalk: str | None = None) -> tuple[str, ...]:
    """Return the guard's categories as `judge:category`, then the hazards they are with us.

    Raises:
        UnknownName: If the crosswalk has no such category.
    """
    own = [f"{judge}:{native}" for native in natives]
    if crosswalk is None:
        return tuple(own)
    walk = load_crosswalk(crosswalk)
    hazards = [hazard for native in natives for hazard in walk.hazards(native)]
    return tuple(dict.fromkeys([*own, *hazards]))


def known(natives: Sequence[str], categories: Sequence[str]) -> None:
    """Raise `Unscored` unless every category is of the format, and none comes twice."""
    for native in natives:
        if native not in categories:
            raise Unscored(f"unknown category {native[:40]!r}")
    if len(set(natives)) < len(natives):
        raise Unscored("a category is named twice")
