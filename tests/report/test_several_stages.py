"""A model that several stages scored or timed: it is one model, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

import pytest
from report_fakes import a_model, a_run, a_score, a_speed

from evalsuite.report.figures.scores import columns, intervals, language_means
from evalsuite.report.figures.systems import System, group
from evalsuite.report.figures.task_front import task_front
from evalsuite.report.figures.trials import score_trials
from evalsuite.report.output.cards import cards
from evalsuite.report.table import Table
from evalsuite.report.tables._agreement import comparison_table
from evalsuite.report.tables.language_charts import language_charts
from evalsuite.report.tables.languages import language_table, other_metrics
from evalsuite.report.tables.scores import main_table
from evalsuite.results.record import ModelInfo
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import ModelComparison, TaskResult


def in_two_stages(model: ModelInfo, task: str = "xnli") -> list[TaskResult]:
    """English and German in one stage, three languages in another."""
    one, other = a_score(model, task, en=80, de=70), a_score(model, task, fr=50, es=60, ru=70)
    return [one, other.model_copy(update={"data_digest": "sha256:b"})]


def systems_of(run: RunRecord) -> tuple[System, ...]:
    return group(score_trials(run))


def column(table: Table, number: int = 0) -> dict[str, str]:
    return {row.head.text: row.cells[number].text for row in table.rows}


def test_means_and_gap_are_of_the_model_and_not_of_its_stages() -> None:
    run = a_run(*in_two_stages(a_model("teacher")))
    tasks = columns(run.scores)
    table = language_table(systems_of(run), tasks[0])
    found = column(table)
    assert found["zero-shot mean"] == "62.5" and found["transfer gap"] == "+17.5"
    assert found["German"] == "70.0" and found["French"] == "50.0"
    assert table.columns[0].sub == ""
    (cell, *_) = main_table(systems_of(run), tasks).rows[0].cells
    assert (cell.text, cell.sub) == ("62.5", "en 80.0")
    assert "| zero-shot mean | 62.5 |" in cards(score_trials(run))["teacher"]


def test_of_a_language_that_two_stages_scored_the_first_score_counts_everywhere() -> None:
    model = a_model("teacher")
    one, other = a_score(model, en=80, de=70), a_score(model, en=90, de=50, fr=60)
    one = one.model_copy(update={"intervals": {"de": (68.0, 72.0)}})
    other = other.model_copy(
        update={
            "data_digest": "sha256:b",
            "intervals": {"en": (88.0, 92.0), "de": (48.0, 52.0), "fr": (58.0, 62.0)},
        }
    )
    assert language_means([one, other], "accuracy") == {"en": 80, "de": 70, "fr": 60}
    assert intervals([one, other]) == {"de": (68.0, 72.0), "fr": (58.0, 62.0)}
    run = a_run(one, other)
    systems, (task,) = systems_of(run), columns(run.scores)
    table = language_table(systems, task)
    assert column(table)["English"] == "80.0" and column(table)["transfer gap"] == "+15.0"
    assert [row.cells[0].sub for row in table.rows[:3]] == ["", "68.0 to 72.0", "58.0 to 62.0"]
    assert main_table(systems, [task]).rows[0].cells[0].sub == "en 80.0"
    (chart,) = language_charts(systems, [task])
    assert chart.systems[0].scores == {"de": 70, "en": 80, "fr": 60}


def test_two_models_count_alike_however_many_stages_scored_them() -> None:
    small = a_score(a_model("t[task=xnli]"), "tatoeba", de=10, fr=10)
    twice = [a_score(a_model("t[task=udpos]"), "tatoeba", de=v, fr=v) for v in (30, 40)]
    heads = [a_score(a_model(f"t[task={task}]"), task, en=1, de=2) for task in ("xnli", "udpos")]
    run = a_run(*heads, small, twice[0], twice[1].model_copy(update={"data_digest": "sha256:b"}))
    systems, tasks = systems_of(run), columns(run.scores)
    table = language_table(systems, tasks[2])
    assert table.columns[0].sub == "mean of 2 models"
    assert column(table)["German"] == "20.0" and column(table)["zero-shot mean"] == "20.0"


def test_other_metrics_and_agreement_are_of_the_model_too() -> None:
    one, other = in_two_stages(a_model("teacher"), "udpos")
    run = a_run(one, other)
    table = other_metrics(systems_of(run), columns(run.scores)[0])
    assert table is not None
    assert [cell.text for cell in table.rows[0].cells] == ["63.5", "81.0"]

    def compared(result: TaskResult, **agreement: float) -> TaskResult:
        with_first = ModelComparison(
            label="first", agreement=agreement, intervals={}, zero_shot_interval=None, p=None
        )
        return result.model_copy(update={"comparison": with_first})

    run = a_run(compared(one, en=99, de=90), compared(other, fr=60, es=60, ru=60, de=10))
    table = comparison_table(systems_of(run), columns(run.scores)[0])
    assert table is not None
    assert [cell.text for cell in table.rows[0].cells[:2]] == ["67.5", "60.0"]


def test_a_comparison_that_only_a_later_stage_made_is_kept() -> None:
    teacher, student = a_score(a_model("teacher"), en=80, de=70), a_score(a_model("s"), en=9, de=8)
    with_teacher, with_other = (
        ModelComparison(
            label=label, agreement={"de": 90}, intervals={}, zero_shot_interval=(-2, 1), p=0.25
        )
        for label in ("teacher", "other")
    )
    second = student.model_copy(update={"comparison": with_teacher, "seconds": 9.0})
    third = student.model_copy(update={"comparison": with_other})
    run = score_trials(a_run(student, teacher, second, third))
    assert run.scores == (student.model_copy(update={"comparison": with_teacher}), teacher)
    table = comparison_table(systems_of(run), columns(run.scores)[0])
    assert table is not None
    assert [cell.text for cell in table.rows[0].cells] == ["90.0", "90.0", "−2.0 to +1.0", "0.250"]


def test_all_models_of_a_task_have_the_same_languages_outside_the_mean() -> None:
    other = ModelComparison(
        label="fused", agreement={"de": 90}, intervals={}, zero_shot_interval=(1, 2), p=0.5
    )
    alone = a_score(a_model("english"), en=80, de=40, sw=60).model_copy(
        update={"seen_languages": ("en",), "zero_shot_interval": (48.0, 52.0), "comparison": other}
    )
    both = {"seen_languages": ("en", "sw"), "zero_shot_interval": (38.0, 42.0)}
    fused = a_score(a_model("fused"), en=80, de=62, sw=70).model_copy(update=both)
    again = alone.model_copy(update=both | {"comparison": other.model_copy(update={"p": 0.25})})
    elsewhere = alone.model_copy(update={"split": "dev"})
    run = score_trials(a_run(alone, again, fused, elsewhere))
    assert [result.zero_shot() for result in run.scores] == [40, 62, 50]
    assert run.scores == (again, fused, elsewhere)
    first, second, _ = main_table(group(run), columns(run.scores)).rows
    assert [first.cells[0].text, second.cells[0].text] == ["40.0", "62.0"]
    assert second.cells[0].delta == "+22.0"

    (result, _) = score_trials(a_run(alone, fused)).scores  # whose interval is of another mean
    assert result.zero_shot() == 40 and result.zero_shot_interval is None
    assert result.comparison == other.model_copy(update={"zero_shot_interval": None, "p": None})
    kept = a_score(a_model("b"), en=80, de=40).model_copy(update={"zero_shot_interval": (1.0, 2.0)})
    assert score_trials(a_run(kept, fused)).scores[0].zero_shot_interval == (1.0, 2.0)


def test_the_worst_language_is_the_one_of_the_scores_that_count() -> None:
    models = a_model("a", 100), a_model("b", 10)
    scores = [
        score
        for model in models
        for score in (
            a_score(model, en=80, de=70),
            a_score(model, en=80, de=10, fr=60).model_copy(update={"data_digest": "sha256:b"}),
        )
    ]
    run = a_run(*scores)
    rows = task_front(systems_of(run), columns(run.scores)[0])
    assert [row.worst for row in rows] == [("fr", 60), ("fr", 60)]


# Speeds


def on(speed: SpeedResult, **changed: Any) -> SpeedResult:
    environment = speed.environment.model_copy(update=changed)
    return speed.model_copy(update={"environment": environment})


@pytest.mark.parametrize(
    "second",
    [
        lambda speed: speed.model_copy(update={"memory_limit": 64_000_000}),
        lambda speed: speed.model_copy(update={"grid": speed.grid[:1]}),
        lambda speed: speed.model_copy(update={"throughput": speed.throughput[:2]}),
        lambda speed: speed.model_copy(update={"data_digest": "sha256:other"}),
        lambda speed: on(speed, cpu="other CPU"),
        lambda speed: on(speed, cores=64),
        lambda speed: on(speed, threads=1),
    ],
    ids=["memory_limit", "shapes", "passes", "rows", "cpu", "cores", "threads"],
)
def test_a_benchmark_that_asked_for_something_else_is_kept(second: Any) -> None:
    speed = a_speed(a_model("a"), 10)
    run = score_trials(a_run(speeds=(speed, second(speed), speed)))
    assert run.speeds == (speed, second(speed))


def test_the_same_benchmark_twice_is_kept_once() -> None:
    first, again = a_speed(a_model("a"), 10), a_speed(a_model("a"), 11)
    again = on(again, versions={"torch": "2"})
    assert score_trials(a_run(speeds=(first, again))).speeds == (first,)
