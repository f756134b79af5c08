"""Keys of `train` that say how a training is mixed and batched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from recipes.errors import StageInputError
from recipes.training import TaskTrainingConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evalsuite.task import Task


class MixingConfig(TaskTrainingConfig):
    """Several tasks, several languages, masked LM: which share of batches each has."""

    tasks: tuple[str, ...] = Field(description="none: masked LM alone")
    mixing: Literal["proportional", "capped", "temperature", "uniform"] = Field(
        default="proportional", description="of tasks, by their rows"
    )
    cap: int | None = Field(default=None, ge=1, description="examples counted when mixing tasks")
    temperature: float = Field(default=1.0, ge=1, description="of mixing: temperature")
    language_temperature: float | None = Field(
        default=None, ge=1, description="draw each batch from one of `languages`, by rows"
    )
    mlm: float = Field(default=0.0, ge=0, le=1, description="share of batches: masked LM")
    mlm_languages: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="of its text; default all of the source"
    )
    mlm_lines: int | None = Field(default=20_000, ge=1, description="a language, at most")
    tlm: float = Field(default=0.0, ge=0, le=1, description="share of its rows: translation pairs")

    @model_validator(mode="after")
    def _mixture(self) -> MixingConfig:
        if self.mixing == "capped" and self.cap is None:
            raise ValueError("mixing: capped needs cap, the examples a task counts as at most")
        if self.mixing == "uniform" and self.cap is not None:
            raise ValueError("cap: means nothing where mixing is uniform")
        if self.mixing != "temperature" and self.temperature != 1:
            raise ValueError("temperature: is of mixing: temperature")
        if not self.tasks and (self.mlm < 1 or self.max_steps is None):
            raise ValueError("tasks: none; set mlm: 1.0 and max_steps for masked LM alone")
        if self.tasks and self.mlm == 1:
            raise ValueError("mlm: 1.0 leaves no batch to the tasks; lower it, or set tasks: []")
        if self.tlm and not self.mlm:
            raise ValueError("tlm: is a share of the rows of mlm, and mlm is 0")
        if self.tlm and self.mlm_languages == ("en",):
            raise ValueError("tlm: a translation needs a language beside English in mlm_languages")
        return self


class BatchingConfig(TaskTrainingConfig):
    """Rows of an optimizer step, whatever fits into memory at once."""

    effective_batch: int | None = Field(
        default=None, ge=1, description="rows a step, read in parts of batch_size"
    )
    batch_tokens: int | None = Field(
        default=None, ge=8, description="padded tokens read at once, in place of batch_size"
    )

    @model_validator(mode="after")
    def _batching(self) -> BatchingConfig:
        if self.effective_batch is not None and self.accumulate > 1:
            raise ValueError("accumulate: follows from effective_batch; leave it out")
        return self


class SteeringConfig(MixingConfig, BatchingConfig):
    """All of them."""


def check_steering(config: SteeringConfig, found: Sequence[Task]) -> None:
    """Raise where the tasks do not go with how they are to be trained.

    Raises:
        StageInputError: they do not.
    """
    for task in found:
        if task.format != "ranking":
            continue
        if len(found) > 1:
            raise StageInputError(f"tasks: {task.name} has no head and is trained alone")
        if config.effective_batch or config.batch_tokens:
            raise StageInputError(
                f"tasks: rows of a batch of {task.name} are each other's negatives, so it cannot "
                "be read in parts; leave effective_batch and batch_tokens out"
            )


def steering(config: SteeringConfig) -> dict[str, Any]:
    """The same as `transfer.supervised.Options` takes them."""
    from transfer.masked import MaskedText

    return {
        "mixing": config.mixing,
        "cap": config.cap,
        "temperature": config.temperature,
        "language_temperature": config.language_temperature,
        "masked": MaskedText(
            share=config.mlm,
            languages=config.mlm_languages,
            tlm=config.tlm,
            lines=config.mlm_lines,
        ),
        "effective_batch": config.effective_batch,
        "batch_tokens": config.batch_tokens,
    }
