"""Which languages parallel text is read in."""

from __future__ import annotations

import pytest

from evalsuite.errors import DataError
from evalsuite.task import DataSource
from transfer.text import parallel_text

EMBEDDED = DataSource("embedded")


def test_a_language_that_is_named_twice_is_read_once_and_english_comes_last() -> None:
    once = parallel_text.read(EMBEDDED, ("de", "sw"), 20, 10)
    again = parallel_text.read(EMBEDDED, ("en", "de", "sw", "de"), 20, 10)
    assert once.languages == again.languages == ("de", "sw", "en")
    assert (once.pairs, once.lines) == (again.pairs, again.lines)
    with pytest.raises(DataError):
        parallel_text.read(EMBEDDED, ("en",), 20)
