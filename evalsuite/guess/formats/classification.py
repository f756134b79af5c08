"""A text and its label."""

from __future__ import annotations

from evalsuite.guess.column_names import TEXTS
from evalsuite.guess.guessed import Guess, label_of, named, texts_of
from evalsuite.guess.sheet import Sheet


def recognise(sheet: Sheet) -> Guess | None:
    """One column of texts, or one that is named so, and one of labels."""
    texts = texts_of(sheet)
    chosen = texts if len(texts) == 1 else named(texts, TEXTS)[:1]
    label = label_of(sheet)
    if sheet.form != "table" or not chosen or label is None:
        return None
    return Guess("classification", {"text": chosen[0].key, "label": label.key})
