"""Damaged outputs: found where they are read, made again, listed by `cache verify`."""

from __future__ import annotations

import json
import os

import pytest
from demo_recipe import RECIPE

from evalsuite.results.run import MANIFEST, StageRecord
from recipes.errors import WorkspaceError
from recipes.execution.display import Display
from recipes.execution.manifest import Manifest, read_manifest
from recipes.execution.verify import verify
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo, sha256_json
from recipes.run import run_recipe


class Ears(Display):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)


def run(lab, **options):
    """Labels of the stages that were made, what was said, and the paths by label."""
    ears = Ears()
    outcome = run_recipe(lab.write(RECIPE), progress=ears, **options)
    made = [stage.label for stage in outcome.stages if not stage.cached]
    return made, ears.heard, {stage.label: stage.path for stage in outcome.stages}


def flip(path) -> None:
    """Change one bit of the last byte in place; the size stays."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    with path.open("r+b") as file:
        file.write(content)


def edit_record(path) -> None:
    """Make a stage's summary better by hand."""
    tree = json.loads((path / MANIFEST).read_text())
    tree["record"]["seconds"] = 1e-3
    (path / MANIFEST).write_text(json.dumps(tree))


@pytest.mark.parametrize(
    ("label", "damage", "problem"),
    [
        ("teacher", lambda p: flip(p / "model.safetensors"), "model.safetensors is not what"),
        (
            "fused",
            lambda p: flip(p / "deep" / "model.safetensors"),
            "deep/model.safetensors is not",
        ),
        ("scores", lambda p: flip(p / "scores.txt"), "scores.txt is not what the stage wrote"),
        ("scores", lambda p: (p / "scores.txt").unlink(), "scores.txt is missing"),
        ("scores", lambda p: (p / "scores.txt").write_text("9"), "scores.txt has 1 bytes, not the"),
        ("scores", lambda p: (p / "9.json").write_text("{}"), "9.json was added"),
        ("scores", edit_record, "lingopress.json is not what the stage wrote"),
        (
            "report",
            lambda p: (p / MANIFEST).write_text("[" * 5000),
            "lingopress.json is missing, is",
        ),
    ],
)
def test_a_damaged_stage_is_made_again_and_listed(lab, capfd, label, damage, problem):
    _, heard, paths = run(lab)
    assert heard == []
    damage(paths[label])
    (found,) = verify(Workspace()).damaged
    assert found.path == paths[label] and found.problem.startswith(problem)
    assert lab.cli("cache", "verify") == 1
    listed = capfd.readouterr().out
    assert listed.startswith(f"damaged: {paths[label]}") and "4 stages" in listed
    assert lab.cli("plan", "r.yaml") == 0
    (row,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith(f"{label} ")]
    assert "damaged" in row
    made, heard, _ = run(lab)
    assert made == [label]
    assert heard == [f"{label}: its output is damaged ({found.problem}); making it again"]
    assert verify(Workspace()).damaged == ()
    assert lab.cli("cache", "verify") == 0
    assert "nothing is damaged" in capfd.readouterr().out


def test_a_disk_that_changes_a_byte_and_not_its_time_is_found_by_verify(lab):
    _, _, paths = run(lab)
    weights = paths["teacher"] / "model.safetensors"
    status = weights.stat()
    flip(weights)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert run(lab)[0] == []  # a file is read once per modification
    assert [stage.label for stage in verify(Workspace()).damaged] == ["teacher"]
    assert run(lab)[0] == ["teacher"]  # what verify read is remembered


def test_files_are_read_once_per_modification(lab, monkeypatch):
    read: list[str] = []
    whole = DigestMemo.read

    def count(self, path):
        read.append(path.name)
        return whole(self, path)

    monkeypatch.setattr(DigestMemo, "read", count)
    run(lab)
    assert sorted(read) == ["config.json", "model.safetensors"]  # of the base, for the key
    read.clear()
    assert run(lab)[0] == [] and read == []
    Workspace().digests.unlink()
    assert run(lab)[0] == [] and "scores.txt" in read


def test_a_manifest_of_an_older_version_is_used(lab):
    _, _, paths = run(lab)
    manifest = read_manifest(paths["teacher"])
    assert isinstance(manifest, Manifest) and manifest.sha256
    old = manifest.model_dump_json(exclude={"sha256"})
    (paths["teacher"] / MANIFEST).write_text(old)
    assert run(lab)[0] == [] and verify(Workspace()).damaged == ()
    flip(paths["teacher"] / "model.safetensors")
    assert run(lab)[0] == ["teacher"]


@pytest.mark.parametrize(
    "field", [name for name, field in StageRecord.model_fields.items() if not field.is_required()]
)
def test_a_field_that_a_later_version_added_damages_nothing(lab, field):
    _, _, paths = run(lab)
    tree = json.loads((paths["teacher"] / MANIFEST).read_text())
    del tree["record"][field], tree["sha256"]
    tree["sha256"] = sha256_json(tree)  # as the version that did not know the field wrote it
    (paths["teacher"] / MANIFEST).write_text(json.dumps(tree))
    assert verify(Workspace()).damaged == () and run(lab)[0] == []
    tree["record"]["seconds"] = 1e-3
    (paths["teacher"] / MANIFEST).write_text(json.dumps(tree))
    assert [stage.label for stage in verify(Workspace()).damaged] == ["teacher"]


def test_outputs_that_are_named_by_hand_are_checked_too(lab, capfd):
    _, _, paths = run(lab)
    flip(paths["teacher"] / "model.safetensors")
    flip(paths["report"] / "report.html")
    assert lab.cli("predict", "r.yaml:teacher", "r.yaml") == 2
    assert capfd.readouterr().err == (
        f"error: the output of r.yaml:teacher is damaged: {paths['teacher']}: model.safetensors is "
        "not what the stage wrote\nto make it again, type: lingopress run r.yaml\n"
    )
    for command in (["report", "demo"], ["compare", "demo"]):
        assert lab.cli(*command) == 2
        assert "the report of demo is damaged" in capfd.readouterr().err


def test_an_input_that_is_damaged_during_the_run_is_refused(lab, monkeypatch):
    from recipes.execution.stage_runner import Maker

    make = Maker.stage

    def damage_then_make(self, stage):
        if stage.label == "scores":
            flip(self.made["teacher"].path / "model.safetensors")
        return make(self, stage)

    monkeypatch.setattr(Maker, "stage", damage_then_make)
    with pytest.raises(WorkspaceError, match="run the same command again: the damaged stage is"):
        run(lab)
    monkeypatch.undo()
    monkeypatch.chdir(lab.folder)


def test_there_is_nothing_to_verify(lab, capfd):
    assert lab.cli("cache", "verify") == 2
    assert capfd.readouterr().err == (
        f"error: there are no finished stages in {lab.workspace}\nname another: --workspace DIR\n"
    )
