"""A text, or two, and a score."""

from __future__ import annotations

from evalsuite.guess.column_names import LABELS, SCORES, TEXTS
from evalsuite.guess.columns import Looked
from evalsuite.guess.guessed import Guess, label_of, many_labels, named, texts_of, two_texts
from evalsuite.guess.sheet import Sheet


def _score(sheet: Sheet) -> Looked | None:
    """The column with the score, of several the one that is named so."""
    scores = [column for column in sheet.of("scores") if column is not many_labels(sheet)]
    chosen = named(sheet.of("scores", "labels"), SCORES)
    return chosen[0] if chosen else scores[0] if len(scores) == 1 else None


def recognise(sheet: Sheet) -> Guess | None:
    """One column of texts, or two, and one of numbers; labels next to them would be the answer.

    Where a column is called a score and that with the labels has no usual name, both may be meant:
    the other formats fit too, and the person says which.
    """
    score, label = _score(sheet), label_of(sheet)
    if sheet.form != "table" or score is None:
        return None
    if label not in (None, score) and (score.name not in SCORES or label.name in LABELS):
        return None
    if (pair := two_texts(sheet)) is not None:
        first, second = pair
        columns = {"first": first.key, "second": second.key, "score": score.key}
        return Guess("regression", columns)
    texts = texts_of(sheet)
    chosen = texts if len(texts) == 1 else named(texts, TEXTS)[:1]
    return Guess("regression", {"text": chosen[0].key, "score": score.key}) if chosen else None
