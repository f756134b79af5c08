"""What a task is: its metadata, its examples, and where its rows come from.

>>> from evalsuite.registry import TASKS
>>> task = TASKS.get("xnli")
>>> task.format, task.labels
('pair', ('entailment', 'neutral', 'contradiction'))
>>> task.load(DataSource("xtreme", Path("data")), "dev", "sw")[0].label
'neutral'

A task file (`evalsuite/tasks/<name>.py`) holds one module-level `TASK`, an instance of a
subclass of `Task`. Nothing here imports torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evalsuite.languages import SOURCE_LANGUAGE

SourceKind = Literal["hub", "xtreme", "embedded", "files"]
Split = Literal["train", "dev", "test"]
NO_ANSWER = ""
SPAN_ENDS = ("start", "end")  # what a model of spans scores each token as
CHOICE = ("choice",)  # what a model of choices scores each sequence as
SCORE = ("score",)  # what a model of regression gives each row
Format = Literal[
    "pair",
    "regression",
    "multilabel",
    "tagging",
    "span",
    "choice",
    "retrieval",
    "ranking",
    "mining",
]


Scheme = Literal["iob", "bilou", "plain"]  # see `evalsuite.metrics._scheme`


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where rows come from. `data_dir` is needed by `xtreme` only; `files` is for tasks that name
    their own files (`evalsuite.own`), which read them whatever the source."""

    kind: SourceKind
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class TextExample:
    """Two sentences, or one: `second` is then None."""

    id: str
    first: str
    second: str | None


@dataclass(frozen=True, slots=True)
class PairExample(TextExample):
    """Two sentences and the label of their relation, or one sentence and its label. `label` is None
    where it is hidden."""

    label: str | None


@dataclass(frozen=True, slots=True)
class ScoreExample(TextExample):
    """Two sentences, or one, and their score, None where it is hidden."""

    score: float | None


@dataclass(frozen=True, slots=True)
class LabelsExample(TextExample):
    """Two sentences, or one, and whether they have each label; labels that nobody looked for are
    not there. `labels` is None where all are hidden."""

    labels: Mapping[str, bool] | None


@dataclass(frozen=True, slots=True)
class TagExample:
    """A sentence split in words, one tag a word."""

    id: str
    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A text, and where in its context it begins (character, from 0); -1 where it is not in it."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class SpanExample:
    """A question and a context that holds its answers; `answers` is empty where they are hidden."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class OptionalSpanExample(SpanExample):
    """A question whose context may hold no answer: the empty text is then its one answer."""


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """A context, a question about it (empty where there is none) and the answers to choose from;
    `label` is the index of the right one, None where it is hidden."""

    id: str
    context: str
    question: str
    choices: tuple[str, ...]
    label: int | None


@dataclass(frozen=True, slots=True)
class QueryExample:
    """A query and the ids of the candidates that answer it."""

    id: str
    query: str
    relevant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchExample:
    """A query and a passage that answers it: a row to train on."""

    id: str
    query: str
    passage: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage queries are searched among."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ParallelExample:
    """A sentence and its English translation."""

    id: str
    foreign: str
    english: str


@dataclass(frozen=True, slots=True)
class MiningExample:
    """A sentence and the ids of its translations on the English side; most have none."""

    id: str
    foreign: str
    partners: tuple[str, ...]


Example = (
    PairExample
    | ScoreExample
    | LabelsExample
    | TagExample
    | SpanExample
    | ChoiceExample
    | QueryExample
    | MatchExample
    | ParallelExample
    | MiningExample
)


@dataclass(frozen=True, slots=True)
class HubSource:
    """A parquet data set of the Hugging Face hub, pinned to one commit."""

    repo: str
    revision: str


class Task(ABC):
    """One task: metadata as class attributes, rows through `load`.

    Attributes:
        name: catalogue name, the file's own.
        format: which of `evalsuite.formats` encodes, decodes and scores it.
        languages: ISO 639-1 codes the benchmark lists, English included where it has it.
        source_language: the language models are trained in; the others are zero-shot.
        training_languages: those of the training rows that are read where no others are asked for.
        labels: label set in id order (empty where embeddings are scored; the two ends for spans;
            one score for choices and for regression).
        metric: main metric, a file of `evalsuite.metrics`.
        also: metrics that are scored as well.
        positive: the label that `f1` is of, where it is scored.
        two_texts: whether its rows have two texts; None: as those of its format do.
        scheme: how tags mark chunks; None: as seqeval reads them.
        eval_splits: splits to evaluate on, in order of preference.
        fitted_on: the split thresholds are chosen on, where there are any.
        by_embedding: whether hidden states of a layer are scored, and no head is needed.
        trains_on: whether there is an English training split.
        hub: pinned hub source, or None where the hub has no parquet copy.
        hub_beside: other hub data sets its rows come from.
        layout: one line: the files expected under an XTREME directory.
        licence, citation, url: of the data.
    """

    name: str
    title: str
    format: Format
    languages: tuple[str, ...]
    source_language: str = SOURCE_LANGUAGE
    training_languages: tuple[str, ...] = (SOURCE_LANGUAGE,)
    labels: tuple[str, ...] = ()
    metric: str
    also: tuple[str, ...] = ()
    positive: str | None = None
    scheme: Scheme | None = None
    two_texts: bool | None = None
    eval_splits: tuple[Split, ...] = ("test", "dev")
    fitted_on: Split | None = None
    by_embedding: bool = False
    trains_on: bool = True
    hub: HubSource | None = None
    hub_beside: tuple[HubSource, ...] = ()
    layout: str
    licence: str
    citation: str
    url: str

    def kind_of_source(self, source: DataSource) -> SourceKind:
        """Where its rows really come from, which a task with its own files decides itself."""
        return source.kind

    def labelled(self, source: DataSource) -> Task:
        """The task with the labels of this source: itself, unless its label set is read from the
        rows, as CCG's supertags are."""
        return self

    @property
    def seen_languages(self) -> tuple[str, ...]:
        """Those whose scores are not zero-shot: with training rows, and the source's."""
        return tuple(dict.fromkeys((self.source_language, *self.training_languages)))

    @property
    def learnable(self) -> bool:
        """Whether there is something to learn from its training rows: labels, or passages."""
        return self.trains_on and bool(self.labels)

    @abstractmethod
    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """Rows of one language.

        Raises:
            MissingDataError: a file is absent; names the path and the layout.
            MalformedRowError: a row does not fit; names file and line.
            UnknownNameError: the task has no such language.
        """

    @abstractmethod
    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """The files `load` would read, whether they exist or not (empty for hub and embedded)."""

    @abstractmethod
    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages that have rows for this split in this source, English first, then sorted."""

    def readable(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages whose rows can be read, for uses that need no labels; those with labels,
        unless the task has others."""
        return self.available(source, split)

    def absent(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages that the benchmark has in the split and the source does not, sorted."""
        listed = self.training_languages if split == "train" else self.languages
        return tuple(sorted({*listed} - {*self.available(source, split)}))

    def some_of(self, rows: Sequence[Example], most: int | None) -> Sequence[Example]:
        """At most `most` of the rows, where not all are asked for: the first."""
        return rows[:most]

    def rows_drawn(self, most: int | None) -> str:
        """How `some_of` draws rows, for a signature; empty where it takes the first."""
        return ""

    def eval_split(self, source: DataSource) -> Split:
        """The first of `eval_splits` that has rows in any language."""
        for split in self.eval_splits:
            if self.available(source, split):
                return split
        return self.eval_splits[0]
