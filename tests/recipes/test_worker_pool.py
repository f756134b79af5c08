"""Stages side by side: together where they may, alone where they must, gone with the command."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from recipes.execution.scheduler import threads
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.run import run_recipe

RECIPE = """
name: demo
source: embedded
matrix: {task: [xnli, panx]}
stages:
  - {name: first, stage: train, model: ./base, tasks: [xnli]}
  - {name: teacher, stage: train, model: first, tasks: ["${task}"], DOES}
  - {name: speed, stage: benchmark, models: [teacher]}
  - {name: late, stage: train, model: first, tasks: [late], does: wait}
"""


def recipe(lab, does: str = "steps: 3") -> str:
    return lab.write(RECIPE.replace("DOES", does))


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    folder = tmp_path / "meeting"
    folder.mkdir()
    return folder


def gone(pid: int) -> bool:
    """Whether a process ends within twenty seconds."""
    for _ in range(2000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.01)
    return False


def arrived(folder: Path, count: int) -> list[int]:
    """Process ids, once so many have come."""
    for _ in range(6000):
        if len(names := list(folder.iterdir())) >= count:
            return [int(path.name) for path in names]
        time.sleep(0.01)
    raise AssertionError("nobody came")


@pytest.mark.slow
def test_variants_are_made_at_the_same_time(lab, meeting):
    child = lab.start(
        "run", recipe(lab, "does: meet"), "--jobs", "2", MEET=str(meeting), OMP_NUM_THREADS="6"
    )
    said, problems = child.communicate()
    assert child.returncode == 0, problems
    workers = {int(path.name) for path in meeting.iterdir()}
    assert len(workers) == 2 and child.pid not in workers
    assert "starting 2 workers" in said
    outcome = run_recipe("r.yaml")  # one after the other finds what side by side made
    assert all(stage.cached for stage in outcome.stages)
    counts = {s.label: (s.path / "threads") for s in outcome.stages if s.kind == "train"}
    assert counts["first"].read_text() == "6"
    assert counts["late"].read_text() == "3"
    speed = next(stage for stage in outcome.stages if stage.label == "speed")
    assert speed.record.summary == {"process": child.pid, "others": 0}


@pytest.mark.slow
def test_one_after_the_other_gives_the_same(lab, tmp_path):
    child = lab.start("run", recipe(lab), "--jobs", "3", "--workspace", "side")
    child.communicate()
    outcome = run_recipe("r.yaml", workspace=tmp_path / "turn")
    assert not any(stage.cached for stage in outcome.stages)
    for stage in outcome.stages:
        if stage.kind == "train":
            other = tmp_path / "side" / "stages" / stage.path.name / "model.safetensors"
            assert other.read_bytes() == (stage.path / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_a_failure_keeps_what_runs_beside_it(lab):
    text = RECIPE.replace("DOES", "steps: 3").replace("[late], does: wait", "[late], does: break")
    child = lab.start("run", lab.write(text), "--jobs", "2")
    said, problems = child.communicate()
    assert child.returncode == 1
    assert "stage late (train) failed: ValueError: loss is nan" in problems
    assert "Traceback" not in problems
    assert re.search(r"^teacher\[task=xnli\] +train +\d", said, re.MULTILINE)  # it was finished


@pytest.mark.slow
def test_what_a_person_can_put_right_exits_with_2(lab):
    child = lab.start("run", recipe(lab, "does: person"), "--jobs", "2")
    _, problems = child.communicate()
    assert child.returncode == 2
    assert "rows are bad" in problems and "Traceback" not in problems


@pytest.mark.slow
@pytest.mark.parametrize("how", [pytest.param("exit", marks=pytest.mark.slow), "kill"])
def test_a_killed_worker_is_told_from_a_broken_stage(lab, how):
    text = recipe(lab, "does: die")
    child = lab.start("run", text, "--jobs", "2", DIE=how)
    said, problems = child.communicate()
    assert child.returncode == 1
    assert re.fullmatch(
        r"error: stage teacher\[task=\w+\] \(train\) failed: a process was killed, most often by "
        r"the system for want of memory\nrun the same command again, with --jobs 1 or a smaller "
        r"batch; it goes on where it stopped\nHEAVY \[\]\n",
        problems,
    )
    assert "Traceback" not in said and "Warning" not in said
    outcome = run_recipe("r.yaml")
    assert [stage.label for stage in outcome.stages if stage.cached] == ["first"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.slow
def test_workers_end_with_the_command(lab, meeting, how):
    text = recipe(lab, "does: meet, steps: 3")
    child = lab.start(
        "run", text, "--jobs", "2", "--until", "teacher[task=xnli]", MEET=str(meeting)
    )
    (worker,) = arrived(meeting, 1)  # it waits there for another that never comes
    if how == signal.SIGKILL:
        child.kill()
    else:
        os.killpg(child.pid, how)
    _, problems = child.communicate()
    assert gone(worker)
    if how == signal.SIGINT:
        assert child.returncode == 130, problems
        assert "interrupted" in problems and "Traceback" not in problems
    (meeting / "0").touch()
    os.environ["MEET"] = str(meeting)
    try:
        run_recipe("r.yaml")
    finally:
        del os.environ["MEET"]


def test_threads_follow_from_the_plan_alone(lab):
    plan = make_plan(load(recipe(lab)), None, DigestMemo())
    stages = {stage.label: stage for stage in plan.stages}
    counts = {label: threads(plan, stage, 2, 8) for label, stage in stages.items()}
    assert counts["first"] == 8  # nothing can be made beside it
    assert counts["teacher[task=xnli]"] == counts["late"] == counts["report"] == 4
    assert threads(plan, stages["late"], 16, 8) == 1
    assert threads(plan, stages["late"], 1, 8) == 8
