"""A text, or two, and any of several labels."""

from __future__ import annotations

from evalsuite.guess.guessed import LABELS, TEXTS, Guess, named, texts_of, two_texts
from evalsuite.guess.sheet import Sheet


def recognise(sheet: Sheet) -> Guess | None:
    """Texts and a column of 0 and 1 for each label; one of them alone would be the label."""
    flags = sheet.of("flags")
    if sheet.form != "table" or len(flags) < 2 or named(sheet.of("labels", "flags"), LABELS):
        return None
    labels = tuple(column.key for column in flags)
    if (pair := two_texts(sheet)) is not None:
        first, second = pair
        return Guess("multilabel", {"first": first.key, "second": second.key, "labels": labels})
    texts = texts_of(sheet)
    chosen = texts if len(texts) == 1 else named(texts, TEXTS)[:1]
    return Guess("multilabel", {"text": chosen[0].key, "labels": labels}) if chosen else None
