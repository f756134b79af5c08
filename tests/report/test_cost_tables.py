"""Tables of costs in the report: bytes, speed, memory, energy, shares of the peak."""

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
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group
from evalsuite.report.figures.task_front import task_front
from evalsuite.report.output.page import page
from evalsuite.report.table import Table
from evalsuite.report.tables.costs import cost_table
from evalsuite.report.tables.speed import grid_table, language_speed_table
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import LanguageSpeed, SpeedResult, Throughput


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return run_of_three_systems()


def texts(table: Table) -> dict[str, list[str]]:
    return {row.head.text: [cell.text for cell in row.cells] for row in table.rows}


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


def test_texts_of_one_model_are_rows_of_their_own() -> None:
    a, b = a_model("a", 100), a_model("b", 10)
    rates = {("a", "xnli"): 100, ("a", "tatoeba"): 400, ("b", "xnli"): 200, ("b", "tatoeba"): 200}
    models = {"a": a, "b": b}
    run = a_run(
        a_score(a, en=80, de=70),
        a_score(b, en=60, de=50),
        speeds=tuple(a_speed(models[m], rate, text=text) for (m, text), rate in rates.items()),
    )
    table = cost_table(group(run))
    xnli, tatoeba = (f"2 threads ({t} dev, 2 languages, 4 sentences)" for t in ("xnli", "tatoeba"))
    assert [(r.head.text, r.cells[4].text, r.cells[4].sub) for r in table.rows] == [
        (f"a, {xnli}", "100", ""),
        (f"a, {tatoeba}", "400", ""),
        (f"b, {xnli}", "200", "2.0× faster"),
        (f"b, {tatoeba}", "200", "2.0× slower"),
    ]
    assert any(f"Measured with {xnli} and {tatoeba}." in note for note in table.notes)
    assert not any("same text" in note for note in table.notes)
    assert "2.0× faster than a" in page(run).headline.replace("\u00a0", " ")
    heads = [column.sub for column in language_speed_table(group(run)).columns[1::2]]
    assert heads == [f"a, {xnli}", f"a, {tatoeba}", f"b, {xnli}", f"b, {tatoeba}"]


def test_charts_are_of_the_text_that_most_models_of_the_task_were_timed_on() -> None:
    base, tuned = a_model("base"), {t: a_model(f"tuned[task={t}]") for t in ("xnli", "udpos")}
    run = a_run(
        *(a_score(base, task, en=60, de=50) for task in tuned),
        *(a_score(model, task, en=80, de=70) for task, model in tuned.items()),
        speeds=(
            *(a_speed(base, 10, text=task) for task in tuned),
            *(a_speed(model, 20, text=task) for task, model in tuned.items()),
        ),
    )
    tasks = columns(run.scores)
    found = [c for c in charts(group(run), tasks) if c.group == "Each task against throughput"]
    for chart, task, text in zip(found, tasks, ("xnli", "udpos"), strict=True):
        assert f"2 threads ({text} dev" in chart.x_label
        assert {point.name: point.x for point in chart.points} == {"base": 10, "tuned": 20}
        rows = task_front(group(run), task)
        assert {row.name: row.per_second for row in rows} == {"base": 10, "tuned": 20}


@pytest.mark.parametrize("old", [(), (0, 1, 2, 3), (0, 1)], ids=["new", "old", "old and new"])
def test_texts_are_alike_whatever_version_timed_them(old: tuple[int, ...]) -> None:
    teacher, trimmed, base = a_model("teacher", 100), a_model("trimmed", 10), a_model("base", 99)
    texts = ("xnli", "udpos")
    speeds = [a_speed(model, rate, text=text)
              for model, rate in ((teacher, 10), (trimmed, 20)) for text in texts]  # fmt: skip
    for place in old:  # older versions did not record the number of rows
        speeds[place] = speeds[place].model_copy(update={"rows": None})
    scores = [a_score(model, en=80, de=70) for model in (teacher, trimmed, base)]
    run = a_run(*scores, speeds=tuple(speeds))
    (chart,) = [c for c in charts(group(run), columns(run.scores)) if "throughput" in c.title]
    assert "2 threads (xnli dev, 2 languages, 4 sentences" in chart.x_label
    assert {point.name: point.x for point in chart.points} == {"teacher": 10, "trimmed": 20}
    assert chart.caption.startswith("Not in the chart, because not timed with 2 threads (xnli")
    assert chart.caption.endswith(": base.")
    table = cost_table(group(run))
    assert [row.cells[4].sub for row in table.rows] == ["", "", *["2.0× faster"] * 2, ""]
    assert not any("same text" in note for note in table.notes)


