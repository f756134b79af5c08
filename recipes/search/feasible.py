"""Which assignments of a search's knobs can be, before anything runs.

>>> feasible = find_feasible(load("search-budget"))
>>> len(feasible.plans), feasible.refused
(24, 0)

An assignment cannot be where a stage's config or check refuses it (a precision that a runtime does
not have). One of many is left out of the search; a value that no assignment can have, or a recipe
of which none can be, is a mistake and raised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec

from evalsuite.errors import MissingExtraError
from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing import knobs
from recipes.parsing.knobs import Assignment, SearchConfig
from recipes.parsing.problems import Problems, suggest
from recipes.parsing.recipe_file import Loaded
from recipes.parsing.references import is_external, parse_reference
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan

LOOK_AT = 200  # assignments; of more, as few as hold every value


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What a search may try.

    Attributes:
        knobs: names of their values.
        plans: by assignment, of those looked at that can be; without keys.
        refused: how many cannot be; 0 where not all were looked at.
        reference: what points are counted from; empty where nothing else is scored.
    """

    config: SearchConfig
    knobs: dict[str, tuple[str, ...]]
    plans: tuple[tuple[Assignment, Plan], ...]
    refused: int
    reference: str

    @property
    def count(self) -> int:
        """Assignments there are, whether or not they can be."""
        return knobs.count(self.knobs)

    @property
    def trials(self) -> int:
        """Trials that are made at most."""
        return min(self.config.trials, self.count - self.refused)

    def text(self) -> str:
        """`8 trials of 16 assignments`."""
        most = self.trials
        text = f"{most} trial{'' if most == 1 else 's'} of {self.count} assignments"
        return text + (f", {self.refused} of which cannot be" if self.refused else "")


def find_feasible(loaded: Loaded, *, weights: bool = True) -> SearchSpace:
    """Plan every assignment, or of very many some, without looking at data.

    Args:
        weights: as of `make_plan`.

    Raises:
        RecipeError: none can be, a value cannot be in any, or the search asks for what the stages
            do not give; with every problem found.
    """
    config, problems = loaded.recipe.search, loaded.problems
    if not isinstance(config, SearchConfig):  # it, or what it is part of, has a problem
        make_plan(loaded, None, DigestMemo(), keys=False, weights=weights)
        raise AssertionError("only for recipes with search:")
    values = knobs.names(loaded.knobs)
    _check_names(loaded, config)
    whole = knobs.count(values) <= LOOK_AT
    plans: list[tuple[Assignment, Plan]] = []
    refused: list[tuple[Assignment, Problems]] = []
    for assignment in knobs.grid(values) if whole else knobs.cover(values):
        found = _plan(loaded, assignment, weights)
        if isinstance(found, Plan):
            plans.append((assignment, found))
            continue
        refused.append((assignment, found))
        if problems:  # whatever the knobs say
            break
    if not plans and not refused:  # a knob without values
        make_plan(loaded, None, DigestMemo(), keys=False, weights=weights)
    if not plans:
        problems.lines += [line for line in refused[0][1].lines if line not in problems.lines]
        problems.raise_if_any()
    if whole:
        _require_every_value(values, plans, refused, problems)
    reference = _check_measured(loaded, config, plans[0][1])
    problems.raise_if_any()
    return SearchSpace(config, values, tuple(plans), len(refused) if whole else 0, reference)


def _plan(loaded: Loaded, assignment: Assignment, weights: bool = True) -> Plan | Problems:
    """One assignment's plan, or what is wrong with it."""
    problems = Problems(loaded.problems.recipe)
    problems.lines = list(loaded.problems.lines)
    problems.faulty_tasks = set(loaded.problems.faulty_tasks)
    own = replace(loaded, problems=problems)
    try:
        return make_plan(
            own, None, DigestMemo(), keys=False, weights=weights, assignments=[assignment]
        )
    except RecipeError:
        return problems


def refusal(loaded: Loaded, assignment: Assignment) -> str:
    """Why one assignment cannot be; empty where it can."""
    found = _plan(loaded, assignment)
    return reason(found.lines) if isinstance(found, Problems) else ""


