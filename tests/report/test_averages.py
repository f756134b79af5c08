"""Averages where a task was scored in the source language alone."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_run, a_score

from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.headline import headline
from evalsuite.report.figures.scaling import scalings
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group
from evalsuite.report.tables.scores import main_table
from evalsuite.report.tables.seeds import seed_table
from evalsuite.results.run import RunRecord

GERMAN = {"t": (50.0, 60.0), "s": (51.0, 61.0), "u": (54.0, 64.0)}
BYTES = {"t": 2000, "s": 1000, "u": 4000}


@pytest.fixture
def run() -> RunRecord:
    """Three systems of three sizes on XNLI and UD-POS, and in English alone on SST."""
    scores = []
    for name, (xnli, udpos) in GERMAN.items():
        counts = {"parameters": BYTES[name] * 1000}
        model = a_model(name, BYTES[name]).model_copy(update=counts)
        scores += [
            a_score(model, "xnli", en=90, de=xnli),
            a_score(model, "udpos", en=90, de=udpos),
            a_score(model, "sst", en=95),
        ]
    return a_run(*scores)


def test_a_task_in_english_alone_is_outside_the_average(run: RunRecord) -> None:
    systems, tasks = group(run), columns(run.scores)
    table = main_table(systems, tasks)
    assert table.columns[-1].text == "Average" and table.columns[-1].sub == "of 2 tasks"
    assert [row.cells[-1].text for row in table.rows] == ["55.0", "56.0", "59.0", "33.3"]
    assert "Average: without Sst, on which no system has a zero-shot score." in table.notes
    assert "+1.0 points zero-shot on average over 2 tasks" in headline(systems, tasks).replace(
        "\u00a0", " "
    )


def test_charts_and_lines_have_that_average(run: RunRecord) -> None:
    systems, tasks = group(run), columns(run.scores)
    drawn = charts(systems, tasks)
    assert drawn[0].title == "Average against size"
    assert drawn[0].caption.startswith("Average over XNLI and UD-POS.")
    assert [(p.name, p.y, p.partial) for p in drawn[0].points] == [
        ("t", 55, False), ("s", 56, False), ("u", 59, False),
    ]  # fmt: skip
    (line,) = scalings(systems, tasks)
    assert line.scores["Average"] == (56, 55, 59)


def test_a_seed_in_english_alone_has_no_average() -> None:
    german = {1: 51.0, 2: 52.0, 3: None}
    scores = []
    for seed, value in german.items():
        model = a_model(f"t[seed={seed}]")
        by_language = {"en": 90.0} if value is None else {"en": 90.0, "de": value}
        scores += [a_score(model, task, **by_language) for task in ("xnli", "udpos")]
    run = a_run(*scores)
    (row,) = seed_table(group(run), columns(run.scores)).rows
    assert [(cell.text, cell.sub) for cell in row.cells] == [
        ("51.5 ± 0.7", "2 seeds"), ("51.5 ± 0.7", "2 seeds"), ("–", ""),
    ]  # fmt: skip
