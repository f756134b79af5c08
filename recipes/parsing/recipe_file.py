"""What a recipe file may say, and reading one.

>>> loaded = load("xnli-base", ["seed=2", "student.layers=4"])
>>> loaded.recipe.seed, [stage.name for stage in loaded.stages]
(2, ['mnli', 'target', 'fused', 'student'])

`extends: other` (a path next to the recipe, or a shipped name; one level) starts from another
recipe: top-level keys replace the other's, `matrix` as a whole too; `stages` are merged by name:
the keys of a stage of the same name override, a new stage is appended.

`--set` paths: `seed`, `matrix.size`, `search.trials`, `search.knobs.layers`, `tasks.<task>.<key>`,
`resources.cpus`, `stages.<name>.<key>`, or short `<name>.<key>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from evalsuite.own.declaration import Declaration
from evalsuite.task import SourceKind
from recipes.errors import RecipeError
from recipes.naming import is_file
from recipes.parsing import library
from recipes.parsing.declared_tasks import declare_tasks
from recipes.parsing.knobs import SearchConfig
from recipes.parsing.located_yaml import parse
from recipes.parsing.node import Node, entries_of, items_of, name_of
from recipes.parsing.overrides import set_value
from recipes.parsing.problems import Problems, suggest
from recipes.parsing.renamed_keys import use_new_names
from recipes.stages._shared import registry
from recipes.stages._shared.contract import LAST_SEED
from recipes.stages._shared.resources import Resources

STAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# Kinds that the implicit report gathers.
MEASURING = ("evaluate", "benchmark", "alignment", "fertility")


class Recipe(BaseModel):
    """A recipe as written, after `extends` and `--set`; stages are checked against their kinds."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str = Field(description="Name of the recipe; outputs are linked under this name.")
    description: str = Field(
        default="",
        description="What the recipe is for, in a sentence or two; shown in listings and in the "
        "report.",
    )
    source: SourceKind = Field(
        description="Where rows come from: the Hugging Face hub, a directory in the XTREME "
        "layout, text embedded in the package, or only the files of declared tasks (files)."
    )
    seed: int = Field(default=0, ge=0, le=LAST_SEED, description="Random seed of all stages.")
    resources: Resources | None = Field(
        default=None,
        description="What each stage takes of a node, where the recipe runs on a cluster; default: "
        "what lingopress plan estimates.",
    )
    matrix: dict[str, list[Any]] = Field(
        default={},
        description="Variables and their values; each stage that mentions ${variable} exists "
        "once per value.",
    )
    search: SearchConfig | None = Field(
        default=None,
        description="Search for the best values of some knobs within a budget; default: no search.",
    )
    tasks: dict[str, Declaration] = Field(
        default={},
        description="Tasks of your own: name -> format, files, columns and labels; stages use "
        "the name like that of any task.",
    )
    stages: list[dict[str, Any]] = Field(
        description="Stages of the recipe; the order is free, stages refer to each other by name."
    )
    extends: str | None = Field(
        default=None,
        description="Recipe to start from: a path relative to this file, or a shipped name; "
        "default: none.",
    )

    @field_validator("name")
    @classmethod
    def _readable(cls, name: str) -> str:
        if not name.strip() or not name.isprintable():
            raise ValueError("a name is one line of text that can be printed")
        return name


@dataclass(frozen=True, slots=True)
class RawStage:
    """One stage as written, `${...}` still in it."""

    name: str
    kind: str
    node: Node


@dataclass(frozen=True, slots=True)
class Loaded:
    """A recipe that was read, and what is wrong with it so far."""

    path: Path
    recipe: Recipe
    tree: Node
    stages: tuple[RawStage, ...]
    matrix: dict[str, Node]
    problems: Problems
    knobs: dict[str, Node] = field(default_factory=dict)


def load(path_or_name: str, overrides: Sequence[str] = ()) -> Loaded:
    """Read a recipe; what is wrong with it is collected in `.problems`, not raised.

    Raises:
        RecipeError: there is no such recipe, or it is not YAML with keys.
    """
    path = library.find_recipe(path_or_name)
    file = _shown(path)
    problems = Problems(file)
    tree = _read(path, file, problems)
    if tree is not None and tree.get("extends"):
        tree = _extend(tree, path, problems)
    if tree is None:
        problems.raise_if_any()
        raise AssertionError("a recipe without a tree has a problem")
    kinds = use_new_names(tree, {}, problems)
    for override in overrides:
        set_value(tree, override, kinds, Recipe.model_fields, problems)
    _use_text_of_labels(tree)
    recipe = _outer(tree, problems)
    declare_tasks(recipe.tasks, tree.get("tasks"), problems)
    stages = _stages(tree, problems)
    stages += _implicit_report(stages, tree.where)
    search = tree.get("search")
    knobs = entries_of(search.get("knobs")) if search is not None else {}
    return Loaded(
        path, recipe, tree, tuple(stages), entries_of(tree.get("matrix")), problems, knobs
    )


def _use_text_of_labels(tree: Node) -> None:
    """Labels of declared tasks are text, as in their files: `true` or `01` is no other value."""
    for task in entries_of(tree.get("tasks")).values():
        for key, node in entries_of(task).items():
            if key in ("labels", "positive") and node.value is not None:
                entries_of(task)[key] = node.as_text()


