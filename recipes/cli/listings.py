"""What `check`, `show`, `score` and `ls tasks NAME` print; nothing runs.

>>> print(check_line("demo", (), None, None))
demo: ok, 9 stages, source embedded
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.scoring import titles
from recipes.cli.memory_lines import aligned
from recipes.cli.plan_facts import first
from recipes.execution.workspace import Workspace, size_text
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.parsing.write_yaml import dump
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.search.feasible import find_feasible
from transfer.find_task import find_task

if TYPE_CHECKING:
    from evalsuite.submission.score_folders import FolderScores
    from recipes.execution.cached_stages import CachedStage


def check_line(
    recipe: str, overrides: Sequence[str], data_dir: Path | None, workspace: Path | None
) -> str:
    """`r.yaml: ok, 9 stages, source embedded`; after it a line per old key.

    Raises:
        RecipeError: with every problem there is.
    """
    loaded = load(recipe, overrides)
    blind = loaded.recipe.source == "xtreme" and data_dir is None
    memo = DigestMemo(Workspace(workspace).digests)
    feasible = find_feasible(loaded, weights=False) if loaded.recipe.search is not None else None
    plan = make_plan(
        loaded, data_dir, memo, keys=not blind, weights=False, assignments=first(feasible)
    )
    note = "; data not looked at, add --data-dir DIR" if blind else ""
    count = f"{len(plan.stages)} stage" + ("s" if len(plan.stages) > 1 else "")
    if feasible is not None:
        count += f", {feasible.text()}"
    line = f"{loaded.problems.recipe}: ok, {count}, source {loaded.recipe.source}{note}"
    return "\n".join([line, *loaded.problems.shown_notes()])


def score_table(found: FolderScores) -> str:
    """One row a task, then the groups and the overall score; `-` where a part is absent."""
    rows: list[tuple[str, ...]] = [("task", "score", "languages", "mean of")]
    named = titles()
    for name, task in found.tasks.items():
        having = next(iter(task.metrics.values()), {})
        languages = str(len(having))
        if task.absent:
            languages += f", absent: {' '.join(task.absent)}"
        means = " and ".join(named[metric] for metric in task.main)
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
    return "\n".join([aligned(rows), *notes])


def _percent(score: float | None) -> str:
    return "-" if score is None else f"{score:z.2f}"


def cache_table(stages: Sequence[CachedStage]) -> str:
    """One row per finished stage, the largest first, and their sum."""
    rows: list[tuple[str, ...]] = [("stage", "label", "size", "finished", "named by")]
    for stage in sorted(stages, key=lambda stage: -stage.bytes):
        when = stage.finished.strftime("%Y-%m-%d %H:%M") if stage.finished else "not readable"
        rows.append(
            (stage.name, stage.label, size_text(stage.bytes), when, ", ".join(stage.runs) or "-")
        )
    total = size_text(sum(stage.bytes for stage in stages))
    return f"{aligned(rows)}\n{len(stages)} stages, {total}"


def recipe_yaml(recipe: str, overrides: Sequence[str], *, resolved: bool) -> str:
    """The recipe after `extends` and `--set`; resolved: what will really run, defaults included.

    Of a search that is every variant that some trial may have.

    Raises:
        RecipeError: with every problem there is.
    """
    loaded = load(recipe, overrides)
    feasible = find_feasible(loaded) if loaded.recipe.search is not None else None
    can_be = [assignment for assignment, _ in feasible.plans] if feasible else []
    plan = make_plan(loaded, None, DigestMemo(), keys=False, assignments=can_be)
    tree = {key: value for key, value in loaded.tree.plain().items() if key != "extends"}
    if resolved:
        tree = _resolved(plan)
    return dump(tree)


def task_card(name: str) -> str:
    """What a task is, which files it is read from and whose they are; `lingopress ls tasks NAME`.

    Raises:
        UnknownNameError: there is no such task.
    """
    task = find_task(name)
    pinned = [f"{hub.repo}@{hub.revision[:12]}" for hub in (task.hub, *task.hub_beside) if hub]
    rows = {
        "task": f"{task.name} ({task.title})",
        "format": task.format,
        "metric": ", ".join(titles()[metric] for metric in (task.metric, *task.also)),
        "languages": " ".join(task.languages),
        "directory": task.layout,
        "hub": ", ".join(pinned) or "no copy",
        "licence": task.licence,
        "citation": task.citation,
        "url": task.url,
    }
    return "\n".join(f"{key:<9}  {value}" for key, value in rows.items())


def _resolved(plan: Plan) -> dict[str, Any]:
    recipe = plan.loaded.recipe
    head = recipe.model_dump(include={"name", "description", "source", "seed"})
    if recipe.search is not None:
        head["search"] = recipe.search.model_dump(mode="json")
    stages = []
    for stage in plan.stages:
        config = stage.config.model_dump(mode="json")
        config.update(name=stage.label, seed=stage.seed)
        for role, labels in stage.inputs.items():
            if labels:
                config[role] = list(labels) if isinstance(config[role], list) else labels[0]
        stages.append(config)
    return {**head, "stages": stages}
