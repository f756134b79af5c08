"""Text by language that is read as a stream of shards, and the plan of batches over it.

>>> stream = Stream({"sw": ("text/sw-*.txt.zst",)}, buffer=16_384, tokens=Path("tokens"))
>>> text = tokenize(stream, tokenizer, max_length=128, source=source)
>>> text.plan(alpha=0.3, batch_size=32, steps=100_000, seed=1)[0].indices[:2]
(17, 512)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from evalsuite.bulk.text_shards import find, texts
from evalsuite.data.heldout import HeldOut
from evalsuite.task import DataSource
from transfer.loop.stream_plan import ShuffledRows, StreamPlan
from transfer.loop.types import Progress
from transfer.text.token_shards import TokenCorpus, TokenStore


@dataclass(frozen=True, slots=True)
class Stream:
    """Which text is streamed.

    Attributes:
        places: of each language its files, patterns of files, and data sets of the hub.
        buffer: rows per language that are shuffled together, and are in memory.
        tokens: directory where the token ids of shards are kept.
    """

    places: Mapping[str, Sequence[str]]
    buffer: int
    tokens: Path


@dataclass(frozen=True, slots=True)
class Streamed:
    """Tokenized text, memory-mapped."""

    stream: Stream
    corpora: dict[str, TokenCorpus]

    def only(self, languages: Collection[str]) -> Streamed:
        """The same of some languages."""
        return Streamed(
            self.stream,
            {code: corpus for code, corpus in self.corpora.items() if code in languages},
        )

    @property
    def rows(self) -> int:
        """Rows of all languages."""
        return sum(len(corpus) for corpus in self.corpora.values())

    def plan(
        self, *, alpha: float, batch_size: int, steps: int, seed: int, part: int = 0
    ) -> StreamPlan:
        """Batches in which the share of a language is its size to the power `alpha`."""
        languages = [
            ShuffledRows(corpus, self.stream.buffer, (seed, number))
            for number, corpus in enumerate(self.corpora.values())
        ]
        weights = [language.count**alpha for language in languages]
        return StreamPlan(languages, weights, batch_size, steps, seed, part)


def tokenize(
    stream: Stream,
    tokenizer: Any,
    max_length: int,
    source: DataSource,
    progress: Progress = lambda fraction, text: None,
) -> Streamed:
    """Tokenize what is not tokenized yet, evaluation text left out.

    Raises:
        DataError: a shard is absent or cannot be read, or has no text.
    """
    store = TokenStore(stream.tokens, tokenizer, max_length, HeldOut.read(source))
    return Streamed(
        stream,
        {
            language: TokenCorpus(
                [store.file(shard, progress) for place in places for shard in find(place)]
            )
            for language, places in sorted(stream.places.items())
        },
    )


def first_lines(
    stream: Stream, count: int, source: DataSource, longest: int | None = None
) -> dict[str, list[str]]:
    """About `count` lines, as many of each language, from the beginnings of its shards.

    Args:
        longest: characters of a line that are kept; None for all.

    Raises:
        DataError: a shard is absent or cannot be read.
    """
    held = HeldOut.read(source)
    lines: dict[str, list[str]] = {}
    for language, places in sorted(stream.places.items()):
        shards = list(dict.fromkeys(shard for place in places for shard in find(place)))
        each = -(-count // (len(stream.places) * len(shards)))
        lines[language] = [
            line[:longest]
            for shard in shards
            for line in islice(_without(texts(shard), held), each)
        ]
    return lines


def _without(lines: Iterator[str], held: HeldOut) -> Iterator[str]:
    return (line for line in lines if line not in held)
