"""Keys of stages that read multilingual text without labels: from files, or the source's corpus."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field

from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    DataNeed,
    LanguageCode,
    StageContext,
    corpus_in,
)

if TYPE_CHECKING:
    from transfer.text.stream import Stream

TextFiles = Annotated[
    tuple[str, ...],
    Field(
        description="Text files in any languages, one sentence per line, which are the "
        "multilingual text; default: the parallel text of the source."
    ),
]
MostPairs = Annotated[
    int | None,
    Field(
        ge=1,
        description="Sentence pairs of multilingual text per language (lines per file of text), at "
        "most; default: all.",
    ),
]

Prose = Annotated[
    bool,
    Field(
        description="Read only pairs of running text: sentences without markup, and not short "
        "labels of programs."
    ),
]
SkipLonger = Annotated[
    bool,
    Field(
        exclude_if=lambda skip: not skip,  # so that keys without it are as they were
        description="Leave out pairs and lines that are longer than max_length, in place of "
        "cutting them.",
    ),
]
BalanceLabels = Annotated[
    bool,
    Field(
        exclude_if=lambda balance: not balance,  # so that keys without it are as they were
        description="Draw plain text so that the labels the teacher gives to it are equally "
        "frequent.",
    ),
]
TextLanguages = Annotated[
    tuple[LanguageCode, ...],
    Field(
        exclude_if=lambda languages: not languages,  # so that keys without it are as they were
        description="Languages of the parallel text; English is the other side of all; default: "
        "all there are.",
    ),
]
BUFFER = 16_384  # rows; another default changes keys
TextStream = Annotated[
    dict[LanguageCode, tuple[str, ...]] | None,
    Field(
        min_length=1,
        exclude_if=lambda places: places is None,  # so that keys without it are as they were
        description="Text by language that is read in shards and may be larger than memory: files, "
        "patterns such as text/sw-*.txt.zst, and hub:org/name@<commit>; default: none.",
    ),
]
ShuffleBuffer = Annotated[
    int,
    Field(
        ge=1,
        exclude_if=lambda rows: rows == BUFFER,
        description="Rows of stream per language that are shuffled together and are in memory.",
    ),
]

EXPONENT = 0.3
StreamExponent = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        exclude_if=lambda exponent: exponent == EXPONENT,
        description="Exponent of language sampling in the stream: 1 is proportional to the text, 0 "
        "gives all languages equal shares.",
    ),
]


class ReadsStream(Protocol):
    """A config with these keys."""

    @property
    def stream(self) -> Mapping[str, tuple[str, ...]] | None:
        """Places by language."""

    @property
    def shuffle_buffer(self) -> int:
        """Rows."""


def streamed_files(config: ReadsStream) -> tuple[DataNeed, ...]:
    """The files of a stream; a data set of the hub is pinned by its name.

    Raises:
        DataError: there are none of a place.
    """
    from evalsuite.bulk.text_shards import files, is_hub

    places = [place for several in (config.stream or {}).values() for place in several]
    return tuple(
        DataNeed(str(path), "file")
        for place in places
        if not is_hub(place)
        for path in files(place)
    )


def refuse_unpinned(config: ReadsStream) -> None:
    """Raise StageInputError where a data set of the hub is not named with its commit."""
    from evalsuite.bulk.text_shards import HUB_FORM, hub_name, is_hub

    for language, places in (config.stream or {}).items():
        for place in places:
            if is_hub(place) and hub_name(place) is None:
                raise StageInputError(f"stream, {language}: {place}: {HUB_FORM}")


def opened_stream(config: ReadsStream, ctx: StageContext) -> Stream | None:
    """The stream as the library takes it; None where there is none."""
    from transfer.text.stream import Stream

    if config.stream is None:
        return None
    return Stream(config.stream, config.shuffle_buffer, ctx.tokens)


class ReadsPlainText(Protocol):
    """A config with these keys."""

    @property
    def text(self) -> tuple[str, ...]:
        """Files."""

    @property
    def code_switch(self) -> float:
        """Share of rows of tasks with translated words, which need parallel text."""

    @property
    def tasks(self) -> Collection[str]:
        """Tasks whose rows are trained on."""

    @property
    def languages(self) -> tuple[LanguageCode, ...]:
        """Languages of the parallel text; empty: all there are."""


def translates(config: ReadsPlainText) -> bool:
    """Whether words of training rows are translated; without tasks there are no such rows."""
    return config.code_switch > 0 and bool(config.tasks)


def plain_text(config: ReadsPlainText, *, plain: bool) -> tuple[DataNeed, ...]:
    """What is read: the files, and the corpus where translations or other text are needed.

    Args:
        plain: whether text without labels is read.
    """
    needs = tuple(DataNeed(path, "file") for path in config.text)
    if translates(config) or (plain and not config.text):
        needs += (corpus_in(config.languages), HELD_OUT)
    return needs
