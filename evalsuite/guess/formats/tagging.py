"""Words with a tag each, in CoNLL form."""

from __future__ import annotations

from evalsuite.guess.guessed import Guess
from evalsuite.guess.sheet import Sheet

_UNIVERSAL = (
    10  # columns of CoNLL-U, in which the word is the second and its part of speech the 4th
)


def recognise(sheet: Sheet) -> Guess | None:
    """Sentences of words; the tag is the last column, of CoNLL-U the universal part of speech."""
    if sheet.form != "sentences" or len(sheet.columns) < 2:
        return None
    if len(sheet.columns) == _UNIVERSAL and sheet.columns[0].values[0] in ("1", "1-2"):
        return Guess("tagging", {"word": 2, "tag": 4})
    return Guess("tagging", {"word": 1, "tag": -1})
