"""A predictor with its tokenizer: examples in, predictions out.

>>> session = Session(open_model(Path("student-int8")))
>>> session.predict("pair", examples)
['neutral', 'entailment']

The tokenizer is opened once, not once a language: XLM-R's takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from evalsuite import scoring, tokenization
from evalsuite.inference.batch_runner import run
from evalsuite.inference.encoded import Encoded, rows_cut
from evalsuite.metric import Answers
from evalsuite.registry import FORMATS
from evalsuite.task import Example, Format, Task

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor


class Session:
    """One open model, ready for text.

    Attributes:
        predictor: the model.
        tokenizer: its `tokenizers.Tokenizer`, padding and truncation off.
        pad_id: what it pads with.
        max_tokens: padded tokens a batch; 1 runs every sequence by itself, None as suits it.
        cut: rows so far that were longer than the model takes, and lost their end.
    """

    def __init__(self, predictor: Predictor, max_tokens: int | None = None) -> None:
        self.predictor = predictor
        self.max_tokens = max_tokens
        self.cut = 0
        self.tokenizer = tokenization.load(predictor.directory)
        self.pad_id = tokenization.pad_id(predictor.directory)

    def encode(self, format: Format, examples: Sequence[Example]) -> list[Encoded]:
        """The sequences to run, none longer than the model takes."""
        encoded: list[Encoded] = FORMATS.get(format).encode(
            self.tokenizer, examples, self.predictor.max_length
        )
        self.cut += rows_cut(encoded)
        return encoded

    def run(
        self,
        encoded: Sequence[Encoded],
        output: str,
        reduce: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """One array a sequence; see `evalsuite.inference.batch_runner.run`."""
        return run(self.predictor, encoded, output, self.pad_id, reduce, self.max_tokens)

    def predict(self, format: Format, examples: Sequence[Example]) -> list[Any]:
        """A label an example, or for a tagger its tags."""
        encoded = self.encode(format, examples)
        outputs = self.run(encoded, "logits")
        return self._decode(format, examples, encoded, outputs)

    def calibrated(
        self, task: Task, language: str, examples: Sequence[Example]
    ) -> tuple[list[Any], dict[str, float]]:
        """The same, and the scores of their probabilities, where they have some."""
        encoded = self.encode(task.format, examples)
        outputs = self.run(encoded, "logits")
        predictions = self._decode(task.format, examples, encoded, outputs)
        module = FORMATS.get(task.format)
        if not hasattr(module, "probabilities"):
            return predictions, {}
        labels = self.predictor.labels
        gold, said = module.probabilities(examples, encoded, outputs, predictions, labels)
        answers = Answers(gold=gold, predicted=said, task=task, language=language)
        return predictions, scoring.score(answers, "probabilities")

    def score(self, task: Task, language: str, examples: Sequence[Example]) -> float:
        """The task's main metric on rows of one language, in percent."""
        predictions = self.predict(task.format, examples)
        return scoring.main_score(scoring.answers(task, language, examples, predictions))

    def _decode(self, format: Format, examples: Any, encoded: Any, outputs: Any) -> list[Any]:
        predictions: list[Any] = FORMATS.get(format).decode(
            self.predictor.labels, examples, encoded, outputs
        )
        return predictions
