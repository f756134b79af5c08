"""A workspace that was moved or copied: what is found is in the one that was named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from demo_recipe import RECIPE

from recipes.errors import RecipesError, WorkspaceError
from recipes.execution.find_outputs import find_model, last_report
from recipes.run import run_recipe


@pytest.fixture
def old(lab):
    run_recipe(lab.write(RECIPE))
    return lab.workspace


@pytest.fixture
def copy(old) -> Path:
    shutil.copytree(old, old.parent / "copy", symlinks=True)
    return old.parent / "copy"


def test_outputs_of_a_moved_workspace_are_found(old):
    moved = old.parent / "deeper" / "space"
    moved.parent.mkdir()
    old.rename(moved)
    assert find_model("demo:teacher", moved).parent == moved / "stages"
    report = last_report("demo", moved)
    assert report.is_file() and report.parent.parent == moved / "stages"
    assert last_report(str(moved / "runs" / "demo"), None) == report


def test_a_copy_is_not_answered_by_the_place_it_came_from(old, copy):
    model = find_model("demo:teacher", copy)
    assert model.parent == copy / "stages" and find_model("demo:teacher", old) != model
    assert last_report("demo", copy).parent.parent == copy / "stages"
    assert last_report(str(copy / "runs" / "demo"), None).parent.parent == copy / "stages"
    shutil.rmtree(model)
    with pytest.raises(RecipesError, match=f"the output of demo:teacher is gone: {model}"):
        find_model("demo:teacher", copy)


def test_damage_in_a_copy_is_found(old, copy):
    (find_model("demo:teacher", copy) / "config.json").write_text("[]")
    last_report("demo", copy).write_text("edited")
    with pytest.raises(WorkspaceError, match=f"the output of demo:teacher is damaged: {copy}"):
        find_model("demo:teacher", copy)
    for named, workspace in (("demo", copy), (str(copy / "runs" / "demo"), None)):
        with pytest.raises(WorkspaceError, match=f"the report of demo is damaged: {copy}"):
            last_report(named, workspace)
    assert find_model("demo:teacher", old).is_dir() and last_report("demo", old).is_file()


def test_a_copy_of_the_folder_of_a_run_alone_leads_to_its_workspace(old):
    shutil.copytree(old / "runs" / "demo", old.parent / "kept", symlinks=True)
    assert last_report(str(old.parent / "kept"), None) == last_report("demo", old)
