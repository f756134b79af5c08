"""Metrics: pure functions of gold and predicted rows, in percent.

>>> names()[:4]
('accuracy', 'answer_f1', 'calibration_error', 'chunk_f1')
"""

from __future__ import annotations

TITLES: dict[str, str] = {
    "accuracy": "accuracy",
    "answer_f1": "answer F1",
    "calibration_error": "calibration error",
    "chunk_f1": "chunk F1",
    "chunk_precision": "chunk precision",
    "chunk_recall": "chunk recall",
    "exact_match": "exact match",
    "f1": "F1",
    "map_at_20": "mAP@20",
    "mining_f1": "mining F1",
    "mining_precision": "mining precision",
    "mining_recall": "mining recall",
    "retrieval_accuracy": "retrieval accuracy",
    "token_accuracy": "token accuracy",
}


def names() -> tuple[str, ...]:
    """Names of the metrics that results carry."""
    return tuple(sorted(TITLES))
