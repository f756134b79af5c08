"""The report's benchmark scores: as the benchmark counts, or not at all."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_score

from evalsuite.registry import TASKS
from evalsuite.report.figures.systems import System
from evalsuite.report.tables.benchmark_means import benchmark_scores, benchmark_tables
from evalsuite.results.record import ModelInfo
from evalsuite.results.task import TaskResult
from evalsuite.submission.benchmark_means import XTREME, XTREME_R


def whole(model: ModelInfo, name: str, value: float) -> TaskResult:
    """A result with every language of XTREME-R, each with a value of its own."""
    member = XTREME_R.tasks[name]
    languages = {code: value + i / 10 for i, code in enumerate(member.languages)}
    task = TASKS.get(name)
    return a_score(model, name, source="xtreme").model_copy(
        update={
            "split": task.eval_splits[0],
            "metrics": dict.fromkeys(member.metrics, languages),
            "main_metric": member.metrics[-1],
            "examples": dict.fromkeys(languages, 1500),
        }
    )


def of(*results: TaskResult) -> System:
    return System("teacher", (results[0].model,), results, ())


def test_every_task_whole_gives_the_overall_score() -> None:
    model = a_model("teacher")
    results = [whole(model, name, 50.0) for name in XTREME_R.tasks]
    scores = benchmark_scores(of(*results), XTREME_R)
    mean = {name: 50 + (len(member.languages) - 1) / 20 for name, member in XTREME_R.tasks.items()}
    assert scores == {name: pytest.approx(value) for name, value in mean.items()}
    (table,) = [t for t in benchmark_tables([of(*results)]) if t.corner == "XTREME-R"]
    assert table.columns[-1].text == "overall"
    assert table.rows[0].cells[-1].text == f"{sum(mean.values()) / 10:.1f}"
    assert [column.text for column in table.columns if column.sub == "group"] == [
        "classification", "tagging", "qa", "retrieval",
    ]  # fmt: skip


def test_one_task_missing_leaves_its_group_and_the_overall_score_out() -> None:
    model = a_model("teacher")
    results = [whole(model, name, 50.0) for name in XTREME_R.tasks if name != "lareqa"]
    table = next(t for t in benchmark_tables([of(*results)]) if t.corner == "XTREME-R")
    by_head = dict(zip([c.text for c in table.columns], table.rows[0].cells, strict=True))
    assert by_head["overall"].text == by_head["retrieval"].text == "–"
    assert by_head["tagging"].text != "–" and "LAReQA" not in by_head


@pytest.mark.parametrize(
    "change",
    [
        {"source": "embedded"},
        {"split": "dev"},
        {"max_examples": 1500},
        {"metrics": {"accuracy": {"en": 50.0, "de": 50.0}}},
        {"task": "xnli_without_thai"},
    ],
)
def test_what_is_not_the_benchmarks_has_no_score(change: dict[str, object]) -> None:
    result = whole(a_model("teacher"), "xnli", 50.0)
    assert benchmark_scores(of(result), XTREME) == {"xnli": pytest.approx(50.7)}
    assert benchmark_scores(of(result.model_copy(update=change)), XTREME) == {}
    assert benchmark_tables([of(result.model_copy(update=change))]) == ()


def test_a_limit_above_the_rows_there_are_cuts_nothing() -> None:
    result = whole(a_model("teacher"), "xnli", 50.0)
    assert benchmark_scores(of(result.model_copy(update={"max_examples": 1501})), XTREME)


def test_two_results_of_one_task_are_not_chosen_between() -> None:
    result = whole(a_model("teacher"), "tatoeba", 50.0)
    other = result.model_copy(update={"layer": 3})
    assert benchmark_scores(of(result, other), XTREME_R) == {}
