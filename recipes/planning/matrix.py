"""Fan a recipe out over its matrix.

>>> sizes = as_node(["base", "large"], "r.yaml:3")
>>> [i.label for i in expand(stages, {"size": sizes}, roles_of, problems)]
['teacher[size=base]', 'teacher[size=large]', 'scores']

A value is a scalar, or a mapping with `name`: `${task}` is its name, `${task.train}` a field.
A string that is exactly `${task.train}` becomes the value with its type. Spaces at the ends of a
value, as of the prefix `"query: "`, are no part of its name: `scores[prefix=query:]`.

A stage exists once for each combination of the variables its own text mentions, and of those of
the stages its single inputs (`ModelRef`) name. A list of inputs (`ModelRefs`) gathers every
variant that agrees with the stage on the variables both have. `teacher[task=xnli]` picks.

The knobs of a search are variables too, with two differences. Only some assignments of them are
expanded, never all. And they come with lists of inputs as well, so that each trial is scored and
measured by itself; only a report gathers over them.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recipes.parsing.knobs import Assignment, Fixed, name_of_value
from recipes.parsing.node import Node
from recipes.parsing.problems import Problems, suggest
from recipes.parsing.recipe_file import RawStage
from recipes.parsing.references import StageReference, is_external, parse_reference
from recipes.planning.stage_graph import CycleError, order

Roles = Mapping[str, Literal["one", "many"]]
MOST_VARIANTS = 1_000  # of one stage
MOST_STAGES = 10_000  # variants of all stages
_MOST_CYCLES = 20  # that are noted
NO_KNOBS = Fixed({})
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Instance:
    """One stage with its variables filled in."""

    label: str  # "teacher[task=xnli]"
    stage: RawStage
    assignment: Assignment
    node: Node
    inputs: dict[str, tuple[str, ...]]  # role -> labels of instances, or external models


class Variables:
    """The matrix and the knobs: named values of each variable, and substitution."""

    def __init__(
        self, matrix: Mapping[str, Node], problems: Problems, fixed: Fixed = NO_KNOBS
    ) -> None:
        self.problems, self.fixed = problems, fixed
        self.values: dict[str, dict[str, Any]] = {}
        self.nodes = {**matrix, **fixed.knobs}
        for name, node in [*matrix.items(), *fixed.knobs.items()]:
            where = self.written_in(name)
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                problems.add(node.where, f"{where}: {name!r} is not a variable name")
            if name in matrix and name in fixed.knobs:
                problems.add(node.where, f"{where}: {name!r} is a matrix variable too; rename one")
            self.values[name] = self._named(name, node)

    def written_in(self, variable: str) -> str:
        """The recipe's key a variable is under."""
        return "knobs" if variable in self.fixed.knobs else "matrix"

    def _named(self, variable: str, node: Node) -> dict[str, Any]:
        named: dict[str, Any] = {}
        where = self.written_in(variable)
        items = node.value if isinstance(node.value, list) else []
        if not items:
            self.problems.add(node.where, f"{where}: {variable} needs a list of values")
        for item in items:
            value = item.plain()
            name = name_of_value(value)
            if name is None:
                self.problems.add(
                    item.where,
                    f"{where}: a value of {variable} is a word, a number, or a mapping with name:",
                )
            elif str(name) in named:
                self.problems.add(item.where, f"{where}: {variable} has the value {name!r} twice")
            elif set(str(name)) & set("[],="):
                self.problems.add(item.where, f"{where}: {name!r} holds one of [ ] , =")
            else:
                named[str(name)] = value
        return named

    def mentioned(self, node: Node, who: str) -> set[str]:
        """Variables that a node's strings mention; unknown ones are noted as problems."""
        found = set()
        for scalar in node.scalars():
            for match in _VARIABLE.finditer(str(scalar.value)):
                name = match[1].split(".")[0]
                if name in self.values:
                    found.add(name)
                else:
                    known = ", ".join(self.values) or "none"
                    near = suggest(name, self.values)
                    kind, both = "matrix variable", "matrix variables"
                    if self.fixed.knobs:
                        kind, both = "matrix variable or knob", "matrix variables and knobs"
                    self.problems.add(
                        scalar.where, f"{who}: no {kind} {name!r}{near}\n{both}: {known}"
                    )
        return found

    def assignments(self, variables: Iterable[str]) -> list[Assignment]:
        """All combinations of the values of some variables, the last one turning fastest.

        Of knobs those that some wanted assignment has.
        """
        used, knobs = set(variables), self.fixed.knobs
        chosen = [name for name in self.values if name in used and name not in knobs]
        count = math.prod(len(self.values[name]) for name in chosen)
        if count > MOST_VARIANTS:
            self.problems.add(
                self.nodes[chosen[0]].where,
                f"matrix: {', '.join(chosen)} have {count:,} combinations of values, and a stage "
                f"can have {MOST_VARIANTS:,} variants; take fewer values, or search: with trials",
            )
            return []
        tied = [name for name in self.values if name in used and name in knobs]
        own = dict.fromkeys(
            tuple(wanted[name] for name in tied)
            for wanted in self.fixed.assignments
            if all(wanted[name] in self.values[name] for name in tied)  # else already a problem
        )
        return [
            dict(zip([*chosen, *tied], [*free, *bound], strict=True))
            for free in itertools.product(*(self.values[name] for name in chosen))
            for bound in (own if tied else ((),))
        ]

    def fill(self, node: Node, assignment: Assignment) -> Node:
        """The node with its variables replaced."""
        if isinstance(node.value, dict):
            filled = {key: self.fill(item, assignment) for key, item in node.value.items()}
            return Node(filled, node.where)
        if isinstance(node.value, list):
            return Node([self.fill(item, assignment) for item in node.value], node.where)
        if not isinstance(node.value, str):
            return node
        whole = _VARIABLE.fullmatch(node.value)
        if whole:
            return as_node(self._value(whole[1], assignment, node.where), node.where)
        text = _VARIABLE.sub(
            lambda match: _written(self._value(match[1], assignment, node.where)), node.value
        )
        return Node(text, node.where)

    def _value(self, expression: str, assignment: Assignment, where: str) -> Any:
        variable, dot, field = expression.partition(".")
        if variable not in assignment:
            return f"${{{expression}}}"  # unknown: already a problem
        value = self.values[variable][assignment[variable]]
        if not dot:
            return value["name"] if isinstance(value, dict) else value
        fields = value if isinstance(value, dict) else {}
        if field not in fields:
            known = ", ".join(fields) or "none, it is a plain value"
            self.problems.add(
                where,
                f"${{{expression}}}: the value {assignment[variable]!r} of {variable} has no field "
                f"{field!r}{suggest(field, fields)}\nfields: {known}",
            )
            return ""
        return fields[field]


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_node(value: Any, where: str) -> Node:
    """A plain value as if it were written at `where`."""
    if isinstance(value, dict):
        return Node({str(key): as_node(item, where) for key, item in value.items()}, where)
    if isinstance(value, list):
        return Node([as_node(item, where) for item in value], where)
    return Node(value, where)


