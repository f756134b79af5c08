"""One label for two sentences, or for one: XNLI and similar tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.formats import _agreement
from evalsuite.formats._by_head import predict as predict
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.softmax import softmax
from evalsuite.submission import layouts
from evalsuite.task import ChoiceExample, PairExample

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

SUFFIX = "tsv"  # of prediction files
HEAD = "pair"  # the format whose head its models have
ANSWERS = "label"  # what the head gives per row
ARCHITECTURE = "ForSequenceClassification"  # how the name of the model class ends
FIXED_LABELS = ()  # the labels are those of the task
to_text, read_file = layouts.one_per_line, layouts.read_labels
READS = "label"  # the kind of answer its rows hold
ALSO = ("calibration_error",)  # scored next to each task's main metric
TWO_TEXTS = True  # whether a row is read as two texts at once
align = _agreement.align_in_order
agreement = _agreement.equal


def encode(tokenizer: Tokenizer, examples: Sequence[PairExample], max_length: int) -> list[Encoded]:
    """`<s> first </s></s> second </s>`; the longer side is cut first where both do not fit."""
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    try:
        encodings = tokenizer.encode_batch(
            [e.first if e.second is None else (e.first, e.second) for e in examples]
        )
    finally:
        tokenizer.no_truncation()
    return [
        Encoded(index, encoding.ids, cut=bool(encoding.overflowing))
        for index, encoding in enumerate(encodings)
    ]


def decode(
    labels: Sequence[str],
    examples: Sequence[PairExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[str]:
    """The label of the largest logit of each `[labels]` row."""
    return [labels[int(row.argmax())] for row in outputs]


def gold(examples: Sequence[PairExample | ChoiceExample]) -> list[str | int | None]:
    """The label of each row, None where it is hidden."""
    return [example.label for example in examples]


def probabilities(
    examples: Sequence[PairExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
    predictions: Sequence[str],
    labels: Sequence[str] = (),
) -> tuple[list[str | int | None], list[tuple[str, float]]]:
    """Gold labels, and the predicted ones with their probabilities."""
    shares = [float(softmax(row).max()) for row in outputs]
    return gold(examples), list(zip(predictions, shares, strict=True))
