"""Runs side by side: what each is called, what is refused, what is never compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_fakes import charts_of, run_of_three_systems, tables_of

from evalsuite.errors import DataError
from evalsuite.report.charts.chart import Chart
from evalsuite.report.figures.merge_runs import Run, merge, run_names
from evalsuite.report.figures.systems import group
from evalsuite.report.output.page import html, markdown, page
from evalsuite.report.output.read_report import read
from evalsuite.results.run import RunRecord
from evalsuite.results.search import Search, Trial
from evalsuite.results.task import ModelComparison


def a_recipes(name: str = "small", seed: int = 7, **changed: object) -> RunRecord:
    """The run of three systems under another recipe's name, seed and so on."""
    return run_of_three_systems().model_copy(update={"recipe": name, "seed": seed, **changed})


def moved(record: RunRecord, points: float) -> RunRecord:
    """The same run with every score moved."""
    scores = [
        score.model_copy(
            update={
                "metrics": {
                    name: {code: value + points for code, value in own.items()}
                    for name, own in score.metrics.items()
                }
            }
        )
        for score in record.scores
    ]
    return record.model_copy(update={"scores": tuple(scores)})


def systems(record: RunRecord) -> list[str]:
    return [system.name for system in group(record)]


def test_labels_tell_the_run_in_everything_a_record_has() -> None:
    one = a_recipes("one")
    beside = ModelComparison(
        label="teacher[task=xnli]", agreement={}, intervals={}, zero_shot_interval=None, p=None
    )
    asked = one.scores[4].model_copy(update={"comparison": beside})
    stage = one.stages[0].model_copy(
        update={"name": "next", "key": "n", "inputs": ("teacher[task=xnli]", "org/m")}
    )
    one = one.model_copy(
        update={"scores": (*one.scores[:4], asked), "stages": (*one.stages, stage)}
    )
    merged = merge([Run(one), Run(a_recipes("two"))])
    assert systems(merged) == [
        "one:teacher", "one:int8", "two:teacher", "two:int8", "two:base",
    ]  # fmt: skip
    assert merged.scores[4].comparison.label == "one:teacher[task=xnli]"
    told = {stage.name: stage.inputs for stage in merged.stages}
    assert told["one:next"] == ("one:teacher[task=xnli]", "org/m")
    assert {speed.model.label.partition(":")[0] for speed in merged.speeds} == {"one", "two"}
    assert [(own.name, own.recipe, own.seed) for own in merged.runs] == [
        ("one", "one", 7),
        ("two", "two", 7),
    ]
    assert len(merged.scores) == 5 + 8


def test_what_a_search_recommends_is_told_and_its_trials_are_left_where_they_are() -> None:
    trial = Trial(
        assignment={"layers": "3"}, systems=("int8[layers=3]",), average=61.2, bytes=9.4e6
    )
    search = Search(
        candidate="int8", reference="", budget="MB", limit=20.0, knobs={"layers": ("3", "6")},
        most=4, trials=(trial,), recommended=0,
    )  # fmt: skip
    merged = merge([Run(a_recipes("one", search=search)), Run(a_recipes("two"))])
    assert merged.search is None and [bool(run.search) for run in merged.runs] == [True, False]
    shown = markdown(page(merged))
    told = "one, a search: Recommended, the best average within 20 MB: one:int8"
    assert told in shown and "in the report of the run that made it" in shown
    assert "## Search" not in shown and told in html(page(merged))
    alone = merge([Run(a_recipes("one")), Run(a_recipes("two"))])
    assert "in the report of the run that made it" not in markdown(page(alone))
    nothing = search.model_copy(update={"trials": (), "recommended": None})
    merged = merge([Run(a_recipes("one", search=nothing)), Run(a_recipes("two"))])
    assert merged.runs[0].search == "No trial could be judged by the budget of 20 MB."


def test_names_are_short_numbered_or_asked_for() -> None:
    one, two = a_recipes("one"), a_recipes("two")
    again = moved(one, 1)
    assert run_names([Run(one), Run(two)]) == ["one", "two"]
    assert run_names([Run(one), Run(again), Run(two)]) == ["one#1", "one#2", "two"]
    assert run_names([Run(one), Run(again, name="laptop")]) == ["one", "laptop"]
    assert run_names([Run(one), Run(two, name="one")]) == ["one#1", "one"]


