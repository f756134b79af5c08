"""Keys of stages that may lose some zero-shot score, and the check of that loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from evalsuite.inference.task_head import by_embedding
from evalsuite.task import Task
from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    StageConfig,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.heads import head_format, refuse_other_head, trained_suits
from recipes.stages._shared.labelled_rows import refuse_unlabelled
from recipes.stages._shared.training_keys import probed

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

    @model_validator(mode="after")
    def _limits_are_measured(self) -> Self:
        if getattr(self, "probe", None) != 0:
            return self
        limits = {"min_agreement"} & self.model_fields_set | {"min_agreement_per_language"}
        if held := sorted(key for key in limits if getattr(self, key) > 0):
            raise ValueError(
                f"{', '.join(held)}: with probe: 0 nothing is compared; set probe above 0, or "
                f"leave {' and '.join(held)} out"
            )
        return self


def is_encoder(model: Artifact) -> bool:
    """Whether a model is known to have no task head."""
    return head_format(model) is None and (model.head is not None or not model.external)


def refuse_unscored(config: ScoreGateConfig, asked: str | None, model: Artifact) -> None:
    """Raise StageInputError where max_lost is set and cannot be measured on the probe task.

    Its rows may have no labels, or the model may not be one for it.

    Args:
        asked: the probe task that the recipe names.
    """
    if not config.scored:
        return
    task = probed(asked, model)
    key = "max_lost_per_language" if config.max_lost is None else "max_lost"
    refuse_unlabelled(key, task)
    if is_encoder(model):
        if not by_embedding(task, head=False):
            raise StageInputError(
                f"probe_task: {task.name} needs a task head, which the model does not have, so "
                "max_lost cannot be measured on it; set probe_task: tatoeba"
            )
    elif model.task is None:
        refuse_other_head(model, task, "probe_task")
    elif not trained_suits(model.task, task):
        raise StageInputError(
            f"probe_task: max_lost would be measured on {task.name}, whose labels are not those "
            f"of {model.task}, which the model was trained on; set probe_task: {model.task}"
        )


def gate_rows(config: Any, gives: Artifact) -> tuple[DataNeed, ...]:
    """The rows that a gate compares and scores on; none where it does neither.

    Args:
        config: of a stage with `probe` and `probe_task`.
    """
    if not (config.probe or config.scored):
        return ()
    return (DataNeed(probed(config.probe_task, gives).name, "eval"),)


def hold_score(
    config: ScoreGateConfig,
    ctx: StageContext,
    before: Path,
    task: Task,
    step: str,
    remedy: str,
    languages: Sequence[str] | None = None,
) -> Summary:
    """Score the model before and after the stage; the loss may be at most what the keys allow.

    Args:
        languages: that are scored, as `compress.gate.lost` takes them.

    Raises:
        GateError: the loss is larger.
    """
    from compress import gate

    if not config.scored:
        return {}
    ctx.progress(0.9, f"scoring on {task.name}")
    loss = gate.lost(before, ctx.out, task, ctx.data, config.score_rows, languages)
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
