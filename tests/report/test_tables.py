"""Tables in the report: averages, differences, signatures and the headline."""

from __future__ import annotations

import pytest
from report_fakes import (
    a_model,
    a_run,
    a_score,
    charts_of,
    run_of_three_systems,
    tables_of,
)

from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.formatting import (
    between,
    duration,
    number,
    percent,
    points,
    small_number,
    three_figures,
)
from evalsuite.report.figures.headline import headline
from evalsuite.report.figures.scores import average, can_be_averaged, columns, delta, score
from evalsuite.report.figures.systems import group
from evalsuite.report.figures.trials import score_trials
from evalsuite.report.output.page import html, markdown, page, short_text
from evalsuite.report.table import Table
from evalsuite.report.tables.language_charts import language_charts
from evalsuite.report.tables.languages import (
    absent_sentences,
    language_section,
    language_table,
    other_metrics,
    shade,
)
from evalsuite.report.tables.scores import main_table
from evalsuite.report.tables.signatures import signatures
from evalsuite.report.tables.stages import facts, stage_table
from evalsuite.results.run import RunRecord


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return run_of_three_systems()


def texts(table: Table) -> dict[str, list[str]]:
    return {row.head.text: [cell.text for cell in row.cells] for row in table.rows}


# Scores


def test_zero_shot_leaves_the_source_language_out(run: RunRecord) -> None:
    teacher, int8, _ = group(run)
    xnli = columns(run.scores)[0]
    own, other = score(teacher, xnli), score(int8, xnli)
    assert own is not None and other is not None
    assert (own.mean, own.source, own.models) == (65, 80, 1)
    assert own.chance == pytest.approx(33.3)
    assert delta(other, own) == -2


def test_several_variants_on_one_task_are_averaged_and_counted(run: RunRecord) -> None:
    table = main_table(group(run), columns(run.scores))
    cell = table.rows[0].cells[2]
    assert (cell.text, cell.sub) == ("45.0", "2 models")


def test_main_table(run: RunRecord) -> None:
    table = main_table(group(run), columns(run.scores))
    assert [column.text for column in table.columns] == ["XNLI", "UD-POS", "Tatoeba", "Average"]
    assert texts(table) == {
        "teacher": ["65.0", "60.0", "45.0", "56.7"],
        "int8": ["63.0", "58.5", "30.0", "50.5"],
        "base": ["–", "–", "15.0", "–"],
        "chance": ["33.3", "33.3", "33.3", "33.3"],
    }
    assert [cell.delta for cell in table.rows[1].cells] == ["−2.0", "−1.5", "−15.0", "−6.2"]
    assert table.rows[0].cells[0].sub == "en 80.0"
    assert table.rows[2].cells[3].sub == "1 of 3 tasks"
    assert not table.rows[2].cells[3].delta
    assert [line.split()[4] for line in short_text(page(run)).splitlines() if "base" in line] == [
        "–"
    ]
    assert any("Tatoeba: int8 and base not above chance" in note for note in table.notes)


def test_no_difference_is_given_over_different_languages() -> None:
    run = a_run(a_score(a_model("a"), en=1, de=50, sw=50), a_score(a_model("b"), en=1, de=60))
    table = main_table(group(run), columns(run.scores))
    assert table.rows[1].cells[0].delta == ""
    assert any("b scored on other languages than a" in note for note in table.notes)


def test_splits_and_layers_are_columns_of_their_own() -> None:
    model = a_model("a")
    test, other = a_score(model, en=1, de=50), a_score(model, "tatoeba", de=5)
    found = columns(
        [
            test,
            test.model_copy(update={"split": "dev"}),
            other,
            other.model_copy(update={"layer": 9}),
        ]
    )
    assert [column.name for column in found] == [
        "XNLI (test)",
        "XNLI (dev)",
        "Tatoeba (layer 8)",
        "Tatoeba (layer 9)",
    ]
    assert not can_be_averaged(found)


def test_sources_are_never_averaged() -> None:
    model = a_model("a")
    mixed = a_run(a_score(model, en=1, de=50), a_score(model, "udpos", source="hub", en=1, de=50))
    tasks = columns(mixed.scores)
    assert [task.name for task in tasks] == ["XNLI (embedded)", "UD-POS (hub)"]
    assert "Average" not in [column.text for column in main_table(group(mixed), tasks).columns]
    assert all("Average" not in chart.title for chart in charts(group(mixed), tasks))


