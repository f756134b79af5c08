"""Predict lines of text with any checkpoint or bundle.

>>> list(predict_lines(Path("int8"), ["A man sleeps.\\tNobody is awake."]))
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import MalformedRowError, ModelError
from evalsuite.formats import choice
from evalsuite.inference.checkpoint_config import Answers, head_of, model_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.inference.softmax import sigmoid, softmax
from evalsuite.task import ChoiceExample, PairExample, SpanExample, TagExample

if TYPE_CHECKING:
    import numpy as np

BATCH = 256


def predict_lines(directory: Path, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One mapping a line, in order.

    A pair model takes two sentences separated by a tab and gives `label` and `scores`, the
    probability of each label. Where labels do not exclude each other it gives `labels`, those with
    a probability of one half or more, and `scores`; a reranker or regressor gives `score`, its
    logit as it is, or `scores` where it has several. A tagger takes words separated by spaces and
    gives `words` and `tags`; a model of spans takes a question and a context separated by a tab and
    gives `answer`; one of choices takes a context and two or more choices separated by tabs and
    gives `choice`, counted from 0, and `scores`.

    Raises:
        ModelError: the model has no head.
        MalformedRowError: a line has not the columns the model needs.
    """
    head = head_of(model_config(directory))
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
    predictor = session.predictor
    for logits in session.run(session.encode("pair", examples), "logits"):
        yield pair_answer(predictor.labels, predictor.answers, logits)


def pair_answer(labels: Sequence[str], answers: Answers, logits: np.ndarray) -> dict[str, Any]:
    """What a head for pairs says, from the `[labels]` logits of a row.

    >>> pair_answer(("toxic", "insult"), "labels", np.array([2.0, -2.0]))
    {'labels': ['toxic'], 'scores': {'toxic': 0.880797, 'insult': 0.119203}}
    """
    if answers == "score" and len(labels) == 1:
        return {"score": round(float(logits[0]), 6)}
    shares = {"label": softmax, "labels": sigmoid}
    values = shares[answers](logits) if answers in shares else logits
    shown = zip(labels, values, strict=True)
    scores = {"scores": {label: round(float(value), 6) for label, value in shown}}
    if answers == "labels":
        said = [label for label, logit in zip(labels, logits, strict=True) if logit >= 0]
        return {"labels": said, **scores}
    return {"label": labels[int(logits.argmax())], **scores} if answers == "label" else scores


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
