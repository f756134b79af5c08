"""The options of a training on tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transfer.encoded_rows.masked_text import MaskedText
from transfer.loop.fit import Settings
from transfer.loop.mixing import Mixing
from transfer.methods.lora import Sequential
from transfer.models.checkpoints import Embeddings, Precision
from transfer.objectives.robust import Robust
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.precision.train_rounded import Rounding
from transfer.supervised.keep_best import Selecting
from transfer.text.augment import Augmentation
from transfer.text.sentence_pairs import Belonging


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to train and how; `Settings` has the optimizer's part."""

    method: str
    settings: Settings
    batch_size: int
    epochs: float | None = 1.0  # None: as `max_steps` says, or three
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"
    max_steps: int | None = None
    max_length: int = 128
    max_examples: int | None = None
    languages: tuple[str, ...] | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    vectors: SentenceVectors = field(default_factory=SentenceVectors)  # of a bi-encoder
    belonging: Belonging | None = None  # rows with a score or a label are pairs of a bi-encoder
    method_options: dict[str, Any] = field(default_factory=dict)
    mixing: Mixing = "proportional"
    cap: int | None = None  # of examples counted when tasks are mixed in proportion
    temperature: float = 1.0  # of `temperature` mixing
    language_temperature: float | None = None  # None: a task's languages are one set
    masked: MaskedText = field(default_factory=MaskedText)
    effective_batch: int | None = None  # rows a step, in micro-batches of `batch_size`
    batch_tokens: int | None = None  # padded tokens a micro-batch, in place of its rows
    selecting: Selecting | None = None  # by English dev rows
    average: int | None = None  # of weights after so many steps
    average_share: float = 0.25  # of the steps, the last ones, that these are of
    robust: Robust = field(default_factory=Robust)
    restarts: int = 0  # with further seeds, where nothing is learnt
    quantize_aware: Rounding | None = None  # what a checkpoint is trained to be exported in
    sequential: Sequential | None = None  # what becomes of an adapter that is trained on

    @property
    def cuts(self) -> bool:
        """Whether a batch of the plan is a whole step, cut into micro-batches."""
        return self.effective_batch is not None or self.batch_tokens is not None

    @property
    def rows(self) -> int:
        """Rows of a batch of the plan."""
        whole = self.batch_size * self.settings.accumulate if self.cuts else self.batch_size
        return self.effective_batch or whole
