"""Two texts and a label."""

from __future__ import annotations

from evalsuite.guess.guessed import Guess, label_of, two_texts
from evalsuite.guess.sheet import Sheet


def recognise(sheet: Sheet) -> Guess | None:
    """Two columns of texts and one of labels."""
    texts, label = two_texts(sheet), label_of(sheet)
    if sheet.form != "table" or texts is None or label is None:
        return None
    first, second = texts
    return Guess("pair", {"first": first.key, "second": second.key, "label": label.key})
