"""What `extend` learns and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from transfer.loop.fit import Settings
from transfer.text.stream import Stream
from transfer.text.vocabulary import Case


@dataclass(frozen=True, slots=True)
class Options:
    """What to learn and for how long; shares are of batches and need not sum to 1."""

    vocabulary: int
    case: Case
    vocabulary_lines: int  # the vocabulary is trained on
    lexical: bool  # start embeddings from the parallel text, else at random
    sentences: float  # share of sentence distillation
    teacher: str | None  # a second, multilingual teacher
    lines: float  # share of its embeddings of lines
    words: float  # share of its embeddings of single words
    tlm: float
    mlm: float
    contrast: float  # weight of in-batch contrast beside the distance to the teacher
    english: float  # share of the distilled sentences that are English
    mask_rate: float
    freeze_body: bool  # train the word embeddings alone
    steps: int
    batch_size: int
    max_length: int  # of training sequences; longer sentences are left out
    max_pairs: int | None  # a language
    max_lines: int | None
    prose: bool  # running text alone
    held_out: int  # pairs a language kept from training, to draw the curve on
    alpha: float  # language sampling exponent
    languages: tuple[str, ...] | None
    stream: Stream | None  # single lines, read in shards, in place of the source's
    paired: bool  # whether sentence pairs are read
    store: Literal["fp32", "fp16"]
    settings: Settings
