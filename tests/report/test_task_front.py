"""Which models no other beats on a task: by mean or worst language, for size or speed."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_run, a_score, a_speed, run_of_three_systems, tables_of

from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group
from evalsuite.report.figures.task_front import (
    MEAN_SIZE,
    MEAN_SPEED,
    WORST_SIZE,
    WORST_SPEED,
    FrontRow,
    task_front,
)
from evalsuite.report.output.page import page
from evalsuite.report.tables.task_fronts import front_table
from evalsuite.results.run import RunRecord

MB = 1_000_000
EVERY = {MEAN_SIZE, MEAN_SPEED, WORST_SIZE, WORST_SPEED}


def rows_of(run: RunRecord) -> dict[str, FrontRow]:
    (task,) = columns(run.scores)
    return {row.name: row for row in task_front(group(run), task)}


def test_each_way_of_being_the_best_is_told_apart() -> None:
    models = {
        name: a_model(name, size * MB)
        for name, size in (("teacher", 400), ("even", 50), ("uneven", 50), ("bad", 60))
    }
    run = a_run(
        a_score(models["teacher"], en=90, de=80, sw=70),
        a_score(models["even"], en=85, de=66, sw=64),
        a_score(models["uneven"], en=88, de=79, sw=55),
        a_score(models["bad"], en=80, de=60, sw=50),
        speeds=(
            a_speed(models["teacher"], 10),
            a_speed(models["even"], 90),
            a_speed(models["uneven"], 80),
        ),
    )
    rows = rows_of(run)
    assert list(rows) == ["teacher", "bad", "even", "uneven"]  # the largest first
    assert set(rows["teacher"].best) == EVERY
    assert set(rows["even"].best) == {WORST_SIZE, WORST_SPEED, MEAN_SPEED}
    assert set(rows["uneven"].best) == {MEAN_SIZE, MEAN_SPEED}
    assert rows["bad"].best == () and rows["bad"].per_second is None
    assert rows["uneven"].worst == ("sw", 55) and rows["uneven"].score.mean == 67
    table = front_table(tuple(rows.values()))
    assert [cell.text for cell in table.rows[2].cells] == [
        "65.0", "64.0", "50.0", "90.0", "worst", "mean, worst",
    ]  # fmt: skip


def test_a_task_has_the_size_and_speed_of_the_models_made_for_it() -> None:
    runs = {}
    for task, rate in (("xnli", 10), ("udpos", 1000)):
        made = [a_model(f"{name}[task={task}]", rate * MB) for name in ("teacher", "student")]
        runs[task] = [(model, a_speed(model, rate * (n + 1))) for n, model in enumerate(made)]
    both = [*runs["xnli"], *runs["udpos"]]
    scores = [a_score(model, task, en=9, de=8) for task, own in runs.items() for model, _ in own]
    run = a_run(*scores, speeds=tuple(speed for _, speed in both))
    systems = group(run)
    assert [system.name for system in systems] == ["teacher", "student"]
    found = {task.task: task_front(systems, task) for task in columns(run.scores)}
    assert {t: [row.per_second for row in own] for t, own in found.items()} == {
        "xnli": [10, 20],
        "udpos": [1000, 2000],
    }
    assert [row.megabytes for row in found["udpos"]] == [1000, 1000]
    size, speed = [
        chart for chart in charts(systems, columns(run.scores)) if chart.title == "UD-POS"
    ]
    assert [point.x for point in size.points] == [1000, 1000]
    assert [point.x for point in speed.points] == [1000, 2000]


def test_seeds_are_one_row_and_other_rows_of_data_are_left_out() -> None:
    first, second = (a_model(f"student[seed={seed}]", 10 * MB) for seed in (1, 2))
    other = a_score(a_model("elsewhere", MB), en=99, de=99, sw=99)
    run = a_run(
        a_score(a_model("teacher", 40 * MB), en=90, de=80, sw=70),
        a_score(first, en=80, de=60, sw=50),
        a_score(second, en=80, de=70, sw=44),
        other.model_copy(update={"data_digest": f"sha256:{'1' * 64}"}),
    )
    rows = rows_of(run)
    assert list(rows) == ["teacher", "student"]
    assert (rows["student"].score.mean, rows["student"].score.count) == (56, 2)
    assert rows["student"].worst == ("sw", 47)  # of the means over the seeds
    assert front_table(tuple(rows.values())).rows[1].cells[0].sub == "2 seeds"


def test_the_report_has_a_table_per_task() -> None:
    found = page(run_of_three_systems())
    section = next(section for section in found.sections if section.name == "pareto")
    labels = [part.label for part in section.parts if part.table]
    assert labels == ["Front of XNLI", "Front of UD-POS", "Front of Tatoeba"]


def test_a_model_of_unknown_size_is_not_the_best_for_its_size() -> None:
    run = a_run(
        a_score(a_model("a", 10 * MB), en=90, de=80), a_score(a_model("b", 0), en=90, de=50)
    )
    assert {name: row.best for name, row in rows_of(run).items()} == {
        "a": (MEAN_SIZE, WORST_SIZE),
        "b": (),
    }
    (chart,) = (c for c in charts(group(run), columns(run.scores)) if c.points)
    assert chart.caption == "Not in the chart, because of a size that is not known: b."


def test_rates_on_another_text_are_not_on_the_front() -> None:
    slow, fast, other = (a_model(name, 10 * MB) for name in ("slow", "fast", "other"))
    run = a_run(
        a_score(slow, en=90, de=80),
        a_score(fast, en=80, de=70),
        a_score(other, en=80, de=75),
        speeds=(
            a_speed(slow, 10),
            a_speed(fast, 20),
            a_speed(other, 90, text="long documents"),
        ),
    )
    rows = rows_of(run)
    assert rows["other"].per_second is None and rows["fast"].per_second == 20
    assert MEAN_SPEED in rows["fast"].best and MEAN_SPEED not in rows["other"].best
    (chart,) = (c for c in charts(group(run), columns(run.scores)) if "throughput" in c.title)
    assert {point.name for point in chart.points} == {"slow", "fast"}
    assert "other" in chart.caption and "not timed with 2 threads (xnli dev" in chart.caption


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            "f1|label:yes|bootstrap:1000|seed:1|version:1",
            "f1|label:no|bootstrap:9|version:1",
            False,
        ),
        ("f1|bootstrap:1000|seed:1|version:1", "f1|bootstrap:1000|seed:1|version:2", False),
        ("f1|scheme:IOB2|bootstrap:1000|version:1", "f1|bootstrap:1000|version:1", False),
        ("f1|bootstrap:1000|seed:1|version:1", "f1|bootstrap:9|seed:2|scipy:1.2|version:1", True),
        ("f1|rows:9|rows_seed:1|bootstrap:9|version:1", "f1|bootstrap:9|version:1", True),
        ("f1|bootstrap:1000|seed:1|version:1", "", True),  # a record of an older version
    ],
)
def test_numbers_with_different_signatures_are_not_subtracted(
    one: str, other: str, same: bool
) -> None:
    """What draws samples and rows is no part of how an answer is scored."""
    first, second = (
        a_score(a_model(name, size * MB), en=90, de=80).model_copy(update={"signature": signature})
        for name, size, signature in (("a", 2, one), ("b", 1, other))
    )
    run = a_run(first, second)
    (table,) = tables_of(page(run), "scores")
    assert bool(table.rows[1].cells[0].delta) == same
    assert any("b scored in another way than a" in note for note in table.notes) != same
    assert len(rows_of(run)) == (2 if same else 0)


def test_one_model_in_two_runs_is_apart_where_its_vectors_are_made_in_two_ways() -> None:
    """In a comparison its label has the name of the run."""
    base = a_model("base")
    low, high = (
        a_score(base.model_copy(update={"label": f"{run}:base"}), "tatoeba", de=80).model_copy(
            update={"layer": layer}
        )
        for run, layer in (("a", 8), ("b", 12))
    )
    assert [c.name for c in columns([low, high])] == ["Tatoeba (layer 8)", "Tatoeba (layer 12)"]
    student = a_score(a_model("student"), "tatoeba", de=70).model_copy(update={"layer": 4})
    assert len(columns([low, student])) == 1
    by_margin = student.model_copy(update={"scoring": "margin"})
    assert [c.name for c in columns([low, by_margin])] == ["Tatoeba (cosine)", "Tatoeba (margin)"]


def test_one_model_alone_has_no_front() -> None:
    assert rows_of(a_run(a_score(a_model("teacher"), en=90, de=80))) == {}
