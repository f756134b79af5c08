"""Where the figures of a report are from: what its badge says, and when it warns."""

from __future__ import annotations

from report_fakes import a_model, a_run, a_score, a_speed, run_of_three_systems

from evalsuite.report.figures.merge_runs import Run, merge
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.sources import badge, mix_warning, source_of
from evalsuite.report.output.page import page, short_text
from evalsuite.report.output.summary import summary
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.run import RunRecord


def from_files(recipe_source: str, title: str | None = None) -> RunRecord:
    """A run whose figures are all of a declared task, which has its own files."""
    run = run_of_three_systems()
    changed = {"source": "files"} | ({"title": title} if title else {})
    return run.model_copy(
        update={
            "source": recipe_source,
            "seed": 1 if recipe_source == "files" else 2,
            "scores": tuple(s.model_copy(update=changed) for s in run.scores),
            "speeds": tuple(s.model_copy(update={"source": "files"}) for s in run.speeds),
        }
    )


def test_declared_tasks_have_one_source_whatever_the_recipe_names() -> None:
    mine, with_text = from_files("files"), from_files("xtreme")
    assert source_of(mine) == source_of(with_text) == "files"
    assert badge(with_text) == badge(mine) and mix_warning(with_text) == ""
    merged = merge([Run(mine, "a"), Run(with_text, "b")])  # not refused: the same source
    assert merged.source == "files" and mix_warning(merged) == ""
    first = with_text.scores[0].model_copy(update={"source": "xtreme"})
    mixed = with_text.model_copy(update={"scores": (first, *with_text.scores[1:])})
    assert "some figures are from another: from files" in mix_warning(mixed)


def test_two_titles_of_one_task_are_one_column() -> None:
    one, two = from_files("files", "Topics"), from_files("files", "Themen")
    found = columns([*one.scores, *two.scores])
    assert [column.task for column in found] == [column.task for column in columns(one.scores)]
    assert {column.title for column in found} == {"Topics"}


def test_costs_in_several_settings_follow_the_scores() -> None:
    main = Table("System", (Column("XNLI"),), (Row(Cell("teacher"), (Cell("54.0"),)),))
    names = ("teacher, 1 thread", "teacher, 2 threads")
    costs = Table(
        "System", (Column("Size", "MB"),), tuple(Row(Cell(n), (Cell("9"),)) for n in names)
    )
    lines = summary("hub", [], main, [("", costs)]).split("\n")
    assert lines[2:5] == ["System   XNLI", "teacher  54.0", ""]
    assert lines[5].split() == ["System", "Size", "MB"] and lines[6].startswith(names[0])


def test_a_system_without_speeds_does_not_join_the_costs_of_others_to_the_scores() -> None:
    teacher, base = a_model("teacher"), a_model("base")
    speeds = tuple(a_speed(teacher, 10, threads=threads) for threads in (1, 2))
    run = a_run(a_score(teacher, en=80, de=70), a_score(base, en=60, de=50), speeds=speeds)
    lines = [line.split() for line in short_text(page(run)).splitlines()]
    assert ["teacher", "70.0"] in lines and ["base", "50.0"] in lines
    timed = [line for line in lines if line[:2] == ["teacher,", "2"]]
    assert timed == [["teacher,", "2", "threads", "0.00", "10.0", "25.0"]]
    one = run.model_copy(update={"speeds": speeds[:1]})  # one setting: one table
    lines = [line.split() for line in short_text(page(one)).splitlines()]
    assert ["teacher", "70.0", "0.00", "10.0", "25.0"] in lines
