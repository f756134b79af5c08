"""Any of several labels for one sentence, or for two: the emotions in a message.

Each label is given by itself, where its logit is 0 or more, a probability of one half. A row may
have none. Two models agree on a row where they give it the same set of labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evalsuite.formats import _agreement
from evalsuite.formats._by_head import predict as predict
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.formats.pair import encode as encode
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.softmax import sigmoid
from evalsuite.submission import layouts
from evalsuite.task import LabelsExample

if TYPE_CHECKING:
    import numpy as np

SUFFIX = "jsonl"  # of prediction files
HEAD = "pair"  # the format whose head its models have
ANSWERS = "labels"  # what the head gives per row
ARCHITECTURE = None  # that of `HEAD`
FIXED_LABELS = ()
to_text, read_file = layouts.label_sets_to_text, layouts.read_label_sets
READS = "labels"  # the kind of answer its rows hold
ALSO = ("macro_f1", "micro_f1", "calibration_error")  # scored next to each task's main metric
TWO_TEXTS = True  # whether a row is read as two texts at once
align = _agreement.align_in_order


def decode(
    labels: Sequence[str],
    examples: Sequence[LabelsExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[tuple[str, ...]]:
    """The labels whose logits are 0 or more, of each `[labels]` row."""
    return [
        tuple(label for label, logit in zip(labels, row, strict=True) if logit >= 0)
        for row in outputs
    ]


def gold(examples: Sequence[LabelsExample]) -> list[Mapping[str, bool] | None]:
    """Which labels each row has, None where that is hidden."""
    return [example.labels for example in examples]


def unlabelled(labels: Sequence[str], examples: Sequence[LabelsExample]) -> tuple[str, ...]:
    """The labels that no row is annotated with, where some rows are with others."""
    known = {label for example in examples for label in example.labels or ()}
    return tuple(label for label in labels if known and label not in known)


def probabilities(
    examples: Sequence[LabelsExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
    predictions: Sequence[Sequence[str]],
    labels: Sequence[str],
) -> tuple[list[bool], list[tuple[bool, float]]]:
    """Whether rows have each label, where that is known; what was said, with its probability."""
    has: list[bool] = []
    said: list[tuple[bool, float]] = []
    for example, row in zip(examples, outputs, strict=True):
        shares = dict(zip(labels, sigmoid(row).tolist(), strict=True))
        for label, present in (example.labels or {}).items():
            share = shares[label]
            has.append(present)
            said.append((share >= 0.5, max(share, 1 - share)))
    return has, said


def agreement(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> float:
    """Percent of rows with the same set of labels."""
    return _agreement.equal(*([frozenset(row) for row in rows] for rows in (first, second)))
