"""How each task format becomes token ids, and how model outputs become predictions.

One file a format, with the same functions:

- `encode(tokenizer, examples, max_length) -> list[Encoded]`, the sequences to run, each with the
  index of its example (a long sentence may become several windows, a choice is one each);
- `decode(labels, examples, encoded, outputs) -> list[...]`, one prediction an example;
- `score(task, language, examples, predictions) -> dict[str, float]`, metrics in percent;
- `parts(task, language, examples, predictions) -> np.ndarray`, `[rows, 2]`, what each row adds to
  the main metric above and below the line (`evalsuite.metrics.bootstrap`);
- `calibration(examples, encoded, outputs, predictions) -> float`, where the model gives each of its
  predictions a probability: how far these are from how often it is right.

Retrieval has no logits to decode: it encodes either side, and pools hidden states.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from types import ModuleType

from evalsuite.task import Format


@dataclass(frozen=True, slots=True)
class Encoded:
    """One sequence to run.

    Attributes:
        example: index of the example it comes from.
        ids: token ids, specials included.
        words: for each token, the index of the word it starts, or -1 (tagging only).
        spans: for each token, first and last + 1 character of the context it stands for, or
            (-1, -1) (spans only).
    """

    example: int
    ids: list[int]
    words: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)


def get(format: Format) -> ModuleType:
    """The module of one format."""
    return importlib.import_module(f"evalsuite.formats.{format}")
