"""The comparison of a distilled student with its teacher, and its limits."""

from __future__ import annotations

from pydantic import Field

from evalsuite.task import Task
from recipes.stages._shared.contract import StageContext, Summary
from recipes.stages._shared.score_gate import (
    ProbeTask,
    ScoreGateConfig,
    hold_labels,
    hold_score,
)

_REMEDY = "keep more of the teacher, train for longer"


class StudentGateConfig(ScoreGateConfig):
    """Comparison of the student's labels with the teacher's."""

    probe: int = Field(
        default=32,
        ge=0,
        description="Sentences per language on which labels of student and teacher are compared; "
        "0: no comparison.",
    )
    probe_task: ProbeTask = None
    min_agreement: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Least share of the student's labels that must equal the teacher's, in "
        "percent.",
    )


def compare_student(config: StudentGateConfig, ctx: StageContext, task: Task | None) -> Summary:
    """Compare the labels of student and teacher, and refuse a student that lost too much.

    Args:
        task: whose text both read; None where nothing says it.

    Raises:
        GateError: more was lost than the keys allow, or the limits cannot be measured.
    """
    from compress.distill.own_pieces import parity
    from compress.errors import GateError
    from evalsuite.inference.label_order import same_names
    from evalsuite.inference.open_model import open_model

    teacher = ctx.input("teacher").path
    first, second = open_model(teacher), open_model(ctx.out)
    if task is None or not first.labels or not same_names(first.labels, second.labels):
        if first.labels and _limited(config):
            raise GateError(
                "distil: student and teacher cannot be compared, because "
                + (
                    "nothing says which text the teacher reads; set probe_task"
                    if task is None
                    else "their labels are others; leave the limits on labels and score out"
                )
            )
        return {}
    summary: Summary = {}
    if config.probe:
        compared = parity(first, second, task, ctx.data, config.probe)
        summary |= compared.facts()
        hold_labels(config, config.min_agreement, compared, "distil", _REMEDY)
    return summary | hold_score(config, ctx, teacher, task, "distil", _REMEDY)


def _limited(config: StudentGateConfig) -> bool:
    """Whether the recipe limits what may be lost."""
    return config.min_agreement > 0 or config.min_agreement_per_language > 0 or config.scored
