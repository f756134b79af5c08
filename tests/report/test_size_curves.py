"""Sizes of elastic students in the report: which models are some, their numbers and their plots."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any

import pytest
from report_fakes import a_model, a_run, a_score, charts_of, parts_of, tables_of

from evalsuite.report.charts.chart import SizeChart
from evalsuite.report.charts.draw_sizes import draw
from evalsuite.report.figures.merge_runs import Run, merge
from evalsuite.report.figures.size_curves import size_curves
from evalsuite.report.figures.systems import group
from evalsuite.report.output.page import html, markdown, page
from evalsuite.results.run import RunRecord, StageRecord
from evalsuite.results.task import TaskResult


def stage(name: str, kind: str, of: str, /, **config: Any) -> StageRecord:
    return StageRecord(
        name=name, kind=kind, key="k", inputs=(of,), config=config, summary={}, seconds=1.0,
        output_bytes=1, finished="2026-01-01T00:00:00Z",
    )  # fmt: skip


ELASTIC = {"elastic": {"layers": [4, 3], "ffn": []}}
STAGES = (
    stage("student", "distill", "teacher", **ELASTIC),
    stage("four", "cut", "student", layers=4),
    stage("three", "cut", "student", layers=3),
    stage("four8", "export", "four"),
    stage("three8", "export", "student", cut={"layers": 3}),
    stage("trimmed", "trim", "student"),
    stage("trimmed3", "cut", "trimmed", layers=3),
    stage("other", "distill", "teacher"),
    stage("other3", "prune", "student", layers=3),
)
SCORES = {"student": 80.0, "four": 70.0, "three": 60.0, "teacher": 90.0, "other": 75.0}


def scored(name: str, megabytes: float, en: float, runtime: str = "torch") -> TaskResult:
    model = a_model(name, round(megabytes * 1e6), runtime)
    return a_score(model, en=en, de=en - 10, sw=en - 30)


@pytest.fixture
def run() -> RunRecord:
    torch = {"student": 60, "four": 50, "three": 40, "teacher": 100, "other": 45}
    found = [scored(name, size, SCORES[name]) for name, size in torch.items()]
    found += [scored("trimmed", 30, 79.0), scored("trimmed3", 20, 59.0), scored("other3", 35, 35.0)]
    found += [scored("four8", 14, 69.0, "onnxruntime"), scored("three8", 11, 59.0, "onnxruntime")]
    return a_run(*found).model_copy(update={"stages": STAGES})


def test_models_on_one_curve_are_cut_from_one_student_alike(run: RunRecord) -> None:
    curves = size_curves(run, group(run))
    assert [(c.student, c.opened_in, [s.name for s in c.systems]) for c in curves] == [
        ("student", "torch fp32", ["three", "four", "student"]),
        ("student", "torch fp32", ["trimmed3", "trimmed"]),
        ("student", "onnxruntime int8", ["three8", "four8"]),
    ]


def trims_of_cuts(three: str, **other: Any) -> RunRecord:
    """Two cuts, each trimmed alike but for the language and other keys of the smaller one."""
    trims = [
        stage("t[size=4]", "trim", "four", name="t", model="four", languages=["de"]),
        stage("t[size=3]", "trim", "three", name="t", model="three", languages=[three], **other),
    ]
    found = [scored("t[size=4]", 12, 69.0), scored("t[size=3]", 11, 58.0)]
    stages = (*STAGES[:3], *trims)
    return a_run(*found).model_copy(update={"stages": stages})


def test_sizes_that_are_trimmed_alike_are_on_one_curve() -> None:
    alike, others = trims_of_cuts("de"), trims_of_cuts("sw")
    (curve,) = size_curves(alike, group(alike))
    assert (curve.student, [system.name for system in curve.systems]) == (
        "student",
        ["t[size=3]", "t[size=4]"],
    )
    assert size_curves(others, group(others)) == ()  # other vocabularies
    rarer = trims_of_cuts("de", max_pieces=9000)
    assert size_curves(rarer, group(rarer)) == ()


def test_limits_of_what_a_trim_may_lose_make_no_other_vocabulary() -> None:
    limits = {"min_agreement": 90.0, "min_agreement_per_language": 80.0, "max_lost": 2.0}
    probe = {"probe": 32, "probe_task": "xnli", "score_rows": 50, "max_lost_per_language": 3.0}
    run = trims_of_cuts("de", **limits, **probe)
    (curve,) = size_curves(run, group(run))
    assert [system.name for system in curve.systems] == ["t[size=3]", "t[size=4]"]


def test_a_student_of_each_task_is_one_student() -> None:
    tasks = {"xnli": 80.0, "pawsx": 70.0}
    stages = [stage(f"student[task={task}]", "distill", "t", **ELASTIC) for task in tasks]
    found = []
    for task, en in tasks.items():
        stages.append(stage(f"three[task={task}]", "cut", f"student[task={task}]", layers=3))
        for name, size in (("student", 60), ("three", 40)):
            model = a_model(f"{name}[task={task}]", size * 10**6)
            found.append(a_score(model, task, en=en, de=en - size / 10))
    run = a_run(*found).model_copy(update={"stages": tuple(stages)})
    (curve,) = size_curves(run, group(run))
    assert (curve.student, [system.name for system in curve.systems]) == (
        "student",
        ["three", "student"],
    )
    headings = [part.heading for part in parts_of(page(run), "elastic") if part.heading]
    assert headings == ["XNLI: student", "Pawsx: student"]
    assert [chart.lines[0].name for chart in charts_of(page(run), "elastic")] == ["student"] * 2
    mixed = run.model_copy(update={"scores": (*run.scores[2:], *run.scores[:2])})
    assert len(size_curves(mixed, group(mixed))) == 1


def test_a_bundle_that_is_stored_in_another_way_is_no_size(run: RunRecord) -> None:
    keys = {"keep_tokens": {2: 50}, "embeddings": "int4"}
    other = [stage(key, "export", "four", **{key: value}) for key, value in keys.items()]
    found = [scored(name, 8, 50.0, "onnxruntime") for name in keys]
    more = a_run(*run.scores, *found).model_copy(update={"stages": (*STAGES, *other)})
    assert size_curves(more, group(more)) == size_curves(run, group(run))


def test_runs_that_share_a_cached_student_have_a_curve_each() -> None:
    def cuts(name: str, *sizes: int) -> RunRecord:
        stages = [stage(f"d{size}", "cut", "student", layers=size) for size in sizes]
        stages = [s.model_copy(update={"key": f"{name} {s.name}"}) for s in stages]
        found = [scored(f"d{size}", 10 * size, 60.0 + size) for size in sizes]
        return a_run(scored("student", 60, 80.0), *found).model_copy(
            update={"recipe": name, "stages": (STAGES[0], *stages)}
        )

    merged = merge([Run(cuts("one", 4, 3)), Run(cuts("two", 4, 2))])
    assert [
        (curve.student, [system.name for system in curve.systems])
        for curve in size_curves(merged, group(merged))
    ] == [
        ("one:student", ["one:d3", "one:d4", "one:student"]),
        ("two:student", ["two:d2", "two:d4", "two:student"]),
    ]
    (table,) = tables_of(page(merged), "stages")
    assert [(row.head.text, row.cells[1].text) for row in table.rows[:-1]] == [
        ("one:student", "teacher"),
        ("one:d4", "one:student"),
        ("one:d3", "one:student"),
        ("two:d4", "one:student"),
        ("two:d2", "one:student"),
    ]


def test_one_size_alone_is_no_curve(run: RunRecord) -> None:
    alone = run.model_copy(update={"scores": run.scores[2:5]})
    assert size_curves(alone, group(alone)) == ()
    assert tables_of(page(alone), "elastic") == []


def test_the_table_has_a_row_per_language_and_a_column_per_size(run: RunRecord) -> None:
    table = tables_of(page(run), "elastic")[0]
    assert [column.text for column in table.columns] == ["student", "four", "three"]
    assert table.columns[0].sub == "60.0 MB"
    assert [(row.language, [cell.text for cell in row.cells]) for row in table.rows] == [
        ("en", ["80.0", "70.0", "60.0"]),
        ("de", ["70.0", "60.0", "50.0"]),
        ("sw", ["50.0", "40.0", "30.0"]),
        ("", ["60.0", "50.0", "40.0"]),
    ]
    assert "Sizes of elastic students" in markdown(page(run))


def test_the_plots_join_the_sizes_and_leave_other_models_alone(run: RunRecord) -> None:
    chart = charts_of(page(run), "elastic")[0]
    assert isinstance(chart, SizeChart)
    joined = {line.name: line.joined for line in chart.lines}
    assert joined == {"student": True, "teacher": False, "other": False, "other3": False}
    assert chart.languages == ("en", "de", "sw") and chart.span == (0.0, 90.0)
    root = ElementTree.fromstring(draw(chart, "c"))
    plots = [group for group in root if group.get("data-language")]
    assert [plot.get("data-language") for plot in plots] == ["en", "de", "sw"]
    for plot in plots:
        assert len([mark for mark in plot if mark.get("class") == "mark"]) == 6
        (line,) = [path for path in plot if "fill:none" in (path.get("style") or "")]
        assert (line.get("d") or "").count("L") == 2
    titles = [title.text for title in root.iter("title")]
    assert "four\nGerman: 60.0\n50.0 MB" in titles
    for mark in root.iter("use"):
        assert 0 <= float(mark.get("x") or -1) <= 690
    assert html(page(run)).count("<svg") > 3


def test_other_models_that_the_chart_has_no_room_for_are_named(run: RunRecord) -> None:
    (first, *_) = parts_of(page(run), "elastic")
    assert first.remark == ""
    others = [scored(f"m{i}", 70 + i, 50.0) for i in range(6)]  # and three that the run has
    more = run.model_copy(update={"scores": (*run.scores, *others)})
    (first, *_) = parts_of(page(more), "elastic")
    (chart,) = first.charts
    assert isinstance(chart, SizeChart) and len(chart.lines) == 8
    assert first.remark == (
        "The chart shows at most 7 other models. The tables of scores have the rest: m4 and m5."
    )
    assert first.remark in html(page(more))


def test_the_regions_of_the_source_language_stand_first(run: RunRecord) -> None:
    by_size = {"three": 40, "student": 60}
    found = [
        a_score(a_model(name, size * 10**6), **{"sw": 90.0, "en-GB": 70.0, "en-US": 80.0})
        for name, size in by_size.items()
    ]
    few = run.model_copy(update={"scores": tuple(found)})
    (table,) = tables_of(page(few), "elastic")
    assert [(row.language, row.kind) for row in table.rows[:3]] == [
        ("en-US", "source"),
        ("en-GB", "source"),
        ("sw", ""),
    ]


def test_names_of_a_run_are_escaped(run: RunRecord) -> None:
    chart = charts_of(page(run), "elastic")[0]
    assert isinstance(chart, SizeChart)
    line = replace(chart.lines[0], name="<b>", systems=("<i>", "&", "x"))
    drawn = draw(replace(chart, lines=(line,), title="<u>"), "c")
    ElementTree.fromstring(drawn)
    assert "<b>" not in drawn and "<u>" not in drawn
