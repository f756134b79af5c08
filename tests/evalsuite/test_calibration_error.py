"""Expected calibration error: against its definition, and out of each format that has labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import choice, pair, tagging
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.inference.softmax import softmax
from evalsuite.metric import Answers
from evalsuite.metrics.calibration_error import METRIC, calibration_error
from evalsuite.registry import TASKS
from evalsuite.task import ChoiceExample, DataSource, PairExample, TagExample


def error(task: str, rows: tuple[list[Any], list[Any]]) -> float:
    """Of what a format's `probabilities` gives."""
    gold, said = rows
    answers = Answers(gold=gold, predicted=said, task=TASKS.get(task), language="en")
    return METRIC.score(answers)["calibration_error"]


rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def by_definition(items: list[tuple[float, bool]], bins: int) -> float:
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [(p, r) for p, r in items if low < p <= high or (number == 0 and p == 0)]
        if inside:
            share = sum(p for p, _ in inside) / len(inside)
            right = sum(r for _, r in inside) / len(inside)
            total += len(inside) / len(items) * abs(share - right)
    return 100 * total


@given(rows)
def test_it_is_what_the_paper_defines(items: list[tuple[float, bool]]) -> None:
    share, right = np.array([p for p, _ in items]), np.array([r for _, r in items])
    found = calibration_error(share, right, bins=8)  # edges of eighths are exact
    assert found == pytest.approx(by_definition(items, 8))
    assert calibration_error(np.tile(share, 2), np.tile(right, 2), 8) == pytest.approx(found)
    assert calibration_error(share[::-1], right[::-1], 8) == pytest.approx(found)


def test_a_bin_holds_its_upper_edge() -> None:
    apart = calibration_error(np.array([0.5, 0.9]), np.array([True, False]), bins=2)
    assert apart == pytest.approx(100 * (0.5 + 0.9) / 2)


def test_sure_and_right_is_calibrated_sure_and_wrong_is_not() -> None:
    assert calibration_error(np.ones(5), np.ones(5, dtype=bool)) == 0
    assert calibration_error(np.ones(5), np.zeros(5, dtype=bool)) == 100
    with pytest.raises(ValueError, match="no predictions"):
        calibration_error(np.array([]), np.array([]))


def test_rows_of_pairs_without_a_label_do_not_count() -> None:
    examples = [PairExample("0", "a", "b", "x"), PairExample("1", "a", "b", None)]
    logits = [np.log([0.8, 0.2]), np.log([0.1, 0.9])]
    encoded = [Encoded(0, [0]), Encoded(1, [0])]
    found = pair.probabilities(examples, encoded, logits, ["x", "y"])
    assert error("xnli", found) == pytest.approx(20)


def test_choices_share_one_probability() -> None:
    examples = [ChoiceExample("0", "a", "b", ("c", "d"), 1)]
    encoded = [Encoded(0, [0]), Encoded(0, [0])]
    logits = [np.log([0.3]), np.log([0.7])]
    found = choice.probabilities(examples, encoded, logits, [1])
    assert error("xcopa", found) == pytest.approx(30)


def test_words_count_once_over_windows() -> None:
    example = TagExample("0", ("a", "b", "\u200b"), ("X", "O", "O"))
    windows = [Encoded(0, [0, 5, 6, 2], [-1, 0, -1, -1]), Encoded(0, [0, 7, 2], [-1, 1, -1])]
    sure = np.log([[0.5, 0.5], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5]])
    wrong = np.log([[0.5, 0.5], [0.6, 0.4], [0.5, 0.5]])
    found = tagging.probabilities([example], windows, [sure, wrong], [["X", "X", "O"]])
    assert error("udpos", found) == pytest.approx((10 + 60) / 2)


def test_results_carry_it_where_there_are_labels(tiny_nli: Path, tmp_path: Path) -> None:
    predictor = open_model(tiny_nli)
    result = evaluate(
        predictor, TASKS.get("xnli"), DataSource("embedded"), label="m", out=tmp_path,
        options=EvaluationOptions(languages=("en", "sw"), max_examples=20),
    )  # fmt: skip
    assert set(result.metrics["calibration_error"]) == {"en", "sw"}
    found = evaluate(
        predictor, TASKS.get("tatoeba"), DataSource("embedded"), label="m", out=tmp_path,
        options=EvaluationOptions(languages=("sw",), max_examples=20),
    )  # fmt: skip
    assert "calibration_error" not in found.metrics


def test_probabilities_sum_to_one_and_do_not_overflow() -> None:
    found = softmax(np.array([[1000.0, 0.0], [0.0, 0.0]]))
    assert found == pytest.approx(np.array([[1.0, 0.0], [0.5, 0.5]]))
