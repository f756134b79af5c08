"""Give a model factored word embeddings: fewer numbers per piece, and all pieces kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from evalsuite.home_path import home_path
from recipes.errors import NotKnownAheadError, StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    Artifact,
    CutSizes,
    DataNeed,
    LanguageCode,
    ModelRef,
    StageConfig,
    StageContext,
    Summary,
    corpus_in,
)
from recipes.stages._shared.heads import head_format
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.training_keys import need

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 1
PASS = True
_COPIES = 3.0  # of the weights: the model, what its embeddings give, and what is written


class Config(StageConfig):
    """Which model, how many numbers per piece, and the text in which pieces are counted."""

    model: ModelRef = Field(
        description="Encoder, tagger or span model of the type xlm-roberta, roberta, bert or "
        "electra."
    )
    width: int = Field(
        default=160,
        ge=8,
        description="Numbers per piece; a linear layer takes them to the model's width.",
    )
    languages: tuple[LanguageCode, ...] = Field(
        default=(),
        description="Languages whose text in the parallel corpus is counted; default: all there "
        "are, or none where there is text.",
    )
    text: tuple[str, ...] = Field(
        default=(), description="Text files whose pieces are counted, one segment per line."
    )
    max_lines: int | None = Field(
        default=10_000,
        ge=1,
        description="Lines per language, or per file, in which pieces are counted; null: all "
        "lines.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """An ELECTRA with the model's head."""
    from compress.factor.rules import ELECTRA, problems

    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    head = head_format(model)
    if found := problems(model.family, head, config.width):
        raise StageInputError("\n".join(found))
    return replace(model, kind="checkpoint", adapter=None, family=ELECTRA, cuts=CutSizes((), ()))


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The text that is counted."""
    needs = tuple(DataNeed(path, "file") for path in config.text)
    if config.text and not config.languages:
        return needs
    return (*needs, corpus_in(config.languages), HELD_OUT)


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The model as an ELECTRA.

    Raises:
        FactorError: it is no wider than what is asked for, or is factored.
    """
    from compress.errors import FactorError
    from compress.factor.rules import entries, narrow_already, problems
    from evalsuite.plain_config import plain_config

    (model,) = models["model"]
    found = problems(None, None, config.width, model.shape().width)
    if found := found or narrow_already(model.config):
        raise FactorError("\n".join(found))
    return replace(model, config=plain_config(entries(model.config, config.width)))


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The model, what its embeddings give, and the factored one."""
    from compress.memory import copying

    return copying(models["model"][0].shape(), _COPIES)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The text is counted, and the model written."""
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_work import opening, saving

    if config.text:
        raise NotKnownAheadError("text files are counted")
    (model,) = models["model"]
    counted = text.parallel(model, config.languages or None, config.max_lines, single=True)
    done = opening(model, text, 1) + Work(text=text.held_out() + counted.seconds)
    return done + saving(planned(config, models))


def run(config: Config, ctx: StageContext) -> Summary:
    """Factor."""
    from compress.factor.make import make

    return make(
        ctx.input("model").path,
        _lines(config, ctx),
        ctx.out,
        width=config.width,
        progress=ctx.progress,
    )


def _lines(config: Config, ctx: StageContext) -> Iterator[str]:
    """The text in which pieces are counted."""
    from itertools import islice

    from evalsuite.data.heldout import HeldOut
    from evalsuite.data.parallel import languages, segments
    from transfer.text.parallel_text import lines_of

    for path in config.text:
        yield from islice(segments(home_path(path)), config.max_lines)
    if config.text and not config.languages:
        return
    held, corpus = HeldOut.read(ctx.data), languages(ctx.data)
    wanted = config.languages or (*corpus, "en")
    others = [code for code in wanted if code != "en"] or corpus
    for code in wanted:
        most = config.max_lines
        if code == "en" and most is not None:  # the other side of every language
            most = -(-most // len(others))
        lines = lines_of(ctx.data, code, others, most, held)
        yield from islice(lines, config.max_lines)
