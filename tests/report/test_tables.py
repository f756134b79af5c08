"""Tables in the report: averages, differences, costs, signatures and the headline."""

from __future__ import annotations

import pytest
from report_fakes import (
    a_model,
    a_run,
    a_score,
    a_speed,
    charts_of,
    run_of_three_systems,
    tables_of,
)

from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.figures.costs import (
    cost,
    costs,
    joules_a_sentence,
    peak_share,
    percentile,
    settings,
    text_peak_share,
)
from evalsuite.report.figures.formatting import duration, number, points
from evalsuite.report.figures.headline import headline
from evalsuite.report.figures.scores import average, can_be_averaged, columns, delta, score
from evalsuite.report.figures.systems import group
from evalsuite.report.output.page import page, short_text
from evalsuite.report.table import Table
from evalsuite.report.tables.costs import cost_table
from evalsuite.report.tables.languages import (
    absent_sentences,
    language_section,
    language_table,
    shade,
)
from evalsuite.report.tables.scores import main_table
from evalsuite.report.tables.signatures import signatures
from evalsuite.report.tables.speed import grid_table, language_speed_table
from evalsuite.report.tables.stages import stage_table
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
        "base": ["–", "–", "15.0", "15.0"],
        "chance": ["33.3", "33.3", "33.3", "33.3"],
    }
    assert [cell.delta for cell in table.rows[1].cells] == ["−2.0", "−1.5", "−15.0", "−6.2"]
    assert table.rows[0].cells[0].sub == "en 80.0"
    assert table.rows[2].cells[3].sub == "1 of 3 tasks"
    assert not table.rows[2].cells[3].delta  # over other tasks than the teacher's
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


def test_other_metrics_and_absent_languages(run: RunRecord) -> None:
    section = language_section(group(run), columns(run.scores)[1])
    assert section.absent == "Greek (el), Thai (th)"
    line = "UD-POS: the data has no rows for el, th."
    assert line in absent_sentences(group(run), columns(run.scores))
    assert line in short_text(page(run)).splitlines()
    assert section.others is not None
    assert texts(section.others) == {"teacher": ["61.0", "91.0"], "int8": ["59.5", "90.0"]}
    assert language_section(group(run), columns(run.scores)[0]).others is None


def test_shades_run_from_chance_to_the_best() -> None:
    assert [shade(v, 30, 80) for v in (None, 20, 30, 55, 80)] == [0, 0, 0, 4, 9]


# Cost


def test_percentile_is_linear_between_samples() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2.5
    assert percentile([5], 99) == 5
    assert percentile([0, 10], 90) == 9


def test_cost(run: RunRecord) -> None:
    (where,) = settings(group(run))
    assert str(where) == "2 threads"
    own = cost(group(run)[0], where)
    assert own.sentences_per_second == pytest.approx(10)  # median of 10, 30, 5
    assert own.latency_ms[50] == pytest.approx(25)
    assert (own.load_seconds, own.memory, own.bytes) == (2, 3_000_000, 8000)


def test_cost_table_compares_with_the_first_system(run: RunRecord) -> None:
    table = cost_table(group(run))
    assert table.rows[1].cells[0].sub == "8.0× smaller"
    assert table.rows[1].cells[4].sub == "9.0× faster"
    assert texts(table)["base"][4:] == ["–"] * 9
    load, memory = table.columns[10:12]
    assert (load.text, memory.text) == ("Tokenizer load", "Tokenizer memory")
    assert [cell.text for cell in table.rows[1].cells[10:12]] == ["0.60", "1.50"]
    assert any("teacher (2) and int8 (2)" in note for note in table.notes)


def test_settings_are_rows_of_their_own_and_texts_are_not_compared() -> None:
    a, b = a_model("a", 100), a_model("b", 10)
    run = a_run(
        speeds=(
            a_speed(a, 10),
            a_speed(a, 20, threads=1),
            a_speed(b, 30),
            a_speed(b, 40, threads=1, text="udpos"),
        )
    )
    table = cost_table(group(run))
    assert [(row.head.text, row.cells[4].sub) for row in table.rows] == [
        ("a, 2 threads", ""),
        ("a, 1 thread", ""),
        ("b, 2 threads", "3.0× faster"),
        ("b, 1 thread", ""),
    ]
    assert any("same text" in note for note in table.notes)
    assert len(costs(group(run))) == 4


def test_a_model_that_does_not_fit_is_told() -> None:
    a, b = (a_speed(a_model(name), 10) for name in "ab")  # each takes 3 MB above its imports
    assert a.does_not_fit() == ""
    assert a.model_copy(update={"memory_limit": 3_000_000}).does_not_fit() == ""
    small = a.model_copy(update={"memory_limit": 2_500_000})
    assert small.does_not_fit() == "does not fit in 2.5 MB"
    large = b.model_copy(update={"memory_limit": 64_000_000})
    table = cost_table(group(a_run(speeds=(small, large))))
    place = [column.text for column in table.columns].index("Memory")
    said = [row.cells[place].sub for row in table.rows]
    assert said == ["does not fit in 2.5 MB", "fits in 64 MB"]
    assert any("measured without the limit" in note for note in table.notes)
    assert not any("limit" in note for note in cost_table(group(a_run(speeds=(a, b)))).notes)


