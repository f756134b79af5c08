"""A text, or two, and any of several labels."""

from __future__ import annotations

from evalsuite.guess.column_names import LABELS, TEXTS
from evalsuite.guess.guessed import Guess, named, texts_of, two_texts
from evalsuite.guess.sheet import Sheet
from evalsuite.own.records import Column


def recognise(sheet: Sheet) -> Guess | None:
    """Texts, and a column of 0 and 1 for each label or one that names all labels of a row.

    One column of 0 and 1 alone would be the label.
    """
    labels = _labels(sheet)
    if sheet.form != "table" or labels is None or named(sheet.of("labels", "flags"), LABELS):
        return None
    if (pair := two_texts(sheet)) is not None:
        first, second = pair
        return Guess("multilabel", {"first": first.key, "second": second.key, "labels": labels})
    texts = texts_of(sheet)
    chosen = texts if len(texts) == 1 else named(texts, TEXTS)[:1]
    return Guess("multilabel", {"text": chosen[0].key, "labels": labels}) if chosen else None


def _labels(sheet: Sheet) -> Column | tuple[Column, ...] | None:
    if several := sheet.of("several"):
        return several[0].key
    flags = sheet.of("flags")
    return tuple(column.key for column in flags) if len(flags) > 1 else None
