"""Fanning out: which variants there are, and which inputs each one gets."""

from __future__ import annotations

import pytest

from evalsuite.report.figures.labels import parse as parse_label
from recipes.parsing.knobs import names
from recipes.parsing.located_yaml import parse
from recipes.parsing.problems import Problems
from recipes.parsing.recipe_file import RawStage
from recipes.parsing.references import is_external, parse_reference, roles
from recipes.planning.matrix import expand
from recipes.planning.stage_graph import CycleError, ancestors, descendants, order
from recipes.stages._shared.contract import ModelRef, ModelRefs, StageConfig

MATRIX = "matrix: {size: [base, large], task: [xnli, {name: udpos, train: [ud, gsd], epochs: 2}]}"


def fan_out(stages, matrix=MATRIX):
    """Instances by label, and the problems; `model` is a single role, `models` a list."""
    problems = Problems("r")
    tree = parse(f"{matrix}\nstages:\n{stages}", "r", problems)
    assert tree is not None and isinstance(tree["stages"].value, list)
    raw = [RawStage(n["name"].plain(), "any", n) for n in tree["stages"].value]
    values = tree["matrix"].value
    assert isinstance(values, dict)
    found = expand(raw, values, lambda stage: {"model": "one", "models": "many"}, problems)
    return {instance.label: instance for instance in found}, problems.lines


def test_a_stage_varies_with_its_own_text_and_its_single_inputs():
    made, wrong = fan_out("""
  - {name: start, model: "org/${size}"}
  - {name: teacher, model: start, tasks: ["${task}"]}
  - {name: fused, model: teacher}
  - {name: plain}
  - {name: all, models: [teacher, plain]}
  - {name: each, models: [teacher], tasks: ["${task}"]}
""")
    assert wrong == []
    assert list(made) == [
        "start[size=base]",
        "start[size=large]",
        "teacher[size=base,task=xnli]",
        "teacher[size=base,task=udpos]",
        "teacher[size=large,task=xnli]",
        "teacher[size=large,task=udpos]",
        "fused[size=base,task=xnli]",
        "fused[size=base,task=udpos]",
        "fused[size=large,task=xnli]",
        "fused[size=large,task=udpos]",
        "plain",
        "all",
        "each[task=xnli]",
        "each[task=udpos]",
    ]
    assert made["start[size=large]"].inputs["model"] == ("org/large",)
    assert made["teacher[size=large,task=udpos]"].inputs["model"] == ("start[size=large]",)
    assert made["fused[size=base,task=udpos]"].inputs["model"] == ("teacher[size=base,task=udpos]",)
    assert len(made["all"].inputs["models"]) == 5
    assert made["each[task=xnli]"].inputs["models"] == (
        "teacher[size=base,task=xnli]",
        "teacher[size=large,task=xnli]",
    )


def test_variants_are_picked_by_name():
    made, wrong = fan_out("""
  - {name: teacher, model: "org/${size}", tasks: ["${task}"]}
  - {name: one, model: "teacher[size=base,task=xnli]"}
  - {name: half, model: "teacher[task=udpos]"}
  - {name: some, models: ["teacher[size=large]", one]}
  - {name: cross, models: ["teacher[task=xnli]"], note: "${task}"}
  - {name: same, model: "teacher[size=base, task=${task}]"}
""")
    assert wrong == []
    assert made["one"].inputs["model"] == ("teacher[size=base,task=xnli]",)
    assert made["half[size=large]"].inputs["model"] == ("teacher[size=large,task=udpos]",)
    assert made["some"].inputs["models"] == (
        "teacher[size=large,task=xnli]",
        "teacher[size=large,task=udpos]",
        "one",
    )
    assert made["cross[task=udpos]"].inputs["models"] == (
        "teacher[size=base,task=xnli]",
        "teacher[size=large,task=xnli]",
    )
    assert made["same[task=udpos]"].inputs["model"] == ("teacher[size=base,task=udpos]",)


def test_values_keep_their_type_and_fields_are_picked():
    made, wrong = fan_out(
        """
  - {name: a, model: "x/${task}", train: "${task.train}", say: "${task} ${layers}", n: "${layers}"}
""",
        "matrix: {layers: [3], task: [{name: udpos, train: [ud, gsd]}]}",
    )
    assert wrong == []
    assert made["a[layers=3,task=udpos]"].node.plain() == {
        "name": "a", "model": "x/udpos", "train": ["ud", "gsd"], "say": "udpos 3", "n": 3
    }  # fmt: skip


def test_a_reference_may_come_from_the_matrix():
    made, wrong = fan_out(
        "  - {name: mnli}\n  - {name: target, model: '${start}'}\n",
        "matrix: {start: [mnli, org/name]}",
    )
    assert wrong == []
    assert made["target[start=mnli]"].inputs["model"] == ("mnli",)
    assert made["target[start=org/name]"].inputs["model"] == ("org/name",)


