"""Keys of stages that read multilingual text without labels: from files, or the source's corpus."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from recipes.stages._shared.contract import HELD_OUT, PARALLEL, DataNeed

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


class ReadsPlainText(Protocol):
    """A config with these keys."""

    @property
    def text(self) -> tuple[str, ...]:
        """Files."""

    @property
    def code_switch(self) -> float:
        """Share of rows with translated words, which need parallel text."""


def plain_text(config: ReadsPlainText, *, plain: bool) -> tuple[DataNeed, ...]:
    """What is read: the files, and the corpus where translations or other text are needed.

    Args:
        plain: whether text without labels is read.
    """
    needs = tuple(DataNeed(path, "file") for path in config.text)
    if config.code_switch > 0 or (plain and not config.text):
        needs += (PARALLEL, HELD_OUT)
    return needs
