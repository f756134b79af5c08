"""Old names of stage keys, understood for one version with a note that gives the new name.

>>> from recipes.parsing.located_yaml import parse
>>> problems = Problems("r.yaml")
>>> node = parse("{name: a, stage: prune, calibration: 64}", "r.yaml", problems)
>>> use_new_names(node, "stage 'a' (prune)", {"calibration": "importance_rows"}, problems).plain()
{'name': 'a', 'stage': 'prune', 'importance_rows': 64}
>>> print(problems.notes[0])
r.yaml:1: stage 'a' (prune): the key 'calibration' is now called 'importance_rows'; the old name \
will be removed in the next version
"""

from __future__ import annotations

from collections.abc import Mapping

from recipes.parsing.node import Node
from recipes.parsing.problems import Problems

RENAMED = (
    "{who}: the key {old!r} is now called {new!r}; the old name will be removed in the next version"
)


def use_new_names(stage: Node, who: str, renamed: Mapping[str, str], problems: Problems) -> Node:
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
