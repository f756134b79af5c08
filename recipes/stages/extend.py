"""Give an English encoder of the BERT family new languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from evalsuite.errors import MissingExtraError, UnknownNameError
from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    PARALLEL,
    Artifact,
    DataNeed,
    ModelRef,
    StageContext,
    Summary,
)
from recipes.stages._shared.training_keys import TrainingConfig, need, settings
from transfer.registry import TEACHERS

if TYPE_CHECKING:
    from transfer.extend.extend import Options

VERSION = 2


class Config(TrainingConfig):
    """`sentences`, `lines`, `words`, `tlm` and `mlm` are shares of batches."""

    model: ModelRef = Field(description="the English encoder, also the teacher")
    steps: int = Field(ge=1)
    learning_rate: float = Field(default=5e-4, gt=0)
    batch_size: int = Field(default=64, ge=2)
    vocabulary: int = Field(default=32_000, ge=64)
    vocabulary_lines: int = Field(default=300_000, ge=100)
    case: Literal["keep", "lower", "mark"] = Field(
        default="mark", description="of letters: kept, none, or a piece before words with capitals"
    )
    init: Literal["random", "lexical"] = "lexical"
    sentences: float = Field(default=0.7, ge=0, description="sentence distillation")
    teacher: str | None = Field(default=None, description="a second, multilingual teacher")
    lines: float = Field(default=0.2, ge=0, description="its embeddings of lines")
    words: float = Field(default=0.1, ge=0, description="its embeddings of single words")
    tlm: float = Field(default=0.2, ge=0, description="translation LM")
    mlm: float = Field(default=0.1, ge=0, description="masked LM")
    contrast: float = Field(default=1.0, ge=0, description="weight of in-batch contrast")
    english: float = Field(
        default=0.1, ge=0, le=1, description="share of distilled sentences that are English"
    )
    mask_rate: float = Field(default=0.15, gt=0, lt=1)
    freeze_body: bool = Field(default=False, description="train the word embeddings alone")
    max_length: int = Field(default=96, ge=8, description="longer sentences are left out")
    max_pairs: int | None = Field(default=None, ge=1, description="sentence pairs a language")
    max_lines: int | None = Field(default=None, ge=0, description="single lines a language")
    prose: bool = Field(default=True, description="leave out what is not running text")
    held_out: int = Field(default=50, ge=0, description="pairs a language the curve is drawn on")
    alpha: float = Field(default=0.5, ge=0, le=1, description="language sampling exponent")
    languages: tuple[str, ...] | None = None
    store: Literal["fp32", "fp16"] = Field(default="fp16", description="weights on disk")

    @model_validator(mode="after")
    def _something(self) -> Config:
        taught = self.lines + self.words if self.teacher is not None else 0
        if self.sentences + taught + self.tlm + self.mlm == 0:
            raise ValueError("no objective has a share; nothing would be learnt")
        return self


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A headless checkpoint."""
    (english,) = inputs["model"]
    need(english, "model", "checkpoint")
    if config.teacher is not None:
        try:
            TEACHERS.get(config.teacher).require()
        except (UnknownNameError, MissingExtraError) as error:
            raise StageInputError(f"teacher: {error}") from None
    return Artifact("checkpoint")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Parallel text, and what is kept out of it."""
    return (PARALLEL, HELD_OUT)


def cost(config: Config) -> str:
    """Work, roughly."""
    return f"{config.steps} steps x {config.batch_size} sequences"


def options(config: Config, seed: int) -> Options:
    """The same as the library takes it."""
    from transfer.extend.extend import Options

    return Options(
        vocabulary=config.vocabulary,
        case=config.case,
        vocabulary_lines=config.vocabulary_lines,
        lexical=config.init == "lexical",
        sentences=config.sentences,
        teacher=config.teacher,
        lines=config.lines,
        words=config.words,
        tlm=config.tlm,
        mlm=config.mlm,
        contrast=config.contrast,
        english=config.english,
        mask_rate=config.mask_rate,
        freeze_body=config.freeze_body,
        steps=config.steps,
        batch_size=config.batch_size,
        max_length=config.max_length,
        max_pairs=config.max_pairs,
        max_lines=config.max_lines,
        prose=config.prose,
        held_out=config.held_out,
        alpha=config.alpha,
        languages=config.languages,
        store=config.store,
        settings=settings(config, seed),
    )


def run(config: Config, ctx: StageContext) -> Summary:
    """Extend."""
    from transfer.extend.extend import extend

    _, facts = extend(
        ctx.input("model").path,
        ctx.data,
        options(config, ctx.seed),
        work=ctx.work,
        out=ctx.out,
        progress=ctx.progress,
    )
    return facts
