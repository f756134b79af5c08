"""A context and answers to choose from: XCOPA and similar tasks.

Each choice is one sequence, scored by one head; the highest score is chosen (Radford et
al. 2018, section 3.3). The sequences of a row follow one another in what `encode` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite import tokenization
from evalsuite.formats import _agreement
from evalsuite.formats._by_head import predict as predict
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.formats.pair import gold as gold
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.softmax import softmax
from evalsuite.submission import layouts
from evalsuite.task import CHOICE, ChoiceExample

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

SUFFIX = "jsonl"  # of prediction files
HEAD = "choice"  # the format whose head its models have
ANSWERS = "label"  # what the head gives per row
ARCHITECTURE = "ForMultipleChoice"  # how the name of the model class ends
FIXED_LABELS = CHOICE  # of every model of this format
to_text, read_file = layouts.choices_to_text, layouts.read_choices
READS = "label"  # the kind of answer its rows hold: the number of the choice
ALSO = ("calibration_error",)  # scored next to each task's main metric
TWO_TEXTS = True  # whether a row is read as two texts at once
align = _agreement.align_in_order
agreement = _agreement.equal


def encode(
    tokenizer: Tokenizer, examples: Sequence[ChoiceExample], max_length: int
) -> list[Encoded]:
    """`<s> context question </s></s> choice </s>`, one a choice.

    Special tokens are the tokenizer's. Where they do not fit, the context loses its end first, then
    the choice what is beyond half of the sequence, then the question.
    """
    around = tokenization.template(tokenizer)

    def ids(texts: list[str]) -> list[list[int]]:
        return [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]

    contexts = ids([example.context for example in examples])
    questions = ids([example.question for example in examples])
    choices = iter(ids([choice for example in examples for choice in example.choices]))
    room = max_length - len((*around.opening, *around.between, *around.closing))
    encoded = []
    for index, example in enumerate(examples):
        before = len(contexts[index]) + len(questions[index])
        for _ in example.choices:
            choice = next(choices)
            cut = before + len(choice) > room
            choice = choice[: max(room // 2, room - before)]
            question = questions[index][: room - len(choice)]
            context = contexts[index][: room - len(choice) - len(question)]
            one = [*around.opening, *context, *question]
            sequence = [*one, *around.between, *choice, *around.closing]
            encoded.append(Encoded(index, sequence, cut=cut))
    return encoded


def decode(
    labels: Sequence[str],
    examples: Sequence[ChoiceExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[int]:
    """Index of the highest of a row's `[1]` logits, the first of equal ones."""
    return [int(scores.argmax()) for scores in by_row(len(examples), encoded, outputs)]


def probabilities(
    examples: Sequence[ChoiceExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
    predictions: Sequence[int],
    labels: Sequence[str] = (),
) -> tuple[list[str | int | None], list[tuple[int, float]]]:
    """Gold choices, and the predicted ones with their probabilities among a row's choices."""
    scores = by_row(len(examples), encoded, outputs)
    shares = [float(softmax(row).max()) for row in scores]
    return gold(examples), list(zip(predictions, shares, strict=True))


def by_row(
    rows: int, encoded: Sequence[Encoded], outputs: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """The logits of each row's choices, `[choices]`."""
    import numpy as np

    scores: list[list[np.ndarray]] = [[] for _ in range(rows)]
    for sequence, logits in zip(encoded, outputs, strict=True):
        scores[sequence.example].append(logits)
    return [np.concatenate(row) for row in scores]
