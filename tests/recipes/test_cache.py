"""The cache: whole or nothing, resumed after a kill, shared between processes."""

from __future__ import annotations

import errno
import json
import shutil

import pytest
from demo_recipe import RECIPE

from evalsuite.errors import DataError
from evalsuite.results.run import MANIFEST
from recipes.errors import RecipesError, StageFailedError, WorkspaceError
from recipes.execution.cache import Cache, read_manifest
from recipes.execution.run_options import RunOptions
from recipes.execution.workspace import Workspace, is_disk_full, size_text
from recipes.naming import file_name, file_names
from recipes.run import run_recipe


def run(lab, *overrides, **options):
    """Which stages were made and not found, and the outcome."""
    outcome = run_recipe(lab.write(RECIPE), overrides=overrides, **options)
    return [stage.label for stage in outcome.stages if not stage.cached], outcome


def path_of(outcome, label):
    return next(stage.path for stage in outcome.stages if stage.label == label)


ALL = ["teacher", "fused", "scores", "report"]


def test_what_is_done_is_not_done_again(lab):
    made, outcome = run(lab)
    assert made == ALL
    assert outcome.report is not None
    assert outcome.report.read_text().splitlines() == [
        "demo", "", "teacher", "fused", "scores", "teacher 2", "fused 2"
    ]  # fmt: skip
    assert run(lab)[0] == []
    assert run(lab, "fused.weight=2")[0] == ALL[1:]
    assert run(lab)[0] == []  # the first outputs are still there


def test_a_manifest_says_what_a_stage_left(lab):
    _, outcome = run(lab)
    manifest = read_manifest(path_of(outcome, "fused"))
    assert manifest is not None
    record = manifest.record
    assert sorted(manifest.files) == ["config.json", "deep/model.safetensors"]
    assert manifest.files["config.json"].bytes == 2
    assert (record.name, record.kind, record.inputs) == ("fused", "fuse", ("teacher",))
    assert record.config["weight"] == 1.0
    assert record.output_bytes == 5
    assert (path_of(outcome, "fused") / MANIFEST).stat().st_mode & 0o044
    assert list(Workspace().partial.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / MANIFEST).write_text("{half"),
        lambda path: (path / MANIFEST).unlink(),
        lambda path: (path / "config.json").unlink(),
        lambda path: (path / "model.safetensors").write_text("cut"),
        lambda path: (path / MANIFEST).write_text(
            (path / MANIFEST).read_text().replace('"format": 1', '"format": 0')
        ),
    ],
)
def test_a_damaged_output_is_made_again(lab, damage):
    _, outcome = run(lab)
    path = path_of(outcome, "teacher")
    damage(path)
    assert run(lab)[0] == ["teacher"]
    assert Cache(Workspace()).lookup("train", read_manifest(path).record.key) == path


def test_the_same_work_under_another_name_is_found(lab):
    run(lab)
    lab.write(RECIPE.replace("teacher", "master"), "other.yaml")
    outcome = run_recipe("other.yaml")
    assert [(s.label, s.cached) for s in outcome.stages][:2] == [("master", True), ("fused", True)]
    assert [s.record.inputs for s in outcome.stages][1] == ("master",)


def test_a_stage_that_is_found_has_the_names_of_this_recipe_and_says_how_it_was_made(lab):
    run(lab, "teacher.note=old")  # not in its key, as processes of a training
    lab.write(RECIPE.replace("teacher", "master"), "other.yaml")
    found = run_recipe("other.yaml").stages[:2]
    assert [stage.cached for stage in found] == [True, True]
    master, fused = (stage.record.config for stage in found)
    assert (master["name"], master["note"]) == ("master", "old")
    assert (fused["name"], fused["model"]) == ("fused", "master")
    assert [stage.record.not_in_key for stage in found] == [("note",), ()]


def test_a_killed_stage_goes_on_from_its_work(lab):
    text = RECIPE.replace(
        "tasks: [xnli]}\n  - {name: fused", "tasks: [xnli], does: die}\n  - {name: fused"
    )
    child = lab.start("run", lab.write(text), DIE="1")
    child.communicate()
    assert child.returncode == 9
    assert list((lab.workspace / "stages").iterdir()) == []
    (partial,) = (lab.workspace / "partial").iterdir()
    assert (partial / "out" / "half").exists()
    (partial / "elapsed.json").write_text(json.dumps({"seconds": 100}))
    outcome = run_recipe("r.yaml")
    teacher = path_of(outcome, "teacher")
    assert (teacher / "started_at").read_text() == "6"
    assert not (teacher / "half").exists()
    assert outcome.stages[0].record.seconds > 100
    assert not partial.exists()


