"""What all formats share whose model has a head: its logits are decoded row by row."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.evaluation import Evaluation, Predicted


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """One prediction per example, and the scores of its probabilities where the format has some."""
    for language, examples in evaluation.by_language():
        predictions, metrics = evaluation.session.calibrated(evaluation.task, language, examples)
        yield Predicted(language, examples, predictions, metrics)


def scoring(margin: bool) -> None:
    """No neighbours are compared."""
