"""What a search refuses: mistakes in its recipe, trials that cannot be made."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from searches import RECIPE, write

from evalsuite.install_command import how_to_install
from evalsuite.report.output.read_report import read
from recipes.planning import data_digests, plan
from recipes.search import feasible


@pytest.mark.slow
def test_what_a_gate_or_a_shape_refuses_is_listed_and_the_search_goes_on(bench, capfd):
    write(
        bench,
        width=("[200, 300, 400]", "[202, 400]"),
        precision=("[fp32, int8]", "[fp32, int2, int4]"),
    )
    assert bench.cli("run", "r.yaml") == 0
    out, err = capfd.readouterr()
    assert err == ""
    search = read(next(bench.workspace.glob("stages/report-*/report.json"))).search
    assert search is not None
    refused = {tuple(t.assignment.values()): t.refused for t in search.trials if t.refused}
    whole = {tuple(t.assignment.values()) for t in search.trials if not t.refused}
    assert whole == {*product("24", ["400"], ["fp32", "int4"]), ("3", "400", "fp32")}
    assert refused["2", "202", "fp32"] == (
        "stage student[layers=2,width=202] (shrink): width 202 is no multiple of 4 heads"
    )
    assert refused["4", "400", "int2"] == (
        "stage packed[layers=4,width=400,precision=int2] (shrink): export: 51.00% of labels agree, "
        "min_agreement asks for 90%"
    )
    assert refused["3", "400", "int4"] == (
        "stage 'packed' (shrink): precision: no int4 with three layers"
    )
    assert len(refused) + len(whole) == len(search.trials) == 18
    assert all(not t.within and not t.on_front and t.average is None
               for t in search.trials if t.refused)  # fmt: skip
    assert "trial 1 of 18: layers=" in out
    assert "not possible: stage student[" in out


def test_a_search_of_which_nothing_can_be_made_says_why(bench, capfd):
    write(bench, trials=2, width=("[200, 300, 400]", "[202]"), layers=("[2, 3, 4]", "[2]"))
    assert bench.cli("run", "r.yaml") == 2
    said = capfd.readouterr().err.splitlines()
    why = "stage student[layers=2,width=202] (shrink): width 202 is no multiple of 4 heads"
    assert said[0] == "error: search: none of 2 assignments could be made"
    assert set(said[1:3]) == {
        f"layers=2, width=202, precision=fp32: {why}",
        f"layers=2, width=202, precision=int8: {why}",
    }
    assert said[3:] == ["give the knobs other values, or let the gates pass more"]


def test_what_all_trials_share_and_what_is_broken_ends_the_search(bench, capfd):
    write(bench, teacher=("shrink, model: ./base", "shrink, model: ./base, width: 201"))
    assert bench.cli("run", "r.yaml") == 2
    assert capfd.readouterr().err.startswith("error: stage teacher (shrink): width 201 is no")
    write(bench, precision=("[fp32, int8]", "[fp32, broken]"))
    assert bench.cli("run", "r.yaml") == 1
    assert "(shrink) failed: ValueError: a bug" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MB: 12", "mb: 12",
         "r.yaml:6: search.budget.mb: 'mb' is not allowed\n    allowed: 'MB', 'ms' or 'points'"),
        ("MB: 12", "MB: 12, ms: 1",
         "r.yaml:6: search.budget: give one budget: {MB: 20}, {ms: 2.0} of median latency, or"),
        ("MB: 12", "MB: 0", "r.yaml:6: search.budget.MB: wrong value 0: input should be greater"),
        ("trials: 18", "trials: 0", "r.yaml:5: search.trials: wrong value 0: input should be"),
        ("  trials: 18\n", "", "the key 'search.trials' is missing"),
        ("candidate: packed", "candidate: packt",
         "r.yaml:7: search: candidate: no stage 'packt'; did you mean 'packed'?\n"
         "    stages: teacher, before, student, packed, scores, speed"),
        ("candidate: packed", "candidate: student",
         "search: candidate: student does not depend on the knob precision"),
        ("candidate: packed", "candidate: scores",
         "search: candidate: scores gives scores, not a model"),
        ("candidate: packed", "candidate: packed\n  reference: teachr",
         "search: reference: no stage 'teachr'; did you mean 'teacher'?"),
        ("candidate: packed", "candidate: packed\n  reference: student",
         "search: reference: no evaluate stage scores student\n    scored: teacher, packed"),
        ("models: [packed], tasks", "models: [student], tasks",
         "search: candidate: no evaluate stage scores packed"),
        (', width: "${width}"', '', "r.yaml:10: knobs: no stage uses ${width}; use it or remove"),
        ('"${layers}"', '"${layer}"',
         "stage 'student': no matrix variable or knob 'layer'; did you mean 'layers'?\n"
         "    matrix variables and knobs: layers, width, precision"),
        ("[2, 3, 4]", "[]", "r.yaml:9: knobs: layers needs a list of values"),
        ("[2, 3, 4]", "[2, 2]", "r.yaml:9: knobs: layers has the value 2 twice"),
        ("[2, 3, 4]", "[2, x]", "stage 'student' (shrink): layers: wrong value 'x'"),
        ("search:\n", "matrix: {layers: [1]}\nsearch:\n", "'layers' is a matrix variable too"),
    ],
)  # fmt: skip
def test_mistakes(bench, capfd, old, new, said):
    write(bench, change=(old, new))
    assert bench.cli("check", "r.yaml") == 2
    assert said in capfd.readouterr().err


def test_mistakes_that_a_budget_makes(bench, capfd):
    text = RECIPE.replace("models: [teacher, packed]", "models: [teacher]")
    write(bench, budget="ms: 2", text=text)
    assert bench.cli("check", "r.yaml") == 2
    assert (
        "r.yaml:6: search: budget: ms is measured by a benchmark stage, and none has packed"
        in capfd.readouterr().err
    )
    text = RECIPE.replace("models: [teacher], tasks", "models: [packed], tasks")
    write(bench, budget="points: 2", text=text)
    assert bench.cli("check", "r.yaml") == 2
    assert "points are counted from another model's score" in capfd.readouterr().err
    text = RECIPE.replace("models: [teacher], tasks: [xnli,", "models: [teacher], tasks: [panx,")
    write(bench, budget="points: 2", text=text)
    assert bench.cli("run", "r.yaml") == 2
    assert "points cannot be counted from teacher" in capfd.readouterr().err
    text = RECIPE.replace("tasks: [xnli, udpos]}", "tasks: [xnli], english_only: true}")
    write(bench, text=text)
    assert bench.cli("run", "r.yaml") == 2
    assert "search: packed has no zero-shot average" in capfd.readouterr().err
    assert bench.cli("run", "r.yaml", "--until", "student") == 2
    assert "--until: a search judges whole trials" in capfd.readouterr().err
    assert bench.cli("run", "r.yaml", "--from", "studnt") == 2
    assert "--from: no stage 'studnt'; did you mean 'student'?" in capfd.readouterr().err


def test_a_task_that_cannot_be_read_is_one_problem(bench, capfd):
    """It is not an unknown task as well."""
    tasks = (
        "tasks:\n  topics: {format: classification, train: {en: gone.csv}, columns: {text: a}}\n"
    )
    write(bench, change=("search:\n", tasks + "search:\n"), text=RECIPE.replace("[xnli", "[topics"))
    assert bench.cli("check", "r.yaml") == 2
    said = capfd.readouterr().err
    assert "there is no file gone.csv" in said and "unknown task" not in said


def test_without_optuna(bench, capfd, monkeypatch):

    monkeypatch.setattr(feasible, "find_spec", lambda name: None)
    assert bench.cli("check", write(bench)) == 2
    assert (
        f"r.yaml:4: search: optuna is not installed; {how_to_install('search')}"
        in capfd.readouterr().err
    )


def test_data_that_only_some_trials_read_is_looked_for_first(bench, capfd, monkeypatch):
    """A search over languages, of which one has no text."""
    write(
        bench,
        knob=("    precision: [fp32, int8]\n", "    language: [de, is]\n"),
        seed=("seed: 3", "seed: 4"),  # the first trial is of de
        few=(
            '  - {name: packed, stage: shrink, model: student, precision: "${precision}", ',
            '  - {name: few, stage: trim, model: student, languages: ["${language}"], probe: 0}\n'
            "  - {name: packed, stage: shrink, model: few, ",
        ),
    )
    monkeypatch.setattr(plan, "digest_need", data_digests.digest_need)  # the lab has none
    assert bench.cli("run", "r.yaml") == 2
    assert "the corpus has no parallel text in is\n" in capfd.readouterr().err
    assert not Path("made").exists()
