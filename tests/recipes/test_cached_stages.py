"""Lists of finished stages, and `cache prune`, in a workspace that a person has touched."""

from __future__ import annotations

import shutil

import pytest
from demo_recipe import RECIPE

from recipes.run import run_recipe


@pytest.mark.parametrize("gone", [("partial",), ("partial", "locks", "logs")])
def test_prune_needs_no_other_folder(lab, capfd, gone):
    run_recipe(lab.write(RECIPE), overrides=["fused.weight=2"])
    run_recipe("r.yaml")
    for name in gone:
        shutil.rmtree(lab.workspace / name)
    assert lab.cli("cache", "prune", "--keep", "0") == 0
    assert "\n3 stages, " in capfd.readouterr().out
    assert len(list((lab.workspace / "stages").iterdir())) == 4
    assert all(stage.cached for stage in run_recipe("r.yaml").stages)


def test_a_folder_that_is_no_stage_is_neither_listed_nor_read_nor_removed(lab, capfd):
    run_recipe(lab.write(RECIPE))
    for name in ("mine", "train-old", "a-long-name-" + "x" * 30, "train-" + "f" * 21):
        (lab.workspace / "stages" / name).mkdir()
    assert lab.cli("cache", "prune", "--keep", "0") == 0
    assert capfd.readouterr().out == "0 stages, 0 B removed\n"
    assert len(list((lab.workspace / "stages").iterdir())) == 8
    assert lab.cli("cache", "ls") == 0
    assert "mine" not in capfd.readouterr().out
    assert lab.cli("cache", "verify") == 0
    said = capfd.readouterr().out
    assert "4 stages" in said and "nothing is damaged" in said


def test_stages_that_cannot_be_listed_are_named(lab, capfd):
    lab.workspace.mkdir()
    (lab.workspace / "stages").write_text("")
    for command in (["ls"], ["verify"], ["prune", "--keep", "0"]):
        assert lab.cli("cache", *command) == 2
        assert f"{lab.workspace / 'stages'} cannot be listed: Not a" in capfd.readouterr().err


def test_a_stage_without_a_manifest_is_removed(lab, capfd):
    run_recipe(lab.write(RECIPE))
    left = lab.workspace / "stages" / ("train-" + "f" * 20)
    left.mkdir()
    assert lab.cli("cache", "prune", "--keep", "0") == 0
    assert "\n1 stages, 0 B removed\n" in capfd.readouterr().out and not left.exists()


def test_work_that_is_not_finished_is_listed_with_its_size(lab, capfd):
    run_recipe(lab.write(RECIPE))
    assert lab.cli("cache", "ls") == 0
    assert "not finished" not in capfd.readouterr().out
    work = lab.workspace / "partial" / ("5" * 20) / "work"
    work.mkdir(parents=True)
    (work / "model.safetensors").write_bytes(b"0" * 3_000_000)
    assert lab.cli("cache", "ls") == 0
    line = capfd.readouterr().out.splitlines()[-1]
    assert line.startswith("work of 1 stage not finished yet: 3.0 MB in ")
    assert line.endswith("partial")
