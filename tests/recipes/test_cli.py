"""The command line: what it prints, how it exits, and that it is quick to answer."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path

import pytest
import yaml

from evalsuite.bulk.journal import Done
from evalsuite.bulk.run_model import Job
from recipes.cli import components
from recipes.parsing import library as shipped

RECIPE = """
name: demo
description: two tasks
source: embedded
matrix: {task: [xnli, udpos]}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: ["${task}"]}
  - {name: scores, stage: evaluate, models: [teacher], tasks: ["${task}"]}
"""


def test_run_prints_a_line_a_stage_and_the_report_alone(lab, capfd):
    assert lab.cli("run", lab.write(RECIPE)) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert lines[0] == "teacher[task=xnli]   train      started"
    assert lines[1].startswith("teacher[task=xnli]   train  ")
    assert lines[1].endswith("s  steps 10, final loss 0.1235")
    assert lines[-3].startswith("5 made in ")
    assert lines[-3].endswith(f"0 cached; outputs: {lab.workspace}/runs/demo")
    assert lines[-2] == "report:"
    assert Path(lines[-1]).read_text().startswith("demo\ntwo tasks\n")
    link = lab.workspace / "runs" / "demo" / "teacher[task=xnli]"
    assert (link / "model.safetensors").is_file()
    assert lab.cli("run", "r.yaml", "--quiet") == 0
    assert capfd.readouterr().out == lines[-1] + "\n"


def test_plan_before_and_after(lab, capfd):
    lab.write(RECIPE)
    assert lab.cli("plan", "r.yaml") == 0
    rows = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert rows[0] == ["stage", "kind", "state", "key", "time", "disk"]
    assert rows[1][:4] == ["teacher[task=xnli]", "train", "to", "make"]
    assert rows[1][5:] == ["10", "steps", "-"]
    assert rows[3][-1] == "-"
    assert not lab.workspace.exists() or not (lab.workspace / "stages").exists()
    assert lab.cli("run", "r.yaml", "--dry-run") == 0
    assert capfd.readouterr().out.startswith("stage ")
    lab.cli("run", "r.yaml", "--quiet")
    capfd.readouterr()
    lab.cli("plan", "r.yaml", "--set", "matrix.task=[xnli]")
    rows = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert rows[1][2] == "cached"
    assert rows[1][4] == "took"
    assert rows[3][2:4] == ["to", "make"]  # the report of fewer tasks is another one


def test_plan_as_json_has_what_the_table_has(lab, capfd):
    lab.write(RECIPE)
    lab.cli("run", "r.yaml", "--quiet", "--until", "teacher[task=xnli]")
    capfd.readouterr()
    assert lab.cli("plan", "r.yaml", "--json") == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert err == "" and len(stages) == 5
    assert lab.cli("plan", "r.yaml") == 0
    for row in capfd.readouterr().out.splitlines()[1:6]:
        label, kind, *state = row.split()[:3]
        stage = stages[label]
        assert stage["kind"] == kind and stage["state"].split()[0] == state[0]
        assert stage["key"][:8] in row
    teacher, report = stages["teacher[task=xnli]"], stages["report"]
    assert teacher["state"] == "cached" and teacher["took_disk_bytes"] > 0
    assert teacher["predicted_seconds"] is teacher["time_unknown"] is None
    assert report["state"] == "to make" and report["took_seconds"] is None
    assert "teacher[task=xnli]" in stages["scores[task=xnli]"]["inputs"]["models"]
    assert teacher["memory"] is None
    assert teacher["memory_unknown"] == "the memory of train stages is not estimated"
    assert found["total"]["stages_predicted"] + found["total"]["stages_not_predicted"] == 4
    assert lab.cli("plan", lab.write(RECIPE.replace("tasks", "task")), "--json") == 2
    assert capfd.readouterr().out == ""


def test_check(lab, capfd):
    lab.write(RECIPE)
    assert lab.cli("check", "r.yaml") == 0
    assert capfd.readouterr().out == "r.yaml: ok, 5 stages, source embedded\n"
    assert lab.cli("check", lab.write(RECIPE.replace("embedded", "xtreme"))) == 0
    assert capfd.readouterr().out == (
        "r.yaml: ok, 5 stages, source xtreme; data not looked at, add --data-dir DIR\n"
    )
    assert lab.cli("check", lab.write(RECIPE.replace("tasks", "task"))) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(
        "error: r.yaml: 2 problems\n"
        "  r.yaml:6: stage 'teacher' (train): unknown key 'task'; did you mean 'tasks'?\n"
    )


def test_show(lab, capfd):
    lab.write(RECIPE)
    assert lab.cli("show", "r.yaml", "--set", "teacher.steps=3") == 0
    shown = yaml.safe_load(capfd.readouterr().out)
    assert shown["stages"][0] == {
        "name": "teacher", "stage": "train", "model": "./base", "tasks": ["${task}"], "steps": 3
    }  # fmt: skip
    assert lab.cli("show", "r.yaml", "--resolved") == 0
    shown = yaml.safe_load(capfd.readouterr().out)
    assert [stage["name"] for stage in shown["stages"]][:2] == [
        "teacher[task=xnli]", "teacher[task=udpos]"
    ]  # fmt: skip
    assert shown["stages"][0]["steps"] == 10
    assert shown["stages"][2]["models"] == ["teacher[task=xnli]"]


def test_ls(lab, capfd, monkeypatch):
    assert lab.cli("ls", "stages") == 0
    assert capfd.readouterr().out == (
        "benchmark  Measure by looking who else is at work.\nevaluate   Score by counting bytes.\n"
        "fuse       Fuse by copying.\n"
        "report     Report in one page.\ntrain      Train by writing a file.\n"
    )
    library = lab.folder / "library"
    (library / "small").mkdir(parents=True)
    (library / "small" / "demo.yaml").write_text(RECIPE)
    monkeypatch.setattr(shipped, "LIBRARY", library)
    assert lab.cli("ls") == 0
    assert capfd.readouterr().out == "small/demo  two tasks\n"
    assert shipped.find_recipe("demo") == shipped.find_recipe("small/demo")
    assert lab.cli("check", "small/demoo") == 2
    assert capfd.readouterr().err == (
        "error: no recipe 'small/demoo'; did you mean 'small/demo'?\ntype: lingopress ls recipes\n"
    )
    assert lab.cli("ls", "stage") == 2
    assert capfd.readouterr().err == (
        "error: cannot list 'stage'; did you mean 'stages'?\n"
        "allowed: recipes, stages, tasks, methods, passes, runtimes, metrics\n"
    )


@pytest.mark.parametrize("what", components.LISTS)
def test_every_list_can_be_listed(what):
    for entry in components.entries(what):
        assert entry.name
        assert "\n" not in entry.about


def test_passes_are_the_folders_of_compress():
    entries = components.entries("passes")
    assert [entry.name for entry in entries] == [
        *("cascade", "cut", "distill", "export", "factor", "fuse", "prune", "static", "trim")
    ]


def test_report_and_predict_find_outputs(lab, capfd, monkeypatch):
    lab.write(RECIPE)
    assert lab.cli("report", "r.yaml") == 2
    assert capfd.readouterr().err == (
        f"error: the workspace {lab.workspace} has no finished run of r.yaml\n"
        "type: lingopress run r.yaml\n"
    )
    lab.cli("run", "r.yaml", "--quiet")
    report = capfd.readouterr().out
    for name in ("r.yaml", "demo", str(lab.workspace / "runs" / "demo")):
        assert lab.cli("report", name) == 0
        assert capfd.readouterr().out == report
    opened = []

    def answers(directory, job, watch):
        opened.append((directory.name, job.file))
        return Done(rows=1)

    predict = types.ModuleType("evalsuite.bulk.run_model")
    predict.predict_file, predict.Job = answers, Job
    monkeypatch.setitem(sys.modules, "evalsuite.bulk.run_model", predict)
    (lab.folder / "in.txt").write_text("eins\tzwei\n")
    assert lab.cli("predict", "demo:teacher[task=xnli]", "in.txt") == 0
    assert opened[0][0].startswith("train-") and opened[0][1] == "in.txt"
    assert lab.cli("predict", "./base", "in.txt") == 0
    assert opened[1] == ("base", "in.txt")
    assert lab.cli("predict", "demo:teacher[task=xnl]", "in.txt") == 2
    assert capfd.readouterr().err.startswith(
        "error: the last run of demo has no stage 'teacher[task=xnl]'; "
        "did you mean 'teacher[task=xnli]'?\nstages: teacher[task=xnli], "
    )
    assert lab.cli("predict", "./nowhere", "in.txt") == 2
    assert capfd.readouterr().err == (
        "error: there is no directory ./nowhere\nname a model directory, or RECIPE:STAGE of a run\n"
    )


@pytest.mark.parametrize(
    ("does", "code", "said"),
    [
        ("break", 1, "error: stage teacher[task=xnli] (train) failed: ValueError: loss is nan\n"),
        ("person", 2, "error: stage teacher[task=xnli] (train): rows are bad\n"),
        (
            "killed",
            1,
            "error: stage teacher[task=xnli] (train) failed: the process that measured it was "
            "killed, most often by the system because memory ran out\nrun the same command again; ",
        ),
        ("interrupt", 130, "\ninterrupted; run the same command again to go on where it stopped\n"),
    ],
)
def test_exit_codes(lab, capfd, does, code, said):
    lab.write(RECIPE)
    assert lab.cli("run", "r.yaml", "--set", f"teacher.does={does}") == code
    out, err = capfd.readouterr()
    assert err.startswith(said)
    assert "Traceback" not in out + err
    if code != 130:
        assert lab.cli("run", "r.yaml", "--set", f"teacher.does={does}", "--debug") == code
        assert "Traceback (most recent call last):" in capfd.readouterr().err


def test_usage_errors_exit_2(lab, capfd):
    assert lab.cli("runn") == 2
    assert "Did you mean 'run'?" in capfd.readouterr().err
    assert lab.cli("run") == 2
    assert lab.cli("run", "absent.yaml") == 2
    assert capfd.readouterr().err.endswith(
        "error: there is no recipe file absent.yaml\ntype: lingopress ls recipes\n"
    )
    assert lab.cli("--version") == 0
    assert capfd.readouterr().out.startswith("lingopress ")


def test_an_internal_error_has_no_traceback(lab, capfd, monkeypatch):
    def broken(what):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(components, "entries", broken)
    assert lab.cli("ls", "stages") == 1
    assert capfd.readouterr().err == (
        "internal error: ZeroDivisionError: oh\n"
        "run the same command with --debug for the traceback, and report it\n"
    )


SLOW = """
name: slow
source: embedded
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [xnli], steps: 10, does: wait}
  - {name: quiet, stage: train, model: ./base, tasks: [xnli], steps: 0, does: silent}
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_log_shows_life_while_stages_run(lab, jobs):
    child = lab.start("run", lab.write(SLOW), "--jobs", jobs, PERIOD="0.15")
    out, err = child.communicate()
    assert child.returncode == 0, err
    lines = [line.split(maxsplit=3) for line in out.splitlines()]
    teacher = [line[2:] for line in lines if line[:1] == ["teacher"]]
    quiet = [line[2:] for line in lines if line[:1] == ["quiet"]]
    assert teacher[0] == quiet[0] == ["started"]
    assert teacher[-1][1].startswith("steps 10, final loss")
    assert len(teacher) > 4 and len(quiet) > 3
    took, text = teacher[-2]
    assert re.fullmatch(r"\d\.\ds", took)
    assert re.fullmatch(r"\d+% done, step \d+ of 10, about \d\.\ds left", text), text
    assert [text for _, text in quiet[1:-1]] == ["running"] * (len(quiet) - 2)


def test_the_live_display_on_a_terminal(lab):
    import io

    from evalsuite.results.run import StageRecord
    from recipes.execution.display import Live, duration

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    live = Live(stream, (7, 5))
    live.start("teacher", "train", before=75)
    live.update("teacher", 0.5, "step 5")
    live.done(
        StageRecord(
            name="teacher",
            kind="train",
            key="k",
            inputs=(),
            config={},
            seconds=83.4,
            summary={"bytes": 35_000_000, "loss": 1.23456},
            output_bytes=1,
            finished="now",
        ),
        cached=False,
    )
    live.stop()
    text = stream.getvalue()
    assert "teacher: going on after 1m 15s of earlier work" in text
    assert "teacher  train    1m 23s  bytes 35,000,000, loss 1.235" in text
    assert [duration(s) for s in (0.04, 9.96, 59, 3599, 7500)] == [
        "0.0s", "10.0s", "59s", "59m 59s", "2h 05m"
    ]  # fmt: skip
