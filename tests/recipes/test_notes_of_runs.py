"""What the note of a run names, and whose it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from demo_recipe import RECIPE
from filelock import FileLock

import lingopress
from recipes.errors import RecipesError
from recipes.execution import stopped_work
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


@pytest.mark.parametrize("command", ["ls", "prune", "push r.yaml", "pull r.yaml"])
def test_a_cache_without_an_address_is_refused(lab, command, capsys):
    """`--cache "$C"` where C is not set: prune removed stages of the workspace."""
    run_recipe(lab.write(RECIPE))
    assert lab.cli("cache", *command.split(), "--cache", "") == 2
    assert "it is empty" in capsys.readouterr().err
    assert not (lab.folder / "lingopress-cache.json").exists()


def test_a_workspace_without_a_name_is_the_usual_one(lab):
    lingopress.run(lab.write(RECIPE), workspace="", quiet=True)
    assert (lab.folder / ".lingopress").is_dir() and not (lab.folder / ".gitignore").exists()


def test_a_file_in_partial_is_no_stopped_work(lab):
    space = Workspace(lab.folder)
    space.prepare()
    (space.partial / ".DS_Store").write_bytes(b"0")
    os.utime(space.partial / ".DS_Store", (0, 0))
    assert stopped_work.unused(space, timedelta(30)) == []


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_with_an_output_closed_a_program_runs(lab, closed, monkeypatch):
    lab.write(RECIPE)
    monkeypatch.setattr(sys, closed, None)
    assert lingopress.run("r.yaml").stages
    assert lab.cli("run", "r.yaml") == 0
    getattr(sys, closed).close()  # what the command put in its place


@pytest.mark.slow
def test_descriptors_that_are_closed_keep_what_a_stage_prints(tmp_path):
    """With 1 and 2 closed, the log itself was opened as one of them, and closed again."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from recipes.execution.output_capture import capture\n"
        "with capture(Path(sys.argv[1])):\n    os.write(1, b'one '); os.write(2, b'two')\n"
        "os.write(1, b' nowhere')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "log")]
    done = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *command], timeout=120)
    assert (done.returncode, (tmp_path / "log").read_text()) == (0, "one two")


@pytest.mark.slow
def test_with_stdout_closed_a_command_ends_as_always():
    command = f"{sys.executable} -m recipes.cli ls tasks >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
