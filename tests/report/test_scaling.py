"""Scores against size: the line, its interval, and when there is none."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_run, a_score

from evalsuite.report.figures.scaling import Fit, fit, scalings
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group
from evalsuite.report.output.page import html, markdown, page
from evalsuite.report.tables.scaling import scaling_chart, scaling_table
from evalsuite.results.record import ModelInfo
from evalsuite.results.run import RunRecord

SIZES = {"small": 10**7, "middle": 10**8, "large": 10**9}
# By hand: mean 60, slope (68 - 50) / 2 = 9, residuals -1 2 -1, standard error sqrt(6 / 1 / 2),
# and t(0.975, 1) = 12.7062, so 9 ± 22.008.
GERMAN = {"small": 50.0, "middle": 62.0, "large": 68.0}
LOW, HIGH = 9 - 12.7062 * 3**0.5, 9 + 12.7062 * 3**0.5


def sized(label: str, runtime: str = "torch") -> ModelInfo:
    """Nine tenths of its parameters are word embeddings."""
    counts = {"parameters": SIZES[label], "embedding_parameters": SIZES[label] * 9 // 10}
    return a_model(label, 1, runtime).model_copy(update=counts)


@pytest.fixture
def run() -> RunRecord:
    large_first = reversed(GERMAN.items())
    return a_run(*(a_score(sized(label), en=90, de=value) for label, value in large_first))


def test_fit_against_figures_by_hand() -> None:
    found = fit([7, 8, 9], [50, 62, 68])
    assert found is not None
    assert (found.slope, found.intercept, found.count) == (pytest.approx(9), pytest.approx(-12), 3)
    assert (found.low, found.high) == (pytest.approx(LOW, abs=1e-3), pytest.approx(HIGH, abs=1e-3))
    # Four sizes: slope 5, residuals -0.5 0.5 0.5 -0.5, error sqrt(1 / 2 / 5), t(0.975, 2) 4.30265.
    found = fit([1, 2, 3, 4], [5, 11, 16, 20])
    assert found is not None and found.slope == pytest.approx(5)
    assert found.high - found.slope == pytest.approx(4.30265 * 0.1**0.5, abs=1e-4)


def test_a_line_needs_three_different_sizes() -> None:
    assert fit([7, 8], [1, 2]) is None
    assert fit([7, 7, 8, 8], [1, 2, 3, 4]) is None
    exact = fit([7, 8, 9], [10, 20, 30])
    assert exact == Fit(*(pytest.approx(v) for v in (10, 10, 10, -60)), 3)


def test_other_heads_make_no_other_size(run: RunRecord) -> None:
    counts = (100_000_000, 100_500_000, 101_000_000)
    scores = tuple(
        s.model_copy(update={"model": s.model.model_copy(update={"parameters": n})})
        for s, n in zip(run.scores, counts, strict=True)
    )
    alike = run.model_copy(update={"scores": scores})
    assert scalings(group(alike), columns(scores)) == ()


def test_the_table_has_the_smallest_first_and_both_counts(run: RunRecord) -> None:
    (own,) = scalings(group(run), columns(run.scores))
    table = scaling_table(own)
    assert own.opened_in == "torch fp32"
    assert [column.text for column in table.columns] == ["Parameters", "Without embeddings", "XNLI"]
    assert [(r.head.text, [c.text for c in r.cells]) for r in table.rows] == [
        ("small", ["10.0", "1.00", "50.0"]),
        ("middle", ["100", "10.0", "62.0"]),
        ("large", ["1,000", "100", "68.0"]),
        ("points per tenfold parameters", ["", "", "+9.0"]),
        ("points per tenfold parameters", ["", "", "+9.0"]),
    ]
    assert table.rows[3].cells[2].sub == "−13.0 to 31.0, n 3"


def test_runtimes_and_other_rows_make_no_line_together(run: RunRecord) -> None:
    tasks = columns(run.scores)
    int8 = run.scores[0].model_copy(update={"model": sized("large", "onnxruntime")})
    other = run.scores[0].model_copy(update={"data_digest": "sha256:other"})
    for stranger in (int8, other):
        mixed = run.model_copy(update={"scores": (*run.scores[1:], stranger)})
        assert scalings(group(mixed), tasks) == ()
    assert 'id="scaling"' not in html(page(mixed))
    assert "## Score against size" not in markdown(page(mixed))


def test_the_average_is_over_systems_with_every_task(run: RunRecord) -> None:
    more = [a_score(sized(label), "udpos", en=90, de=70) for label in ("small", "middle")]
    (own,) = scalings(group(whole := a_run(*run.scores, *more)), columns(whole.scores))
    assert own.scores["Average"] == (60, 66, None)
    assert own.fit("XNLI") is not None and own.fit("UD-POS") is own.fit("Average") is None
    notes = scaling_table(own).notes
    assert (
        "No line for UD-POS and Average: scores at fewer than three sizes that differ by 5%."
        in notes
    )


def test_the_section_stands_in_both_files(run: RunRecord) -> None:
    content = page(run)
    assert 'id="scaling"' in html(content)
    assert "## Score against size" in markdown(content)


def test_the_plot_has_the_line_from_end_to_end(run: RunRecord) -> None:
    systems = group(run)
    (own,) = scalings(systems, columns(run.scores))
    chart = scaling_chart(own, systems)
    assert chart.title == "XNLI against parameters" and chart.front == ()
    assert [(p.name, p.x, p.y) for p in chart.points] == [
        (name, SIZES[name] / 1e6, score) for name, score in GERMAN.items()
    ]
    assert [p.style for p in chart.points] == [2, 1, 0]  # as in the report's other plots
    assert chart.line is not None
    assert chart.line[0] == (10, pytest.approx(51)) and chart.line[1] == (1000, pytest.approx(69))
    assert chart.caption == (
        "Dashed line: +9.0 points per tenfold parameters (95% interval −13.0 to 31.0)."
    )
    assert "Fitted line: 51.0 at 10.0 to 69.0 at 1,000." in chart.description
    assert "Fitted line" in html(page(run)) and "Fitted line" in markdown(page(run))
