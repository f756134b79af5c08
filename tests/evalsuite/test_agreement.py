"""One model beside another: how often they say the same, and whether one is better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_fakes import a_model, a_score

from evalsuite import bootstrap
from evalsuite.agreement import predictions
from evalsuite.agreement.predictions import Reference
from evalsuite.errors import DataError, MissingDataError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import System
from evalsuite.report.tables._agreement import comparison_table
from evalsuite.results.task import ModelComparison, TaskResult
from evalsuite.submission import files
from evalsuite.task import DataSource

EMBEDDED = DataSource("embedded")


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
    ids = [f"q{n}" for n in range(len(first))]
    files.write(tmp_path, task, "de", first, ids=ids)
    reference = Reference("teacher", tmp_path)
    read = predictions.read(reference, task, "de", "test", ids)
    assert read == first
    assert predictions.same(TASKS.get(task).format, read, second) == pytest.approx(same)
    with pytest.raises(DataError, match=r"teacher predicted . rows of .* not the same rows"):
        predictions.read(reference, task, "de", "test", ids[:1])
    with pytest.raises(MissingDataError):
        predictions.read(reference, task, "fr", "test", ids)


def test_pairs_that_both_mined(tmp_path: Path) -> None:
    ids = ["de-1", "de-2", "de-3"]
    first: list[str | None] = ["en-1", "en-2", None]
    files.write(tmp_path, "bucc2018", "de", first, ids=ids)
    files.write(tmp_path, "bucc2018", "fr", [None], ids=["fr-1"])
    reference = Reference("teacher", tmp_path)
    assert predictions.read(reference, "bucc2018", "de", "test", ids) == first
    assert predictions.same("mining", first, ["en-1", None, None]) == pytest.approx(200 / 3)
    nothing = predictions.read(reference, "bucc2018", "fr", "test", ["fr-1"])
    assert nothing == [None] and predictions.same("mining", nothing, nothing) == 100
    with pytest.raises(DataError, match="not the same rows"):
        predictions.read(reference, "bucc2018", "de", "test", ids[:1])


def test_answers_are_matched_by_the_ids_of_their_questions(tmp_path: Path) -> None:
    files.write(tmp_path, "xquad", "de", ["one", "two"], ids=["a", "b"])
    reference = Reference("teacher", tmp_path)
    assert predictions.read(reference, "xquad", "de", "test", ["b", "a"]) == ["two", "one"]
    with pytest.raises(DataError, match="not the same rows"):
        predictions.read(reference, "xquad", "de", "test", ["a", "c"])


def test_a_model_beside_itself_does_not_differ(tiny_nli: Path, tmp_path: Path) -> None:
    predictor = open_model(tiny_nli)

    def scored(out: str, against: Reference | None = None) -> Any:
        return evaluate(
            predictor, TASKS.get("xnli"), EMBEDDED, label=out, out=tmp_path / out,
            options=EvaluationOptions(languages=("en", "de", "sw"), max_examples=30, seed=3),
            against=against,
        )  # fmt: skip

    alone = scored("first")
    assert alone.comparison is None
    found = scored("second", Reference("first", tmp_path / "first")).comparison
    assert found == ModelComparison(
        label="first",
        agreement=dict.fromkeys(("en", "de", "sw"), 100.0),
        intervals=dict.fromkeys(("en", "de", "sw"), (0.0, 0.0)),
        zero_shot_interval=(0.0, 0.0),
        p=1.0,
    )
    # Against one that is always right, the difference is what this one lacks.
    for code in ("en", "de", "sw"):
        right = [str(row.label) for row in TASKS.get("xnli").load(EMBEDDED, "test", code)[:30]]
        files.write(tmp_path / "right", "xnli", code, right)
    found = scored("third", Reference("right", tmp_path / "right")).comparison
    for code, value in alone.metrics["accuracy"].items():
        assert found.agreement[code] == value
        low, high = alone.intervals[code]
        assert found.intervals[code] == pytest.approx((low - 100, high - 100))
    assert found.p == pytest.approx(2 / 1001)  # no draw reaches the other


@pytest.mark.parametrize("task", ["xnli", "lareqa", "bucc2018"])
def test_rows_are_the_same_in_any_order_of_languages(
    tiny_nli: Path, tmp_path: Path, task: str
) -> None:
    def digest(*languages: str) -> str:
        asked = EvaluationOptions(languages=languages, max_examples=40)
        predictor, of = open_model(tiny_nli), TASKS.get(task)
        return evaluate(
            predictor, of, EMBEDDED, label="it", out=tmp_path, options=asked
        ).data_digest

    assert digest("sw", "de") == digest("de", "sw") != digest("sw", "ru")


def test_result_files_of_version_6_are_still_read() -> None:
    other = ModelComparison(
        label="teacher", agreement={}, intervals={}, zero_shot_interval=None, p=None
    )
    result = a_score(a_model("int8"), en=79.0).model_copy(update={"comparison": other})
    old = {("beside" if k == "comparison" else k): v for k, v in result.model_dump().items()}
    assert TaskResult.model_validate(old) == result


def test_p_is_that_of_the_rarer_side() -> None:
    assert bootstrap.p_value(np.array([1.0] * 998 + [-1.0])) == pytest.approx(2 * 2 / 1000)
    assert bootstrap.p_value(np.array([-1.0] * 500 + [1.0] * 499)) == 1.0
    assert bootstrap.p_value(np.zeros(1000)) == 1.0


def test_pairs_see_what_two_intervals_do_not() -> None:
    """Right on nearly the same rows: their intervals overlap, their difference is sure."""
    rng = np.random.default_rng(0)
    first = (rng.random(2000) < 0.6).astype(float)
    second = first.copy()
    second[np.flatnonzero(first == 0)[:30]] = 1.0
    a, b = (bootstrap.draws(np.stack([x, np.ones(2000)], 1), seed=5) for x in (first, second))
    assert bootstrap.interval(b)[0] < bootstrap.interval(a)[1]
    low, high = bootstrap.interval(b - a)
    assert 0 < low < 100 * 30 / 2000 < high
    assert bootstrap.p_value(b - a) < 0.01


def test_the_report_shows_it() -> None:
    teacher, student = a_model("teacher"), a_model("int8")
    first = a_score(teacher, en=80.0, de=70.0, sw=60.0)
    second = a_score(student, en=79.0, de=69.0, sw=58.0).model_copy(
        update={
            "comparison": ModelComparison(
                label="teacher",
                agreement={"en": 99.0, "de": 97.0, "sw": 91.0},
                intervals={},
                zero_shot_interval=(-2.26, 0.31),
                p=0.1234,
            )
        }
    )
    systems = [
        System("teacher", (teacher,), (first,), ()),
        System("int8", (student,), (second,), ()),
    ]
    (column,) = columns([first, second])
    table = comparison_table(systems, column)
    assert table is not None
    assert [[cell.text for cell in (row.head, *row.cells)] for row in table.rows] == [
        ["int8", "94.0", "91.0", "−2.3 to +0.3", "0.123"]
    ]
    assert "points above teacher" in table.notes[0]
    assert comparison_table(systems[:1], column) is None


def test_the_report_names_the_model_compared_with_where_there_are_several() -> None:
    models = [a_model(name) for name in "abcd"]
    scores = [a_score(model, en=80.0, de=70.0) for model in models]
    for number, first in ((1, "a"), (3, "c")):  # of the stages [a, b] and [c, d]
        with_first = ModelComparison(
            label=first, agreement={"de": 90.0}, intervals={}, zero_shot_interval=None, p=None
        )
        scores[number] = scores[number].model_copy(update={"comparison": with_first})
    systems = [
        System(model.label, (model,), (score,), ())
        for model, score in zip(models, scores, strict=True)
    ]
    table = comparison_table(systems, columns(scores)[0])
    assert table is not None
    assert (table.columns[0].text, len(table.columns)) == ("compared with", 5)
    assert [(row.head.text, row.cells[0].text) for row in table.rows] == [("b", "a"), ("d", "c")]
    assert [len(row.cells) for row in table.rows] == [5, 5]
