"""Outputs that are not found: what to type is a command that works, and the runs are listed."""

from __future__ import annotations

import json
import shutil

import pytest
from demo_recipe import RECIPE

from recipes.errors import RecipeError, RecipesError
from recipes.execution.copy_stages import push_run
from recipes.execution.find_outputs import find_model, last_report, last_run
from recipes.parsing.library import LIBRARY, typed_name
from recipes.run import run_recipe

NAMED = RECIPE.replace("name: demo", "name: research")
REPORTLESS = """
name: research
source: embedded
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [xnli]}
"""


def said(find, *given) -> str:
    with pytest.raises(RecipesError) as caught:
        find(*given)
    return str(caught.value)


def test_what_to_type_is_the_file_of_the_recipe(lab, tmp_path):
    outcome = run_recipe(lab.write(NAMED))
    again = "type: lingopress run r.yaml"
    outcome.report.write_text("edited")
    shared = str(tmp_path / "shared")
    assert said(last_report, "research", None).endswith(f"\nto make it again, {again}")
    assert said(push_run, "research", None, shared).endswith(f"\nto make it again, {again}")
    shutil.rmtree(find_model("research:teacher", None))
    assert said(find_model, "research:teacher", None).endswith(f"\n{again}")
    assert said(push_run, "research", None, shared).endswith(f"\n{again}")
    run_recipe(lab.write(REPORTLESS))
    assert said(last_report, "research", None) == (
        f"the last run of research has no report\n{again}"
    )


def test_without_the_file_the_recipe_is_named(lab):
    outcome = run_recipe(lab.write(REPORTLESS))
    without = "the last run of research has no report\nrun the recipe research again"
    (lab.folder / "r.yaml").unlink()
    assert said(last_report, "research", None) == without
    note = json.loads((outcome.folder / "run.json").read_text())
    del note["file"]  # as an earlier version wrote it
    (outcome.folder / "run.json").write_text(json.dumps(note))
    assert said(last_report, "research", None) == without


def test_a_shipped_recipe_is_typed_by_its_name():
    assert typed_name(LIBRARY / "compact" / "passes.yaml") == "compact/passes"


@pytest.mark.parametrize("find", [find_model, last_report])
def test_without_a_finished_run_those_there_are_are_listed(lab, find):
    stage = ":teacher" if find is find_model else ""
    begun = "a run that stopped goes on where it was: run its recipe again"
    none = f"the workspace {lab.workspace} has no finished run of m"
    assert said(find, f"m{stage}", None) == f"{none}\nit has no finished run at all\n{begun}"
    run_recipe(lab.write(NAMED))
    assert said(find, f"reserch{stage}", None) == (
        f"the workspace {lab.workspace} has no finished run of reserch; did you mean 'research'?\n"
        f"finished runs: research\n{begun}"
    )
    (lab.workspace / "runs" / "spoilt").mkdir()
    (lab.workspace / "runs" / "spoilt" / "run.json").write_text("[")
    assert said(find, f"m{stage}", None) == f"{none}\nfinished runs: research\n{begun}"


def test_a_recipe_that_was_not_run_is_to_be_run(lab):
    lab.write(NAMED)
    assert said(last_run, "r.yaml", None) == (
        f"the workspace {lab.workspace} has no finished run of r.yaml\ntype: lingopress run r.yaml"
    )
    with pytest.raises(RecipeError, match=r"there is no recipe file x\.yaml"):
        last_run("x.yaml", None)
