"""Keys of stages that may lose some zero-shot score, and the check of that loss."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from evalsuite.task import Task
from recipes.stages._shared.contract import StageConfig, StageContext, Summary, TaskName

ProbeTask = Annotated[
    TaskName | None,
    Field(
        description="Task whose evaluation text is compared; default: the task the model was "
        "trained on."
    ),
]
ProbeSentences = Annotated[
    int,
    Field(
        ge=0,
        description="Sentences per language on which labels before and after are compared; 0: no "
        "comparison.",
    ),
]
LeastAgreement = Annotated[
    float,
    Field(
        ge=0,
        le=100,
        description="Least share of predicted labels (or scores, or sets of labels) that must stay "
        "the same, in percent.",
    ),
]


class ScoreGateConfig(StageConfig):
    """How much zero-shot score the stage may lose."""

    max_lost: float | None = Field(
        default=None,
        ge=0,
        description="Largest loss of zero-shot score on the probe task, in points; default: the "
        "score is not measured.",
    )
    score_rows: int = Field(
        default=200, ge=1, description="Evaluation rows per language that are scored for max_lost."
    )


def hold_score(
    config: ScoreGateConfig,
    ctx: StageContext,
    before: Path,
    task: Task,
    step: str,
    remedy: str,
) -> Summary:
    """Score the model before and after the stage; the loss may be at most `max_lost` points.

    Raises:
        GateError: the loss is larger.
    """
    from compress import gate

    if config.max_lost is None:
        return {}
    ctx.progress(0.9, f"scoring on {task.name}")
    loss = gate.lost(before, ctx.out, task, ctx.data, config.score_rows)
    gate.hold_score(loss, config.max_lost, step, f"{remedy}, or raise max_lost")
    return loss.facts()