def test_order_is_by_need_then_as_written():
    made, _ = fan_out(
        "  - {name: c, model: b}\n  - {name: z}\n  - {name: b, models: [a]}\n  - {name: a}\n",
        "matrix: {}",
    )
    assert list(made) == ["z", "a", "b", "c"]


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (
            "  - {name: a, note: '${sise} ${task} ${size}'}",
            "r:3: stage 'a': no matrix variable 'sise'; did you mean 'size'?\n"
            "    matrix variables: size, task",
        ),
        (
            "  - {name: a, note: '${size}'}",
            "r:1: matrix: no stage uses ${task}; use it or remove it",
        ),
        (
            "  - {name: a, note: '${size} ${task.trian}'}",
            "r:3: ${task.trian}: the value 'udpos' of task has no field 'trian'; "
            "did you mean 'train'?\n    fields: name, train, epochs",
        ),
        (
            "  - {name: a, note: '${size.x}${task}'}",
            "r:3: ${size.x}: the value 'base' of size has no field 'x'\n"
            "    fields: none, it is a plain value",
        ),
        (
            "  - {name: a, note: '${size} ${task}', model: bb}\n  - {name: b}",
            "r:3: stage 'a': model: no stage 'bb'; did you mean 'b'?\n    stages: a, b\n"
            "    a model from outside is written org/name or ./directory",
        ),
        (
            "  - {name: a, note: '${size} ${task}', model: b}\n  - {name: b, model: c}\n"
            "  - {name: c, models: [a]}",
            "r:3: stages need each other: a -> b -> c -> a",
        ),
        (
            "  - {name: a, note: '${size}'}\n  - {name: b, note: '${task}', models: ['a[size=x]']}",
            "r:4: stage 'b': models: there is no a[size=x]\n"
            "    variants: a[size=base], a[size=large]",
        ),
        (
            "  - {name: a, note: '${size}'}\n  - {name: b, note: '${task}', model: 'a[task=xnli]'}",
            "r:4: stage 'b': model: there is no a[task=xnli]\n"
            "    variants: a[size=base], a[size=large]",
        ),
    ],
)
def test_mistakes(stages, said):
    assert said in fan_out(stages)[1]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ("matrix: {a: []}", "r:1: matrix: a needs a list of values"),
        ("matrix: {a: [x, x]}", "r:1: matrix: a has the value 'x' twice"),
        ("matrix: {a: ['x=1']}", "r:1: matrix: 'x=1' holds one of [ ] , ="),
        (
            "matrix: {a: [{train: 1}]}",
            "r:1: matrix: a value of a is a word, a number, or a mapping with name:",
        ),
        ("matrix: {a-b: [1]}", "r:1: matrix: 'a-b' is not a variable name"),
    ],
)
def test_wrong_values(matrix, said):
    assert said in fan_out("  - {name: a}", matrix)[1]


def test_references():
    assert parse_reference("a[x=1,y=2]") == ("a", {"x": "1", "y": "2"})
    assert parse_reference("a[x]") is None
    assert [is_external(t) for t in ("org/name", "./a", "../a", "~/a", "/a", "a", "a[x=b/c]")] == [
        True, True, True, True, True, False, False
    ]  # fmt: skip


def test_roles_are_read_from_annotations():
    from pydantic import Field

    class Config(StageConfig):
        model: ModelRef
        base: ModelRef | None = None
        models: ModelRefs = Field(min_length=1)
        more: ModelRefs | None = None
        tasks: tuple[str, ...] = ()

    assert roles(Config) == {"model": "one", "base": "one", "models": "many", "more": "many"}


def test_graph():
    needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b"]}
    assert order(needs) == ["a", "b", "c", "d"]
    assert descendants(needs, ["b"]) == {"b", "d"}
    assert ancestors(needs, ["d"]) == {"a", "b", "d"}
    with pytest.raises(CycleError, match="stages need each other: x -> x"):
        order({"x": ["x"]})


def test_spaces_at_the_ends_of_a_value_are_no_part_of_its_name():
    made, wrong = fan_out(
        """
  - {name: scores, prefix: "${prefix}"}
  - {name: one, models: ["scores[prefix=query: ]"]}
  - {name: other, models: ["scores[prefix=none]"]}
""",
        'matrix: {prefix: ["query: ", none]}',
    )
    assert wrong == []
    assert list(made) == ["scores[prefix=query:]", "scores[prefix=none]", "one", "other"]
    assert made["scores[prefix=query:]"].node.plain()["prefix"] == "query: "
    assert made["one"].inputs["models"] == ("scores[prefix=query:]",)
    for name in made:
        label = parse_label(name)
        reference = parse_reference(name)
        assert reference == (label.family, dict(label.variables)) and str(label) == name


def test_values_that_differ_by_a_space_are_one_twice():
    wrong = fan_out("  - {name: a, note: '${a}'}", "matrix: {a: [x, 'x ']}")[1]
    assert wrong == ["r:1: matrix: a has the value 'x' twice"]


def test_values_of_knobs_are_called_as_those_of_the_matrix():
    node = parse("p: [{name: 'small ', v: int8}, 'big ', 3]", "r", Problems("r"))
    assert node is not None
    assert names({"p": node["p"]}) == {"p": ("small", "big", "3")}


def test_true_and_false_are_called_as_the_recipe_writes_them():
    made, wrong = fan_out(
        '  - {name: a, flag: "${on}", text: "on is ${on}"}\n  - {name: b, model: "a[on=false]"}',
        "matrix: {on: [true, false]}",
    )
    assert wrong == [] and list(made) == ["a[on=true]", "a[on=false]", "b"]
    assert made["b"].inputs["model"] == ("a[on=false]",)
    assert made["a[on=true]"].node["flag"].plain() is True
    assert made["a[on=true]"].node["text"].plain() == "on is true"
    assert names(parse("k: [true, 1]", "r", Problems("r")).value) == {"k": ("true", "1")}
