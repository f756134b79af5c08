"""`--from` and `--until`: what is made again, what stays, what a message advises."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo_recipe import RECIPE
from searches import made, write

from recipes.errors import RecipesError
from recipes.execution.run_options import RunOptions
from recipes.run import run_recipe
from recipes.search import feasible

MATRIX = """
name: demo
source: embedded
matrix: {size: [base, large], task: [xnli, udpos]}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: ["${task}"], note: "${size}"}
"""


def test_what_is_after_until_stays(lab):
    run_recipe(lab.write(RECIPE))
    outcome = run_recipe("r.yaml", options=RunOptions("teacher", "fused"))
    assert [stage.label for stage in outcome.stages if not stage.cached] == ["teacher", "fused"]
    assert all(stage.cached for stage in run_recipe("r.yaml").stages)


@pytest.mark.parametrize(("first", "last"), [("scores", "teacher"), ("report", "scores")])
def test_nothing_to_make_again_is_refused(lab, capfd, first, last):
    run_recipe(lab.write(RECIPE))
    assert lab.cli("run", "r.yaml", "--from", first, "--until", last) == 2
    assert capfd.readouterr().err == (
        f"error: --from {first} --until {last}: {last} does not need {first}, so nothing would be "
        "made again\nname an earlier stage with --from, or a later one with --until\n"
    )
    assert all(stage.cached for stage in run_recipe("r.yaml").stages)


def test_some_values_of_a_stage_can_be_named(lab):
    def until(name: str) -> list[str]:
        outcome = run_recipe("r.yaml", options=RunOptions(until_stage=name))
        return [stage.label for stage in outcome.stages]

    lab.write(MATRIX)
    assert until("teacher[task=udpos]") == [
        "teacher[size=base,task=udpos]", "teacher[size=large,task=udpos]"
    ]  # fmt: skip
    assert until("teacher[task=udpos, size=large]") == ["teacher[size=large,task=udpos]"]
    assert len(until("teacher")) == 4
    for name in ("teacher[task=mlqa]", "teacher[layers=3]", "teach", "a/b", "teacher[task]"):
        with pytest.raises(RecipesError, match="--until: no stage"):
            until(name)


@pytest.mark.parametrize("stage", [(), ("--from", "teacher")])
@pytest.mark.parametrize(("does", "code"), [("interrupt", 130), ("killed", 1), ("full", 2)])
def test_to_go_on_from_is_left_out(lab, capfd, does, code, stage):
    assert lab.cli("run", lab.write(RECIPE), "--set", f"teacher.does={does}", *stage) == code
    error = capfd.readouterr().err
    assert "run the same command again" in error
    more = "\nbut without --from, which would make finished stages again\n"
    assert error.endswith(more) == bool(stage)


@pytest.mark.parametrize("option", ["--from", "--until"])
def test_a_dry_run_of_some_stages_is_refused(lab, capfd, option):
    assert lab.cli("run", lab.write(RECIPE), "--dry-run", option, "teacher") == 2
    assert capfd.readouterr().err == (
        "error: --dry-run shows all stages of the recipe, whatever --from or --until says\n"
        "leave out those two, or --dry-run\n"
    )


@pytest.mark.usefixtures("no_charts")
def test_some_values_of_a_stage_of_a_search(bench):
    recipe = write(bench, trials=6, width=("width: [200, 300, 400]", "width: [200]"))
    run_recipe(recipe)
    before = made()
    Path("made").unlink()
    run_recipe(recipe, options=RunOptions(from_stage="student[layers=3]"))
    assert sorted(made()) == sorted(
        line for line in before if line.split()[1] == "3" or "layers=3" in line
    )


@pytest.mark.parametrize("look_at", [200, 5])
def test_a_stage_that_no_trial_can_have_is_refused(bench, monkeypatch, look_at):
    monkeypatch.setattr(feasible, "LOOK_AT", look_at)
    recipe = write(bench, trials=1, precision=("[fp32, int8]", "[fp32, int4]"))
    for name, said in (
        ("student[layers=9]", "'student[layers=9]'"),
        ("student[precision=fp32]", "'student[precision=fp32]'"),
        ("packed[layers=3,precision=int4]", "'packed[layers=3,precision=int4]'"),
    ):
        with pytest.raises(RecipesError) as caught:
            run_recipe(recipe, options=RunOptions(from_stage=name))
        assert str(caught.value).startswith(f"--from: no trial can have a stage {said}")
        assert f"\nstages of that name: {name.partition('[')[0]}[layers=" in str(caught.value)
    with pytest.raises(RecipesError, match="--from: no stage 'studnt'; did you mean 'student'"):
        run_recipe(recipe, options=RunOptions(from_stage="studnt"))
    assert not Path("made").exists()
    run_recipe(recipe, options=RunOptions(from_stage="packed[layers=4,width=400,precision=int4]"))