def test_runs_that_differ_in_their_seed_are_variants_of_one() -> None:
    runs = [Run(moved(a_recipes(seed=seed), seed)) for seed in (1, 2, 3)]
    merged = merge(runs)
    assert systems(merged)[:3] == ["teacher[seed=1]", "int8[seed=1]", "base[seed=1]"]
    assert merged.recipe == "Comparison of small over seeds"
    (table,) = tables_of(page(merged), "seeds")
    assert [row.head.text for row in table.rows] == ["teacher", "int8", "base"]
    assert [cell.text for cell in table.rows[0].cells] == [
        "67.0 ± 1.0", "62.0 ± 1.0", "47.0 ± 1.0", "58.7 ± 1.0",
    ]  # fmt: skip
    both = merge([*runs, Run(a_recipes("other"))])
    assert systems(both)[0] == "small:teacher[seed=1]" and systems(both)[-1] == "other:base"
    assert tables_of(page(both), "seeds")[0].rows[0].head.text == "small:teacher"


def test_runs_whose_cached_stage_was_made_by_another_run_are_seeds_of_one() -> None:
    def run(seed: int, name: str, **other: object) -> RunRecord:
        config = {"name": name, "epochs": 3, **other}
        changed = {"config": config, "not_in_key": ("note",)}
        stage = a_recipes().stages[0].model_copy(update=changed)
        return moved(a_recipes(seed=seed, stages=(stage,)), seed)

    other: dict[str, object] = {"processes": 4, "save_every": 60.0, "track": "tensorboard"}
    other["note"] = "of a stage of a plugin"
    runs = [Run(run(1, "old")), Run(run(2, "t", **other))]
    assert run_names(runs) == ["small", "small"]
    (table,) = tables_of(page(merge(runs)), "seeds")
    assert table.rows[0].cells[0].text == "66.5 ± 0.7"


def test_other_stages_or_other_rows_are_no_other_seed() -> None:
    first = a_recipes(seed=1)
    stage = first.stages[0].model_copy(update={"config": {"epochs": 9}})
    longer = a_recipes(seed=2, stages=(stage,))
    rows = first.scores[0].model_copy(update={"data_digest": "sha256:other"})
    other = a_recipes(seed=2, scores=(rows, *first.scores[1:]))
    for second in (longer, other):
        assert run_names([Run(first), Run(second)]) == ["small#1", "small#2"]
    assert not tables_of(page(merge([Run(first), Run(other)])), "seeds")


def test_scores_on_other_rows_are_never_subtracted() -> None:
    rows = a_recipes("two").scores[0].model_copy(update={"data_digest": "sha256:other"})
    two = a_recipes("two", scores=(rows, *a_recipes("two").scores[1:]))
    content = page(merge([Run(a_recipes("one")), Run(two)]))
    (main,) = tables_of(content, "scores")
    deltas = {row.head.text: [cell.delta for cell in row.cells] for row in main.rows}
    assert deltas["two:teacher"] == ["", "±0.0", "±0.0", ""]
    assert deltas["two:int8"] == ["−2.0", "−1.5", "−15.0", "−6.2"]
    note = "XNLI: two:teacher scored on other rows than one:teacher (the signatures have their"
    assert any(text.startswith(note) for text in main.notes)
    averages = charts_of(content, "pareto")[0]
    assert isinstance(averages, Chart)
    assert averages.title == "Average against size"
    assert [p.name for p in averages.points if p.partial] == ["one:base", "two:teacher", "two:base"]
    assert averages.caption.endswith(
        "on other rows or languages, or scored in another way: two:teacher."
    )


def test_other_rows_are_told_where_the_first_system_has_no_such_score() -> None:
    retrieval = a_recipes("one").scores[7:]
    two, three = a_recipes("two"), a_recipes("three")
    rows = three.scores[4].model_copy(update={"data_digest": "sha256:other"})
    three = a_recipes("three", scores=(rows,))
    runs = [Run(a_recipes("one", scores=retrieval, speeds=())), Run(two), Run(three)]
    notes = tables_of(page(merge(runs)), "scores")[0].notes
    assert any(n.startswith("XNLI: three:int8") and "than two:teacher" in n for n in notes)


def test_a_stage_that_runs_share_is_in_the_table_once() -> None:
    one = a_recipes("one")
    other = one.stages[0].model_copy(update={"key": "other"})
    after = other.model_copy(
        update={"name": "next", "key": "n", "inputs": (one.stages[0].name, "org/m")}
    )
    two = a_recipes("two", stages=(one.stages[0], after))
    merged = merge([Run(one), Run(two)])
    assert [stage.name for stage in merged.stages] == [
        *["one:teacher[task=xnli]"] * 2,
        "two:teacher[task=xnli]",
        "two:next",
    ]
    (table,) = tables_of(page(merged), "stages")
    assert [(row.head.text, row.cells[1].text) for row in table.rows] == [
        ("one:teacher[task=xnli]", "base"),
        ("two:next", "one:teacher[task=xnli], org/m"),
        ("total", ""),
    ]
    assert table.rows[-1].cells[3].text == "3 min 20 s"
    alone = a_recipes("two", stages=(*one.stages, other))
    assert len(tables_of(page(alone), "stages")[0].rows) == 4  # of one run, all are shown


