"""How much memory each stage will take, from the configs of its models and its keys.

>>> found = estimate(plan, machine_memory())
>>> found["adapter"].need.total, found["adapter"].fits
(9123456789, True)

A stage's file says what it holds (`memory`). What is not known ahead has no estimate: bundles from
outside the recipe, and models of the hub whose `config.json` is not on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalsuite.errors import EvalsuiteError
from evalsuite.machine.memory import Memory, Place
from recipes.errors import is_persons
from recipes.planning.model_shapes import Inputs, planned_inputs
from recipes.planning.planned import Plan, Planned
from recipes.stages._shared.contract import StageConfig
from recipes.stages._shared.planned_text import PlannedText

_OfStage = Callable[..., Memory]  # of a stage's config and inputs


@dataclass(frozen=True, slots=True)
class Estimate:
    """The memory of one stage.

    Attributes:
        less: other values of the stage's keys, and what the stage would take with them.
    """

    need: Memory
    place: Place
    less: tuple[tuple[Mapping[str, Any], Memory], ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the machine has as much; True where it does not say what it has."""
        return self.within(self.need)

    def within(self, need: Memory) -> bool:
        """Whether a need is within the machine's memory."""
        return not self.place.bytes or need.total <= self.place.bytes


def estimate(plan: Plan, place: Place, text: PlannedText | None = None) -> dict[str, Estimate]:
    """The estimate of each stage whose memory is known ahead, by label.

    Args:
        text: of the source, where sizes that follow from it are wanted too.
    """
    found = estimate_or_reason(plan, place, text)
    return {label: one for label, one in found.items() if isinstance(one, Estimate)}


def estimate_or_reason(
    plan: Plan, place: Place, text: PlannedText | None = None
) -> dict[str, Estimate | str]:
    """The estimate of each stage, by label, or why there is none."""
    found: dict[str, Estimate | str] = {}
    for stage, inputs, lacking in planned_inputs(plan, text):
        memory: _OfStage | None = getattr(stage.module, "memory", None)
        if memory is None:
            found[stage.label] = f"the memory of {stage.kind} stages is not estimated"
            continue
        if lacking:
            found[stage.label] = f"{lacking} is not known ahead"
            continue
        try:
            found[stage.label] = _estimate(plan, stage, inputs, memory, place)
        except EvalsuiteError as error:  # what the models do not allow is said where it runs
            found[stage.label] = str(error).partition("\n")[0]
    return found


def _estimate(
    plan: Plan, stage: Planned, inputs: Inputs, memory: _OfStage, place: Place
) -> Estimate:
    one = Estimate(memory(stage.config, inputs), place)
    if one.fits:
        return one
    return Estimate(one.need, place, tuple(_less(plan, stage, inputs, memory)))


def _less(
    plan: Plan, stage: Planned, inputs: Inputs, memory: _OfStage
) -> Iterable[tuple[Mapping[str, Any], Memory]]:
    """Changes of a stage's keys that its check takes, and what it would then hold."""
    changes: Callable[[StageConfig], Iterable[Mapping[str, Any]]]
    changes = getattr(stage.module, "less_memory", lambda config: ())
    given = plan.artifacts()
    artifacts = {role: [given[name] for name in names] for role, names in stage.inputs.items()}
    written = stage.config.model_dump(exclude_unset=True)
    for keys in changes(stage.config):
        change = {key: value for key, value in keys.items() if getattr(stage.config, key) != value}
        try:
            config = type(stage.config).model_validate(written | change)
            stage.module.check(config, artifacts)  # type: ignore[arg-type]
        except Exception as error:
            if not (isinstance(error, ValueError) or is_persons(error)):
                raise
            continue
        if change:
            yield change, memory(config, inputs)
