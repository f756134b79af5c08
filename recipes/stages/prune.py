"""Remove the least important layers, attention heads and feed-forward units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from compress.distill.rules import layers_problem
from compress.prune.rules import size_problem, wanted
from evalsuite.machine.work import Work
from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    PARALLEL,
    PARALLEL_IF_ANY,
    Artifact,
    CutSizes,
    DataNeed,
    ModelRef,
    StageContext,
    Summary,
)
from recipes.stages._shared.families import refuse_layers, refuse_unknown
from recipes.stages._shared.planned_model import PlannedModel, training_memory
from recipes.stages._shared.score_gate import (
    LeastAgreement,
    ProbeSentences,
    ProbeTask,
    ScoreGateConfig,
    gate_rows,
    hold_labels,
    hold_score,
    refuse_unscored,
)
from recipes.stages._shared.training_keys import (
    TaskTrainingConfig,
    distillation,
    known_tasks,
    need,
    probed,
    same_labels,
    tasks,
    training_rows,
)
from recipes.stages._shared.training_keys import (
    cost as training_cost,
)
from recipes.stages._shared.training_keys import less_memory as less_memory
from recipes.stages._shared.unused_keys import unused
from transfer.find_task import find_task

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 9
_TOKENIZERS = 6  # times that one is opened
_OF_RECOVERY = (
    *("labels", "max_steps", "max_examples", "freeze_embeddings", "uncased", "code_switch"),
    *("quantize_aware", "logits", "hidden", "temperature", "multilingual", "learning_rate"),
    *("warmup", "compute", "accumulate", "gradient_checkpointing"),
)
PASS = True


def _amount(asked: int | float) -> int | float:
    if problem := size_problem(asked):
        raise ValueError(problem)
    return asked


def _layers(asked: int | tuple[int, ...]) -> int | tuple[int, ...]:
    if problem := layers_problem(asked):
        raise ValueError(problem)
    return asked


Amount = Annotated[int | float, AfterValidator(_amount)]
Layers = Annotated[int | tuple[int, ...], AfterValidator(_layers)]


class Config(TaskTrainingConfig, ScoreGateConfig):
    """What to keep, how importance is measured, how the model recovers, and the gate."""

    renamed: ClassVar[Mapping[str, str]] = {"calibration": "importance_rows"}

    model: ModelRef = Field(description="Checkpoint to prune.")
    ffn: Amount | None = Field(
        default=None,
        description="Feed-forward units per layer to keep: a number, or a share between 0 and 1; "
        "default: all.",
    )
    heads: Amount | None = Field(
        default=None,
        description="Attention heads per layer to keep: a number, or a share between 0 and 1; "
        "default: all.",
    )
    layers: Layers | None = Field(
        default=None,
        description="Number of layers to keep, or a list of layers to keep, counted from 0, the "
        "lowest; default: all.",
    )
    rounds: int = Field(
        default=1,
        ge=1,
        description="Number of pruning rounds; importance is measured again in each round.",
    )
    importance_rows: int = Field(
        default=256,
        ge=1,
        description="English training rows, and as many other sentences, on which importance is "
        "measured.",
    )
    epochs: float | None = Field(
        default=None,
        ge=0,
        description="Passes of recovery by distillation from the unpruned model after each "
        "round; 0: no recovery; default: as max_steps says, and 1 where that is left out too.",
    )
    logits: float = Field(
        default=1.0,
        ge=0,
        description="Weight of the recovery loss on the unpruned model's logits; 0: off.",
    )
    hidden: float = Field(
        default=1.0,
        ge=0,
        description="Weight of the recovery loss on the unpruned model's hidden states; 0: off.",
    )
    labels: float = Field(
        default=0.0,
        ge=0,
        description="Weight of the task's own loss on gold labels during recovery; 0: off.",
    )
    temperature: float = Field(
        default=2.0,
        gt=0,
        description="Distillation temperature, which divides the logits of teacher and student.",
    )
    multilingual: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Share of recovery batches of plain text; epochs count all.",
    )
    max_pairs: int | None = Field(
        default=None,
        ge=1,
        description="Sentence pairs of multilingual text per language, at most; default: all "
        "pairs.",
    )
    probe: ProbeSentences = 64
    probe_task: ProbeTask = None
    min_agreement: LeastAgreement = 90.0

    @model_validator(mode="before")
    @classmethod
    def _as_long_as_its_steps(cls, keys: Any) -> Any:
        if isinstance(keys, dict) and keys.get("epochs") is None:
            keys = keys | {"epochs": 1.0 if keys.get("max_steps") is None else None}
        return keys

    @model_validator(mode="after")
    def _says_what_to_cut(self) -> Config:
        if self.ffn is None and self.heads is None and self.layers is None:
            raise ValueError("give ffn, heads or layers: how many of them to keep")
        if self.recovers and self.logits == self.hidden == self.labels == 0:
            raise ValueError("logits, hidden and labels are all 0; set epochs: 0 for no recovery")
        if self.recovers and self.multilingual > 0 and self.logits == self.hidden == 0:
            raise ValueError(
                "multilingual: nothing is matched on text without labels; set multilingual: 0, or "
                "logits or hidden above 0"
            )
        return self

    @property
    def recovers(self) -> bool:
        """Whether the pruned model is trained."""
        return self.epochs != 0


def unused_keys(config: Config) -> list[str]:
    """Keys of the recovery that are written where there is none; a 0 says the same as epochs: 0."""
    because, remedy = "with epochs: 0 nothing is trained", "set epochs above 0"
    keys = [key for key in _OF_RECOVERY if getattr(config, key) != 0]
    return unused(config, keys, because, remedy, off=not config.recovers)


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the model's head."""
    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    refuse_unknown(model, "model")
    refuse_layers(model, config.layers)
    known = known_tasks(config.tasks, labelled=True)
    same_labels(known, "model", model)
    choices = any(task.format == "choice" for task in known)
    if config.recovers and config.multilingual > 0 and config.hidden == 0 and choices:
        raise StageInputError(
            "multilingual: a line of text is one choice, so logits teach nothing on it; set "
            "multilingual: 0, or hidden above 0"
        )
    refuse_unscored(config, config.probe_task, model)
    return replace(model, kind="checkpoint", adapter=None, cuts=CutSizes((), ()))


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Training rows, parallel text and what is kept out of it, the gate's text."""
    needs = tuple(training_rows(task) for task in config.tasks)
    recovery = config.recovers and (config.multilingual > 0 or config.code_switch > 0)
    needs += (PARALLEL if recovery else PARALLEL_IF_ANY, HELD_OUT)
    return needs + gate_rows(config, gives)