@pytest.mark.parametrize("rows", [None, 4])
def test_other_numbers_of_sentences_are_another_text(rows: int | None) -> None:
    few, many = a_speed(a_model("few"), 10), a_speed(a_model("many"), 20)
    few = few.model_copy(update={"rows": rows})
    text = few.text.replace(" 4 ", " 512 ")
    many = many.model_copy(update={"rows": None, "text": text})
    table = cost_table(group(a_run(speeds=(few, many))))
    assert [row.cells[4].sub for row in table.rows] == ["", ""]
    assert any("same text" in note for note in table.notes)


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


def test_models_that_are_timed_on_the_text_of_their_task_are_all_timed() -> None:
    base, tuned = a_model("base"), {t: a_model(f"tuned[task={t}]") for t in ("xnli", "udpos")}
    scores = [a_score(model, task, en=80, de=70) for task, model in tuned.items()]
    speeds = [a_speed(base, 10, text=task) for task in tuned]
    speeds += [a_speed(model, 20, text=task) for task, model in tuned.items()]
    notes = cost_table(group(a_run(*scores, speeds=tuple(speeds)))).notes
    assert not any("fewer models" in note for note in notes)
    notes = cost_table(group(a_run(*scores, speeds=tuple(speeds[:3])))).notes
    assert "Speed and memory are over fewer models: tuned (1 of 2)." in notes


def test_a_text_of_two_sources_is_not_the_same_text() -> None:
    a, b = a_model("a", 100), a_model("b", 10)
    texts = ("xnli", "tatoeba")
    ours = [a_speed(a, 10, text=text) for text in texts]
    others = [a_speed(b, 20, text=text).model_copy(update={"source": "hub"}) for text in texts]
    table = cost_table(group(a_run(speeds=(*ours, *others))))
    assert [row.cells[4].sub for row in table.rows] == [""] * 4
    (note,) = [note for note in table.notes if "same text" in note]
    assert "a: xnli dev, 2 languages, 4 sentences (embedded); " in note
    assert "b: xnli dev, 2 languages, 4 sentences (hub); " in note


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


def test_rows_are_counted_and_not_the_windows_or_choices_they_become() -> None:
    def in_windows(label: str, size: int, sequences: int) -> SpeedResult:
        speed = a_speed(a_model(label, size), 10)
        passes = (Throughput(sentences=sequences, tokens=1, seconds=2.0, joules=3.0),)
        own = LanguageSpeed(
            rows=5, sentences=sequences, tokens=1000, latency_seconds=(0.1,), seconds=(2.0,)
        )
        return speed.model_copy(update={"rows": 10, "throughput": passes, "languages": {"de": own}})

    run = a_run(speeds=(in_windows("base", 100, 10), in_windows("small", 10, 60)))
    table = cost_table(group(run))
    assert [(row.cells[4].text, row.cells[4].sub) for row in table.rows] == [("5.00", "")] * 2
    assert [row.cells[-1].text for row in table.rows] == ["300", "300"]  # mJ
    assert "faster" not in page(run).headline
    assert any("Throughput and energy count rows" in note for note in table.notes)
    by_language = language_speed_table(group(run))
    assert texts(by_language) == {"German": ["200", "2.50", "100", "2.50", "100"]}
    assert "p50 is of one sequence" in by_language.notes[-1]
    small = run.speeds[1]  # as an older version wrote it, which counted sequences by language
    old = small.model_copy(
        update={"languages": {"de": small.languages["de"].model_copy(update={"rows": None})}}
    )
    by_language = language_speed_table(group(a_run(speeds=(run.speeds[0], old))))
    assert texts(by_language)["German"] == ["200", "–", "2.50", "100", "–", "100"]
    assert by_language.notes[-1].endswith("an older version that counted sequences.")
    alike = run.model_copy(update={"speeds": (a_speed(a_model("a"), 10),)})
    assert not any("sequence." in note for note in cost_table(group(alike)).notes)


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


def test_speeds_without_scores(run: RunRecord) -> None:
    content = page(run.model_copy(update={"scores": ()}))
    assert not any(tables_of(content, name) for name in ("scores", "languages"))
    assert not charts_of(content, "pareto")
    assert len(tables_of(content, "cost")[0].rows) == 4
