"""Charts in the report: Pareto fronts, and drawings that can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from report_fakes import a_model, a_run, a_score, run_of_three_systems

from evalsuite.report.charts.chart import Curve, Curves, TrainingChart
from evalsuite.report.charts.draw_curves import draw as draw_curves
from evalsuite.report.charts.draw_languages import draw as draw_languages
from evalsuite.report.charts.draw_points import draw, log_ticks
from evalsuite.report.charts.draw_training import draw as draw_training
from evalsuite.report.charts.label_places import place
from evalsuite.report.charts.palette import INK
from evalsuite.report.charts.pareto_charts import charts, short_names
from evalsuite.report.charts.svg_element import as_element
from evalsuite.report.figures.pareto_front import front
from evalsuite.report.figures.scores import TaskColumn, columns, results_of
from evalsuite.report.figures.systems import System, group
from evalsuite.report.tables.language_charts import MOST, language_charts
from evalsuite.results.run import RunRecord
from evalsuite.results.task import TaskResult


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return run_of_three_systems()


@pytest.mark.parametrize(
    ("found", "smaller", "expected"),
    [
        ([(1, 50), (2, 60), (3, 55)], True, (0, 1)),
        ([(1, 50), (2, 60), (3, 55)], False, (1, 2)),
        ([(1, 50), (1, 50), (2, 40)], True, (0, 1)),
        ([(3, 1), (1, 1)], True, (1,)),
        ([], True, ()),
    ],
)
def test_front(found: list[tuple[float, float]], smaller: bool, expected: tuple[int, ...]) -> None:
    assert front(found, smaller_is_better=smaller) == expected


def test_a_partial_average_is_never_on_the_front(run: RunRecord) -> None:
    chart = charts(group(run), columns(run.scores))[0]
    assert [point.name for point in chart.points if point.partial] == ["base"]
    assert [chart.points[i].name for i in chart.front] == ["int8", "teacher"]
    assert "base (Tatoeba)" in chart.caption


def test_labels_in_plots_do_not_overlap() -> None:
    spots = [(100.0 + i, 100.0 + i % 2) for i in range(8)]
    corners = place(spots, [(50.0, 12.0)] * 8, (0.0, 0.0, 400.0, 300.0))
    for i, (x, y) in enumerate(corners):
        assert 0 <= x <= 350 and 0 <= y <= 288
        assert all(abs(x - u) >= 50 or abs(y - v) >= 12 for u, v in corners[:i])


def test_of_many_points_the_front_and_the_first_are_labelled() -> None:
    models = [a_model(f"m{i}", 1000 + i) for i in range(60)]
    run = a_run(*(a_score(m, en=50, de=40.0 + 0.1 * (i >= 55)) for i, m in enumerate(models)))
    (chart,) = charts(group(run), columns(run.scores))
    assert [chart.points[i].name for i in chart.front] == ["m0", "m55"]
    assert chart.labelled == (0, 55, *range(1, 39))
    said = "40 of 60 systems have a label; the mouse on a point shows its system."
    assert chart.caption == said
    drawn = draw(chart, "a")
    assert drawn.count("<title>") == 60 and ">m55</text>" in drawn and ">m38</text>" in drawn
    assert ">m39</text>" not in drawn
    fewer = replace(chart, points=chart.points[:40], front=())
    assert fewer.not_labelled == "" and len(fewer.labelled) == 40


def test_the_work_for_a_chart_grows_with_the_systems_and_not_with_their_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[System] = []

    def counted(system: System, column: TaskColumn) -> tuple[TaskResult, ...]:
        calls.append(system)
        return results_of(system, column)

    monkeypatch.setattr("evalsuite.report.figures.scores.results_of", counted)
    counts = []
    for size in (5, 10):
        models = [a_model(f"m{i}") for i in range(size)]
        run = a_run(*(a_score(m, task, de=40) for m in models for task in ("xnli", "udpos")))
        calls.clear()
        charts(group(run), columns(run.scores))
        counts.append(len(calls))
    assert counts[1] == 2 * counts[0]


@pytest.mark.parametrize("character", ["\a", "\x00", "\x1b", "\uffff"])
def test_characters_that_no_drawing_can_hold_are_not_in_it(run: RunRecord, character: str) -> None:
    chart = charts(group(run), columns(run.scores))[0]
    name = f"a{character}b"
    points = tuple(replace(point, name=name, label=name) for point in chart.points)
    drawn = draw(replace(chart, x_label=name, points=points), "a")
    assert character not in drawn and drawn.count(">ab<") == 1 + len(points)
    fromstring(drawn)


def test_short_names_stay_apart() -> None:
    assert short_names(["t[s=1]", "t[s=2]", "i[s=1]", "b"]) == ["t[1]", "t[2]", "i", "b"]
    assert short_names(["t[a=1]", "t[b=1]"]) == ["t[a=1]", "t[b=1]"]
    assert short_names(["xnli:t[s=1]", "xnli:t[s=2]", "xnli-large:t", "mini#1:t"]) == [
        "xnli:t[1]", "xnli:t[2]", "xnli-l:t", "mini#1:t",
    ]  # fmt: skip
    assert short_names(["package:a", "b"]) == ["package:a", "b"]
    assert short_names(["package:a", "package:b"]) == ["package:a", "package:b"]


@pytest.mark.parametrize("span", [(1, 1.2), (3, 80), (0.5, 5e6), (7, 7.01)])
def test_ticks(span: tuple[float, float]) -> None:
    ticks = log_ticks(*span)
    assert ticks and all(span[0] <= tick <= span[1] for tick in ticks)


def test_a_drawing_is_the_same_every_time(run: RunRecord) -> None:
    chart = charts(group(run), columns(run.scores))[0]
    assert draw(chart, "a") == draw(chart, "a")
    assert 'role="img"' in draw(chart, "a")
    assert "On the Pareto front: int8 and teacher" in draw(chart, "a")


def test_a_drawing_keeps_the_numbers_of_its_text() -> None:
    texts = ("0.005", "0.015", "student[rate=0.00015]")

    def paint(figure: Any) -> None:
        for i, text in enumerate(texts):
            figure.text(0.1234567, 0.3 * i, text, color=INK)

    drawn = as_element((300, 200), paint, "Loss.", "c")
    for text in texts:
        assert f">{text}<" in drawn
    assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]+<", "><", drawn))  # of places in pixels


@pytest.mark.parametrize("name", [r"a $\foo$ b", "US$ or A$", r"5 \$ and $x_1$", "$"])
def test_a_dollar_is_a_dollar(run: RunRecord, name: str) -> None:
    chart = charts(group(run), columns(run.scores))[0]
    points = tuple(replace(point, label=name) for point in chart.points)
    drawn = draw(replace(chart, x_label=name, y_label=name, points=points), "a")
    assert drawn.count(f">{name}<") == 2 + len(points)
    assert f">{name}<" in draw_curves(Curves("Title", name, "Found", (Curve(name, (1.0,)),)), "b")
    scores = (("other", ((1, 3.0),)), (name, ((1, 2.0),)))
    training = TrainingChart("Title", "Words.", ((1, 2.0),), (2.0,), scores, (), ())
    assert f">{name}<" in draw_training(training, "c")


def test_charts_by_language_share_a_scale_and_begin_with_the_source_language(
    run: RunRecord,
) -> None:
    xnli, udpos, tatoeba = language_charts(group(run), columns(run.scores))
    assert xnli.languages == ("en", "de", "sw") and tatoeba.languages == ("de", "sw")
    assert {chart.span for chart in (xnli, udpos, tatoeba)} == {(10, 90)}
    assert [system.name for system in xnli.systems] == ["teacher", "int8"]
    assert tatoeba.systems[0].scores == {"de": 55, "sw": 35}  # means of two models
    svg = draw_languages(tatoeba, "a")
    assert svg.count('class="mark"') == 6 and svg.count("<g data-language=") == 2
    assert "<title>base\nTatoeba, German: 20.0</title>" in svg
    assert svg.count('class="chance"') == 2


def test_a_chart_by_language_shows_as_many_systems_as_there_are_markers() -> None:
    run = a_run(*(a_score(a_model(f"m{i}"), en=50, de=40.0 + i) for i in range(MOST + 3)))
    (chart,) = language_charts(group(run), columns(run.scores))
    assert len(chart.systems) == MOST
    one = a_run(a_score(a_model("m"), de=50))
    assert language_charts(group(one), columns(one.scores)) == ()
