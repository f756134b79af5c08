"""All that `plan` says of a recipe, before it is printed as a table or as JSON; nothing runs.

>>> facts = plan_facts("demo", (), None, None)
>>> facts.stages[0].label, facts.stages[0].state, facts.stages[0].prediction.seconds
('teacher', 'to make', 250.3)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalsuite.machine import environment
from evalsuite.machine.memory import Place, machine_memory
from evalsuite.machine.probe import Probe
from evalsuite.results.run import StageRecord
from recipes.execution.cache import Cache
from recipes.execution.manifest import read_manifest
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.knobs import Assignment
from recipes.parsing.recipe_file import Loaded, load
from recipes.planning.memory import Estimate, estimate_or_reason
from recipes.planning.plan import Plan, Planned, make_plan
from recipes.planning.source_text import SourceText
from recipes.planning.time import Prediction, predict
from recipes.search.feasible import SearchSpace, find_feasible
from recipes.stages._shared.planned_text import PlannedText


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What is known of one stage.

    Attributes:
        state: `cached`, `damaged` (its output is there and is made again) or `to make`.
        record: what it took, where it is cached.
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
class Machine:
    """What stages are planned for.

    Attributes:
        threads: that a stage computes with.
        figures: what the probe measured; see `evalsuite.machine.probe.Probe.figures`.
    """

    cores: int
    threads: int
    place: Place
    figures: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A recipe's stages in order of execution, and the machine they are planned for.

    Attributes:
        feasible: what a search may try; the stages are those of its first assignment.
        notes: what a person should know, a line each.
    """

    loaded: Loaded
    stages: tuple[StageFacts, ...]
    machine: Machine
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
    recipe: str, overrides: Sequence[str], data_dir: Path | None, workspace: Path | None
) -> PlanFacts:
    """Plan a recipe, look at its data and measure this machine.

    Raises:
        RecipeError: with every problem there is.
    """
    space, loaded = Workspace(workspace), load(recipe, overrides)
    feasible = find_feasible(loaded) if loaded.recipe.search is not None else None
    plan = make_plan(
        loaded, data_dir, DigestMemo(space.digests), weights=False, assignments=first(feasible)
    )
    if feasible is not None:  # one report is made, of all trials
        plan = replace(plan, stages=tuple(one for one in plan.stages if one.kind != "report"))
    probe = Probe(space.root if space.root.is_dir() else None)
    return facts_of(plan, Cache(space), SourceText(plan.data), probe, feasible)


def facts_of(
    plan: Plan,
    cache: Cache,
    text: PlannedText,
    probe: Probe,
    feasible: SearchSpace | None = None,
) -> PlanFacts:
    """The same of a plan that was made already."""
    records = _records(plan, cache)
    predictions = predict(
        plan, text, probe, [one.label for one in plan.stages if one.label not in records]
    )
    place = machine_memory()
    memory = estimate_or_reason(plan, place, text)
    stages = tuple(
        StageFacts(
            planned=stage,
            state=_state(stage, stage.label in records, cache),
            record=records.get(stage.label),
            prediction=predictions.get(stage.label),
            guess=_guess(stage),
            memory=memory[stage.label],
        )
        for stage in plan.stages
    )
    machine = Machine(environment.cores(), environment.threads(), place, probe.figures())
    notes = tuple(plan.loaded.problems.shown_notes())
    return PlanFacts(plan.loaded, stages, machine, feasible, notes)


def first(feasible: SearchSpace | None) -> list[Assignment]:
    """The first assignment that can be."""
    return [feasible.plans[0][0]] if feasible else []


def _records(plan: Plan, cache: Cache) -> dict[str, StageRecord]:
    """Of the stages that are in the cache, by label."""
    found = {}
    for stage in plan.stages:
        path = cache.lookup(stage.kind, stage.key)
        manifest = read_manifest(path) if path else None
        if manifest is not None:
            found[stage.label] = manifest.record
    return found


def _state(stage: Planned, finished: bool, cache: Cache) -> str:
    if finished:
        return "cached"
    return "damaged" if cache.damage(cache.path(stage.kind, stage.key)) else "to make"


def _guess(stage: Planned) -> str:
    cost: Any = getattr(stage.module, "cost", None)
    return str(cost(stage.config)) if cost else ""
