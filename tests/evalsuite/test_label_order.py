"""Models that number the same labels differently are compared by the labels' names."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoints import renamed, small, turned

from evalsuite.agreement import across_vocabularies, outputs
from evalsuite.errors import ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import sample_rows
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.task import DataSource

EMBEDDED = DataSource("embedded")


@pytest.mark.parametrize(("head", "task"), [("pair", "xnli"), ("tagging", "panx")])
def test_the_same_function_in_two_orders_agrees(head: str, task: str, tmp_path: Path) -> None:
    labels = TASKS.get(task).labels
    plain = small(tmp_path / "plain", head, labels)
    other = turned(plain, tmp_path / "turned", sorted(labels, reverse=True), head)
    first, second = (Session(open_model(path)) for path in (plain, other))
    rows = sample_rows(TASKS.get(task), EMBEDDED, 4)
    text = {code: first.encode(TASKS.get(task).format, own) for code, own in rows.items()}
    by_ids = outputs.compare(first, second.predictor, text)
    by_text = across_vocabularies.compare(first, second, TASKS.get(task).format, rows).parity
    for parity in (by_ids, by_text):
        assert parity.agreement == 100 and parity.maximum < 1e-4 < parity.scale


def test_models_with_other_labels_are_not_compared(tmp_path: Path) -> None:
    plain = small(tmp_path / "plain")
    other = renamed(plain, tmp_path / "other", ("yes", "no", "maybe"))
    with pytest.raises(ModelError, match=r"other predicts yes, no, maybe .* plain entailment"):
        outputs.compare(Session(open_model(plain)), open_model(other), {})


def test_a_model_that_numbers_its_labels_is_not_scored(tmp_path: Path) -> None:
    numbers = ("LABEL_0", "LABEL_1", "LABEL_2")
    model = renamed(small(tmp_path / "plain"), tmp_path / "numbered", numbers)
    with pytest.raises(ModelError, match=r"xnli needs .*\n.*in its config.json set id2label: "):
        evaluate(
            open_model(model), TASKS.get("xnli"), EMBEDDED, label="m", out=tmp_path,
            options=EvaluationOptions(max_examples=2),
        )  # fmt: skip
