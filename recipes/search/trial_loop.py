"""Run a recipe whose knobs are searched: trial after trial, then one report of all.

>>> outcome = search(load("search-budget"), Workspace(), RunOptions(), data_dir=Path("xtreme"))
>>> [stage.label for stage in outcome.recommended]
['int8[task=xnli,layers=3,width=192]', 'int8[task=panx,layers=3,width=192]']

A trial is an ordinary plan in which every knob has one value. All its stages go through the cache:
what no knob changes is made once, what some change once for each of their values, and a search that
was killed makes nothing again. A trial of which a stage is refused (a gate, a shape that cannot be)
is listed with the reason and the search goes on; whatever else goes wrong ends it, as it would end
an ordinary run, and what all trials share is made first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.report.figures.trials import budget_used, over_budget, recommended, score_trials
from evalsuite.report.figures.verdict import summary_line
from evalsuite.results.run import RunRecord
from evalsuite.results.search import Search, Trial
from recipes.cluster.choose_place import nodes_of, stage_place
from recipes.errors import RecipesError, StageRefusedError
from recipes.execution.cache import Cache
from recipes.execution.display import Display
from recipes.execution.run_options import RunOptions
from recipes.execution.run_record import RunOutcome, StageOutcome, note
from recipes.execution.scheduler import Refused, make_all
from recipes.execution.shared_stages import SharedStages, require
from recipes.execution.stage_runner import Maker
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.knobs import Assignment, assignment_text, numeric
from recipes.parsing.node import Node
from recipes.parsing.problems import suggest
from recipes.parsing.recipe_file import Loaded
from recipes.parsing.references import parse_reference
from recipes.planning.matrix import as_node
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.planning.stage_graph import descendants
from recipes.search.feasible import SearchSpace, find_feasible, has_stage, refusal
from recipes.search.optuna_sampler import Sampler
from recipes.stages._shared import read_measurements

if TYPE_CHECKING:
    from recipes.cluster.open_cluster import OpenCluster

_LISTED = 10  # labels in a message
_CHECKED = 100  # assignments whose data is looked for before the first trial


def search(
    loaded: Loaded,
    space: Workspace,
    options: RunOptions,
    *,
    data_dir: Path | None = None,
    progress: Display | Callable[[Plan], Display] | None = None,
) -> RunOutcome:
    """Make at most as many trials as the recipe allows, and the report.

    Args: as of `recipes.run.run_recipe`; the stage `from_stage` is made again in every trial that
        has it.

    Raises:
        RecipeError: the recipe is wrong; nothing was run.
        RecipesError: no trial could be made, or one met something a person can put right.
        WorkspaceError, StageFailedError: as in any run.
    """
    feasible = find_feasible(loaded)
    if options.until_stage is not None:
        raise RecipesError(
            "--until: a search judges whole trials, so none can stop half way\n"
            "for fewer trials: --set search.trials=1"
        )
    if options.from_stage is not None:
        _require_stage(loaded, feasible, options.from_stage)
    memo = DigestMemo(space.digests)
    ahead = [assignment for assignment, _ in feasible.plans[:_CHECKED]]
    make_plan(loaded, data_dir, memo, assignments=ahead)  # checks that their data is there
    first = make_plan(loaded, data_dir, memo, assignments=ahead[:1])
    sampler = Sampler(
        feasible.knobs,
        numeric={knob: numeric(node) for knob, node in loaded.knobs.items()},
        trials=feasible.config.trials,
        parallel=feasible.config.parallel,
        seed=loaded.recipe.seed,
    )
    require(space)
    space.prepare()
    display = progress(first) if callable(progress) else progress or Display()
    try:
        with space.guard(), nodes_of(options, space) as opened:
            run = _Searcher(loaded, space, options, data_dir, memo, display, opened)
            trials = run.all(feasible, sampler)
            outcome = run.report(feasible, trials)
    finally:
        display.stop()
    display.finish(outcome)
    return outcome


def _require_stage(loaded: Loaded, feasible: SearchSpace, name: str) -> None:
    reference, names = parse_reference(name), [stage.name for stage in loaded.stages]
    if reference is None or reference.name not in names:
        raise RecipesError(
            f"--from: no stage {name!r}{suggest(name, names)}\nstages: {', '.join(names)}"
        )
    if not has_stage(loaded, feasible, name):
        plans = [plan.find(reference.name) for _, plan in feasible.plans]
        labels = list(dict.fromkeys(label for found in plans for label in found))
        more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
        raise RecipesError(
            f"--from: no trial can have a stage {name!r}{suggest(name, labels)}\n"
            f"stages of that name: {', '.join(labels[:_LISTED])}{more}"
        )


@dataclass(slots=True)
class _Searcher:
    """One search under way; `made` are its stages by label, of all trials so far."""

    loaded: Loaded
    space: Workspace
    options: RunOptions
    data_dir: Path | None
    memo: DigestMemo
    display: Display
    opened: OpenCluster | None
    made: dict[str, StageOutcome] = field(default_factory=dict)

    def all(self, feasible: SearchSpace, sampler: Sampler) -> list[Trial]:
        """Trials in the order in which the sampler asks for them."""
        record, most = _record(feasible, ()), feasible.config.trials
        trials: list[Trial] = []
        begun = 0
        while asked := self._ask(sampler, min(feasible.config.parallel, most - begun), trials):
            numbers = {}
            for place, trial in enumerate(asked):
                if not trial.refused:
                    begun += 1
                    numbers[place] = f"trial {begun} of {most}"
                    self.display.say(f"{numbers[place]}: {assignment_text(trial.assignment)}")
            for place, trial in enumerate(self.judged(asked, record)):
                trials.append(trial)
                if place in numbers:
                    self.display.say(f"{numbers[place]}: {_outcome(trial)}")
                if trial.refused:
                    sampler.refuse()
                else:
                    average, cost, over = _judged(record, trial)
                    sampler.tell(average=average, cost=cost, over=over)
        if all(trial.refused for trial in trials):
            reasons = "\n".join(f"{assignment_text(t.assignment)}: {t.refused}" for t in trials)
            raise RecipesError(
                f"search: none of {len(trials)} assignments could be made\n{reasons}\n"
                "give the knobs other values, or let the gates pass more"
            )
        return trials

    def _ask(self, sampler: Sampler, count: int, trials: list[Trial]) -> list[Trial]:
        """At most `count` trials to be made at the same time, and refused ones between them.

        The sampler gets those that are refused before any other at once, and they go to `trials`.
        """
        asked: list[Trial] = []
        while sum(not trial.refused for trial in asked) < count:
            if (assignment := sampler.ask()) is None:
                break
            trial = Trial(assignment=assignment, refused=refusal(self.loaded, assignment))
            if trial.refused and not asked:  # which took no time
                trials.append(trial)
                sampler.refuse()
            else:
                asked.append(trial)
        return asked

    def plan(self, loaded: Loaded, assignments: Sequence[Assignment]) -> Plan:
        """The stages of some trials."""
        return make_plan(loaded, self.data_dir, self.memo, assignments=assignments)

    def judged(self, asked: Sequence[Trial], record: Search) -> list[Trial]:
        """Make what is not there yet of some trials, and judge each candidate."""
        wanted = [trial.assignment for trial in asked if not trial.refused]
        plan = self.plan(self.loaded, wanted)
        own = {
            place: _own_labels(plan, trial.assignment)
            for place, trial in enumerate(asked)
            if not trial.refused
        }
        each = set().union(*own.values())
        shared = {stage.label for stage in plan.stages if stage.kind != "report"} - each
        self.make(plan, shared)
        reasons: dict[int, str] = {place: trial.refused for place, trial in enumerate(asked)}

        def refused(label: str, error: StageRefusedError) -> set[str]:
            for place, labels in own.items():
                if label in labels and not reasons[place]:
                    reasons[place] = " ".join(str(error).splitlines()[:1])
            still = [labels for place, labels in own.items() if not reasons[place]]
            return each.difference(*still)

        self.make(plan, each, refused)
        return [
            self._judge(trial, record)
            if not reasons[place]
            else trial.model_copy(update={"refused": reasons[place]})
            for place, trial in enumerate(asked)
        ]

    def _judge(self, trial: Trial, record: Search) -> Trial:
        """A trial with what its stages measured."""
        plan = self.plan(self.loaded, [trial.assignment])
        outputs = [
            (stage.artifact.kind, self.made[stage.label].path)
            for stage in plan.stages
            if stage.kind != "report" and stage.artifact.kind in read_measurements.RECORDS
        ]
        recipe = self.loaded.recipe
        run = RunRecord(
            recipe=recipe.name,
            description=recipe.description,
            source=recipe.source,
            seed=recipe.seed,
            stages=(),
            search=record.model_copy(update={"trials": (trial,)}),
            **read_measurements.read(outputs),
        )
        run = score_trials(run)
        assert run.search is not None
        return run.search.trials[0]

    def make(self, plan: Plan, labels: set[str], refused: Refused | None = None) -> None:
        """Make stages of a plan that no earlier trial had."""
        chosen = {label for label in labels if label not in self.made}
        maker = Maker(plan, self.space, self.display, self.options.debug)
        maker.made = self.made
        again = set[str]()
        if self.options.from_stage is not None:
            again = descendants(plan.graph(), plan.find(self.options.from_stage)) & chosen
        with stage_place(maker, self.options.jobs, chosen, self.opened, again) as place:
            make_all(maker, chosen, place, refused)

    def report(self, feasible: SearchSpace, trials: Sequence[Trial]) -> RunOutcome:
        """One report of every trial that was made; it lists the others."""
        asked = [Trial(assignment=trial.assignment, refused=trial.refused) for trial in trials]
        spec = as_node(_record(feasible, asked).model_dump(mode="json"), "search")
        stages = tuple(
            replace(stage, node=Node({**stage.node.value, "search": spec}, stage.node.where))
            if stage.kind == "report" and isinstance(stage.node.value, dict)
            else stage
            for stage in self.loaded.stages
        )
        made = [trial.assignment for trial in trials if not trial.refused]
        plan = self.plan(replace(self.loaded, stages=stages), made)
        self.make(plan, {stage.label for stage in plan.stages})
        outcomes = [self.made[stage.label] for stage in plan.stages]
        best = recommended(feasible.config.kind, trials)
        wanted = None if best is None else trials[best].assignment
        models = [
            self.made[stage.label]
            for stage in plan.stages
            if stage.name == feasible.config.candidate
            and wanted is not None
            and wanted.items() <= _variant(stage.label).items()
        ]
        outcome = note(self.loaded, self.space, outcomes, models)
        SharedStages(Cache(self.space), self.display).note_run(outcome)
        return outcome


def _own_labels(plan: Plan, assignment: Assignment) -> set[str]:
    """Stages of one of a plan's trials that have a knob in their name."""
    found = set()
    for stage in plan.stages:
        variant = _variant(stage.label)
        knobs = {name: value for name, value in variant.items() if name in assignment}
        if stage.kind != "report" and knobs and knobs.items() <= assignment.items():
            found.add(stage.label)
    return found


