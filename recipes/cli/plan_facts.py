"""All that `plan` says of a recipe, before it is printed as a table or as JSON; nothing runs.

>>> facts = plan_facts("demo", (), None, None)
>>> facts.stages[0].label, facts.stages[0].state, facts.stages[0].prediction.seconds
('teacher', 'to make', 250.3)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from evalsuite.machine.probe import Probe
from evalsuite.results.run import StageRecord
from recipes.cli.outlook import Outlook, on_cluster, on_this_machine
from recipes.cluster.choose_place import nodes_of
from recipes.execution.cache import Cache
from recipes.execution.manifest import read_manifest
from recipes.execution.run_options import RunOptions
from recipes.execution.shared_cache import DamagedError, SharedCache
from recipes.execution.shared_stages import require
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.knobs import Assignment
from recipes.parsing.recipe_file import Loaded, load
from recipes.planning.memory import Estimate
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan, Planned
from recipes.planning.source_text import SourceText
from recipes.planning.time import Prediction
from recipes.search.feasible import SearchSpace, find_feasible


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What is known of one stage.

    Attributes:
        state: `cached`, `shared` (in the shared cache), `damaged` (its output is there and is made
            again) or `to make`.
        record: what it took, where it is finished.
        prediction: what it will take, where it is not; `unknown` says why there is none.
        guess: what its file says of the amount of work, `10 steps`; empty where it says nothing.
        memory: at its peak, or why that is not known.
    """

    planned: Planned
    state: str
    record: StageRecord | None
    prediction: Prediction | None
    guess: str
    memory: Estimate | str

    @property
    def label(self) -> str:
        """`student[size=base]`."""
        return self.planned.label


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A recipe's stages in order of execution, and where they would run.

    Attributes:
        feasible: what a search may try; the stages are those of its first assignment.
        notes: what a person should know, a line each.
    """

    loaded: Loaded
    stages: tuple[StageFacts, ...]
    outlook: Outlook
    feasible: SearchSpace | None
    notes: tuple[str, ...]

    @property
    def assignment(self) -> Assignment | None:
        """The values of the search's knobs that the stages have."""
        return self.feasible.plans[0][0] if self.feasible else None

    def predictions(self) -> dict[str, Prediction]:
        """Of the stages that are still to be made, by label."""
        return {one.label: one.prediction for one in self.stages if one.prediction is not None}

    def estimates(self) -> dict[str, Estimate]:
        """Memory of the stages where it is known ahead, by label."""
        return {one.label: one.memory for one in self.stages if not isinstance(one.memory, str)}


def plan_facts(
    recipe: str,
    overrides: Sequence[str],
    data_dir: Path | None,
    workspace: Path | None,
    options: RunOptions | None = None,
) -> PlanFacts:
    """Plan a recipe, look at its data and measure this machine, or nodes of a cluster.

    Args:
        options: how the recipe would be run; `jobs`, `on`, `cache` and `debug` count.

    Raises:
        RecipeError: with every problem there is.
        ClusterError: the cluster cannot be used.
        SharedCacheError: the shared cache cannot be read.
    """
    options = options or RunOptions()
    space, loaded = Workspace(workspace, options.cache), load(recipe, overrides)
    feasible = find_feasible(loaded, weights=False) if loaded.recipe.search is not None else None
    plan = make_plan(
        loaded, data_dir, DigestMemo(space.digests), weights=False, assignments=first(feasible)
    )
    if feasible is not None:  # one report is made, of all trials
        plan = replace(plan, stages=tuple(one for one in plan.stages if one.kind != "report"))
    text = SourceText(plan.data)
    if options.on is not None:
        require(space)
        space.prepare()  # the nodes look for a file in it
    place = space.root if space.root.is_dir() else None
    with nodes_of(options, space) as opened:

        def look(labels: Sequence[str]) -> Outlook:
            if opened is not None:
                return on_cluster(plan, text, labels, opened, space, options)
            probe_with = partial(Probe, place, time.perf_counter)
            return on_this_machine(plan, text, labels, options.jobs, probe_with)

        return facts_of(plan, Cache(space), look, feasible)


def facts_of(
    plan: Plan,
    cache: Cache,
    look: Callable[[Sequence[str]], Outlook],
    feasible: SearchSpace | None = None,
) -> PlanFacts:
    """The same of a plan that was made already.

    Args:
        look: what the stages with these labels would take.
    """
    finished = _records(plan, cache)
    records = {label: record for label, (_, record) in finished.items()}
    outlook = look([one.label for one in plan.stages if one.label not in records])
    stages = tuple(
        StageFacts(
            planned=stage,
            state=finished[stage.label][0] if stage.label in finished else _state(stage, cache),
            record=records.get(stage.label),
            prediction=outlook.predictions.get(stage.label),
            guess=_guess(stage),
            memory=outlook.memory[stage.label],
        )
        for stage in plan.stages
    )
    notes = tuple(plan.loaded.problems.shown_notes())
    return PlanFacts(plan.loaded, stages, outlook, feasible, notes)


def first(feasible: SearchSpace | None) -> list[Assignment]:
    """The first assignment that can be."""
    return [feasible.plans[0][0]] if feasible else []


def _records(plan: Plan, cache: Cache) -> dict[str, tuple[str, StageRecord]]:
    """State and record of the stages that are finished, here or in the shared cache, by label."""
    address = cache.workspace.shared
    shared = None if address is None else SharedCache(address)
    found = {}
    for stage in plan.stages:
        path = cache.lookup(stage.kind, stage.key)
        manifest = read_manifest(path) if path else None
        if manifest is not None:
            found[stage.label] = "cached", manifest.record
        elif shared and (record := _shared_record(shared, cache.path(stage.kind, stage.key).name)):
            found[stage.label] = "shared", record
    return found


def _shared_record(shared: SharedCache, name: str) -> StageRecord | None:
    """Of a stage in a shared cache; None where it is not there, or damaged: it is made then."""
    try:
        stored = shared.stored(name)
    except DamagedError:
        return None
    return stored.manifest.record if stored else None


def _state(stage: Planned, cache: Cache) -> str:
    """Of a stage that is not finished."""
    return "damaged" if cache.damage(cache.path(stage.kind, stage.key)) else "to make"


def _guess(stage: Planned) -> str:
    cost: Any = getattr(stage.module, "cost", None)
    return str(cost(stage.config)) if cost else ""
