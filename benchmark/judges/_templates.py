"""Fill templates of guard models, and keep any text from closing the turn it stands in.

Requests and replies are untrusted: one that holds `<|eot_id|>`, `<end_of_turn>` or `[/INST]` would
end its turn and go on in the judge's own voice. `neutral` breaks every such mark of every family
by a space after its first character, as `< |eot_id|>`, which no tokenizer reads as the mark. It
only adds spaces, so breaking one mark cannot make another, whatever was nested in it. Words that
label a turn (`Agent:`, `Human user:`) are no marks: nothing tells them from a reply's own words.

A template's token for the beginning of a text (`<|begin_of_text|>`, `<bos>`, `<s>`) is left out:
servers put it before a raw prompt themselves, and would put a second one there.
"""

from __future__ import annotations

import re

from convsafe.benchmark.asking import Exchange

_NAMES = (
    r"s|bos|eos|pad|unk|mask|unused\d+|think|no-think|score|guardian|tool_call|tool_response"
    r"|(?:start|end)_of_\w+|(?:BEGIN|END) [A-Z ]+"
)
_BRACKETED = "INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS"
_MARK = re.compile(
    rf"<(?=[|｜]|/?(?:{_NAMES})>|</?SYS>>)|\[(?=/?(?:{_BRACKETED})\])",
    re.IGNORECASE,
)


def neutral(text: str) -> str:
    """Return a text in which no mark of a template is left whole."""
    return _MARK.sub(r"\g<0> ", text)


def fill(template: str, exchange: Exchange, *, trim: bool = False) -> str:
    """Return a template with `{prompt}` and `{response}` filled in.

    Args:
        template: The text to send, with the two names in braces.
        exchange: The request and the reply; braces in them mean nothing.
        trim: Whether the format takes white space off both ends, as Llama Guard's does.
    """
    prompt, response = (neutral(text.strip() if trim else text) for text in exchange)
    return template.format(prompt=prompt, response=response)