def test_a_score_in_the_source_language_alone() -> None:
    run = a_run(a_score(a_model("a"), en=50))
    content = page(run)
    (main,) = tables_of(content, "scores")
    assert main.rows[0].cells[0].text == "–"
    assert main.rows[0].cells[0].sub == "en 50.0"
    assert content.headline == "a: 0.00 MB."
    assert not charts_of(content, "pareto")
    assert average(group(run)[0], columns(run.scores)) is None
    low = a_run(a_score(a_model("a"), en=20))
    assert "XNLI: a not above chance." in main_table(group(low), columns(low.scores)).notes
    assert not any("chance" in note for note in main.notes)


def test_systems_with_different_tasks_have_no_average() -> None:
    run = a_run(
        a_score(a_model("sims"), "xnli", en=5, de=4), a_score(a_model("tags"), "udpos", en=5, de=9)
    )
    systems, tasks = group(run), columns(run.scores)
    table = main_table(systems, tasks)
    assert [column.text for column in table.columns] == ["XNLI", "UD-POS"]
    assert "No average: no system has a zero-shot score on every task." in table.notes
    assert all("Average" not in chart.title for chart in charts(systems, tasks))
    assert "Average" not in short_text(page(run)) + markdown(page(run)) + html(page(run))


def test_an_unknown_chance_has_no_average(run: RunRecord) -> None:
    unguessed = run.scores[0].model_copy(update={"chance": {}})
    run = a_run(unguessed, *(s for s in run.scores[1:] if s.task != "xnli"))
    assert texts(main_table(group(run), columns(run.scores)))["chance"] == [
        "–", "33.3", "33.3", "–",
    ]  # fmt: skip


# Languages


def test_language_table(run: RunRecord) -> None:
    systems, tasks = group(run), columns(run.scores)
    table = language_table(systems[:2], tasks[0])
    assert [(row.head.text, row.kind) for row in table.rows] == [
        ("English", "source"),
        ("German", ""),
        ("Swahili", ""),
        ("zero-shot mean", "mean"),
        ("transfer gap", "aside"),
    ]
    assert texts(table)["German"] == ["70.0", "69.0", "33.3", "1,500"]
    assert texts(table)["zero-shot mean"] == ["65.0", "63.0", "33.3", ""]
    assert texts(table)["transfer gap"] == ["+15.0", "+15.0", "", ""]


def test_the_regions_of_the_source_language_are_its_score() -> None:
    by_language = {"en-GB": 80.0, "en-US": 90.0, "de": 70.0, "sw": 95.0}
    run = a_run(a_score(a_model("a"), **by_language), a_score(a_model("b"), en=60, de=50))
    (task,) = columns(run.scores)
    assert texts(language_table(group(run)[:1], task))["transfer gap"] == ["+2.5", "", ""]
    cell = score(group(run)[0], task)
    assert cell is not None and (cell.source, cell.mean) == (85.0, 82.5)
    assert run.scores[0].transfer_gap() == 2.5
    alone = a_run(a_score(a_model("a"), **{"en-GB": 80.0}))
    cell = score(group(alone)[0], task)
    assert cell is not None and (cell.source, cell.chance) == (80.0, pytest.approx(33.3))
    (chart,) = language_charts(group(run)[:1], [task])
    assert chart.languages == ("en-US", "en-GB", "sw", "de")
    both = a_score(a_model("a"), **by_language, en=60.0)
    assert both.transfer_gap() == -22.5  # with rows of its own, these are its score


def test_other_metrics_and_absent_languages(run: RunRecord) -> None:
    section = language_section(group(run), columns(run.scores)[1])
    assert section.absent == "Greek (el), Thai (th)"
    line = "UD-POS: the data has no rows for el, th."
    assert line in absent_sentences(group(run), columns(run.scores))
    assert line in short_text(page(run)).splitlines()
    assert section.others is not None
    assert texts(section.others) == {"teacher": ["61.0", "91.0"], "int8": ["59.5", "90.0"]}
    assert language_section(group(run), columns(run.scores)[0]).others is None


def test_an_error_in_the_unit_of_the_scores_has_three_decimals() -> None:
    mae = {"en": 0.043, "de": 1.26}
    plain = a_score(a_model("a"), en=90.0, de=80.0)
    result = plain.model_copy(update={"metrics": {**plain.metrics, "mae": mae}})
    table = other_metrics(group(a_run(result)), columns((result,))[0])
    assert table is not None
    assert texts(table) == {"a": ["1.26", "0.043"]}