def test_speeds_over_fewer_models_are_told(run: RunRecord) -> None:
    fewer = run.model_copy(update={"speeds": run.speeds[1:]})
    assert any("teacher (1 of 2)" in note for note in cost_table(group(fewer)).notes)
    assert not any(" of 2)" in note for note in cost_table(group(run)).notes)


def test_share_of_peak(run: RunRecord) -> None:
    teacher, int8, _ = group(run)
    own = cost(teacher, settings([teacher])[0])
    assert own.peak_share == pytest.approx(5)  # 10,000 operations in 0.1 s, of 2 million a second
    assert own.text_peak_share == pytest.approx(2)  # 400,000 in 10 s
    table = cost_table(group(run))
    assert table.columns[-1].text == "Share of peak"
    assert (table.rows[0].cells[-1].text, table.rows[0].cells[-1].sub) == ("5.0", "2.0 on text")
    assert table.rows[1].cells[-1].text == "45.0"
    assert any("0.00 GFLOP/s on 2 threads (onnxruntime MatMul, size 100)" in n for n in table.notes)
    unknown = int8.speeds[0].model_copy(update={"peak": None})
    assert peak_share(unknown) is None and text_peak_share(unknown) is None
    gridless = teacher.speeds[0].model_copy(update={"grid": ()})
    assert peak_share(gridless) is None and text_peak_share(gridless) == pytest.approx(2)
    notes = cost_table(group(run.model_copy(update={"speeds": (unknown,)}))).notes
    assert any("No peak is measured for" in note and "int8[task=xnli]" in note for note in notes)
    speed = int8.speeds[0]
    stored = speed.model.model_copy(update={"precision": "int4-weights"})
    product = speed.peak and speed.peak.model_copy(update={"precision": "int8"})
    held = speed.model_copy(update={"model": stored, "peak": product})
    notes = cost_table(group(run.model_copy(update={"speeds": (held,)}))).notes
    assert any(note.endswith(": int8[task=xnli] (int4-weights) against int8.") for note in notes)
    same = held.model_copy(update={"model": stored.model_copy(update={"precision": "int8"})})
    notes = cost_table(group(run.model_copy(update={"speeds": (same,)}))).notes
    assert not any("multiplied in another" in note for note in notes)


def test_energy_is_a_column_where_there_is_some_and_else_a_sentence(run: RunRecord) -> None:
    table = cost_table(group(run))
    assert "Energy" not in [column.text for column in table.columns]
    assert any("Energy was not measured" in note for note in table.notes)
    speed = run.speeds[0]
    passes = tuple(
        p.model_copy(update={"joules": j})
        for p, j in zip(speed.throughput, (2.0, 5.0, 3.0), strict=True)
    )
    metered = speed.model_copy(update={"throughput": passes})
    assert joules_a_sentence(metered) == 0.03  # median 3 J over 100 sentences
    table = cost_table(group(run.model_copy(update={"speeds": (metered, *run.speeds[1:])})))
    assert (table.columns[-1].text, table.columns[-1].sub) == ("Energy", "mJ per sentence")
    assert [row.cells[-1].text for row in table.rows] == ["30.0", "–", "–"]
    assert any("of the whole processor" in note for note in table.notes)


def test_grid_table(run: RunRecord) -> None:
    table = grid_table(group(run))
    assert [column.text for column in table.columns] == ["16 tokens", "64 tokens"]
    heads = [(row.head.text, row.head.sub) for row in table.rows]
    assert heads == [(n, b) for n in ("teacher", "int8") for b in ("batch 1", "batch 8")]
    assert [(c.text, c.sub) for c in table.rows[0].cells] == [("10.0", "100 ms"), ("–", "")]
    assert [(c.text, c.sub) for c in table.rows[1].cells] == [("80.0", "100 ms")] * 2
    assert "medians of 3 repeats" in table.notes[0]
    assert not grid_table(()).rows and not grid_table(()).notes


def test_language_speed_table(run: RunRecord) -> None:
    table = language_speed_table(group(run))
    assert [(column.text, column.sub) for column in table.columns[:3]] == [
        ("tokens per sentence", ""),
        ("sentences/s", "teacher"),
        ("ms, p50", "batch 1"),
    ]
    assert texts(table) == {
        "German": ["20.0", "10.0", "15.0", "90.0", "15.0"],
        "Swahili": ["40.0", "5.00", "35.0", "45.0", "35.0"],
    }
    two = run.speeds[-1].languages
    shorter = {"de": two["de"].model_copy(update={"tokens": 500})}
    trimmed = run.speeds[-1].model_copy(update={"languages": shorter})
    table = language_speed_table(group(run.model_copy(update={"speeds": (run.speeds[0], trimmed)})))
    assert [c.sub for c in table.columns[:2]] == ["teacher", "int8"]
    assert texts(table)["Swahili"] == ["40.0", "–", "5.00", "35.0", "–", "–"]
    assert texts(table)["German"][:2] == ["20.0", "10.0"]
    assert not language_speed_table(()).rows


# Headline, stages, signatures


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


def test_numbers() -> None:
    assert [points(v) for v in (None, -0.04, 1.25, -1.84)] == ["", "±0.0", "+1.2", "−1.8"]
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


def test_speeds_without_scores(run: RunRecord) -> None:
    content = page(run.model_copy(update={"scores": ()}))
    assert not any(tables_of(content, name) for name in ("scores", "languages"))
    assert not charts_of(content, "pareto")
    assert len(tables_of(content, "cost")[0].rows) == 4
