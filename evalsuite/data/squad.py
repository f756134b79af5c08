"""Questions about a context, answered by a span of it: what XQuAD, MLQA and TyDiQA-GoldP share.

{"data": [{"paragraphs": [{"context": "...", "qas": [{"id": "a1", "question": "...",
           "answers": [{"text": "1867", "answer_start": 9}]}]}]}]}

That is SQuAD 1.1's layout (Rajpurkar et al. 2016), which the benchmark uses for all three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from evalsuite.data import files, hub
from evalsuite.data.answer_forms import Normal, squad
from evalsuite.data.mistaken import is_there
from evalsuite.data.sourced import SourcedTask, first_there, root
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.languages import LANGUAGES
from evalsuite.task import SPAN_ENDS, Answer, DataSource, Example, Format, SpanExample, Split


class SpanTask(SourcedTask):
    """Question, context, answers; ids are the data set's own, unique within a language.

    Attributes:
        places: where a split's file may lie under the directory, the first there is; a path
            without `{language}` is English.
        hub_training: configuration of the hub data set with the training rows.
    """

    format: Format = "span"
    labels: tuple[str, ...] = SPAN_ENDS
    metric: str = "answer_f1"
    places: ClassVar[dict[Split, tuple[str, ...]]]
    hub_training: ClassVar[str]

    def normal(self, language: str) -> Normal:
        """How answers are normalised before they are compared."""
        return squad

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        if source.kind != "xtreme":
            return ()
        places = [
            root(source) / place.format(language=language)
            for place in self.places.get(split, ())
            if language == "en" or "{language}" in place
        ]
        return first_there(places)

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        if not paths:
            raise DataError(f"{self.what(split, language)}: there is none; layout: {self.layout}")
        (path,) = paths
        return list(questions(path, self.what(split, language), self.layout))

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        for code in LANGUAGES:
            if any(map(is_there, self.files(source, split, code))):
                yield code

    def _from_hub(self, split: Split, language: str) -> list[Example]:
        config = self.hub_training if split == "train" else self.hub_config(language)
        assert self.hub is not None  # `available` is empty without it
        rows = hub.rows(self.hub, config, self.hub_splits[split])
        return [self.from_row(row, str(row["id"])) for row in rows if self.is_of(row, language)]

    def is_of(self, row: hub.Row, language: str) -> bool:
        """Whether a hub row is of this language, where a configuration has several."""
        return True

    def from_row(self, row: hub.Row, id: str) -> Example:
        found = row["answers"]
        answers = zip(found["text"], found["answer_start"], strict=True)
        return SpanExample(
            id,
            row["question"],
            row["context"],
            tuple(_placed(row["context"], text, start) for text, start in answers),
        )

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.qa(split, language)
        return rows


def questions(path: Path, what: str, layout: str) -> list[SpanExample]:
    """All questions of a SQuAD file, in its order.

    Raises:
        MissingDataError: there is no such file.
        MalformedRowError: it is not JSON, not SQuAD's, or has no question.
    """
    tree = files.tree(path, what, layout)
    found: list[SpanExample] = []
    try:
        for article in tree["data"] if isinstance(tree, dict) else tree:
            for paragraph in article["paragraphs"]:
                context = str(paragraph["context"])
                for row in paragraph["qas"]:
                    answers = tuple(
                        _placed(context, str(answer["text"]), int(answer.get("answer_start", -1)))
                        for answer in row["answers"]
                    )
                    found.append(
                        SpanExample(str(row["id"]), str(row["question"]), context, answers)
                    )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedRowError(
            path, 1, f"not SQuAD's layout: {type(error).__name__} {error} in question {len(found)}"
        ) from None
    if not found:
        raise MalformedRowError(path, 1, "no questions")
    return _numbered(found)


def _numbered(found: list[SpanExample]) -> list[SpanExample]:
    """TyDiQA's training files give one id to several questions: the second `12` is `12#2`."""
    seen: Counter[str] = Counter()
    unique = []
    for question in found:
        seen[question.id] += 1
        count = seen[question.id]
        unique.append(replace(question, id=f"{question.id}#{count}") if count > 1 else question)
    return unique


def _placed(context: str, text: str, start: int) -> Answer:
    """The answer where the file says, or where it is found nearest to that."""
    if start >= 0 and context.startswith(text, start):
        return Answer(text, start)
    places = []
    at = context.find(text)
    while at >= 0 and text:
        places.append(at)
        at = context.find(text, at + 1)
    return Answer(text, min(places, key=lambda place: abs(place - start), default=-1))
