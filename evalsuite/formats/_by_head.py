"""What all formats share whose model has a head: its logits are decoded row by row."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.inference.predictor import Staged, answered


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """One prediction per example, and the scores of its probabilities where the format has some."""
    for language, examples in evaluation.by_language():
        predictions, metrics = evaluation.session.calibrated(evaluation.task, language, examples)
        predictor = evaluation.session.predictor
        by_member = answered(predictor) if isinstance(predictor, Staged) else {}
        yield Predicted(language, examples, predictions, metrics, answered=by_member)


def scoring(margin: bool) -> None:
    """No neighbours are compared."""
