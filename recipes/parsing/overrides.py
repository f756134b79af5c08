"""`--set key=value`: values that stand in for those of the recipe file.

>>> from recipes.parsing.located_yaml import parse
>>> problems = Problems("r.yaml")
>>> tree = parse("{seed: 1, stages: [{name: a, stage: train, rank: 8}]}", "r.yaml", problems)
>>> set_value(tree, "a.rank=16", {"a": "train"}, ("seed", "stages"), problems)
>>> tree["stages"].plain()
[{'name': 'a', 'stage': 'train', 'rank': 16}]
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from recipes.parsing.located_yaml import parse
from recipes.parsing.node import Node, entries_of, items_of, name_of
from recipes.parsing.problems import Problems, suggest
from recipes.parsing.renamed_keys import RENAMED, renamed_keys

_FIXED = ("extends", "stages")  # keys of a recipe that are not replaced as a whole
_OF_KEYS = ("search", "tasks", "resources")  # those that hold keys which can be set one by one


def set_value(
    tree: Node,
    override: str,
    kinds: Mapping[str, str],
    recipe_keys: Collection[str],
    problems: Problems,
) -> None:
    """Apply one `--set path=value` to a recipe, in place.

    Args:
        kinds: kinds of stages by name.
        recipe_keys: keys of a recipe outside its stages.
        problems: gets what is wrong with it, and a note where a key has a new name.
    """
    where = f"--set {override}".encode("utf-8", "backslashreplace").decode("utf-8")
    path, equals, text = override.partition("=")
    steps = path.strip().split(".")
    if not equals or not all(steps):
        problems.add(where, "write it as key=value, for example seed=2 or student.layers=4")
        return
    value = parse(text, where, problems, where)
    if value is None or not isinstance(tree.value, dict):
        return
    if steps[0] == "matrix" and len(steps) == 2:
        _set_variable(tree, steps[1], value, problems)
    elif steps[0] in _OF_KEYS and len(steps) > 1 and tree.get(steps[0]) is not None:
        _set_inside(tree[steps[0]], steps, value, problems)
    elif len(steps) == 1 and steps[0] in recipe_keys and steps[0] != "extends":
        tree.value[steps[0]] = value
    else:
        _set_key(tree, steps, value, kinds, recipe_keys, problems)


def _set_variable(tree: Node, name: str, value: Node, problems: Problems) -> None:
    """Replace the values of a matrix variable."""
    known = entries_of(tree.get("matrix"))
    if name not in known:
        near = suggest(name, known)
        problems.add(value.where, f"no matrix variable {name!r}{near}\nknown: {_listed(known)}")
    else:
        known[name] = value if isinstance(value.value, list) else Node([value], value.where)


def _set_inside(node: Node, steps: list[str], value: Node, problems: Problems) -> None:
    """Replace the value of a key of `search`, of a task or of `resources`."""
    tasks = entries_of(node) if steps[0] == "tasks" else {}
    if tasks and steps[1] not in tasks:
        near = suggest(steps[1], tasks)
        problems.add(value.where, f"no task {steps[1]!r}{near}\ntasks: {_listed(tasks)}")
        return
    if steps[:2] == ["search", "knobs"] and len(steps) > 2 and not isinstance(value.value, list):
        value = Node([value], value.where)
    _put(node, steps, value, problems)


def _set_key(
    tree: Node,
    steps: list[str],
    value: Node,
    kinds: Mapping[str, str],
    recipe_keys: Collection[str],
    problems: Problems,
) -> None:
    """Replace the value of a stage's key."""
    if steps[0] == "stages":
        steps = steps[1:]
    stages = {name: stage for stage in items_of(tree.get("stages")) if (name := name_of(stage))}
    if len(steps) < 2 or steps[0] not in stages:
        wrong = steps[0] if steps else "stages"
        near = suggest(wrong, [*(key for key in recipe_keys if key not in _FIXED), *stages])
        if wrong in stages:
            problems.add(value.where, f"name a key of the stage too: {wrong}.<key>=value")
        elif wrong in recipe_keys and wrong not in _FIXED:
            problems.add(value.where, _no_keys_of(wrong))
        else:
            problems.add(value.where, f"no key or stage {wrong!r}{near}\nstages: {_listed(stages)}")
        return
    name, key, *rest = steps
    if steps[1:] == ["name"]:
        problems.add(value.where, "a stage cannot be renamed by --set; edit the recipe")
        return
    if new := renamed_keys(kinds.get(name)).get(key):
        problems.note(value.where, RENAMED.format(who=f"stage {name!r}", old=key, new=new))
        key = new
    _put(stages[name], [name, key, *rest], value, problems)


def _no_keys_of(key: str) -> str:
    """Why a path inside a key of the recipe cannot be set."""
    if key in _OF_KEYS:
        return f"the recipe has no {key}; set all of its keys at once: '{key}={{KEY: VALUE}}'"
    if key == "matrix":
        return "a value of a matrix variable has no keys to set; set all values: matrix.<variable>="
    return f"{key!r} holds no keys; write {key}=value"


def _put(node: Node, steps: Sequence[str], value: Node, problems: Problems) -> None:
    """Replace a value inside a node.

    Args:
        steps: the node's own key or name, then those that lead to the value.
    """
    name, *between, last = steps
    for step in between:
        if not isinstance(node.value, dict):
            break
        name, node = step, node.value.setdefault(step, Node({}, value.where))
    if isinstance(node.value, dict):
        node.value[last] = value
    else:
        problems.add(value.where, f"{name!r} holds no keys")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
