"""Workspaces that are not as they should be: the file is named, and what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from evalsuite.home_path import home_path
from recipes.errors import RecipeError, WorkspaceError
from recipes.execution.find_outputs import find_model, last_report
from recipes.execution.run_note import RunNote
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.naming import LONGEST, file_name
from recipes.run import run_recipe

RECIPE = """
name: demo
source: embedded
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [xnli]}
  - {name: scores, stage: evaluate, models: [teacher], tasks: [xnli]}
"""
DEEP = "[" * 100_000


def run(lab):
    return run_recipe(lab.write(RECIPE))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "input should be an object"),
        ("null", "input should be an object"),
        ('{"recipe": "demo", "stages": ', "invalid JSON: EOF while parsing a value"),
        (DEEP, "invalid JSON: recursion limit exceeded"),
        ('{"recipe": "demo", "stages": [1]}', "stages: input should be an object"),
        ('{"recipe": "demo", "stages": {"teacher": 4}}', "stages.teacher: input should be a valid"),
        ('{"recipe": "demo", "stages": {}, "report": 3}', "report: input should be a valid string"),
        ("\x00\xff", "invalid JSON"),
    ],
    ids=lambda text: text[:20],
)
def test_a_run_json_that_is_none_is_named(lab, text, said):
    run(lab)
    file = lab.workspace / "runs" / "demo" / "run.json"
    file.write_bytes(text.encode("latin-1"))
    for find, name in (
        (last_report, "demo"),
        (last_report, str(file.parent)),
        (find_model, "demo:teacher"),
    ):
        with pytest.raises(WorkspaceError) as caught:
            find(name, None)
        assert str(caught.value).startswith(f"{file} is not the record of a run: {said}")
        assert str(caught.value).endswith(
            "\nmove it away; to write it again, run the recipe demo again"
        )
    run(lab)  # writes it again
    assert last_report("demo", None).is_file()


def as_folder(path: Path) -> Path:
    path.unlink()
    path.mkdir()
    return path


def as_file(path: Path) -> Path:
    path.rename(path.with_name(f"{path.name}-before"))
    path.write_text("a file")
    return path


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda space: as_folder(space.runs / "demo" / "run.json"), "Is a directory"),
        (lambda space: as_file(space.runs / "demo"), "File exists"),
        (lambda space: as_folder(next(space.locks.iterdir())), "Is a directory"),
        (lambda space: as_folder(space.logs / "demo" / "scores.log"), "Is a directory"),
        (lambda space: as_file(space.logs / "demo"), "File exists"),
    ],
)
def test_a_file_that_is_a_folder_is_named(lab, capfd, spoil, reason):
    outcome = run(lab)
    for stage in outcome.stages:
        (stage.path / "lingopress.json").unlink()
    spoilt = spoil(Workspace())
    assert lab.cli("run", "r.yaml") == 2
    said = capfd.readouterr().err
    assert f"{spoilt} cannot be used: {reason}\nmove it away, or change its permissions" in said
    spoilt.rename(lab.folder / "away")
    run(lab)


@pytest.mark.parametrize("left", ["loop", "file", "folder"])
def test_what_is_in_the_place_of_an_output_is_replaced(lab, left):
    path = run(lab).stages[0].path
    path.rename(lab.folder / "away")
    if left == "loop":
        path.symlink_to(path.name)
    elif left == "file":
        path.write_text("")
    else:
        path.mkdir()
    outcome = run(lab)
    assert not outcome.stages[0].cached and (path / "lingopress.json").is_file()


@pytest.mark.parametrize("text", ["{half", DEEP, '{"a":' * 1000 + "1" + "}" * 1000, "[]", "3"])
def test_a_digests_file_that_is_none_is_written_again(lab, text):
    run(lab)
    file = Workspace().digests
    file.write_text(text)
    assert all(stage.cached for stage in run(lab).stages)
    assert str(lab.folder / "base" / "config.json") in DigestMemo(file).known


def test_processes_keep_what_others_learnt(lab):
    file = lab.folder / "digests.json"
    one, two = DigestMemo(file), DigestMemo(file)
    for memo, name in ((one, "config.json"), (two, "model.safetensors")):
        memo.file(lab.folder / "base" / name)
        memo.save()
    assert {Path(name).name for name in DigestMemo(file).known} == {
        "config.json",
        "model.safetensors",
    }


@pytest.mark.parametrize("when", ["write_run", "lock", "publish", "log"])
def test_a_disk_that_fills_up_at_any_time(lab, monkeypatch, when):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    where = {
        "write_run": "recipes.execution.workspace.write_atomically",
        "lock": "filelock.FileLock.acquire",
        "publish": "recipes.execution.cache.write_atomically",
        "log": "recipes.execution.output_capture.os.open",
    }
    with monkeypatch.context() as patched:
        patched.setattr(where[when], full)
        with pytest.raises(WorkspaceError, match=r"the disk of .* is full .*finished stages are"):
            run(lab)
    run(lab)


def test_an_error_about_another_file_stays_what_it_is(lab):
    space = Workspace()
    with pytest.raises(FileNotFoundError) as caught, space.guard(), space.guard():
        Path("elsewhere").read_text()
    assert caught.value.__cause__ is None


def test_a_workspace_without_permission(lab, monkeypatch, capfd):
    run(lab)

    def refuse(self, *arguments, **named):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    with monkeypatch.context() as patched:  # who runs the tests may be allowed everything
        patched.setattr("pathlib.Path.read_bytes", refuse)
        with pytest.raises(WorkspaceError, match=r"run\.json cannot be read: Permission denied"):
            last_report("demo", None)
    with monkeypatch.context() as patched:
        patched.setattr("recipes.execution.workspace.Path.mkdir", refuse)
        assert lab.cli("run", "r.yaml") == 2
        assert f"the workspace {lab.workspace} cannot be written: Permission denied" in (
            capfd.readouterr().err
        )


def test_links_of_a_model_that_lead_nowhere(lab):
    base = lab.folder / "base"
    (base / "again").symlink_to(".")
    (base / "tokenizer.json").symlink_to("tokenizer.json")
    run(lab)
    (base / "model.safetensors").unlink()
    (base / "model.safetensors").symlink_to("model.safetensors")
    with pytest.raises(RecipeError, match=r"\./base is not a checkpoint: it has no model"):
        run(lab)
    (lab.folder / "loop").symlink_to("loop")
    lab.write(RECIPE.replace("./base", "./loop"), "other.yaml")
    with pytest.raises(RecipeError, match=r"there is no directory \./loop"):
        run_recipe("other.yaml")


@pytest.mark.parametrize("name", ["a" * 300, "é" * 200])
def test_names_that_are_too_long_for_a_disk(lab, capfd, name):
    assert len(file_name(name).encode()) <= LONGEST
    assert file_name(name) != file_name(name + "b") and file_name(name) == file_name(name)
    assert lab.cli("run", lab.write(RECIPE), "--set", f"name={name}") == 0
    assert (lab.workspace / "runs" / file_name(name) / "run.json").is_file()
    for command in (["report", name], ["predict", f"{name}x:teacher"], ["compare", name + "x"]):
        capfd.readouterr()
        assert lab.cli(*command) in (0, 2)
        assert "internal error" not in capfd.readouterr().err
    assert lab.cli("plan", "r.yaml", "--set", f"teacher.model=./{name}") == 2
    assert "internal error" not in capfd.readouterr().err


def test_the_home_of_nobody(lab):
    assert home_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert home_path("~") == Path.home()


def test_two_runs_that_end_at_once(lab, monkeypatch):
    outcome = run(lab)
    unlink = Path.unlink

    def late(self, missing_ok=False):
        if self.is_symlink():
            unlink(self)  # the other one was first
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", late)
    note = RunNote(recipe="demo", stages={})
    folder = Workspace().write_run(note, {"teacher": outcome.stages[0].path})
    assert [path.name for path in folder.iterdir() if path.is_symlink()] == ["teacher"]
