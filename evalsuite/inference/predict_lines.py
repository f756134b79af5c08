"""Predict lines of text with any checkpoint or bundle.

>>> list(predict_lines(Path("int8"), ["A man sleeps.\\tNobody is awake."]))
[{'label': 'neutral', 'scores': {...}}]

Files of other kinds and of any length are for `evalsuite.bulk`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from evalsuite.errors import MalformedRowError
from evalsuite.inference.answers import Answer, Head, head_for
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session

BATCH = 256


def predict_lines(directory: Path, lines: Iterable[str]) -> Iterator[Answer]:
    """One mapping a line, in order.

    A classifier takes one sentence, or two separated by a tab (all lines as the first), and gives
    `label` and `scores`, the probability of each label. Where labels do not exclude each other it
    gives `labels`, those with a probability of one half or more, and `scores`; a reranker or
    regressor gives `score`, its logit as it is, or `scores` where it has several. A tagger takes
    words separated by spaces and gives `words` and `tags`; a model of spans takes a question and a
    context separated by a tab and gives `answer`; one of choices takes a context and two or more
    choices separated by tabs and gives `choice`, counted from 0, and `scores`.

    Raises:
        ModelError: the model has no head.
        MalformedRowError: a line has not the columns the model needs.
    """
    head = head_for(directory)
    predictor = open_model(directory)
    # int8 activations share one scale a batch: alone, a line gets the same answer in any company.
    session = Session(predictor, 1 if predictor.precision == "int8" else None)
    plain = (line.rstrip("\n") for line in lines)
    numbered = (
        (number, line.removeprefix("\ufeff") if number == 1 else line)  # a byte-order mark
        for number, line in enumerate(plain, 1)
    )
    while batch := list(islice(numbered, BATCH)):
        yield from head.answers(session, [_example(head, number, line) for number, line in batch])


def _example(head: Head, number: int, line: str) -> Any:
    try:
        return head.example(head.split(line))
    except ValueError as error:
        raise MalformedRowError("input", number, str(error)) from None
