"""The keys of a stage, checked: every mistake at once.

A key that is unknown does not hide the other mistakes of its stage: the stage is checked as if
that key were not there, or, where it looks like a misspelling, were spelt right. A key with a
wrong value is taken at its default, only so that later stages can be checked too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from recipes.errors import is_persons
from recipes.parsing.node import Node
from recipes.parsing.problems import Problems, nearest
from recipes.planning.matrix import Instance
from recipes.stages._shared.contract import OWN_TOKENIZER, Artifact, DataNeed, StageConfig
from recipes.stages._shared.registry import StageModule

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True)
class CheckedStage:
    """A stage's config and what it gives.

    `sound` is False where the stage has a mistake, which is then noted; its config and artifact
    are then only good for checking what comes after it. `unused` says which keys change nothing.
    """

    config: StageConfig
    artifact: Artifact
    sound: bool
    unused: Sequence[str] = ()


def check_stage(
    instance: Instance,
    module: StageModule,
    given: Mapping[str, Artifact],
    problems: Problems,
) -> CheckedStage | None:
    """Check the keys of a stage, and that they go with its inputs.

    Args:
        given: artifacts by label; of stages and models whose own check went well.
        problems: gets every mistake, at its line.

    Returns:
        None where nothing can be said about what the stage gives: a needed key is missing, an
        input is unknown, or the stage cannot do what its keys ask for.
    """
    who = f"stage {instance.stage.name!r} ({instance.stage.kind}): "
    config, sound = _read_config(instance, module, problems, who)
    labels = [label for labels in instance.inputs.values() for label in labels]
    if config is None or not all(label in given for label in labels):
        return None
    if any(_names_no_input(instance, role) for role in instance.inputs):
        return None
    inputs = {role: tuple(given[t] for t in ts) for role, ts in instance.inputs.items()}
    try:
        artifact = module.check(config.value, inputs)
    except Exception as error:
        if not is_persons(error):
            raise
        if config.complete:
            problems.add(instance.node.where, f"{who}{error}{_inputs_line(instance, given)}")
        return None
    if artifact.tokenizer == OWN_TOKENIZER:  # each variant of a stage has another
        artifact = replace(artifact, tokenizer=f"{OWN_TOKENIZER}: {instance.label}")
    if config.complete:
        read = _training_rows(module.data(config.value, artifact))
        before = (given[label].trained_on for label in labels)
        artifact = replace(artifact, trained_on=read.union(*before))
    if config.complete and (lacking := config.value.lacking()):
        problems.add(instance.node.where, f"{who}{lacking}")
    unused = unused_keys(module, config.value) if config.complete else ()
    return CheckedStage(config.value, artifact, sound, unused)


def _training_rows(needs: Sequence[DataNeed]) -> frozenset[tuple[str, str]]:
    """Task and language of the training rows among what a stage reads."""
    training = [need for need in needs if need.split == "train"]
    return frozenset((need.task, code) for need in training for code in need.languages or ())


def unused_keys(module: StageModule, config: StageConfig) -> Sequence[str]:
    """What is wrong with keys that are written and change nothing."""
    found: Callable[[StageConfig], Sequence[str]] | None = getattr(module, "unused_keys", None)
    return found(config) if found is not None else ()


def note_unused(
    variants: Sequence[tuple[Instance, CheckedStage | None]],
    knobs: Collection[str],
    problems: Problems,
) -> None:
    """Note the keys that change nothing in any variant of a stage.

    Args:
        knobs: of a search; a stage that mentions one has variants that are not here.
    """
    stage = variants[0][0].stage
    texts = [str(scalar.value) for scalar in stage.node.scalars()]
    if any(f"${{{knob}" in text for knob in knobs for text in texts):
        return
    for unused in _in_all([checked.unused if checked else () for _, checked in variants]):
        problems.add(stage.node.where, f"stage {stage.name!r} ({stage.kind}): {unused}")


def _in_all(said: Sequence[Sequence[str]]) -> list[str]:
    """Those that name keys which each of several lists names, every key once.

    >>> _in_all([["a, b: is off"], ["a: is off", "c: is not read"]])
    ['a: is off']
    """
    everywhere = set.intersection(*({key for one in some for key in _keys(one)} for some in said))
    found: list[str] = []
    for one in dict.fromkeys(one for some in said for one in some):
        if _keys(one) <= everywhere:
            everywhere -= _keys(one)
            found.append(one)
    return found


def _keys(unused: str) -> set[str]:
    return set(unused.partition(":")[0].split(", "))


@dataclass(frozen=True, slots=True)
class _Config:
    """`complete`: every key has the value that was written, so rules between keys hold."""

    value: StageConfig
    complete: bool


def _read_config(
    instance: Instance, module: StageModule, problems: Problems, who: str
) -> tuple[_Config | None, bool]:
    """The config and whether it has no mistake; None where there cannot be one."""
    node, keys = instance.node, module.Config.model_fields
    first = _validate(module, node)
    if isinstance(first, StageConfig):
        return _Config(first, complete=True), True
    unknown = [item for item in first if _is_unknown_key(item)]
    problems.add_pydantic(unknown, node, who, keys)
    names = [str(item["loc"][0]) for item in unknown]
    node = _without_unknown(node, names, keys.keys() - instance.inputs.keys())
    second = _validate(module, node)
    if isinstance(second, StageConfig):
        return _Config(second, complete=True), False
    problems.add_pydantic(second, node, who, keys)
    assert isinstance(node.value, dict)
    wrong = {str(item["loc"][0]) for item in second if item["loc"]}
    rest = {key: value for key, value in node.value.items() if key not in wrong}
    third = _validate(module, Node(rest, node.where))
    return (_Config(third, complete=False) if isinstance(third, StageConfig) else None), False


def _validate(module: StageModule, node: Node) -> StageConfig | list[ErrorDetails]:
    try:
        return module.Config.model_validate(node.plain())
    except ValidationError as error:
        return error.errors(include_url=False)


def _is_unknown_key(item: ErrorDetails) -> bool:
    return item["type"] == "extra_forbidden" and len(item["loc"]) == 1


def _names_no_input(instance: Instance, role: str) -> bool:
    """Whether a role names something that is not there, which is noted already."""
    written = instance.node.get(role)
    texts = [item for item in written.scalars() if isinstance(item.value, str)] if written else []
    return bool(texts) and not instance.inputs[role]


def _without_unknown(node: Node, unknown: Collection[str], known: Collection[str]) -> Node:
    """A stage without its unknown keys; one that is nearly a known key has that name."""
    assert isinstance(node.value, dict)
    keys = {key: value for key, value in node.value.items() if key not in unknown}
    for key in unknown:
        meant = nearest(key, known)
        if meant is not None:
            keys.setdefault(meant, node.value[key])
    return Node(keys, node.where)


def _inputs_line(instance: Instance, given: Mapping[str, Artifact]) -> str:
    parts = [
        f"{role}: {label} ({given[label].kind})"
        for role, labels in instance.inputs.items()
        for label in labels
    ]
    return f"\ninputs: {', '.join(parts)}" if parts else ""
