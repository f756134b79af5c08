"""Metrics: pure functions of gold and predicted rows, in percent.

>>> names()
('accuracy', 'chunk_f1', 'chunk_precision', 'chunk_recall', 'retrieval_accuracy', 'token_accuracy')
"""

from __future__ import annotations

TITLES: dict[str, str] = {
    "accuracy": "accuracy",
    "chunk_f1": "chunk F1",
    "chunk_precision": "chunk precision",
    "chunk_recall": "chunk recall",
    "retrieval_accuracy": "retrieval accuracy",
    "token_accuracy": "token accuracy",
}


def names() -> tuple[str, ...]:
    """Names of the metrics that results carry."""
    return tuple(sorted(TITLES))