def expand(
    stages: Sequence[RawStage],
    matrix: Mapping[str, Node],
    roles_of: Callable[[RawStage], Roles],
    problems: Problems,
    fixed: Fixed = NO_KNOBS,
) -> list[Instance]:
    """Every instance of every stage, in an order in which inputs come first.

    Args:
        roles_of: which config keys of a stage name its inputs.
        fixed: the knobs of a search, and the assignments to expand.

    What is wrong (unknown and unused variables, unknown stages, variants that do not exist,
    cycles) is noted in `problems`; a need that closes a cycle is taken as not there.
    """
    variables = Variables(matrix, problems, fixed)
    own = {s.name: variables.mentioned(s.node, f"stage {s.name!r}") for s in stages}
    for name, node in [*matrix.items(), *fixed.knobs.items()]:
        if not any(name in mentioned for mentioned in own.values()):
            where = variables.written_in(name)
            problems.add(node.where, f"{where}: no stage uses ${{{name}}}; use it or remove it")
    expander = _Expander({s.name: s for s in stages}, variables, roles_of, problems)
    needs = {s.name: expander.needs(s, own[s.name]) for s in stages}
    names = _without_cycles(needs, expander.stages, problems)
    made: list[Instance] = []
    for name in names:
        made += expander.instances(expander.stages[name], own[name])
        if len(made) > MOST_STAGES:
            where = expander.stages[name].node.where
            problems.add(where, f"there are more than {MOST_STAGES:,} stages over all variants")
            return []
    return made


