"""Add up what the pages of a Parquet file unpack to, from their headers, before any is unpacked.

A file says twice how large a column is: at its end, and before each page. The reader allocates by
the second. A page's header is a struct in Thrift's compact protocol; of its fields only the first
three matter here: kind, size unpacked, size packed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

_DEEPEST = 16
_PAGES = 100_000
# Kinds of Thrift's compact protocol, and the widths of those that have one.
_INTEGERS, _TEXT, _LISTS, _STRUCT = (4, 5, 6), 8, (9, 10), 12
_WIDTHS = {1: 0, 2: 0, 3: 1, 7: 8}
# Where the number of values is kept among a header's integers.
_VALUES = -1


class Damaged(ValueError):
    """Bytes that are no page."""


class Page(NamedTuple):
    """What a page says of itself: bytes unpacked and packed, values, and where its bytes begin."""

    unpacked: int
    packed: int
    values: int
    start: int


class Size(NamedTuple):
    """What all pages of a file unpack to: bytes, and the values of the column with the most."""

    bytes: int
    values: int


def unpacked_size(data: bytes, meta: Any) -> Size:
    """Return what all pages of a file unpack to.

    Args:
        data: The file's bytes.
        meta: Its `pyarrow.parquet.FileMetaData`.

    Raises:
        Damaged: If the pages do not lie where the file's end says, or are too many.
    """
    total, values, pages = 0, [0] * meta.num_columns, 0
    for group, column in product(range(meta.num_row_groups), range(meta.num_columns)):
        for page in _pages(data, meta.row_group(group).column(column)):
            total, pages = total + page.unpacked, pages + 1
            values[column] += page.values
            if pages > _PAGES:
                raise Damaged("it has too many pages")
    return Size(total, max(values, default=0))


def _pages(data: bytes, chunk: Any) -> Iterator[Page]:
    """Yield the pages of a column of a row group."""
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        at = min(at, chunk.dictionary_page_offset)
    end = at + chunk.total_compressed_size
    if not 4 <= at <= end <= len(data):
        raise Damaged("a column lies outside the file")
    while at < end:
        page = page_at(data, at)
        at = page.start + page.packed
        yield page


def page_at(data: bytes, at: int) -> Page:
    """Return the page whose header begins at an offset.

    Raises:
        Damaged: If there is none.
    """
    reader = _Thrift(data, at)
    try:
        found = reader.integers()
    except IndexError:
        raise Damaged("a page is cut off") from None
    page = Page(found.get(2, -1), found.get(3, -1), found.get(_VALUES, 0), reader.at)
    if min(page) < 0:
        raise Damaged("a page has no size")
    return page


class _Thrift:
    """Reads Thrift's compact protocol, as far as page headers use it."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def integers(self, depth: int = 0) -> dict[int, int]:
        """Read a struct to its end and return its integers by their field's id.

        Of a struct within it, the first integer is kept, as `_VALUES`.
        """
        found: dict[int, int] = {}
        id = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            id = id + step if step else self._signed()
            if kind in _INTEGERS:
                found[id] = self._signed()
            elif kind == _STRUCT and id in (5, 8) and not depth:
                found[_VALUES] = self.integers(1).get(1, -1)
            else:
                self._skip(kind, 0)
        return found

    def _byte(self) -> int:
        byte: int = self.data[self.at]
        self.at += 1
        return byte

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise Damaged("a number has no end")

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, kind: int, depth: int) -> None:
        """Pass over a value of a kind."""
        if depth > _DEEPEST:
            raise Damaged("a page header is not one")
        if kind in _WIDTHS:
            self._skip_bytes(_WIDTHS[kind])
        elif kind in _INTEGERS:
            self._varint()
        elif kind == _TEXT:
            self._skip_bytes(self._varint())
        elif kind in _LISTS:
            self._skip_list(depth)
        elif kind == _STRUCT:
            self._skip_struct(depth)
        else:
            raise Damaged("a page header is not one")

    def _skip_bytes(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise Damaged("a page is cut off")

    def _skip_list(self, depth: int) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > _PAGES:
            raise Damaged("a page header is not one")
        for _ in range(count):
            self._skip(head & 15, depth + 1)

    def _skip_struct(self, depth: int) -> None:
        while head := self._byte():
            if not head >> 4:
                self._varint()
            self._skip(head & 15, depth + 1)
