"""What a student is, and what it matches of its teacher."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from compress.distill.elastic_cuts import Elastic
from compress.distill.narrow import Shape
from transfer.loop.fit import Settings
from transfer.models.checkpoints import Precision
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.precision.train_rounded import Rounding
from transfer.text.augment import Augmentation
from transfer.text.stream import Stream

Cache = Literal["auto", "always", "never"]
LayerChoice = Literal["spaced", "greedy"]


@dataclass(frozen=True, slots=True)
class Options:
    """The student and what it matches; a term with weight 0 is not computed."""

    layers: int | tuple[int, ...] | None  # None: all of the teacher's, or those of `student`
    logits: float
    hidden: float
    labels: float  # the task's own loss
    temperature: float
    multilingual: float  # share of batches that are plain multilingual text
    batch_size: int
    epochs: float | None
    max_steps: int | None
    max_length: int
    max_examples: int | None
    max_pairs: int | None  # of multilingual text, a language
    settings: Settings
    freeze_embeddings: bool = False
    layer_choice: LayerChoice = "spaced"  # how a number of layers is chosen
    teacher_layers: tuple[int, ...] | None = None  # for each layer of the student; None: as chosen
    dropout: float | None = None  # of the student while it learns; None: as in its configuration
    relations: float = 0.0
    relation_heads: int | None = None
    relation_layer: int | None = None  # of the teacher, 0 the lowest
    sentences: float = 0.0  # embeddings of plain text's sentences and of their translations
    contrast: float = 0.0  # finding one's own among the vectors of the batch's sentences
    each_side: bool = False  # the teacher embeds either side, and not the English one for both
    vectors: SentenceVectors = field(default_factory=SentenceVectors)
    shape: Shape = field(default_factory=Shape)
    others: tuple[Path, ...] = ()  # more teachers, whose logits are averaged with the first's
    cache: Cache = "auto"  # the teacher's logits: computed once a row, or with every batch
    student: Path | None = None  # a checkpoint to start from, in place of the teacher's layers
    teacher_precision: Precision = "fp32"  # of teachers that are checkpoints
    augmentation: Augmentation = field(default_factory=Augmentation)  # of the task's rows
    balance_labels: bool = False  # of plain text, by the labels that the teacher gives to it
    prose: bool = False  # of parallel text, running text only
    skip_longer: bool = False  # leave text out that is longer than max_length
    text: tuple[Path, ...] = ()  # files with a sentence per line, in place of parallel text
    stream: Stream | None = None  # text read in shards, in place of both
    alpha: float = 0.3  # exponent of the sampling of the stream's languages
    quantize_aware: Rounding | None = None  # what the student is trained to be exported in
    languages: tuple[str, ...] = ()  # of parallel text, apart from English; none: all there are
    elastic: Elastic | None = None  # smaller sizes at which the student is trained as well
    prefixed: bool = True  # whether the student, too, reads sentences with the teacher's prefix
    static: bool = False  # whether the student is a table of vectors, without layers

    @property
    def own_vectors(self) -> SentenceVectors:
        """How the student makes sentence vectors: as its teacher does.

        A static one takes the mean of its pieces, since its first token says nothing of a text.
        """
        own = self.vectors if self.prefixed else self.vectors.without_prefix()
        return replace(own, pooling="mean") if self.static else own
