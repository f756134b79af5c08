"""How often two models say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_fakes import a_model, a_score

from evalsuite import submission
from evalsuite.agreement import agreement
from evalsuite.errors import MissingDataError
from evalsuite.report.language_tables import other_metrics
from evalsuite.report.scores import columns
from evalsuite.report.systems import System


@pytest.mark.parametrize(
    ("task", "first", "second", "same"),
    [
        ("xnli", ["neutral", "neutral"], ["neutral", "entailment"], 50),
        ("udpos", [["X", "ADJ"], ["X"]], [["X", "X"], ["X"]], 200 / 3),
        ("xcopa", [0, 1, 1, 0], [1, 1, 1, 0], 75),
        ("tatoeba", [3, 0], [3, 0], 100),
        ("xquad", ["a", "b"], ["a", ""], 50),
        ("lareqa", [["a", "b"], ["c"]], [["a", "x"], ["d"]], 50),
    ],
)
def test_the_share_of_equal_predictions(
    tmp_path: Path, task: str, first: Any, second: Any, same: float
) -> None:
    ids = [str(n) for n in range(len(first))]
    for name, rows in (("a", first), ("b", second)):
        submission.write(tmp_path / name, task, "de", rows, ids=ids)
    found = agreement(tmp_path / "a", tmp_path / "b", task, ["de"])
    assert found == {"de": pytest.approx(same)}
    submission.write(tmp_path / "b", task, "de", second[:1], ids=ids[:1])
    with pytest.raises(ValueError, match="predictions of"):
        agreement(tmp_path / "a", tmp_path / "b", task, ["de"])
    with pytest.raises(MissingDataError):
        agreement(tmp_path / "a", tmp_path / "b", task, ["fr"])


def test_pairs_that_both_mined(tmp_path: Path) -> None:
    ids = ["de-1", "de-2", "de-3"]
    for name, rows in (("a", ["en-1", "en-2", None]), ("b", ["en-1", None, None])):
        submission.write(tmp_path / name, "bucc2018", "de", rows, ids=ids)
        submission.write(tmp_path / name, "bucc2018", "fr", [None], ids=["fr-1"])
    found = agreement(tmp_path / "a", tmp_path / "b", "bucc2018", ["de", "fr"])
    assert found == {"de": pytest.approx(200 / 3), "fr": 100}


def test_the_report_shows_it() -> None:
    teacher, student = a_model("teacher"), a_model("int8")
    first = a_score(teacher, en=80.0, de=70.0, sw=60.0)
    second = a_score(student, en=79.0, de=69.0, sw=58.0).model_copy(
        update={"agreement": {"en": 99.0, "de": 97.0, "sw": 91.0}, "agrees_with": "teacher"}
    )
    systems = [
        System("teacher", (teacher,), (first,), ()),
        System("int8", (student,), (second,), ()),
    ]
    (column,) = columns([first, second])
    table = other_metrics(systems, column)
    assert table is not None
    assert table.columns[0].sub == "predictions equal to those of teacher"
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["–", "–"],
        ["94.0", "91.0"],
    ]
