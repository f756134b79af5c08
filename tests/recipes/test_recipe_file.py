"""Reading recipes: every mistake is found at once, with its place and what is allowed."""

from __future__ import annotations

import pytest

from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.located_yaml import parse
from recipes.parsing.problems import Problems
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan

HEAD = "name: demo\nsource: embedded\nstages:\n"
TEACHER = "  - {name: teacher, stage: train, model: ./base, tasks: [xnli]}\n"


def problems(lab, text, *overrides):
    """The lines of the error, without the count above them."""
    with pytest.raises(RecipeError) as caught:
        make_plan(load(lab.write(text), overrides), None, DigestMemo())
    head, *lines = str(caught.value).split("\n  ")
    assert head.startswith("r.yaml: ") and "problem" in head
    found = []
    for line in lines:
        if line.startswith("  "):
            found[-1] += "\n" + line.strip()
        else:
            found.append(line)
    return found


def test_all_problems_at_once_each_with_its_line(lab):
    found = problems(
        lab,
        """
        name: demo
        source: embeded
        sead: 3
        matrix: {size: [base]}
        stages:
          - {name: teacher, stage: train, model: ./base, tasks: [xnli], step: 3}
          - {name: teacher, stage: fuse, model: teacher}
          - name: fused
            stage: fuze
            model: teacher
          - name: small
            stage: fuse
            model: techer
            weight: heavy
          - {name: scores, stage: evaluate, models: [small]}
        """,
    )
    assert found == [
        "r.yaml:2: source: 'embeded' is not allowed; did you mean 'embedded'?\n"
        "allowed: 'hub', 'xtreme', 'embedded' or 'files'",
        "r.yaml:3: unknown key 'sead'; did you mean 'seed'?\n"
        "allowed: description, extends, matrix, name, resources, search, seed, source, stages, "
        "tasks",
        "r.yaml:7: two stages are named 'teacher', the first at r.yaml:6",
        "r.yaml:9: stage 'fused': unknown stage kind 'fuze'; did you mean 'fuse'?\n"
        "allowed: benchmark, evaluate, fuse, report, train",
        "r.yaml:4: matrix: no stage uses ${size}; use it or remove it",
        "r.yaml:13: stage 'small': model: no stage 'techer'; did you mean 'teacher'?\n"
        "stages: teacher, fused, small, scores, report\n"
        "a model from outside is written org/name or ./directory",
        "r.yaml:6: stage 'teacher' (train): unknown key 'step'; did you mean 'steps'?\n"
        "allowed: does, languages, method, model, name, note, resources, seed, stage, steps, tasks",
        "r.yaml:14: stage 'small' (fuse): weight: wrong value 'heavy': "
        "input should be a valid number, unable to parse string as a number",
        "r.yaml:15: stage 'scores' (evaluate): the key 'tasks' is missing",
    ]


def test_wrong_values_are_found_inside_lists(lab):
    text = (
        HEAD + "  - name: teacher\n    stage: train\n    model: ./base\n    tasks:\n"
        "      - xnli\n      - 3\n    method: lorra\n"
    )
    assert problems(lab, text) == [
        "r.yaml:9: stage 'teacher' (train): tasks[2]: wrong value 3: "
        "input should be a valid string",
        "r.yaml:10: stage 'teacher' (train): method: 'lorra' is not allowed; "
        "did you mean 'lora'?\nallowed: 'full' or 'lora'",
    ]


TAB = "r.yaml:2: not valid YAML: the line is indented with a tab; YAML takes spaces alone"


@pytest.mark.parametrize("word", ["no", "on", "Yes", "off"])
def test_a_bare_no_is_a_language_not_a_boolean(lab, word):
    text = f"{HEAD}{TEACHER[:-2]}, languages: [en, {word}]}}\n"
    assert problems(lab, text) == [
        f"r.yaml:4: a bare {word} is a boolean in YAML: "
        f'write "{word}" (quoted) for the word or language, or true / false'
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "r.yaml:2: the key 'a' is written twice, first at r.yaml:1"),
        ("a: [1\n", "r.yaml:2: not valid YAML: did not find expected ',' or ']'"),
        ("a:\n\tb: 1\n", TAB),
        ("a:\n- \tb: 1\n", TAB),
        (
            "a: !!python/object/apply:os.system ['true']\n",
            "r.yaml:1: the YAML tag tag:yaml.org,2002:python/object/apply:os.system "
            "is not allowed in a recipe",
        ),
        ("<<: {a: 1}\n", "r.yaml:1: merge keys (<<) are not read; use extends:"),
        ("[a]: 1\n", "r.yaml:1: a key must be a plain word"),
    ],
)
def test_yaml_that_is_refused(text, said):
    found = Problems("r.yaml")
    parse(text, "r.yaml", found)
    assert found.lines == [said]


def test_aliases_cannot_blow_up():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    found = Problems("r.yaml")
    parse("\n".join(lines), "r.yaml", found)
    assert any("too many values" in line for line in found.lines)


def test_numbers_and_words():
    node = parse('{a: 1e-4, b: "1e-4", c: 2024-01-01, d: null, e: 0.5}', "r", Problems("r"))
    assert node is not None
    assert node.plain() == {"a": 1e-4, "b": "1e-4", "c": "2024-01-01", "d": None, "e": 0.5}