def _without_cycles(
    needs: dict[str, list[str]], stages: Mapping[str, RawStage], problems: Problems
) -> list[str]:
    """Names of stages in order; cycles are noted and opened, so that their stages are checked too.

    With more than `_MOST_CYCLES` there is no order, and no name.
    """
    for _ in range(_MOST_CYCLES):
        try:
            return order(needs)
        except CycleError as error:
            first, second = error.cycle[:2]
            problems.add(stages[first].node.where, str(error))
            needs[first] = [name for name in needs[first] if name != second]
    return []


class _Expander:
    def __init__(
        self,
        stages: dict[str, RawStage],
        variables: Variables,
        roles_of: Callable[[RawStage], Roles],
        problems: Problems,
    ) -> None:
        self.stages, self.variables, self.problems = stages, variables, problems
        self.roles = {name: roles_of(stage) for name, stage in stages.items()}
        self.made: dict[str, list[Instance]] = {}  # stage name -> variants
        self.vars: dict[str, set[str]] = {}

    def references(self, node: Node, role: str) -> list[Node]:
        """The strings of a role."""
        value = node.get(role)
        return [s for s in value.scalars() if isinstance(s.value, str)] if value else []

    def targets(self, stage: RawStage, own: set[str], role: str) -> list[StageReference]:
        """Stages a role may name, over all values of the variables in its text."""
        found = []
        for scalar in self.references(stage.node, role):
            text = str(scalar.value)
            mentioned = {m[1].split(".")[0] for m in _VARIABLE.finditer(text)} & own
            for assignment in self.variables.assignments(mentioned):
                for filled in self.variables.fill(scalar, assignment).scalars():
                    reference = parse_reference(str(filled.value))
                    if reference is not None and reference.name in self.stages:
                        found.append(reference)
        return found

    def needs(self, stage: RawStage, own: set[str]) -> list[str]:
        return [r.name for role in self.roles[stage.name] for r in self.targets(stage, own, role)]

    def instances(self, stage: RawStage, own: set[str]) -> list[Instance]:
        used = set(own)
        knobs = set() if stage.kind == "report" else set(self.variables.fixed.knobs)
        for role, arity in self.roles[stage.name].items():
            for reference in self.targets(stage, own, role):
                brought = self.vars.get(reference.name, set()) - set(reference.variant)
                used |= brought if arity == "one" else brought & knobs
        self.vars[stage.name] = used
        made = []
        for assignment in self.variables.assignments(used):
            node = self.variables.fill(stage.node, assignment)
            inputs = {
                role: self.resolve(stage, node, role, assignment) for role in self.roles[stage.name]
            }
            made.append(Instance(label(stage.name, assignment), stage, assignment, node, inputs))
        self.made[stage.name] = made
        return made

    def resolve(
        self, stage: RawStage, node: Node, role: str, assignment: Assignment
    ) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for scalar in self.references(node, role):
            text, who = str(scalar.value), f"stage {stage.name!r}: {role}"
            reference = parse_reference(text)
            if reference is None or reference.name not in self.stages:
                if is_external(text):
                    found[text] = None
                else:
                    self._unknown(scalar, who, reference)
                continue
            if reference.name not in self.made:  # it closes a cycle, which is noted
                continue
            wanted = {**assignment, **reference.variant}
            variants = self.made[reference.name]
            matching = [v.label for v in variants if _agree(v.assignment, wanted)]
            known = self.vars[reference.name]
            if not matching or set(reference.variant) - known:
                self.problems.add(
                    scalar.where,
                    f"{who}: there is no {text}\nvariants: {', '.join(v.label for v in variants)}",
                )
            found.update(dict.fromkeys(matching))
        return tuple(found)

    def _unknown(self, scalar: Node, who: str, reference: StageReference | None) -> None:
        name = reference.name if reference else str(scalar.value)
        self.problems.add(
            scalar.where,
            f"{who}: no stage {name!r}{suggest(name, self.stages)}\n"
            f"stages: {', '.join(self.stages)}\n"
            "a model from outside is written org/name or ./directory",
        )


def _agree(assignment: Assignment, wanted: Assignment) -> bool:
    return all(wanted.get(name, value) == value for name, value in assignment.items())


def label(name: str, assignment: Assignment) -> str:
    """`teacher[size=base,task=xnli]`; the bare name where there is no variable."""
    inside = ",".join(f"{variable}={value}" for variable, value in assignment.items())
    return f"{name}[{inside}]" if inside else name
