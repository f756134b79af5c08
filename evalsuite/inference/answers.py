"""What a model with a head says about texts: each kind of head, one class.

>>> head = head_for(Path("int8"))
>>> examples = [head.example(["A man sleeps.", "Nobody is awake."])]
>>> list(head.answers(session, examples))
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from evalsuite.errors import ModelError
from evalsuite.formats import choice
from evalsuite.inference.checkpoint_config import Answers, head_of, model_config
from evalsuite.inference.session import Session
from evalsuite.inference.softmax import sigmoid, softmax
from evalsuite.task import ChoiceExample, PairExample, SpanExample, TagExample

if TYPE_CHECKING:
    import numpy as np

Answer = dict[str, Any]


class Texts(Protocol):
    """The texts that a model reads per row."""

    @property
    def columns(self) -> tuple[tuple[str, ...], ...]:
        """Names that the columns with the texts usually have, in order of preference."""
        ...

    @property
    def least(self) -> int:
        """Smallest number of texts per row."""
        ...

    @property
    def most(self) -> int | None:
        """Largest number of texts per row; None where there is no limit."""
        ...

    def split(self, line: str) -> list[str]:
        """The texts of a plain line, tab-separated where there are several.

        Raises:
            ValueError: it has another number of them than the model needs.
        """
        ...

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """The texts of a plain line as columns of what is written."""
        ...


class Head(Texts, Protocol):
    """How texts become a model's rows, and its outputs answers."""

    def example(self, texts: Sequence[str]) -> Any:
        """The row to run, of the texts of one row."""
        ...

    def answers(self, session: Session, examples: Sequence[Any]) -> Iterator[Answer]:
        """An answer per row, in order."""
        ...


def head_for(directory: Path) -> Head:
    """The head of a checkpoint or bundle.

    Raises:
        ModelError: it has none.
    """
    head = head_of(model_config(directory))
    if head is None:
        raise ModelError(f"{directory} has no task head; predict needs a tuned model")
    return _HEADS[head]()


class Sentences:
    """One sentence, or two; a model does not say which it was trained on."""

    columns = (("text",), ("first", "second"), ("sentence1", "sentence2"), ("sentence",))
    least, most = 1, 2

    def __init__(self) -> None:
        self._count: int | None = None  # of the texts of the first line that has one or two

    def example(self, texts: Sequence[str]) -> PairExample:
        """See `Head`."""
        return PairExample("", texts[0], texts[1] if texts[1:] else None, None)

    def answers(self, session: Session, examples: Sequence[PairExample]) -> Iterator[Answer]:
        """See `Head`."""
        predictor = session.predictor
        for logits in session.run(session.encode("pair", examples), "logits"):
            yield pair_answer(predictor.labels, predictor.answers, logits)

    def split(self, line: str) -> list[str]:
        """See `Texts`."""
        texts = line.split("\t")
        if len(texts) > 2:
            raise ValueError(
                f"{len(texts)} columns; this model takes one sentence or two, tab-separated"
            )
        if self._count is None and all(text.strip() for text in texts):
            self._count = len(texts)
        if self._count not in (None, len(texts)):
            raise ValueError(f"{len(texts)} column(s), and the first usable line has {self._count}")
        return texts

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """See `Texts`."""
        return {"first": texts[0], "second": texts[1]} if texts[1:] else {"text": texts[0]}


class Words:
    """Words, separated by spaces: a tag each."""

    columns = (("words",), ("text",), ("tokens",))
    least = most = 1

    def example(self, texts: Sequence[str]) -> TagExample:
        """See `Head`."""
        return TagExample("", tuple(texts[0].split()), ())

    def answers(self, session: Session, examples: Sequence[TagExample]) -> Iterator[Answer]:
        """See `Head`."""
        for example, tags in zip(examples, session.predict("tagging", examples), strict=True):
            yield {"words": list(example.words), "tags": tags}

    def split(self, line: str) -> list[str]:
        """See `Texts`."""
        return [line]

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """See `Texts`."""
        return {}  # the answer has the words


class Spans:
    """A question and a context."""

    columns = (("question", "context"),)
    least = most = 2

    def example(self, texts: Sequence[str]) -> SpanExample:
        """See `Head`."""
        return SpanExample("", texts[0], texts[1], ())

    def answers(self, session: Session, examples: Sequence[SpanExample]) -> Iterator[Answer]:
        """See `Head`."""
        for answer in session.predict("span", examples):
            yield {"answer": answer}

    def split(self, line: str) -> list[str]:
        """See `Texts`."""
        texts = line.split("\t")
        if len(texts) != 2:
            raise ValueError(f"{len(texts)} column(s); this model needs two, tab-separated")
        return texts

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """See `Texts`."""
        return {"question": texts[0], "context": texts[1]}


class Choices:
    """A context and two or more choices; a question about it follows a tab in the context."""

    columns = (("context", "question", "choices"), ("context", "choices"))
    least, most = 3, None

    def example(self, texts: Sequence[str]) -> ChoiceExample:
        """See `Head`."""
        context, _, question = texts[0].partition("\t")
        return ChoiceExample("", context, question, tuple(texts[1:]), None)

    def answers(self, session: Session, examples: Sequence[ChoiceExample]) -> Iterator[Answer]:
        """See `Head`."""
        encoded = session.encode("choice", examples)
        outputs = session.run(encoded, "logits")
        for logits in choice.by_row(len(examples), encoded, outputs):
            scores = [round(float(value), 6) for value in softmax(logits)]
            yield {"choice": int(logits.argmax()), "scores": scores}

    def split(self, line: str) -> list[str]:
        """See `Texts`."""
        texts = line.split("\t")
        if len(texts) < 3:
            raise ValueError(
                f"{len(texts)} column(s); this model needs a context and two or more choices, "
                "tab-separated"
            )
        return texts

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """See `Texts`."""
        return {"context": texts[0], "choices": list(texts[1:])}


_HEADS: dict[str, Callable[[], Head]] = {
    "pair": Sentences,
    "tagging": Words,
    "span": Spans,
    "choice": Choices,
}


def pair_answer(labels: Sequence[str], answers: Answers, logits: np.ndarray) -> Answer:
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