def test_a_model_that_several_stages_scored_is_one_model() -> None:
    model = a_model("teacher")
    one, other = a_score(model, en=80.0, de=70.0), a_score(model, fr=50.0, es=60.0, ru=70.0)
    run = score_trials(a_run(one, one, other.model_copy(update={"data_digest": "sha256:b"})))
    assert len(run.scores) == 2  # the same score twice is one
    (system,) = group(run)
    found = score(system, columns(run.scores)[0])
    assert found is not None
    assert (found.models, found.mean, found.source) == (1, 62.5, 80.0)
    twice = score_trials(a_run(one, one))
    (system,) = group(twice)
    cell = score(system, columns(twice.scores)[0])
    assert cell is not None and cell.models == 1


def test_shades_run_from_chance_to_the_best() -> None:
    assert [shade(v, 30, 80) for v in (None, 20, 30, 55, 80)] == [0, 0, 0, 4, 9]


def test_headline(run: RunRecord) -> None:
    assert headline(group(run), columns(run.scores)).replace("\u00a0", " ") == (
        "int8: 8.0× smaller and 9.0× faster than teacher, "
        "−6.2 points zero-shot on average over 3 tasks."
    )


def test_headline_says_only_what_was_measured(run: RunRecord) -> None:
    unscored = run.model_copy(update={"scores": ()})
    assert headline(group(unscored), ()) == (  # nothing says which variable selects the task
        "int8[task=xnli]: 8.0× smaller and 9.0× faster than teacher[task=xnli]."
    )
    unspeeded = run.model_copy(update={"speeds": ()})
    assert "faster" not in page(unspeeded).headline
    assert page(a_run()).headline == "Nothing was measured in this run."
    assert page(a_run(a_score(a_model("a"), en=9, de=50))).headline == (
        "a: 0.00 MB, 50.0 zero-shot on XNLI."
    )


def test_stages_add_up(run: RunRecord) -> None:
    table = stage_table(run.stages)
    assert table.rows[0].cells[2].text == "steps 400 · final loss 1.23 · method lora"
    assert texts(table)["total"] == ["", "", "", "3 min 20 s", "4.00"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (999.7, "1,000"), (999.5, "1,000"), (999.4, "999"), (-999.7, "-1,000"), (1234.5, "1,234"),
        (1.2345, "1.23"), (0.00002, "2e-05"), (1000, "1,000"),
    ],
)  # fmt: skip
def test_large_numbers_of_a_stage_have_no_exponent(value: float, shown: str) -> None:
    assert facts({"ms per step": value}) == f"ms per step {shown}"


def test_numbers() -> None:
    assert [points(v) for v in (None, -0.04, 1.25, -1.84)] == ["", "±0.0", "+1.2", "−1.8"]
    assert [percent(v) for v in (-0.04, -0.0, -0.06)] == ["0.0", "0.0", "−0.1"]
    assert between((-0.0, -0.04)) == "0.0 to 0.0"
    assert [number(v) for v in (-0.004, -0.0, -0.006)] == ["0.00", "0.00", "−0.01"]
    assert [small_number(-0.0004), three_figures(-0.0)] == ["0.000", "0"]
    assert [number(v) for v in (1112.4, 34.7, 3.4711)] == ["1,112", "34.7", "3.47"]
    assert [duration(v) for v in (0.25, 59.96, 7500)] == ["0.2 s", "1 min 00 s", "2 h 05 min"]


def test_every_number_has_its_signature(run: RunRecord) -> None:
    found = signatures(run)
    assert len(found.scores.rows) == len(run.scores)
    assert len(found.speeds.rows) == len(run.speeds)
    assert len(found.environments.rows) == 1
    row = found.scores.rows[2]
    assert row.head.text == "teacher[task=xnli]"
    assert [cell.text for cell in row.cells] == [
        "tatoeba",
        "retrieval_accuracy",
        "embedded",
        "test",
        "all",
        run.scores[2].data_digest[7:19],
        run.scores[2].model.digest[7:19],
        "torch",
        "fp32",
        "8, mean, cosine",
        "7",
        "E1",
    ]
    assert [cell.text for cell in found.environments.rows[0].cells] == [
        "a CPU",
        "avx2 avx512_vnni",
        "2",
        "2",
        "cpu",
        "Linux",
        "onnxruntime 1.22.0",
    ]
