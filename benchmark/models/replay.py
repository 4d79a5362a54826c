"""Answers from a file instead of a model: `replay:FILE.jsonl`, or `.parquet`.

Rows are generations, or as little as `{"id", "response"}`. A case is answered by its id and sample;
where a file has no ids, or only a conversation is given, by the row whose `messages` or `prompt`
say the same. A transcript answers each of its user's turns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from convsafe.benchmark.model import ModelError, Params, Reply
from convsafe.benchmark.models._format import replied, tokens
from convsafe.taxonomy.errors import BadInput
from convsafe.taxonomy.files import read_jsonl
from convsafe.taxonomy.records import OUTCOMES, Case, Message


class Replay:
    """A file of replies."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem

    async def __aenter__(self) -> Replay:
        # With the line each is from.
        self._by_id: dict[tuple[str, int], tuple[Reply, int]] = {}
        # None where rows answer one conversation in different ways.
        self._by_words: dict[bytes, Reply | None] = {}
        for line, row in _rows(self.path):
            self._keep(line, row)
        return self

    async def __aexit__(self, *_: object) -> None:
        del self._by_id, self._by_words

    async def generate(self, messages: Sequence[Message], params: Params) -> Reply:  # noqa: ARG002
        """Return the reply to a conversation.

        Raises:
            ModelError: If there is none, or more than one.
        """
        key = _words([(message.role, message.content) for message in messages])
        if key not in self._by_words:
            shown = messages[-1].content[:60] if messages else ""
            raise ModelError(f"{self.path} has no reply to this conversation: {shown!r}")
        if (reply := self._by_words[key]) is None:
            raise ModelError(f"{self.path} has different replies to one conversation")
        return _given(reply, self.path)

    async def generate_case(self, case: Case, sample: int, params: Params) -> Reply:
        """Return the reply to one sample of a case.

        Raises:
            ModelError: If there is none.
        """
        if not self._by_id:
            return await self.generate(case.messages, params)
        if (found := self._by_id.get((case.id, sample))) is None:
            which = f", sample {sample}" if sample else ""
            raise ModelError(f"{self.path} has no reply to {case.id}{which}")
        return _given(found[0], self.path)

    def _keep(self, line: int, row: dict[str, Any]) -> None:
        _check(self.path, line, row)
        reply = _reply(row)
        if (id := row.get("id")) is not None:
            key = (id, row.get("sample") or 0)
            if key in self._by_id:
                raise BadInput(
                    f"line {self._by_id[key][1]} has the same id and sample; keep one of the two",
                    file=self.path, line=line, id=id,
                )  # fmt: skip
            self._by_id[key] = reply, line
        for words, said in _conversations(row, reply):
            known = self._by_words.setdefault(words, said)
            if known is not None and known.text != said.text:
                self._by_words[words] = None


def _check(path: Path, line: int, row: dict[str, Any]) -> None:
    """Raise `BadInput`, naming the line, if a row cannot be used."""
    id, turns, outcome = row.get("id"), row.get("messages"), row.get("outcome")
    told_of = id or turns or row.get("prompt")
    if not isinstance(row.get("response"), str) or not told_of:
        what = 'a row needs "response", and "id", "messages" or "prompt" to tell of what'
    elif not isinstance(id, str | None) or not isinstance(row.get("sample"), int | None):
        what = "`id` must be a text and `sample` a number"
    elif turns and not _are_turns(turns):
        what = "`messages` must be a list of `role` and `content`"
    elif outcome is not None and outcome not in OUTCOMES:
        what = f"outcome {outcome!r} is not one of {', '.join(OUTCOMES)}"
    else:
        return
    raise BadInput(what, file=path, line=line, id=id if isinstance(id, str) else None)


def _are_turns(turns: Any) -> bool:
    return isinstance(turns, list) and all(
        isinstance(turn, dict)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("content"), str)
        for turn in turns
    )


def _reply(row: dict[str, Any]) -> Reply:
    usage = tokens(row.get("usage"), ("prompt_tokens",), ("completion_tokens",))
    reasoning, finish = row.get("reasoning") or "", row.get("finish_reason")
    return replied(row["response"], row.get("outcome"), finish, usage, str(reasoning))


def _given(reply: Reply, path: Path) -> Reply:
    if reply.outcome == "failed":
        raise ModelError(f"{path} says that this request failed")
    return reply


def _conversations(row: dict[str, Any], reply: Reply) -> Iterator[tuple[bytes, Reply]]:
    """Yield every conversation a row answers, with the reply to it."""
    turns = [(turn["role"], turn["content"]) for turn in row.get("messages") or ()]
    if not turns and row.get("prompt"):
        turns = [("user", row["prompt"])]
    if turns and turns[-1][0] != "assistant":
        yield _words(turns), reply
    for place, (role, content) in enumerate(turns):
        if role == "assistant" and place:
            last = place == len(turns) - 1
            yield _words(turns[:place]), reply if last else replied(content, None, None, None)


def _words(turns: Sequence[tuple[str, str]]) -> bytes:
    """Return what stands for a conversation: a sum of its turns."""
    return hashlib.sha256(repr(turns).encode("utf-8", "replace")).digest()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the file's rows with their numbers, from 1."""
    if not path.is_file():
        raise BadInput("no such file of replies", file=path)
    if path.suffix == ".jsonl":
        yield from read_jsonl(path)
        return
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"not a Parquet file: {str(error)[:200]}", file=path) from None
    yield from enumerate(frame.iter_rows(named=True), 1)


def connect(target: str) -> Replay:
    """Return the file's replies; it is read when it is opened.

    Raises:
        BadInput: If it is no JSONL or Parquet file.
    """
    path = Path(target)
    if path.suffix not in (".jsonl", ".parquet"):
        raise BadInput(f"{target!r}: name a file of replies that ends in .jsonl or .parquet")
    return Replay(path)
