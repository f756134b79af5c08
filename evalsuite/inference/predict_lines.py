"""Predict lines of text with any checkpoint or bundle.

>>> list(predict_lines(Path("int8"), ["A man sleeps.\\tNobody is awake."]))
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from evalsuite.errors import MalformedRowError, ModelError
from evalsuite.formats import choice
from evalsuite.inference.checkpoint_config import head_of, read_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.inference.softmax import softmax
from evalsuite.task import ChoiceExample, PairExample, SpanExample, TagExample

BATCH = 256


def predict_lines(directory: Path, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One mapping a line, in order.

    A pair model takes two sentences separated by a tab and gives `label` and `scores`; a tagger
    takes words separated by spaces and gives `words` and `tags`; a model of spans takes a question
    and a context separated by a tab and gives `answer`; one of choices takes a context and two or
    more choices separated by tabs and gives `choice`, counted from 0, and `scores`.

    Raises:
        ModelError: the model has no head.
        MalformedRowError: a line has not the columns the model needs.
    """
    head = head_of(read_config(directory))
    if head is None:
        raise ModelError(f"{directory} has no task head; predict needs a tuned model")
    predictor = open_model(directory)
    # int8 activations share one scale a batch: alone, a line gets the same answer in any company.
    session = Session(predictor, 1 if predictor.precision == "int8" else None)
    predict = {"pair": _pairs, "tagging": _tags, "span": _answers, "choice": _choices}[head]
    numbered = enumerate((line.rstrip("\n") for line in lines), 1)
    while batch := list(islice(numbered, BATCH)):
        yield from predict(session, batch)


def _pairs(session: Session, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    examples = [
        PairExample(str(number), first, second, None) for number, first, second in _columns(lines)
    ]
    labels = session.predictor.labels
    for logits in session.run(session.encode("pair", examples), "logits"):
        shares = zip(labels, softmax(logits), strict=True)
        scores = {label: round(float(value), 6) for label, value in shares}
        yield {"label": labels[int(logits.argmax())], "scores": scores}


def _columns(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """Line number and both columns of each line."""
    for number, line in lines:
        columns = line.split("\t")
        if len(columns) != 2:
            raise MalformedRowError(
                "input", number, f"{len(columns)} column(s); this model needs two, tab-separated"
            )
        yield number, columns[0], columns[1]


def _answers(session: Session, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    examples = [
        SpanExample(str(number), question, context, ())
        for number, question, context in _columns(lines)
    ]
    for answer in session.predict("span", examples):
        yield {"answer": answer}


def _choices(session: Session, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    examples = []
    for number, line in lines:
        context, *choices = line.split("\t")
        if len(choices) < 2:
            raise MalformedRowError(
                "input",
                number,
                f"{len(choices) + 1} column(s); this model needs a context and two or more "
                "choices, tab-separated",
            )
        examples.append(ChoiceExample(str(number), context, "", tuple(choices), None))
    encoded = session.encode("choice", examples)
    outputs = session.run(encoded, "logits")
    for logits in choice.by_row(len(examples), encoded, outputs):
        scores = [round(float(value), 6) for value in softmax(logits)]
        yield {"choice": int(logits.argmax()), "scores": scores}


def _tags(session: Session, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    examples = [TagExample(str(number), tuple(line.split()), ()) for number, line in lines]
    for example, predicted in zip(examples, session.predict("tagging", examples), strict=True):
        yield {"words": list(example.words), "tags": predicted}
