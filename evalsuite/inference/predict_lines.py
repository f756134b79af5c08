"""Predict lines of text with any checkpoint or bundle.

>>> list(predict_lines(Path("int8"), ["A man sleeps.\\tNobody is awake."]))
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
Predict = Callable[[Session, list[tuple[int, str]]], Iterator[dict[str, Any]]]


def predict_lines(directory: Path, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
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
    head = head_of(model_config(directory))
    if head is None:
        raise ModelError(f"{directory} has no task head; predict needs a tuned model")
    predictor = open_model(directory)
    # int8 activations share one scale a batch: alone, a line gets the same answer in any company.
    session = Session(predictor, 1 if predictor.precision == "int8" else None)
    kinds: dict[str, Predict] = {
        "pair": _Sentences(), "tagging": _tags, "span": _answers, "choice": _choices
    }  # fmt: skip
    predict = kinds[head]
    plain = (line.rstrip("\n") for line in lines)
    numbered = (
        (number, line.removeprefix("\ufeff") if number == 1 else line)  # a byte-order mark
        for number, line in enumerate(plain, 1)
    )
    while batch := list(islice(numbered, BATCH)):
        yield from predict(session, batch)


class _Sentences:
    """Answers to lines of one sentence, or of two; a model does not say which it was trained on."""

    def __init__(self) -> None:
        self.columns: int | None = None  # of the first line

    def __call__(self, session: Session, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
        examples = [self.example(number, line) for number, line in lines]
        predictor = session.predictor
        for logits in session.run(session.encode("pair", examples), "logits"):
            yield pair_answer(predictor.labels, predictor.answers, logits)

    def example(self, number: int, line: str) -> PairExample:
        columns = line.split("\t")
        self.columns = self.columns or len(columns)
        if len(columns) > 2:
            problem = f"{len(columns)} columns; this model takes one sentence or two, tab-separated"
            raise MalformedRowError("input", number, problem)
        if len(columns) != self.columns:
            problem = f"{len(columns)} column(s), and the first line has {self.columns}"
            raise MalformedRowError("input", number, problem)
        return PairExample(str(number), columns[0], columns[1] if columns[1:] else None, None)


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