@pytest.mark.slow
def test_two_processes_make_a_stage_once(lab):
    text = RECIPE.replace(
        "tasks: [xnli]}\n  - {name: fused", "tasks: [xnli], does: wait}\n  - {name: fused"
    )
    path = lab.write(text)
    both = [lab.start("run", path) for _ in range(2)]
    said = [child.communicate()[0] for child in both]
    assert [child.returncode for child in both] == [0, 0]
    teachers = [next(li for li in s.splitlines() if li.startswith("teacher  ")) for s in said]
    assert sum("cached" in line for line in teachers) == 1
    waits = "teacher: another lingopress is making it; waiting"
    assert sum(waits in s for s in said) <= 1


def test_the_one_that_waits_says_so_and_finds(lab):
    import threading
    import time

    _, outcome = run(lab)
    key = outcome.stages[0].record.key
    shutil.rmtree(outcome.stages[0].path)
    heard: list[str] = []

    from recipes.execution.display import Display

    class Ears(Display):
        def say(self, text):
            heard.append(text)

    held, release = threading.Event(), threading.Event()

    def hold():
        with Cache(Workspace()).lock(key, lambda: None):
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    runner = threading.Thread(target=lambda: run(lab, progress=Ears()))
    runner.start()
    while not heard:
        time.sleep(0.01)
    release.set()
    thread.join()
    runner.join()
    assert heard == ["teacher: another lingopress is making it; waiting"]


def failing(lab, does, *more, **options):
    with pytest.raises(RecipesError) as caught:
        run(lab, f"teacher.does={does}", *more, **options)
    return caught.value


def test_a_failure_says_which_stage_and_is_not_cached(lab):
    error = failing(lab, "break")
    assert isinstance(error, StageFailedError)
    log = lab.workspace / "logs" / "demo" / "teacher.log"
    assert str(error) == (
        "stage teacher (train) failed: ValueError: loss is nan\n"
        f"what it printed: {log}\n"
        "the stages before it are kept; for the traceback, run the same command with --debug\n"
        "to begin this stage from nothing: --from 'teacher'"
    )
    assert isinstance(failing(lab, "break"), StageFailedError)
    assert list((lab.workspace / "stages").iterdir()) == []


def test_a_persons_mistake_keeps_its_message(lab):
    error = failing(lab, "person")
    assert str(error) == "stage teacher (train): rows are bad"
    assert not isinstance(error, StageFailedError)
    assert isinstance(error.__cause__, DataError)


def test_rows_left_out_are_in_the_record(lab):
    _, outcome = run(lab, "teacher.does=leave out")
    record = outcome.stages[0].record
    assert record.summary["rows left out"] == "xnli train en: 3 of 10 rows (no gold label)"


def test_what_a_gate_stops_is_kept_aside_and_never_found(lab, monkeypatch):
    said = str(failing(lab, "gate"))
    kept = lab.workspace / "failed" / "demo" / "teacher"
    assert said == (
        "stage teacher (train): 80% of labels agree, min_agreement asks for 90%\n"
        f"what it made is kept, to be looked at: {kept}"
    )
    assert (kept / "half").read_text() == "10"
    assert list(Workspace().stages.iterdir()) == [] and not (kept / MANIFEST).exists()
    (kept / "stale").touch()
    assert str(failing(lab, "gate", "teacher.steps=9")) == said
    assert [path.name for path in kept.iterdir()] == ["half"]
    assert (kept / "half").read_text() == "9"
    assert str(failing(lab, "break")).startswith("stage teacher (train) failed")
    assert (kept / "half").exists()  # another failure leaves it
    with monkeypatch.context() as patched:
        patched.setattr("recipes.execution.workspace.Path.rename", refuse)
        assert str(failing(lab, "gate")) == said.splitlines()[0]
    assert not kept.exists()
    failing(lab, "gate")
    made, _ = run(lab)
    assert made == ALL and not kept.exists()


def test_two_recipes_with_a_stage_of_one_name_keep_both_aside(lab):
    space = Workspace()
    for recipe in ("mini", "a/b"):
        out = lab.folder / "out"
        out.mkdir()
        (out / "of").write_text(recipe)
        assert space.set_aside(out, recipe, "int8[size=base]") is not None
    (empty := lab.folder / "out").mkdir()
    assert space.set_aside(empty, "mini", "other") is None
    space.drop_failed("a/b", "int8[size=base]")
    left = list(space.failed.rglob("of"))
    assert [path.read_text() for path in left] == ["mini"]
    assert left[0].parent == space.failed / "mini" / "int8[size=base]"