def test_sources_are_mixed_only_when_asked_and_then_loudly() -> None:
    real = a_recipes(
        "real",
        source="xtreme",
        scores=tuple(s.model_copy(update={"source": "xtreme"}) for s in a_recipes().scores),
        speeds=(),
    )
    runs = [Run(a_recipes("toy"), "toy"), Run(real, "real.json")]
    with pytest.raises(DataError) as refused:
        merge(runs)
    assert str(refused.value) == (
        "these runs have different sources, so their numbers cannot be compared "
        "(embedded: toy; xtreme: real.json)\n"
        "to print them in one report anyway: --mix-sources"
    )
    content = page(merge(runs, mix_sources=True))
    assert content.warning.startswith(
        "The runs compared are of different sources: toy is from embedded; real is from xtreme."
    )
    assert content.badge == (
        "embedded (template-generated; says nothing about XTREME-R) and XTREME directory"
    )
    assert "Mixed sources" in html(content) and "mixed sources" in markdown(content)
    (main,) = tables_of(content, "scores")
    assert "Average" not in [column.text for column in main.columns]
    real_row = next(row for row in main.rows if row.head.text == "real:teacher")
    assert not any(cell.delta for cell in real_row.cells)


def test_what_cannot_be_compared_is_said_in_a_sentence() -> None:
    one = a_recipes("one")
    with pytest.raises(DataError, match="two runs or more\nfor one run: lingopress report RUN"):
        merge([Run(one)])
    with pytest.raises(DataError, match=r"^a and b: the same run twice; name each run once$"):
        merge([Run(one, "a"), Run(one.model_copy(), "b")])
    with pytest.raises(DataError, match=r"^a: the same run twice"):
        merge([Run(one, "a"), Run(one, "a")])
    two = Run(a_recipes("two"), "b", "x")
    with pytest.raises(
        DataError, match=r"a and b are both named 'x'; give each a different name: NAME=RUN"
    ):
        merge([Run(one, "a", "x"), two])
    merged = merge([Run(one), two])
    with pytest.raises(DataError, match=r"^c is itself a comparison; name the runs"):
        merge([Run(merged, "c"), two])


@pytest.mark.slow
def test_the_report_of_a_comparison_lists_its_runs_and_reads_back(tmp_path: Path) -> None:
    merged = merge([Run(a_recipes("one")), Run(a_recipes("two", 8))])
    content = page(merged)
    (compared,) = tables_of(content, "runs")
    assert [[row.head.text, *(c.text for c in row.cells[:2])] for row in compared.rows] == [
        ["one", "one", "7"],
        ["two", "two", "8"],
    ]
    for text in (html(content), markdown(content)):
        assert "Runs compared" in text and "Seed 7." not in text and "seed 7" not in text
    assert "Runs compared" not in html(page(a_recipes()))
    path = tmp_path / "report.json"
    path.write_text(merged.model_dump_json())
    assert read(path) == merged


def test_files_that_are_no_report_are_told(tmp_path: Path) -> None:
    path = tmp_path / "report.json"

    def said() -> str:
        with pytest.raises(DataError) as error:
            read(path)
        return str(error.value).replace(str(path), "FILE")

    assert said() == (
        "there is no FILE\nname a recipe that was run, a run's folder, or the report.json of a "
        "report"
    )
    path.write_text("{")
    assert said().startswith(
        "FILE is not JSON, so it is not a report.json: Expecting property name"
    )
    for other in ("[]", '{"recipe": "r"}', "3"):
        path.write_text(other)
        assert said() == (
            "FILE is JSON, but not the report.json of a report: that has recipe, stages, scores, "
            "speeds\nname the report.json in the folder of a report.html"
        )
    path.write_bytes(b"\xff\xfe")
    assert said().startswith("FILE cannot be read: ")


def test_a_report_of_another_version_is_told(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    tree = json.loads(a_recipes("mine").model_dump_json())
    del tree["scores"][2]["split"]
    tree["scores"][0]["added"] = 1
    path.write_text(json.dumps(tree))
    with pytest.raises(DataError) as error:
        read(path)
    assert str(error.value) == (
        f"{path} was written by another version of lingopress, or changed by hand: "
        "scores.0.added: extra inputs are not permitted (and 1 more)\n"
        "run the recipe mine again with this version"
    )


def test_a_file_without_what_came_later_reads(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    tree = json.loads(a_recipes("mine").model_dump_json())
    del tree["runs"], tree["fertility"]
    path.write_text(json.dumps(tree))
    assert read(path) == a_recipes("mine")