def cost(config: Config) -> str:
    """Work, roughly."""
    steps = training_cost(config)
    each = f"{config.rounds} x {steps}" if config.rounds > 1 else steps
    return each if config.recovers else "minutes"


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The training that recovers from the loss, with the whole model as its teacher."""
    from compress.memory import distilling

    (model,) = models["model"]
    return distilling(training_memory(config, model), model.shape(), "fp32")


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """Gradients of the gates in each round, the recovery, and the comparison at the end."""
    from recipes.stages._shared.distilling_work import distilling_work
    from recipes.stages._shared.planned_work import gate, opening, running_work, saving

    (model,) = models["model"]
    pruned = replace(planned(config, models), tokenizer=model.tokenizer)
    rows = [
        text.task(model, name, "train", find_task(name).training_languages, None, config.max_length)
        for name in config.tasks
    ]
    lines = text.parallel(model, None, config.max_pairs, 0.0, config.max_length)
    done = opening(model, text, _TOKENIZERS, models=4) + Work(text=text.held_out())
    for part in (*rows, lines):
        share = config.importance_rows / (len(rows) if part is not lines else 1)
        measured = running_work(model, part, backward="inputs")
        taken = share / max(share, part.total) * (1 if config.layers is None else 2)
        done += replace(measured, text=0.0).times(taken * config.rounds)
        done += Work(text=part.reading)
    if config.recovers:
        recovery = distilling_work(config, pruned, model, text) + saving(pruned)
        done += replace(recovery, output=0.0).times(config.rounds)
    task = probed(config.probe_task, gives)
    return done + gate(config, [model, pruned], task, text) + saving(pruned)


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The model with fewer layers and units; silent heads stay."""
    from compress.distill.student import config_of_student

    (model,) = models["model"]
    layers = config.layers
    units, shape = None, model.shape()
    if config.ffn is not None:
        units = wanted("ffn", config.ffn, shape.units)
    wanted("heads", config.heads, shape.heads)
    cut = config_of_student(model.config, layers, None, None, units)
    return PlannedModel(cut, model.head, model.labels)


def run(config: Config, ctx: StageContext) -> Summary:
    """Prune, recover and compare."""
    from compress.distill.own_pieces import parity
    from compress.prune.prune import PruneOptions, Size, prune
    from evalsuite.inference.open_model import open_model

    model = ctx.input("model")
    options = PruneOptions(
        size=Size(config.ffn, config.heads, config.layers),
        recovery=distillation(config, ctx, layers=1) if config.recovers else None,
        seed=ctx.seed,
        rounds=config.rounds,
        importance_rows=config.importance_rows,
        max_length=config.max_length,
        batch_size=config.batch_size,
        max_pairs=config.max_pairs,
    )
    pruned = prune(
        model.path,
        tasks(config.tasks),
        ctx.data,
        options,
        work=ctx.work,
        out=ctx.out,
        progress=ctx.progress,
    )
    summary: Summary = {
        "parameters before": sum(pruned.before.values()),
        "parameters": sum(pruned.after.values()),
        "of these silent": pruned.silent,
        "layers kept": f"{', '.join(map(str, pruned.layers))} of {len(pruned.influence)}",
        "units a layer": len(pruned.units[0]),
        "heads a layer": len(pruned.heads[0]),
        "similarity by layer": " ".join(f"{1 - value:.3f}" for value in pruned.influence),
    }
    for part, count in pruned.after.items():
        summary[f"{part} parameters"] = f"{count:,} of {pruned.before[part]:,}"
    task = probed(config.probe_task, model.artifact)
    remedy = "keep more, recover for longer"
    if config.probe:
        first, second = (open_model(path) for path in (model.path, ctx.out))
        found = parity(first, second, task, ctx.data, config.probe)
        summary |= found.facts()
        hold_labels(config, config.min_agreement, found, "prune", remedy)
    return summary | hold_score(config, ctx, model.path, task, "prune", remedy)