def refuse(self, target):
    raise OSError(errno.EACCES, "Permission denied")


def test_a_full_disk_and_full_memory_say_what_to_free(lab):
    said = str(failing(lab, "full"))
    assert said.startswith(f"stage teacher (train): the disk of {lab.workspace} is full (")
    assert "finished stages are kept" in said
    assert f"{lab.workspace}/stages/* {lab.workspace}/failed/* {lab.workspace}/partial/*" in said
    assert "there is not enough memory\nclose other programs" in str(failing(lab, "memory"))


def test_little_space_is_refused_before_the_work(lab, monkeypatch):
    usage = type("Usage", (), {"free": 10**6})()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WorkspaceError) as caught:
        run(lab)
    assert str(caught.value) == (
        f"stage teacher needs about 210 MB of disk and {lab.workspace} has "
        "1.0 MB free\nfree some space, or choose another disk: --workspace DIR\n"
        f"to see what takes it: du -sh {lab.workspace}/stages/* {lab.workspace}/failed/* "
        f"{lab.workspace}/partial/*"
    )


def test_a_workspace_that_cannot_be_written(lab):
    (lab.folder / "file").write_text("")
    with pytest.raises(WorkspaceError) as caught:
        run(lab, workspace=lab.folder / "file")
    assert str(caught.value) == (
        f"the workspace {lab.folder}/file cannot be written: Not a directory\n"
        "choose another: --workspace DIR, or export LINGOPRESS_WORKSPACE=DIR"
    )


def test_the_workspace_comes_from_the_environment(lab, monkeypatch):
    monkeypatch.setenv("LINGOPRESS_WORKSPACE", str(lab.folder / "elsewhere"))
    run(lab)
    assert (lab.folder / "elsewhere" / "stages").is_dir()
    assert not lab.workspace.exists()


def test_from_and_until(lab):
    assert run(lab, options=RunOptions(until_stage="fused"))[0] == ["teacher", "fused"]
    assert [stage.label for stage in run(lab)[1].stages if not stage.cached] == ["scores", "report"]
    assert run(lab, options=RunOptions(from_stage="fused"))[0] == ["fused", "scores", "report"]
    assert run(lab, options=RunOptions("fused", "scores"))[0] == ["fused", "scores"]
    with pytest.raises(RecipesError) as caught:
        run(lab, options=RunOptions(from_stage="fusd"))
    assert str(caught.value) == (
        "--from: no stage 'fusd'; did you mean 'fused'?\nstages: teacher, fused, scores, report"
    )
    with pytest.raises(RecipesError) as caught:
        run(lab, options=RunOptions("scores", "fused"))
    assert str(caught.value) == (
        "--from scores --until fused: fused does not need scores, so nothing would be made again\n"
        "name an earlier stage with --from, or a later one with --until"
    )
    assert run(lab)[0] == []  # nothing was removed by the mistakes, nor the report after --until


def test_chatter_goes_to_the_log(lab):
    child = lab.start("run", lab.write(RECIPE), "--set", "teacher.does=chatter")
    out, _ = child.communicate()
    assert "chatter from" not in out
    log = (lab.workspace / "logs" / "demo" / "teacher.log").read_text()
    assert log == "chatter from python\nchatter from a child\n"


def test_an_interrupted_rename_leaves_nothing_half(lab, monkeypatch):
    from pathlib import Path

    rename = Path.rename

    def killed(self, target):
        if self.name == "out":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        run(lab)
    assert list((lab.workspace / "stages").iterdir()) == []
    monkeypatch.setattr(Path, "rename", rename)
    assert run(lab)[0] == ALL


def test_small_things():
    assert file_name("a[x=org/n y]") == "a[x=org_n_y]"
    names = file_names(["s[p=<5]", "s[p=>5]", "s[p=<5]", "t" * 300, "t" * 300 + "u"])
    assert len(set(names.values())) == len(names) == 4
    assert names["s[p=<5]"] == file_name("s[p=<5]")
    assert [file_name(name) for name in (".", "..", "../b", ".git")] == ["_", "_.", "_._b", "_git"]
    assert [size_text(n) for n in (5, 1500, 209_715_200, 3e12)] == [
        "5 B", "1.5 kB", "210 MB", "3.0 TB"
    ]  # fmt: skip
    assert is_disk_full(OSError(errno.ENOSPC, "full"))
    outer = RuntimeError("x")
    outer.__cause__ = OSError(errno.EDQUOT, "quota")
    assert is_disk_full(outer)
    assert not is_disk_full(ValueError("no"))
