"""What `check`, `plan`, `show` and `score` print; nothing runs.

>>> print(plan_table("demo"))
stage     kind   state    key       cost
teacher   train  to make  5feceb66  minutes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evalsuite import metrics
from recipes.cache import Cache, read_manifest
from recipes.digests import DigestMemo
from recipes.plan import Plan, Planned, make_plan
from recipes.progress import duration
from recipes.schema import load
from recipes.workspace import Workspace

if TYPE_CHECKING:
    from evalsuite.scoring import FolderScores


def check_line(
    recipe: str, overrides: Sequence[str], data_dir: Path | None, workspace: Path | None
) -> str:
    """`r.yaml: ok, 9 stages, source embedded`.

    Raises:
        RecipeError: with every problem there is.
    """
    loaded = load(recipe, overrides)
    blind = loaded.recipe.source == "xtreme" and data_dir is None
    memo = DigestMemo(Workspace(workspace).digests)
    plan = make_plan(loaded, data_dir, memo, keys=not blind)
    note = "; data not looked at, add --data-dir DIR" if blind else ""
    count = f"{len(plan.stages)} stage" + ("s" if len(plan.stages) > 1 else "")
    return f"{loaded.problems.recipe}: ok, {count}, source {loaded.recipe.source}{note}"


def plan_table(
    recipe: str, overrides: Sequence[str], data_dir: Path | None, workspace: Path | None
) -> str:
    """One row a stage, in order of execution; the cost of a finished one is what it took.

    Raises:
        RecipeError: with every problem there is.
    """
    space = Workspace(workspace)
    plan = make_plan(load(recipe, overrides), data_dir, DigestMemo(space.digests))
    cache = Cache(space)
    rows: list[tuple[str, ...]] = [("stage", "kind", "state", "key", "cost")]
    rows += [_row(stage, cache) for stage in plan.stages]
    return _aligned(rows)


def score_table(found: FolderScores) -> str:
    """One row a task, then the groups and the overall score; `-` where a part is absent."""
    rows: list[tuple[str, ...]] = [("task", "score", "languages", "mean of")]
    for name, task in found.tasks.items():
        having = next(iter(task.metrics.values()), {})
        languages = str(len(having))
        if task.absent:
            languages += f", absent: {' '.join(task.absent)}"
        means = " and ".join(metrics.TITLES[metric] for metric in task.main)
        rows.append((name, _percent(task.score), languages, means))
    rows += [(group, _percent(score), "", "its tasks") for group, score in found.groups.items()]
    rows.append(("overall", _percent(found.overall), "", "all tasks"))
    notes = [
        f"{name}: {sum(task.unanswered.values())} questions without an answer count as wrong"
        for name, task in found.tasks.items()
        if any(task.unanswered.values())
    ]
    if found.absent:
        notes.append(f"no predictions or no labels: {', '.join(found.absent)}")
    return "\n".join([_aligned(rows), *notes])


def _percent(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _row(stage: Planned, cache: Cache) -> tuple[str, str, str, str, str]:
    path = cache.lookup(stage.kind, stage.key)
    manifest = read_manifest(path) if path else None
    if manifest is not None:
        state, cost = "cached", f"took {duration(manifest.record.seconds)}"
    else:
        guess: Any = getattr(stage.module, "cost", None)
        state, cost = "to make", str(guess(stage.config)) if guess else "-"
    return stage.label, stage.kind, state, stage.key[:8], cost


def recipe_yaml(recipe: str, overrides: Sequence[str], *, resolved: bool) -> str:
    """The recipe after `extends` and `--set`; resolved: what will really run, defaults included.

    Raises:
        RecipeError: with every problem there is.
    """
    loaded = load(recipe, overrides)
    plan = make_plan(loaded, None, DigestMemo(), keys=False)
    tree = {key: value for key, value in loaded.tree.plain().items() if key != "extends"}
    if resolved:
        tree = _resolved(plan)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)


def _resolved(plan: Plan) -> dict[str, Any]:
    recipe = plan.loaded.recipe
    head = recipe.model_dump(include={"name", "description", "source", "seed"})
    stages = []
    for stage in plan.stages:
        config = stage.config.model_dump(mode="json")
        config.update(name=stage.label, seed=stage.seed)
        for role, labels in stage.inputs.items():
            if labels:
                config[role] = list(labels) if isinstance(config[role], list) else labels[0]
        stages.append(config)
    return {**head, "stages": stages}
