"""Old names of stage keys, understood for one version with a note that gives the new name.

>>> from recipes.parsing.located_yaml import parse
>>> problems = Problems("r.yaml")
>>> node = parse("{name: a, stage: prune, calibration: 64}", "r.yaml", problems)
>>> with_new_names(node, "stage 'a' (prune)", {"calibration": "importance_rows"}, problems).plain()
{'name': 'a', 'stage': 'prune', 'importance_rows': 64}
>>> print(problems.notes[0])
r.yaml:1: stage 'a' (prune): the key 'calibration' is now called 'importance_rows'; the old name \
will be removed in the next version
"""

from __future__ import annotations

from collections.abc import Mapping

from recipes.parsing.node import Node, items_of, name_of
from recipes.parsing.problems import Problems
from recipes.stages._shared import registry

RENAMED = (
    "{who}: the key {old!r} is now called {new!r}; the old name will be removed in the next version"
)


def with_new_names(stage: Node, who: str, renamed: Mapping[str, str], problems: Problems) -> Node:
    """A stage with its old keys renamed; a note for each.

    Args:
        stage: the mapping of one stage.
        who: the stage in messages, such as `stage 'a' (prune)`.
        renamed: old name -> new name, the `renamed` of the stage's config class.
        problems: gets the notes, and a problem where both names of a key are written.
    """
    assert isinstance(stage.value, dict)
    keys: dict[str, Node] = {}
    for key, value in stage.value.items():
        new = renamed.get(key)
        if new is None:
            keys[key] = value
        elif new in stage.value:
            problems.add(value.where, f"{who}: {key!r} is the old name of {new!r}; write only one")
        else:
            problems.note(value.where, RENAMED.format(who=who, old=key, new=new))
            keys[new] = value
    return Node(keys, stage.where)


def use_new_names(tree: Node, known: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """Give the keys of all stages their present names, in place.

    Args:
        known: kinds of stages by name, for stages that get theirs from the recipe they extend.

    Returns:
        the kind of each stage by its name.
    """
    kinds = dict(known)
    stages = items_of(tree.get("stages"))
    for place, stage in enumerate(stages):
        name, kind = name_of(stage), stage.get("stage")
        if not isinstance(stage.value, dict) or name is None:
            continue
        if kind is not None:
            kinds[name] = str(kind.value)
        if renamed := renamed_keys(kinds.get(name)):
            who = f"stage {name!r} ({kinds[name]})"
            stages[place] = with_new_names(stage, who, renamed, problems)
    return kinds


def renamed_keys(kind: str | None) -> Mapping[str, str]:
    """Old names of a stage kind's keys and their present names; none for an unknown kind."""
    if kind not in registry.stage_kinds():
        return {}
    return registry.load_stage(kind).Config.renamed
