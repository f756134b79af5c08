"""Make a static model: a vector per piece of an encoder's vocabulary, and no layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from evalsuite.home_path import home_path
from evalsuite.static.kind import MODEL_TYPE
from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    PARALLEL,
    Artifact,
    CutSizes,
    DataNeed,
    ModelRef,
    StageConfig,
    StageContext,
    Summary,
)
from recipes.stages._shared.heads import head_format
from recipes.stages._shared.plain_text_keys import TextFiles
from recipes.stages._shared.training_keys import need

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from recipes.stages._shared.planned_model import PlannedModel

VERSION = 4
PASS = True
_COPIES = 1.5  # of the weights


class Config(StageConfig):
    """Which encoder, how wide, and the text in which pieces are counted."""

    model: ModelRef = Field(
        description="Encoder, or model with one label per row, whose vocabulary the static model "
        "has; trim it first."
    )
    width: int = Field(default=256, ge=2, description="Numbers of each vector.")
    prefix: str | None = Field(
        default=None,
        description="Put before each piece when the encoder reads it; default: as it declares.",
    )
    text: TextFiles = ()
    max_pairs: int = Field(
        default=10_000,
        ge=1,
        description="Sentence pairs of parallel text per language (lines per file of text) in "
        "which pieces are counted, at most.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A static checkpoint with a head for the same labels."""
    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    head = head_format(model)
    if head not in (None, "pair"):
        raise StageInputError(
            f"model: has a {head} head; a static model pools its vectors, so it has one answer "
            "per row: give an encoder, or a model with a label per row"
        )
    none = CutSizes((), ())
    return replace(model, kind="checkpoint", adapter=None, family=MODEL_TYPE, cuts=none)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The text that is counted."""
    if config.text:
        return tuple(DataNeed(path, "file") for path in config.text)
    return (PARALLEL, HELD_OUT)


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> None:
    """Not known ahead: what a static model takes is small.

    Raises:
        StudentError: the encoder is narrower.
    """
    from compress.errors import StudentError
    from compress.static.rules import width_problem

    shape = models["model"][0].shape()
    if problem := width_problem(config.width, shape.width, shape.vocabulary):
        raise StudentError(problem)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The encoder, and the vectors of its pieces."""
    from compress.memory import copying

    return copying(models["model"][0].shape(), _COPIES)


def cost(config: Config) -> str:
    """Rough amount of work, for `lingopress plan`."""
    return "minutes"


def run(config: Config, ctx: StageContext) -> Summary:
    """Make it."""
    from compress.static.make import make

    return make(
        ctx.input("model").path,
        _lines(config, ctx),
        ctx.out,
        width=config.width,
        prefix=config.prefix,
        seed=ctx.seed,
        progress=ctx.progress,
    )


def _lines(config: Config, ctx: StageContext) -> Iterator[str]:
    """The text in which pieces are counted."""
    from itertools import islice

    from evalsuite.data.parallel import segments
    from transfer.text import parallel_text

    for path in config.text:
        yield from islice(segments(home_path(path)), config.max_pairs)
    if not config.text:
        for _, pairs in parallel_text.pairs_by_language(ctx.data, config.max_pairs, ctx.progress):
            for pair in pairs:
                yield from pair
