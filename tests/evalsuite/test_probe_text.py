"""Rows that are chosen evenly apart."""

from __future__ import annotations

import pytest

from evalsuite.inference.probe_text import spread


@pytest.mark.parametrize("size", [501, 999, 1000, 1001, 2490])
def test_chosen_rows_lie_evenly_over_all_of_them(size: int) -> None:
    chosen = list(spread(range(size), 500))
    assert len(chosen) == 500 and chosen == sorted(set(chosen))
    gaps = {after - before for before, after in zip(chosen, [*chosen[1:], size], strict=True)}
    assert chosen[0] == 0 and gaps <= {size // 500, size // 500 + 1}


def test_few_rows_are_all_chosen() -> None:
    assert list(spread("abc", 3)) == list(spread("abc", 5)) == ["a", "b", "c"]
    assert list(spread("abcdef", 3)) == ["a", "c", "e"]
    assert list(spread("abc", 0)) == list(spread("", 2)) == []