def has_stage(loaded: Loaded, space: SearchSpace, name: str) -> bool:
    """Whether an assignment that can be has a stage `student` or `student[layers=3]`."""
    if any(plan.find(name) for _, plan in space.plans):
        return True
    reference, every = parse_reference(name), len(space.plans) + space.refused == space.count
    if reference is None or every:
        return False
    own = {knob: v for knob, v in reference.variant.items() if v in space.knobs.get(knob, ())}
    plans = (_plan(loaded, assignment | own) for assignment, _ in space.plans)
    return any(isinstance(plan, Plan) and plan.find(name) for plan in plans)


def reason(lines: Iterable[str]) -> str:
    """Problems in one line, without their places and what could be written instead.

    >>> reason(["r.yaml:7: stage 'a' (export): precision: 'int9' is not allowed\\n    allowed: "])
    "stage 'a' (export): precision: 'int9' is not allowed"
    """
    return "; ".join(line.splitlines()[0].partition(": ")[2] for line in lines)


def _check_names(loaded: Loaded, config: SearchConfig) -> None:
    problems, names = loaded.problems, [stage.name for stage in loaded.stages]
    written = loaded.tree["search"]
    if find_spec("optuna") is None:
        problems.add(written.where, f"search: {MissingExtraError('optuna', 'search')}")
    if config.candidate not in names:
        problems.add(
            written["candidate"].where,
            f"search: candidate: no stage {config.candidate!r}{suggest(config.candidate, names)}\n"
            f"stages: {', '.join(names)}",
        )
    reference = config.reference
    if reference is not None and reference not in names and not is_external(reference):
        problems.add(
            written["reference"].where,
            f"search: reference: no stage {reference!r}{suggest(reference, names)}\n"
            f"stages: {', '.join(names)}\n"
            "a model from outside is written org/name or ./directory, as the stages write it",
        )


def _require_every_value(
    values: dict[str, tuple[str, ...]],
    plans: list[tuple[Assignment, Plan]],
    refused: list[tuple[Assignment, Problems]],
    problems: Problems,
) -> None:
    for knob, own in values.items():
        for value in own:
            if any(assignment[knob] == value for assignment, _ in plans):
                continue
            found = next(found for assignment, found in refused if assignment[knob] == value)
            problems.lines += [line for line in found.lines if line not in problems.lines]


def _check_measured(loaded: Loaded, config: SearchConfig, plan: Plan) -> str:
    """That the candidate is what is searched for, scored and timed; the reference's name."""
    problems, written = loaded.problems, loaded.tree["search"]
    where = written["candidate"].where
    variants = [stage for stage in plan.stages if stage.name == config.candidate]
    if variants[0].artifact.kind not in ("checkpoint", "bundle", "cascade"):
        problems.add(
            where,
            f"search: candidate: {config.candidate} gives {variants[0].artifact.kind}, not a "
            "model; name the last stage that makes one",
        )
        return ""
    reference = parse_reference(variants[0].label)
    turned = reference.variant if reference else {}
    for knob in loaded.knobs:
        if knob not in turned:
            problems.add(
                where,
                f"search: candidate: {config.candidate} does not depend on the knob {knob}, so "
                "nothing would be known of its values; name a stage that does",
            )
    scored = _inputs(plan, "scores")
    if config.candidate not in scored:
        problems.add(
            where,
            f"search: candidate: no evaluate stage scores {config.candidate}; "
            f"add it to the models of one",
        )
    if config.kind == "ms" and config.candidate not in _inputs(plan, "speed"):
        problems.add(
            written["budget"].where,
            f"search: budget: ms is measured by a benchmark stage, and none has "
            f"{config.candidate} among its models",
        )
    others = [name for name in scored if name != config.candidate]
    if config.reference is not None and config.reference not in scored:
        problems.add(
            written["reference"].where,
            f"search: reference: no evaluate stage scores {config.reference}\n"
            f"scored: {', '.join(scored) or 'nothing'}",
        )
    if config.kind == "points" and config.reference is None and not others:
        problems.add(
            written["budget"].where,
            "search: budget: points are counted from another model's score, and no evaluate "
            "stage has one",
        )
    return config.reference or next(iter(others), "")


def _inputs(plan: Plan, kind: str) -> list[str]:
    """Models that measuring stages of a kind take, by stage name or as written."""
    found: dict[str, None] = {}
    names = {stage.label: stage.name for stage in plan.stages}
    for stage in plan.stages:
        if stage.artifact.kind == kind:
            found.update(dict.fromkeys(names.get(label, label) for label in stage.needs()))
    return list(found)
