"""Lines and their translations."""

from __future__ import annotations

from evalsuite.guess.guessed import Guess, many_labels, texts_of
from evalsuite.guess.sheet import Sheet


def recognise(sheet: Sheet) -> Guess | None:
    """Two columns of texts and nothing else but ids; queries with candidates are declared."""
    texts = texts_of(sheet)
    others = [column for column in sheet.columns if column.kind not in ("text", "ids", "empty")]
    if sheet.form != "table" or len(texts) != 2 or others or many_labels(sheet) is not None:
        return None
    return Guess("retrieval", {"first": texts[0].key, "second": texts[1].key})
