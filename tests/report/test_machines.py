"""Speeds of several machines: never in one column, never in one factor."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_run, a_score, a_speed, charts_of, parts_of, tables_of

from evalsuite.report.charts.chart import Chart
from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.costs import settings
from evalsuite.report.figures.machines import Machine, by_machine, names
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group
from evalsuite.report.output.page import html, markdown, page, short_text
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import SpeedResult


def measured_on(speed: SpeedResult, **changed: object) -> SpeedResult:
    environment = speed.environment.model_copy(update=changed)
    return speed.model_copy(update={"environment": environment})


@pytest.fixture
def run() -> RunRecord:
    """`a` on both machines, `b` on the second alone, `c` nowhere."""
    a, b, c = (a_model(name, size) for name, size in (("a", 100), ("b", 10), ("c", 50)))
    return a_run(
        *(a_score(model, en=90, de=50) for model in (a, b, c)),
        speeds=(
            a_speed(a, 10),
            measured_on(a_speed(a, 100), cpu="other CPU"),
            measured_on(a_speed(b, 300), cpu="other CPU"),
        ),
    )


def test_machines_are_named_by_what_tells_them_apart() -> None:
    xeon = "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"
    small, large = Machine(xeon, ("avx2",), 2), Machine(xeon, ("avx2",), 8)
    old = Machine("AMD EPYC", ("avx2",), 2)
    new = Machine("AMD EPYC", ("avx2", "avx512_vnni"), 2)
    assert list(names([small]).values()) == ["Intel Xeon Platinum 8481C"]
    assert list(names([small, large, old, new]).values()) == [
        "Intel Xeon Platinum 8481C, 2 cores",
        "Intel Xeon Platinum 8481C, 8 cores",
        "AMD EPYC, avx2",
        "AMD EPYC, avx2 avx512_vnni",
    ]


def test_a_machine_has_its_own_table_and_its_own_reference(run: RunRecord) -> None:
    content = page(run)
    assert [part.heading for part in parts_of(content, "cost")][:2] == ["On a CPU", "On other CPU"]
    first, second, *_ = tables_of(content, "cost")
    assert {row.head.text: row.cells[4].text for row in first.rows} == {"a": "10.0", "c": "–"}
    assert {row.head.text: row.cells[4].text for row in second.rows} == {"a": "100", "b": "300"}
    assert second.rows[1].cells[4].sub == "3.0× faster"
    assert "faster" not in content.headline and "10× smaller" in content.headline
    for text in (html(content), markdown(content)):
        assert "On a CPU" in text and "On other CPU" in text


@pytest.mark.parametrize(
    "changed", [{"instruction_set": ("avx2",)}, {"cores": 64}, {"cpu": "other CPU"}], ids=str
)
def test_what_makes_another_machine(run: RunRecord, changed: dict[str, object]) -> None:
    twice = (run.speeds[0], measured_on(run.speeds[0], **changed))
    systems = group(run.model_copy(update={"speeds": twice}))
    assert len(by_machine(systems)) == len(settings(systems)) == 2


def test_libraries_make_no_other_machine(run: RunRecord) -> None:
    twice = (run.speeds[0], measured_on(run.speeds[0], versions={"torch": "2"}))
    assert by_machine(systems := group(run.model_copy(update={"speeds": twice}))) == (
        ("", systems),
    )


def test_throughput_is_drawn_machine_by_machine(run: RunRecord) -> None:
    found = charts(group(run), columns(run.scores))
    assert {chart.title: [p.name for p in chart.points] for chart in found} == {
        "XNLI against size": ["a", "b", "c"],
        "XNLI against throughput on a CPU": ["a"],
        "XNLI against throughput on other CPU": ["a", "b"],
    }


def test_a_chart_names_all_that_were_not_timed_on_its_machine(run: RunRecord) -> None:
    size, first, second = charts(group(run), columns(run.scores))
    said = "Not in the chart, because not timed with 2 threads"
    assert size.caption == ""
    assert first.caption == f"{said} on a CPU: b and c."
    assert second.caption == f"{said} on other CPU: c."


def test_sizes_are_compared_among_the_systems_of_all_machines(run: RunRecord) -> None:
    fronts = [table for table in tables_of(page(run), "pareto") if table.rows]
    for_its_size = [{r.head.text: r.cells[4].text for r in table.rows} for table in fronts]
    assert for_its_size == [{"a": "–", "c": "–", "b": "mean, worst"}] * 2
    speeds = [{row.head.text: row.cells[3].text for row in table.rows} for table in fronts]
    assert speeds == [{"a": "10.0", "c": "–", "b": "–"}, {"a": "100", "c": "–", "b": "300"}]
    for_its_speed = [{r.head.text: r.cells[5].text for r in table.rows} for table in fronts]
    assert [own["a"] for own in for_its_speed] == ["mean, worst", "–"]


def test_the_summary_has_the_cost_on_each_machine_apart(run: RunRecord) -> None:
    lines = short_text(page(run)).splitlines()
    assert [line for line in lines if line.startswith("on ")] == ["on a CPU:", "on other CPU:"]
    first = lines.index("on other CPU:") + 2
    assert [line.split()[0] for line in lines[first : first + 2]] == ["a", "b"]


def test_scores_on_other_rows_are_not_on_one_front(run: RunRecord) -> None:
    other = run.scores[1].model_copy(update={"data_digest": "sha256:other"})
    mixed = run.model_copy(update={"scores": (run.scores[0], other, run.scores[2])})
    content = page(mixed)
    (main,) = tables_of(content, "scores")
    assert main.rows[1].cells[0].delta == "" and main.rows[2].cells[0].delta
    assert any("b scored on other rows than a" in note for note in main.notes)
    chart = charts_of(content, "pareto")[0]
    assert isinstance(chart, Chart)
    assert [p.name for p in chart.points if p.partial] == ["b"]
    assert [chart.points[i].name for i in chart.front] == ["c"]
    why = "because on other rows or languages, or scored in another way"
    assert chart.caption == f"Hollow, and never on the front, {why}: b."
