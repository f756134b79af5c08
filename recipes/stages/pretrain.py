"""Pretrain an encoder by masked and translation language modelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recipes.errors import NotKnownAheadError
from recipes.stages._shared.contract import (
    HELD_OUT,
    OWN_TOKENIZER,
    Artifact,
    DataNeed,
    LanguageCode,
    ModelRef,
    StageContext,
    Summary,
    corpus_in,
)
from recipes.stages._shared.families import refuse_unknown
from recipes.stages._shared.plain_text_keys import (
    BUFFER,
    ShuffleBuffer,
    TextStream,
    opened_stream,
    refuse_unpinned,
    streamed_files,
)
from recipes.stages._shared.planned_model import PlannedModel, training_memory
from recipes.stages._shared.training_keys import TrainingConfig, need, settings
from recipes.stages._shared.training_keys import less_memory as less_memory

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText
    from transfer.encoder_shape import Shape

VERSION = 7
_FAMILY = "xlm-roberta"  # of encoders from scratch


class ShapeConfig(BaseModel):
    """The architecture of an encoder from scratch."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    layers: int = Field(ge=1, description="Number of layers.")
    hidden: int = Field(ge=8, description="Hidden size; a multiple of heads.")
    heads: int = Field(ge=1, description="Attention heads per layer.")
    ffn: int = Field(ge=8, description="Feed-forward units per layer.")
    vocabulary: int = Field(ge=64, description="Size of the vocabulary, in pieces.")
    max_length: int = Field(
        default=256, ge=8, description="Longest sequence the model can read, in tokens."
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout rate of the model.")

    @model_validator(mode="after")
    def _heads_divide(self) -> ShapeConfig:
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
        return self


class Config(TrainingConfig):
    """`shape` starts from scratch, `model` continues a checkpoint; one of them."""

    renamed: ClassVar[Mapping[str, str]] = {"alpha": "sampling_exponent"}

    model: ModelRef | None = Field(
        default=None, description="Checkpoint to continue; either model or shape is needed."
    )
    shape: ShapeConfig | None = Field(
        default=None,
        description="Architecture of a new encoder, trained from scratch; either model or shape "
        "is needed.",
    )
    steps: int = Field(ge=1, description="Number of optimizer steps.")
    learning_rate: float = Field(default=5e-4, gt=0, description="Peak learning rate.")
    max_length: int = Field(default=128, ge=8, description="Longest training sequence in tokens.")
    max_pairs: int | None = Field(
        default=None, ge=1, description="Sentence pairs per language, at most; default: all pairs."
    )
    tlm: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of rows that are translation pairs (translation language modelling).",
    )
    mask_rate: float = Field(
        default=0.15, gt=0, lt=1, description="Share of tokens that are masked and predicted."
    )
    init: Literal["random", "lexical"] = Field(
        default="random",
        description="Initial word embeddings of a new encoder: random, or aligned by the "
        "parallel text.",
    )
    freeze_embeddings: bool = Field(
        default=False, description="Keep the word embeddings as they are."
    )
    sampling_exponent: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Exponent of language sampling: 1 is proportional to the text, 0 gives all "
        "languages equal shares.",
    )
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None,
        description="Languages of the parallel text; English is the other side of all, so it is "
        "read too; default: all there are.",
    )

    stream: TextStream = None
    shuffle_buffer: ShuffleBuffer = BUFFER

    @model_validator(mode="after")
    def _streams_lines_alone(self) -> Config:
        written = self.model_fields_set & {"tlm", "languages", "max_pairs", "init"}
        if self.stream is not None and written:
            raise ValueError(
                f"stream: its rows are single lines; remove {', '.join(sorted(written))}, which "
                "goes with parallel text"
            )
        return self

    @model_validator(mode="after")
    def _one_start(self) -> Config:
        if (self.model is None) == (self.shape is None):
            raise ValueError("give either model (continue it) or shape (from scratch)")
        if self.model is not None and "init" in self.model_fields_set:
            raise ValueError("init: is for shape; a model that is continued keeps its embeddings")
        return self


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A headless checkpoint."""
    refuse_unpinned(config)
    for artifact in inputs.get("model", ()):
        need(artifact, "model", "checkpoint")
        refuse_unknown(artifact, "model")
        return Artifact("checkpoint", family=artifact.family, tokenizer=artifact.tokenizer)
    return Artifact("checkpoint", family=_FAMILY, tokenizer=OWN_TOKENIZER)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Parallel text or a stream, and what is kept out of it."""
    if config.stream is not None:
        return (*streamed_files(config), HELD_OUT)
    return (corpus_in(config.languages), HELD_OUT)


def cost(config: Config) -> str:
    """Work, roughly."""
    return f"{config.steps} steps x {config.batch_size} sequences"


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The model that is continued, without its head, or one of the shape."""
    from evalsuite.plain_config import PlainConfig
    from transfer.encoder_shape import config_entries

    if config.shape is None:
        return PlannedModel(models["model"][0].config)
    shape = _shape(config.shape)
    return PlannedModel(PlainConfig(config_entries(shape, shape.vocabulary)))


def _shape(keys: ShapeConfig) -> Shape:
    """As the training takes it."""
    from transfer.encoder_shape import Shape

    return Shape(**keys.model_dump())


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """What training holds at its peak."""
    return training_memory(config, planned(config, models), masked=config.mask_rate)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The steps, on lines and on pairs of lines."""
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_work import opening, saving, training_work

    if config.stream is not None:
        raise NotKnownAheadError("the text is streamed")
    model = planned(config, models)
    if config.shape is None:
        model = replace(model, tokenizer=models["model"][0].tokenizer)
    rows = text.parallel(model, config.languages, config.max_pairs, config.tlm, config.max_length)
    batches = config.steps * config.accumulate
    done = training_work(config, model, [(rows, 1.0)], steps=batches, masked=config.mask_rate)
    return opening(model, text) + Work(text=text.held_out()) + done + saving(model)


def run(config: Config, ctx: StageContext) -> Summary:
    """Train."""
    from transfer.pretrain import Options, pretrain

    options = Options(
        shape=_shape(config.shape) if config.shape else None,
        steps=config.steps,
        batch_size=config.batch_size,
        max_length=config.max_length,
        max_pairs=config.max_pairs,
        tlm=config.tlm,
        alpha=config.sampling_exponent,
        mask_rate=config.mask_rate,
        lexical=config.init == "lexical",
        freeze_embeddings=config.freeze_embeddings,
        languages=config.languages,
        settings=settings(config, ctx),
    )
    model = ctx.input("model").path if config.model else None
    places: dict[str, Any] = {"work": ctx.work, "out": ctx.out, "progress": ctx.progress}
    if (stream := opened_stream(config, ctx)) is not None:
        from transfer.pretrain_stream import pretrain_stream

        return pretrain_stream(model, ctx.data, options, stream, **places)[1]
    return pretrain(model, ctx.data, options, **places)[1]