def test_shape_of_the_whole(lab):
    assert problems(lab, "- a\n") == ["r.yaml:1: a recipe is a mapping: name, source, stages ..."]
    assert problems(lab, "name: x\nsource: embedded\nstages: []\n") == [
        "r.yaml:3: stages: a recipe needs at least one stage"
    ]
    assert problems(
        lab, "source: embedded\nstages: [3, {name: a}, {name: a b, stage: fuse}]\n"
    ) == [
        "r.yaml:1: the key 'name' is missing",
        "r.yaml:2: stages[1]: wrong value 3: input should be a valid dictionary",
        "r.yaml:2: stage 1 is not a mapping with name: and stage:",
        "r.yaml:2: stage 'a': the key 'stage' is missing",
        "r.yaml:2: stage 3: 'a b' is not a stage name (letters, digits, - and _)",
    ]


def test_unknown_recipe(lab):
    with pytest.raises(
        RecipeError, match=r"^there is no recipe file x\.yaml\ntype: lingopress ls recipes$"
    ):
        load("x.yaml")
    with pytest.raises(RecipeError, match="no recipe 'nothing-like-it'\ntype: lingopress ls"):
        load("nothing-like-it")


def test_set_overrides(lab):
    text = HEAD.replace("stages", "matrix: {task: [xnli, udpos]}\nstages") + TEACHER.replace(
        "xnli", '"${task}"'
    )
    path = lab.write(text)
    loaded = load(
        path,
        ["seed=2", "matrix.task=[panx]", "teacher.steps=3", "stages.teacher.languages=['no']"],
    )
    plan = make_plan(loaded, None, DigestMemo())
    assert [stage.label for stage in plan.stages] == ["teacher[task=panx]"]
    config = plan.stages[0].config.model_dump()
    assert (plan.stages[0].seed, config["steps"], config["languages"]) == (2, 3, ("no",))
    assert load(path, ["matrix.task=panx"]).matrix["task"].plain() == ["panx"]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("seed", "--set seed: write it as key=value, for example seed=2 or student.layers=4"),
        ("sed=2", "--set sed=2: no key or stage 'sed'; did you mean 'seed'?\nstages: teacher"),
        (
            "teachr.steps=2",
            "--set teachr.steps=2: no key or stage 'teachr'; did you mean 'teacher'?\n"
            "stages: teacher",
        ),
        ("teacher=2", "--set teacher=2: name a key of the stage too: teacher.<key>=value"),
        (
            "teacher.stepz=2",
            "--set teacher.stepz=2: stage 'teacher' (train): unknown key 'stepz'; "
            "did you mean 'steps'?\n"
            "allowed: does, languages, method, model, name, note, resources, seed, stage, steps, "
            "tasks",
        ),
        ("matrix.size=[1]", "--set matrix.size=[1]: no matrix variable 'size'\nknown: none"),
        ("seed=[", "--set seed=[: not valid YAML: did not find expected node content"),
        (
            "teacher.name=x",
            "--set teacher.name=x: a stage cannot be renamed by --set; edit the recipe",
        ),
    ],
)
def test_set_mistakes(lab, override, said):
    assert problems(lab, HEAD + TEACHER, override) == [said]


def test_extends_merges_stages_by_name(lab):
    lab.write(HEAD + TEACHER + "  - {name: fused, stage: fuse, model: teacher}\n", "base.yaml")
    path = lab.write(
        "name: child\nextends: base.yaml\nseed: 4\nstages:\n"
        "  - {name: teacher, steps: 99}\n  - {name: again, stage: fuse, model: fused}\n"
    )
    loaded = load(path)
    assert (loaded.recipe.name, loaded.recipe.seed, loaded.recipe.source) == (
        "child",
        4,
        "embedded",
    )
    assert [stage.name for stage in loaded.stages] == ["teacher", "fused", "again"]
    assert loaded.stages[0].node.plain() == {
        "name": "teacher", "stage": "train", "model": "./base", "tasks": ["xnli"], "steps": 99
    }  # fmt: skip


def test_a_stage_that_a_child_has_twice_is_there_twice(lab):
    lab.write(HEAD + TEACHER, "base.yaml")
    child = "name: child\nextends: base.yaml\nstages:\n"
    twice = "  - {name: teacher, steps: 9}\n  - {name: teacher, seed: 8}\n"
    assert problems(lab, child + twice) == [
        "r.yaml:5: two stages are named 'teacher', the first at r.yaml:4"
    ]


def test_extends_goes_one_level_and_points_at_the_right_file(lab):
    lab.write("extends: c.yaml\n" + HEAD + TEACHER, "b.yaml")
    assert problems(lab, "extends: b.yaml\n") == [
        "r.yaml:1: extends goes one level, and b.yaml itself extends 'c.yaml'"
    ]
    assert problems(lab, "extends: nowhere\n") == [
        "r.yaml:1: extends: no recipe 'nowhere'\ntype: lingopress ls recipes"
    ]
    lab.write(HEAD + TEACHER.replace("tasks", "task"), "b.yaml")
    found = problems(lab, "extends: b.yaml\nname: mine\n")
    (line,) = found
    assert line.startswith("b.yaml:4: stage 'teacher' (train): unknown key 'task'; did you mean")
