from __future__ import annotations

import os

import pytest
from convsafe.benchmark.workers import spawned
from convsafe.taxonomy.errors import Unavailable


def test_what_is_made_of_jobs_comes_in_their_order() -> None:
    assert list(spawned(id, None, abs, range(-9, 0), 2)) == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_a_process_that_dies_is_told_and_what_to_try() -> None:
    with pytest.raises(Unavailable, match=r"died.*--workers 1"):
        list(spawned(id, None, os._exit, [1, 1], 2))
