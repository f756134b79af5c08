"""Run a recipe: its stages in order, each from the cache where it is there.

>>> outcome = run_recipe("demo", workspace=Path(".lingopress"))
>>> outcome.report
Path('.lingopress/stages/report-1f0c.../report.html')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recipes.cluster.choose_place import nodes_of, stage_place
from recipes.errors import RecipesError
from recipes.execution.display import Display
from recipes.execution.run_options import RunOptions
from recipes.execution.run_record import RunOutcome, note
from recipes.execution.scheduler import make_all
from recipes.execution.shared_stages import require
from recipes.execution.stage_runner import Maker
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.problems import suggest
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.planning.stage_graph import ancestors, descendants


def run_recipe(
    path_or_name: str,
    *,
    overrides: Sequence[str] = (),
    data_dir: Path | None = None,
    workspace: Path | None = None,
    options: RunOptions | None = None,
    progress: Display | Callable[[Plan], Display] | None = None,
) -> RunOutcome:
    """Check a recipe, then make every stage that is not there yet.

    A recipe with `search:` makes its stages once a trial; see `recipes.search.trial_loop`.

    Args:
        options: default all stages, one after the other.
        progress: a display, or what makes one for the plan.

    Raises:
        RecipeError: the recipe is wrong; nothing was run.
        WorkspaceError: the workspace cannot be written, or is full.
        RecipesError: a stage met something a person can put right.
        StageFailedError: a stage broke.
    """
    options = options or RunOptions()
    space, loaded = Workspace(workspace, options.cache), load(path_or_name, overrides)
    if loaded.recipe.search is not None:
        from recipes.search.trial_loop import search

        return search(loaded, space, options, data_dir=data_dir, progress=progress)
    plan = make_plan(loaded, data_dir, DigestMemo(space.digests))
    again, chosen = _choose(plan, options.from_stage, options.until_stage)
    require(space)
    space.prepare()
    display = progress(plan) if callable(progress) else progress or Display()
    maker = Maker(plan, space, display, options.debug)
    with space.guard():
        try:
            with (
                nodes_of(options, space) as opened,
                stage_place(maker, options.jobs, chosen, opened, again) as place,
            ):
                make_all(maker, chosen, place)
        finally:
            display.stop()
        made = [maker.made[stage.label] for stage in plan.stages if stage.label in chosen]
        rest = [stage for stage in plan.stages if stage.label not in chosen]
        kept = [found for stage in rest if (found := maker.kept(stage))]
        outcome = note(plan.loaded, space, made, kept=kept)
        maker.shared.note_run(outcome)
    display.finish(outcome)
    return outcome


def _choose(plan: Plan, from_stage: str | None, until: str | None) -> tuple[set[str], set[str]]:
    """Labels to make again, and labels to make at all.

    Raises:
        RecipesError: there is no such stage, or the first one is not made before the second.
    """
    graph = plan.graph()
    again = descendants(graph, _named(plan, "--from", from_stage)) if from_stage else set()
    chosen = ancestors(graph, _named(plan, "--until", until)) if until else set(graph)
    if from_stage and not again & chosen:
        raise RecipesError(
            f"--from {from_stage} --until {until}: {until} does not need {from_stage}, so nothing "
            "would be made again\nname an earlier stage with --from, or a later one with --until"
        )
    return again & chosen, chosen


def _named(plan: Plan, option: str, name: str) -> list[str]:
    labels = plan.find(name)
    if not labels:
        names = list(dict.fromkeys(stage.name for stage in plan.stages))
        near = suggest(name, [*names, *plan.graph()])
        raise RecipesError(f"{option}: no stage {name!r}{near}\nstages: {', '.join(names)}")
    return labels