def _outer(tree: Node, problems: Problems) -> Recipe:
    """The recipe without its stages' details; wrong keys are noted and left out."""
    values = tree.plain()
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        problems.add_pydantic(error.errors(include_url=False), tree, "", Recipe.model_fields)
        sound: dict[str, Any] = {"name": "unnamed", "source": "embedded", "stages": []}
        wrong = {item["loc"][0] for item in error.errors()}
        if "tasks" in wrong:
            problems.faulty_tasks |= entries_of(tree.get("tasks")).keys()
        sound.update((k, v) for k, v in values.items() if k not in wrong)
        return Recipe.model_validate(sound)


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _read(path: Path, file: str, problems: Problems) -> Node | None:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file} cannot be read: {error}") from error
    tree = parse(text, file, problems)
    if tree is not None and not isinstance(tree.value, dict):
        problems.add(tree.where, "a recipe is a mapping: name, source, stages ...")
        return None
    return tree


def _extend(child: Node, path: Path, problems: Problems) -> Node | None:
    said = child["extends"]
    if not isinstance(said.value, str):
        problems.add(said.where, "extends: give a path relative to this file, or a shipped name")
        return None
    name = said.value
    try:
        local = path.parent / name
        base_path = local if is_file(local) else library.find_recipe(name)
    except RecipeError as error:
        problems.add(said.where, f"extends: {error}")
        return None
    base = _read(base_path, _shown(base_path), problems)
    if base is None or not isinstance(base.value, dict) or not isinstance(child.value, dict):
        return None
    kinds = use_new_names(base, {}, problems)
    use_new_names(child, kinds, problems)
    if base.get("extends"):
        problems.add(
            said.where,
            f"extends goes one level, and {name} itself extends {base['extends'].value!r}",
        )
        return None
    merged = {**base.value, **child.value}
    ours, theirs = child.get("stages"), base.get("stages")
    if ours and theirs and isinstance(ours.value, list) and isinstance(theirs.value, list):
        merged["stages"] = Node(_merge_stages(theirs.value, ours.value), ours.where)
    return Node(merged, child.where)


def _merge_stages(base: list[Node], child: list[Node]) -> list[Node]:
    """The stages of the base with those of the child; a name that a child has twice stays twice."""
    result = list(base)
    places = {name_of(stage): place for place, stage in enumerate(base)}
    for stage in child:
        name = name_of(stage)
        place = None if name is None else places.get(name)
        if place is None or not isinstance(stage.value, dict):
            result.append(stage)
            continue
        old = base[place].value
        assert isinstance(old, dict)
        merged = Node({**old, **stage.value}, stage.where)
        if result[place] is base[place]:
            result[place] = merged
        else:
            result.append(merged)  # the second one of the child: two stages have the name
    return result


def _stages(tree: Node, problems: Problems) -> list[RawStage]:
    """Stages with a usable name and kind; the others become problems."""
    stages: dict[str, RawStage] = {}
    listed = items_of(tree.get("stages"))
    if tree.get("stages") is not None and not listed:
        problems.add(tree["stages"].where, "stages: a recipe needs at least one stage")
    for number, node in enumerate(listed, 1):
        name, kind = node.get("name"), node.get("stage")
        if not isinstance(node.value, dict):
            problems.add(node.where, f"stage {number} is not a mapping with name: and stage:")
        elif name is None or kind is None:
            missing = "name" if name is None else "stage"
            who = f"stage {number}" if name is None else f"stage {name.value!r}"
            problems.add(node.where, f"{who}: the key {missing!r} is missing")
        elif not isinstance(name.value, str) or not STAGE_NAME.fullmatch(name.value):
            problems.add(
                name.where,
                f"stage {number}: {name.value!r} is not a stage name (letters, digits, - and _)",
            )
        elif name.value in stages:
            first = stages[name.value].node.where
            problems.add(name.where, f"two stages are named {name.value!r}, the first at {first}")
        else:
            stages[name.value] = RawStage(name.value, str(kind.value), node)
    _check_kinds(stages.values(), problems)
    return list(stages.values())


def _check_kinds(stages: Iterable[RawStage], problems: Problems) -> None:
    known = registry.stage_kinds()
    for stage in stages:
        if stage.kind not in known:
            problems.add(
                stage.node["stage"].where,
                f"stage {stage.name!r}: unknown stage kind {stage.kind!r}"
                f"{suggest(stage.kind, known)}\nallowed: {', '.join(known)}",
            )


def _implicit_report(stages: list[RawStage], where: str) -> list[RawStage]:
    """A report of everything measured, where the recipe does not write its own."""
    measured = [stage.name for stage in stages if stage.kind in MEASURING]
    if not measured or any(stage.kind == "report" for stage in stages):
        return []
    if "report" not in registry.stage_kinds():
        return []
    name = "report" if all(stage.name != "report" for stage in stages) else "final-report"
    values: dict[str, Node] = {
        "name": Node(name, where),
        "stage": Node("report", where),
        "results": Node([Node(stage, where) for stage in measured], where),
    }
    return [RawStage(name, "report", Node(values, where))]
