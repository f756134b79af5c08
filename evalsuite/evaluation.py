"""What one evaluation works on: the options, the open model, and the rows of each language.

>>> evaluation = Evaluation(task, source, "test", session, EvaluationOptions(max_examples=100))
>>> for language, examples in evaluation.by_language():
...     predictions = session.predict(task.format, examples)

Each format reads its rows from here (`predict` in `evalsuite.formats`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalsuite.data import left_out
from evalsuite.errors import DataError, ModelError
from evalsuite.inference.predictor import Staged
from evalsuite.inference.session import Session
from evalsuite.inference.task_head import by_embedding
from evalsuite.retrieval.declared_vectors import SentenceModel, declared_by
from evalsuite.retrieval.embedding import Embedder
from evalsuite.retrieval.sentences import Pooling
from evalsuite.task import Candidate, DataSource, Example, Split, Task

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """Which rows are scored, and how.

    Attributes:
        languages: default all languages of the source.
        split: default the first of the task's `eval_splits` that the source has.
        layer: of embeddings; negative counts from the last, default the last where the model
            declares its sentence vectors, else two thirds up.
        pooling: of embeddings: the mean over tokens, or the first token (`cls`); default as the
            model declares, else the mean.
        prefix: put before each text that is embedded; default as the model declares.
        passage_prefix: the same for what is searched; default `prefix`, else as declared.
        dimensions: of embeddings the first numbers only, this many; default all.
        margin: retrieval only; compare neighbours by ratio margin and not by cosine. Mining always
            does.
        max_examples: take some rows only, this many per language (the result records it).
        seed: of the bootstrap.
        seen: languages, besides those with training rows, that models of this comparison were
            trained in for the task; none of them is in a zero-shot mean.
    """

    languages: Sequence[str] | None = None
    split: Split | None = None
    layer: int | None = None
    pooling: Pooling | None = None
    prefix: str | None = None
    passage_prefix: str | None = None
    dimensions: int | None = None
    margin: bool = False
    max_examples: int | None = None
    seed: int = 0
    seen: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model predicted for the rows of one language.

    Attributes:
        predictions: one per example.
        metrics: scores that need the model's outputs and not its predictions alone, in percent.
        candidates: how many candidates each row was compared with, where there is a pool.
        threshold: the lowest margin of a pair, where pairs are mined.
        unreached: rows whose gold answer no token of the model reaches, where there are spans.
        unscored: metrics that these predictions have no score of.
        answered: of a cascade, member -> rows that it answered.
    """

    language: str
    examples: Sequence[Example]
    predictions: list[Any]
    metrics: dict[str, float] = field(default_factory=dict)
    candidates: int = 0
    threshold: float | None = None
    unreached: int = 0
    unscored: tuple[str, ...] = ()
    answered: dict[str, int] = field(default_factory=dict)


class Evaluation:
    """One model on one task.

    Attributes:
        split: the split that is scored.
        vectors: how sentences become vectors; None where a head is scored.
        left_out: language -> reason -> rows that were not used.
    """

    def __init__(
        self,
        task: Task,
        source: DataSource,
        split: Split,
        session: Session,
        options: EvaluationOptions,
        progress: Progress = lambda fraction, text: None,
    ) -> None:
        self.task, self.source, self.split = task, source, split
        self.session, self.options, self.progress = session, options, progress
        self._digests: defaultdict[str, Any] = defaultdict(hashlib.sha256)
        self._reading = ""  # the language whose rows are read; empty where it is what all share
        by_vectors = by_embedding(task, bool(session.predictor.labels))
        self.vectors = self._embedder() if by_vectors else None
        languages = options.languages or task.available(source, split)
        with left_out.collected() as without:
            self.rows = {language: self.load(split, language) for language in languages}
        self.left_out = {
            rows.language: dict(left.reasons)
            for rows, left in without.items()
            if rows[:2] == (task.name, split) and left.reasons
        }

    def load(self, split: Split, language: str) -> Sequence[Example]:
        """Rows of one language, at most `max_examples`: the first ones, or as the task takes some.

        Raises:
            DataError: there are none.
        """
        rows = self.task.load(self.source, split, language)
        rows = self.task.some_of(rows, self.options.max_examples)
        if not rows:
            raise DataError(f"{self.task.name} {language}: no rows in its {split} split")
        return rows

    def by_language(self) -> Iterator[tuple[str, Sequence[Example]]]:
        """Language and rows, in order; reports progress and adds the rows to the digest."""
        for done, (language, examples) in enumerate(self.rows.items()):
            self.progress(done / len(self.rows), f"{self.task.name} {language}")
            self._reading = language
            self.add_to_digest((language, examples))
            self._tell(language)
            yield language, examples
        self._reading = ""
        self._tell(None)

    def _tell(self, language: str | None) -> None:
        """Let a predictor of several members know the language of the rows that come next."""
        if isinstance(self.session.predictor, Staged):
            self.session.predictor.language = language

    def digested(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """The same candidates; each is added to the digest when it is read."""
        for candidate in candidates:
            self.add_to_digest(candidate)
            yield candidate

    def add_to_digest(self, read: object) -> None:
        """Rows or a candidate, to the digest of the language that `by_language` is at."""
        self._digests[self._reading].update(repr(read).encode())

    def data_digest(self) -> str:
        """Of all rows and candidates that were read so far; languages in any order give one."""
        found = sorted((code, digest.hexdigest()) for code, digest in self._digests.items())
        return hashlib.sha256(repr(found).encode()).hexdigest()

    def embedder(self) -> Embedder:
        """Sentences to vectors, as this evaluation makes them."""
        assert self.vectors is not None
        return self.vectors

    def _declared(self) -> SentenceModel:
        """What the model declares; nothing where it cannot be made and a layer is asked for."""
        try:
            return declared_by(self.session.predictor.directory)
        except ModelError as error:
            if self.options.layer is not None:
                return SentenceModel()
            raise ModelError(f"{error}; set layer to score hidden states without it") from None

    def _embedder(self) -> Embedder:
        """As the options ask, else as the model declares where it is an encoder without a head."""
        options, predictor = self.options, self.session.predictor
        declared = SentenceModel() if predictor.labels else self._declared()
        layer = -1 if options.layer is None and declared.declared else options.layer
        prefix, passage_prefix = declared.prefixes(options.prefix, options.passage_prefix)
        return Embedder(
            self.session,
            absolute_layer(predictor.layers, layer),
            options.pooling or declared.pooling,
            prefix=prefix,
            passage_prefix=passage_prefix,
            dimensions=options.dimensions,
            longest=declared.longest,
        )


def absolute_layer(layers: int, layer: int | None) -> int:
    """The layer counted from the embeddings (0); the default is two thirds up, 0 of a static model.

    >>> absolute_layer(12, None), absolute_layer(12, -1)
    (8, 12)

    Raises:
        ModelError: the model has no such layer.
    """
    if layer is None:
        return min(layers, max(1, round(layers * 2 / 3)))
    absolute = layer + layers + 1 if layer < 0 else layer
    if not 0 <= absolute <= layers:
        raise ModelError(f"layer {layer}: the model has layers 0 (embeddings) to {layers}")
    return absolute
