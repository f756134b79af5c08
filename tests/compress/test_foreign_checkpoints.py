"""Checkpoints tuned elsewhere: trimmed on text without labels; teachers that give no numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.distill.distill import distill
from evalsuite.agreement import across_vocabularies
from evalsuite.errors import NotFiniteError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, ParallelExample
from tests.support.harmed import change_weights, write_small
from tests.support.quick import distillation

NORM = "roberta.encoder.layer.1.output.LayerNorm.weight"


def test_a_classifier_is_compared_on_sentences_alone(tmp_path: Path) -> None:
    model = Session(open_model(write_small(tmp_path / "nli")))
    rows = {"de": [ParallelExample(str(n), text, text) for n, text in enumerate("abc")]}
    found = across_vocabularies.compare(model, model, "retrieval", rows)
    assert found.parity.agreement == 100 and found.alike == {"de": 100}
    assert found.parity.maximum == 0 and np.isfinite(found.parity.scale)


@pytest.mark.parametrize("logits", [1.0, 0.0])
def test_a_teacher_that_gives_no_numbers_is_named(tmp_path: Path, logits: float) -> None:
    teacher = write_small(tmp_path / "nli")
    change_weights(teacher, lambda weights: weights[NORM].fill_(3e38))
    options = distillation(logits=logits, hidden=1.0, max_length=24, max_examples=8)
    with pytest.raises(NotFiniteError, match=r"nli gives outputs .* first in .*hidden_states.2"):
        distill(
            teacher,
            [TASKS.get("xnli")],
            DataSource("embedded"),
            options,
            work=tmp_path / "work",
            out=tmp_path / "out",
        )
