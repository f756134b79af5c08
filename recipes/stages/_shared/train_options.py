"""Keys of `train` that say how training is mixed, batched, stopped and restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from recipes import torchrun
from recipes.errors import StageInputError
from recipes.stages._shared.contract import LanguageCode, TaskName
from recipes.stages._shared.training_keys import TaskTrainingConfig, known_tasks
from recipes.stages._shared.unused_keys import unused, written
from recipes.stages._shared.vector_keys import (
    ContrastKeys,
    belonging,
    check_dimensions,
    sentence_vectors,
    unused_vector_keys,
)
from transfer.supervised import rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evalsuite.task import Task


class MixingConfig(TaskTrainingConfig, ContrastKeys):
    """Which share of batches each task, each language and masked text has."""

    tasks: tuple[TaskName, ...] = Field(
        default=(),
        description="Tasks to train on; an empty list trains on masked text (mlm: 1.0) or on "
        "parallel text (contrastive).",
    )
    max_pairs: int | None = Field(
        default=None,
        ge=1,
        description="Sentence pairs per language for contrastive, at most; default: all pairs, and "
        "40,000 for contrastive: words.",
    )
    mixing: Literal["proportional", "capped", "temperature", "uniform"] = Field(
        default="proportional",
        description="How batches are divided among several tasks: by number of rows, capped, "
        "with a temperature, or equally.",
    )
    cap: int | None = Field(
        default=None,
        ge=1,
        description="Largest number of rows that a task counts as when tasks are mixed; default: "
        "no cap.",
    )
    mixing_temperature: float = Field(
        default=1.0,
        ge=1,
        description="Temperature of mixing: temperature; 1 is proportional to rows, larger "
        "values are closer to equal shares.",
    )
    language_temperature: float | None = Field(
        default=None,
        ge=1,
        description="Draw each batch from one training language, with this sampling temperature "
        "over rows; default: languages are mixed within batches.",
    )
    mlm: float = Field(
        default=0.0, ge=0, le=1, description="Share of batches that are masked language modelling."
    )
    mlm_languages: tuple[LanguageCode, ...] | None = Field(
        default=None,
        min_length=1,
        description="Language codes of the masked text; default: every language in the corpus.",
    )
    mlm_lines: int | None = Field(
        default=20_000,
        ge=1,
        description="Lines of masked text per language, at most; null: all lines.",
    )
    tlm: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the masked rows that are translation pairs (translation language "
        "modelling).",
    )

    @model_validator(mode="after")
    def _mixture(self) -> MixingConfig:
        problems = rules.mixing_problems(self.mixing, self.cap, self.mixing_temperature)
        on_text = self.contrastive in ("words", "sentences")
        if on_text and (self.tasks or self.mlm):
            problems.append("contrastive: parallel text is trained on alone; leave tasks, mlm out")
        if self.contrastive == "rows" and not self.tasks:
            problems.append("contrastive: rows are those of tasks; name them in tasks")
        problems += rules.masked_problems(
            self.mlm,
            self.tlm,
            self.mlm_languages,
            tasks=bool(self.tasks or on_text),
            max_steps=self.max_steps,
        )
        if problems:
            raise ValueError(problems[0])
        return self


class BatchingConfig(TaskTrainingConfig):
    """How many rows an optimizer step has, and how they are processed."""

    not_in_key: ClassVar[frozenset[str]] = TaskTrainingConfig.not_in_key | {"processes"}

    effective_batch: int | None = Field(
        default=None,
        ge=1,
        description="Rows per optimizer step, processed in parts of batch_size rows; default: "
        "batch_size times accumulate.",
    )
    batch_tokens: int | None = Field(
        default=None,
        ge=8,
        description="Padded tokens processed at the same time, instead of batch_size rows; "
        "default: off.",
    )

    processes: int | None = Field(
        default=None,
        ge=1,
        description="Number of processes that share each step; default: as many as torchrun "
        "launched.",
    )

    @model_validator(mode="after")
    def _batching(self) -> BatchingConfig:
        if self.processes is not None and self.processes > 1 and self.effective_batch is None:
            raise ValueError("processes: share a step, so say its rows: effective_batch")
        if self.effective_batch is not None and self.accumulate > 1:
            raise ValueError("accumulate: follows from effective_batch; leave it out")
        return self


class SelectionConfig(TaskTrainingConfig):
    """Which weights are saved, and when training restarts; only English rows decide."""

    evaluate_every: int | None = Field(
        default=None,
        ge=1,
        description="Steps between evaluations on English dev rows; default: no evaluation "
        "during training.",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Stop after this number of evaluations without a better score; default: "
        "never stop early.",
    )
    keep: Literal["best", "last"] = Field(
        default="best",
        description="Weights that are saved when evaluate_every is set: those with the best dev "
        "score, or the last.",
    )
    dev_examples: int = Field(default=500, ge=1, description="Dev rows scored per task, at most.")
    dev_rows: Literal["split", "train"] = Field(
        default="split",
        description="Source of the dev rows: the dev split, or the last tenth of the training "
        "rows, held out.",
    )
    average: int | None = Field(
        default=None,
        ge=2,
        description="Save the mean of this number of snapshots of the weights, taken near the "
        "end; default: no averaging.",
    )
    average_share: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Share of the steps, at the end, over which the averaged snapshots are spread.",
    )
    restarts: int = Field(
        default=0,
        ge=0,
        description="Further attempts with another seed when training does not learn.",
    )

    @model_validator(mode="after")
    def _selection(self) -> SelectionConfig:
        if self.evaluate_every is None and self.patience is not None:
            raise ValueError("patience: counts scores; set evaluate_every too")
        if self.evaluate_every is not None and not self.tasks:
            raise ValueError("evaluate_every: there is no task to score")
        if self.average is not None and self.evaluate_every is not None:
            raise ValueError("average: and evaluate_every both choose the weights; leave one out")
        return self


class RobustConfig(TaskTrainingConfig):
    """Training for predictions that stay the same when word embeddings change a little."""

    adversarial: float = Field(
        default=0.0,
        ge=0,
        description="Radius of adversarial training on word embeddings, relative to the mean "
        "embedding length (try 0.1); 0: off.",
    )
    adversarial_steps: int = Field(
        default=1, ge=1, description="Gradient steps that search for each adversarial perturbation."
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        description="Size of random perturbations of word embeddings, relative to the mean "
        "embedding length; 0: off.",
    )


class TrainOptionsConfig(MixingConfig, BatchingConfig, SelectionConfig, RobustConfig):
    """All options of `train`; `tasks` may be empty, as in `MixingConfig`."""


def processes(config: BatchingConfig) -> int:
    """Processes that share each step.

    As many as the config says, else as torchrun launched; one where a step cannot be shared.
    """
    return (config.processes or torchrun.processes()) if config.effective_batch else 1


_OF_TASKS = (
    *("effective_batch", "batch_tokens", "average", "restarts", "adversarial", "noise"),
    *("uncased", "code_switch", "language_temperature", "mixing", "cap", "mlm_languages"),
    *("mlm_lines", "quantize_aware"),
)


def check_train_options(config: TrainOptionsConfig, found: Sequence[Task]) -> None:
    """Refuse options that do not fit the tasks.

    Raises:
        StageInputError: an option does not fit a task.
    """
    problems = rules.task_problems(
        found,
        evaluated=config.evaluate_every is not None,
        parts=bool(config.effective_batch or config.batch_tokens),
        belonging=belonging(config),
    )
    if problems:
        raise StageInputError(problems[0])
    check_dimensions(config)


def unused_keys(config: TrainOptionsConfig) -> list[str]:
    """Keys that are written, of parts of the training that are off."""
    found = known_tasks(config.tasks)
    vectors = rules.trains_vectors(found, belonging(config))
    on_text = config.contrastive in ("words", "sentences")
    problems = unused_vector_keys(
        config,
        trained=vectors or config.contrastive == "sentences",
        passages=any(task.format == "ranking" for task in found),
    )
    if vectors and (changed := written(config, ("mixing", "cap"))):
        problems.append(
            f"{changed[0]}: rows of several tasks are one set where vectors are trained; leave it "
            "out"
        )
    if on_text and (changed := written(config, _OF_TASKS)):
        problems.append(
            f"contrastive: {', '.join(changed)} change the training of tasks and of masked text "
            "alone; leave them out"
        )
    why, other = "with mlm: 0 no masked text is read", "set mlm above 0"
    keys: tuple[str, ...] = ("mlm_languages", "mlm_lines")  # of `_OF_TASKS` too
    problems += unused(config, keys, why, other, off=config.mlm == 0 and not on_text)
    why, other = "with adversarial: 0 no perturbation is searched", "set adversarial above 0"
    keys = ("adversarial_steps",)
    problems += unused(config, keys, why, other, off=config.adversarial == 0)
    why, other = "without average no snapshots are averaged", "set average"
    problems += unused(config, ("average_share",), why, other, off=config.average is None)
    why, other = "no parallel text is trained on", "set contrastive: words or sentences"
    return problems + unused(config, ("max_pairs",), why, other, off=not on_text)


def train_options(config: TrainOptionsConfig) -> dict[str, Any]:
    """Arguments of `transfer.supervised.options.Options`, by name."""
    from transfer.encoded_rows.masked_text import MaskedText
    from transfer.objectives.robust import Robust
    from transfer.supervised.keep_best import Selecting

    selecting = None
    if config.evaluate_every is not None:
        selecting = Selecting(
            every=config.evaluate_every,
            patience=config.patience,
            keep=config.keep,
            examples=config.dev_examples,
            rows=config.dev_rows,
        )
    return {
        "vectors": sentence_vectors(config),
        "belonging": belonging(config),
        "mixing": config.mixing,
        "cap": config.cap,
        "temperature": config.mixing_temperature,
        "language_temperature": config.language_temperature,
        "masked": MaskedText(
            share=config.mlm,
            languages=config.mlm_languages,
            tlm=config.tlm,
            lines=config.mlm_lines,
        ),
        "effective_batch": config.effective_batch,
        "batch_tokens": config.batch_tokens,
        "selecting": selecting,
        "average": config.average,
        "average_share": config.average_share,
        "restarts": config.restarts,
        "robust": Robust(config.adversarial, config.adversarial_steps, config.noise),
    }