def _variant(label: str) -> dict[str, str]:
    reference = parse_reference(label)
    return reference.variant if reference else {}


def _record(feasible: SearchSpace, trials: Sequence[Trial]) -> Search:
    return Search(
        candidate=feasible.config.candidate,
        reference=feasible.reference,
        budget=feasible.config.kind,
        limit=feasible.config.limit,
        knobs=feasible.knobs,
        most=feasible.config.trials,
        trials=tuple(trials),
    )


def _judged(record: Search, trial: Trial) -> tuple[float, float, float]:
    """Average, cost, and how far over the budget.

    Raises:
        RecipesError: one of them is not known, so that there is nothing to search by.
    """
    cost, over = budget_used(record.budget, trial), over_budget(record, trial)
    if trial.average is None:
        raise RecipesError(
            f"search: {record.candidate} has no zero-shot average to be judged by: its evaluate "
            "stages score no language but the source's, or one task in two ways that cannot be "
            "averaged"
        )
    if over is None and record.budget == "points":
        raise RecipesError(
            f"search: points cannot be counted from {record.reference}: it is not scored on the "
            f"same tasks, languages and rows as {record.candidate}"
        )
    if cost is None or over is None:
        raise RecipesError(f"search: no latency of {record.candidate} was measured")
    return trial.average, cost, over


def _outcome(trial: Trial) -> str:
    return f"not possible: {trial.refused}" if trial.refused else summary_line(trial)
