"""What the note of a run names, and whose it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from demo_recipe import RECIPE
from filelock import FileLock

from recipes.errors import RecipesError
from recipes.execution.cached_stages import in_workspace
from recipes.execution.find_outputs import find_model, last_report
from recipes.execution.run_options import RunOptions
from recipes.execution.workspace import Workspace
from recipes.run import run_recipe


def test_until_keeps_what_was_finished(lab):
    here = lab.folder / "here"
    whole = run_recipe(lab.write(RECIPE), workspace=here)
    part = run_recipe("r.yaml", workspace=here, options=RunOptions(until_stage="teacher"))

    assert [stage.label for stage in part.stages] == ["teacher"] and part.report is None
    assert last_report("r.yaml", here) == whole.report
    assert find_model("demo:fused", here) == whole.stages[1].path
    assert all(stage.runs == ("demo",) for stage in in_workspace(Workspace(here)))


def test_the_first_until_names_what_there_is(lab):
    here = lab.folder / "here"
    run_recipe(lab.write(RECIPE), workspace=here, options=RunOptions(until_stage="teacher"))
    assert find_model("demo:teacher", here).is_dir()
    with pytest.raises(RecipesError, match="has no report"):
        last_report("demo", here)


def test_a_run_of_another_file_of_the_same_name_is_said(lab):
    here = lab.folder / "here"
    run_recipe(lab.write(RECIPE), workspace=here)
    (lab.folder / "other.yaml").write_text((lab.folder / "r.yaml").read_text() + "# other\n")
    run_recipe("other.yaml", workspace=here)

    with pytest.raises(RecipesError, match=r"the last run of demo was of another file: .*other"):
        last_report("r.yaml", here)

    assert last_report("other.yaml", here) == last_report("demo", here)


def test_a_file_among_the_notes_is_no_run(lab):
    here = lab.folder / "here"
    run_recipe(lab.write(RECIPE), workspace=here)
    (here / "runs" / ".DS_Store").write_bytes(b"\0")
    assert len(in_workspace(Workspace(here))) == 4


@pytest.mark.parametrize("option", ["--workspace", "--cache", "--data-dir"])
def test_an_option_without_a_value_is_refused(lab, option, capsys):
    lab.write(RECIPE)
    assert lab.cli("run", "r.yaml", option, "") == 2
    assert "it is empty; give a value, or leave the option out" in " ".join(
        capsys.readouterr().err.replace("│", " ").split()
    )
    assert not (lab.folder / ".gitignore").exists()


def test_prune_removes_work_that_was_stopped_long_ago(lab, capsys):
    run_recipe(lab.write(RECIPE))
    space = Workspace()
    for name, days in (("5feceb66ffc86f38d952", 40), ("trash-1", 40), ("6b86b273ff34fce19d6b", 2)):
        (space.partial / name / "work").mkdir(parents=True)
        (space.partial / name / "work" / "state").write_bytes(b"0" * 1000)
        for path in (space.partial / name, *(space.partial / name).rglob("*")):
            os.utime(path, (time.time() - days * 86_400,) * 2)

    assert lab.cli("cache", "prune", "--dry-run") == 0
    assert "work of 2 stopped stages" in capsys.readouterr().out
    with FileLock(space.locks / "5feceb66ffc86f38d952.lock"):
        assert lab.cli("cache", "prune") == 0
        assert not (space.partial / "trash-1").exists()
        assert (space.partial / "5feceb66ffc86f38d952").is_dir()  # it goes on at this moment
    assert lab.cli("cache", "prune") == 0
    assert [path.name for path in space.partial.iterdir()] == ["6b86b273ff34fce19d6b"]


@pytest.mark.slow
def test_with_stdout_closed_a_command_ends_as_always():
    command = f"{sys.executable} -m recipes.cli ls tasks >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
