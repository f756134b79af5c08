"""How long each stage will take, and how much disk, from what its file says it computes.

>>> found = predict(plan, SourceText(plan.data), Probe())
>>> found["student"].seconds, found["student"].output
(612.4, 445130839)
>>> found["words"].unknown
'text files are counted'

A stage's file says what it computes (`work`); this machine's probe says how fast that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from evalsuite.errors import EvalsuiteError
from evalsuite.machine.work import Rates, Work
from recipes.errors import NotKnownAheadError
from recipes.planning.model_shapes import planned_inputs
from recipes.planning.planned import Plan
from recipes.stages._shared.planned_text import PlannedText


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one stage will take.

    Attributes:
        parts: seconds by what they are for; empty where they are not known.
        output: bytes of its result.
        working: bytes more that are on disk while it runs, at most.
        unknown: why nothing is known; empty where it is.
    """

    parts: dict[str, float] = field(default_factory=dict)
    output: float = 0.0
    working: float = 0.0
    unknown: str = ""

    @property
    def seconds(self) -> float:
        """All parts."""
        return sum(self.parts.values())


def predict(
    plan: Plan, text: PlannedText, machine: Rates, labels: Iterable[str] | None = None
) -> dict[str, Prediction]:
    """The prediction of each stage, by label.

    Args:
        labels: of the stages; None for all.
    """
    return {
        label: Prediction(unknown=work)
        if isinstance(work, str)
        else Prediction(work.seconds(machine), work.output, work.working)
        for label, work in work_of(plan, text, labels).items()
    }


def work_of(
    plan: Plan, text: PlannedText, labels: Iterable[str] | None = None
) -> dict[str, Work | str]:
    """What each stage computes and moves, by label, or why that is not known.

    Args:
        labels: of the stages; None for all.
    """
    wanted = None if labels is None else set(labels)
    found: dict[str, Work | str] = {}
    for stage, inputs, lacking in planned_inputs(plan, text):
        if wanted is not None and stage.label not in wanted:
            continue
        work: Callable[..., Work] | None = getattr(stage.module, "work", None)
        if work is None:
            found[stage.label] = f"{stage.kind} stages are not predicted"
        elif lacking:
            found[stage.label] = f"{lacking} is not known ahead"
        else:
            try:
                found[stage.label] = work(stage.config, stage.artifact, inputs, text)
            except (NotKnownAheadError, EvalsuiteError) as error:
                found[stage.label] = str(error).partition("\n")[0]
    return found
