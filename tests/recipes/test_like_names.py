"""Names that differ only in characters that a path cannot hold: each has files of its own."""

from __future__ import annotations

import json

import pytest
from demo_recipe import RECIPE

from recipes.errors import RecipesError, StageFailedError
from recipes.execution.find_outputs import last_run
from recipes.naming import LONGEST, distinct_file_name, file_name
from recipes.run import run_recipe

MATRIX = """
name: demo
source: embedded
matrix: {x: [a/b, a_b]}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: ["${x}"]}
"""


def test_two_recipes_with_like_names_keep_both_runs(lab):
    for name, file in (("r 5", "one.yaml"), ("r_5", "two.yaml")):
        stage = f"teacher-{file[:3]}"
        text = RECIPE.replace("name: demo", f'name: "{name}"').replace("teacher", stage)
        run_recipe(lab.write(text, file))
    for name, stage in (("r 5", "teacher-one"), ("r_5", "teacher-two")):
        note = last_run(name, None)
        assert note.recipe == name and stage in note.stages
    folders = sorted(path.name for path in (lab.workspace / "runs").iterdir())
    assert folders == ["r_5", "r_5-37ff5141cecb"]


def test_the_run_of_an_older_version_is_found_by_its_own_name_alone(lab):
    run_recipe(lab.write(RECIPE.replace("name: demo", "name: r 5")))
    runs = lab.workspace / "runs"
    (runs / distinct_file_name("r 5")).rename(runs / file_name("r 5"))
    assert last_run("r 5", None).recipe == "r 5"
    other = lab.write(RECIPE.replace("name: demo", "name: r_5"), "other.yaml")
    with pytest.raises(RecipesError, match=r"no finished run of .*other\.yaml"):
        last_run(other, None)


def test_variants_with_like_values_have_each_a_link_a_log_and_a_folder(lab):
    outcome = run_recipe(lab.write(MATRIX))
    links = {path.resolve() for path in outcome.folder.iterdir() if path.is_symlink()}
    assert links == {stage.path.resolve() for stage in outcome.stages}
    assert (outcome.folder / "teacher[x=a_b]").is_symlink()
    note = json.loads((outcome.folder / "run.json").read_text())
    assert {"teacher[x=a/b]", "teacher[x=a_b]"} <= set(note["stages"])
    for value in ("a/b", "a_b"):
        with pytest.raises(StageFailedError) as caught:
            run_recipe("r.yaml", overrides=["teacher.does=break", f"matrix.x=[{value}]"])
        log = lab.workspace / "logs" / "demo" / f"{distinct_file_name(f'teacher[x={value}]')}.log"
        assert f"what it printed: {log}\n" in str(caught.value) and log.is_file()


@pytest.mark.parametrize("label", ["r_5", "teacher[task=xnli,size=1.5]", "é+b-c"])
def test_a_name_that_a_path_can_hold_stays(label):
    assert distinct_file_name(label) == file_name(label) == label


def test_no_two_names_are_one():
    labels = ["a/b", "a_b", "a b", ".a", "_a", "", "_", "..", "t" * 300, "t" * 299 + "/", "é" * 200]
    names = [distinct_file_name(label) for label in labels]
    assert len(set(names)) == len(labels)
    assert all(len(name.encode()) <= LONGEST and "/" not in name for name in names)
