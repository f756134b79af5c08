"""Keys of stages that may lose some zero-shot score, and the check of that loss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from evalsuite.task import Task
from recipes.stages._shared.contract import StageConfig, StageContext, Summary, TaskName

if TYPE_CHECKING:
    from evalsuite.agreement.outputs import Parity

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
    """How much the stage may lose, on the mean and in each language."""

    max_lost: float | None = Field(
        default=None,
        ge=0,
        description="Largest loss of zero-shot score on the probe task, in points; default: the "
        "score is not measured.",
    )
    max_lost_per_language: float | None = Field(
        default=None,
        ge=0,
        description="Largest loss of score in any language, in points; default: no limit.",
    )
    min_agreement_per_language: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Least share of predicted labels that must stay the same in every language, in "
        "percent.",
    )
    score_rows: int = Field(
        default=200,
        ge=1,
        description="Evaluation rows per language that are scored for max_lost and "
        "max_lost_per_language.",
    )

    @property
    def scored(self) -> bool:
        """Whether the score before and after is measured."""
        return self.max_lost is not None or self.max_lost_per_language is not None


def hold_score(
    config: ScoreGateConfig,
    ctx: StageContext,
    before: Path,
    task: Task,
    step: str,
    remedy: str,
) -> Summary:
    """Score the model before and after the stage; the loss may be at most what the keys allow.

    Raises:
        GateError: the loss is larger.
    """
    from compress import gate

    if not config.scored:
        return {}
    ctx.progress(0.9, f"scoring on {task.name}")
    loss = gate.lost(before, ctx.out, task, ctx.data, config.score_rows)
    gate.hold_score(
        loss,
        config.max_lost,
        step,
        f"{remedy}, or allow more to be lost",
        per_language=config.max_lost_per_language,
    )
    return loss.facts()


def hold_labels(
    config: ScoreGateConfig, least: float, parity: Parity, step: str, remedy: str
) -> None:
    """Refuse a step after which less than `least` percent of the labels are the same.

    Raises:
        GateError: over all languages, or in one of them.
    """
    from compress import gate

    gate.hold(
        parity,
        least,
        step,
        f"{remedy}, or lower the least agreement",
        per_language=config.min_agreement_per_language,
    )
