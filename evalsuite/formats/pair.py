"""Two sentences, one label: XNLI and similar tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.formats import _agreement
from evalsuite.formats._by_head import predict as predict
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.inference.encoded import Encoded
from evalsuite.metrics.chance import majority
from evalsuite.metrics.score import score_shown, shown_calibration, shown_parts
from evalsuite.submission import layouts
from evalsuite.task import ChoiceExample, PairExample, Task

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

SUFFIX = "tsv"  # of prediction files
ARCHITECTURE = "ForSequenceClassification"  # how the name of the model class ends
FIXED_LABELS = ()  # the labels are those of the task
to_text, read_file = layouts.one_per_line, layouts.read_labels
align = _agreement.align_in_order
agreement = _agreement.equal


def encode(tokenizer: Tokenizer, examples: Sequence[PairExample], max_length: int) -> list[Encoded]:
    """`<s> first </s></s> second </s>`; the longer side is cut first where both do not fit."""
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    try:
        encodings = tokenizer.encode_batch([(e.first, e.second) for e in examples])
    finally:
        tokenizer.no_truncation()
    return [Encoded(index, encoding.ids) for index, encoding in enumerate(encodings)]


def decode(
    labels: Sequence[str],
    examples: Sequence[PairExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[str]:
    """The label of the largest logit of each `[labels]` row."""
    return [labels[int(row.argmax())] for row in outputs]


def calibration(
    examples: Sequence[PairExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
    predictions: Sequence[str],
) -> float:
    """Over the rows that have a gold label."""
    return shown_calibration([e.label for e in examples], outputs, predictions)


def chance(
    task: Task, language: str, examples: Sequence[PairExample], candidates: int = 0
) -> float:
    """The most frequent label; rows with a hidden label are left out."""
    return majority([example.label for example in examples if example.label])


def parts(
    task: Task,
    language: str,
    examples: Sequence[PairExample | ChoiceExample],
    predictions: Sequence[str | int],
) -> np.ndarray:
    """Right or not; rows whose label is hidden add nothing."""
    return shown_parts([example.label for example in examples], predictions)


def score(
    task: Task,
    language: str,
    examples: Sequence[PairExample | ChoiceExample],
    predictions: Sequence[str | int],
) -> dict[str, float]:
    """Accuracy over the rows that have a gold label, and F1 of the task's positive one."""
    return score_shown([example.label for example in examples], predictions, task.positive)
