"""Sequences for masked LM: lines of parallel text, and pairs of them for translation LM.

>>> text = encode(tokenizer, pairs, tlm=0.5, max_length=128, seed=1)
>>> drawn = draw(text, tlm=0.5, alpha=0.3, count=1000, seed=1)
>>> sum(index < text.pairs for index in drawn)
500
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite import tokenization
from evalsuite.data import parallel
from evalsuite.data.heldout import HeldOut
from evalsuite.errors import DataError
from evalsuite.task import DataSource
from transfer.encoded_rows.encoded import OneSequence
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Progress, Tensors
from transfer.objectives import mlm
from transfer.text import parallel_text

ALPHA = 0.3  # sampling exponent of languages (Conneau et al. 2020, section 3.1)
Pairs = list[tuple[int, str, str]]  # language, foreign, English


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedText:
    """Masked LM at the same time as other training.

    Attributes:
        share: of batches.
        languages: of the text; None for all the source has, `("en",)` for English alone, of all
            pairs and of English text.
        tlm: share of the rows that are a sentence and its translation.
        lines: a language, at most.
    """

    share: float = 0.0
    languages: tuple[str, ...] | None = None
    tlm: float = 0.0
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Sequences:
    """Encoded sequences, and for each the language it belongs to; the first `pairs` are pairs."""

    ids: list[list[int]]
    language: list[int]
    pairs: int = 0


class Masked(OneSequence):
    """Rows of masked LM, drawn by language; labels are what a batch's seed masks."""

    def __init__(self, ids: list[list[int]], directory: Path, rate: float = mlm.RATE) -> None:
        self.ids, self.rate = ids, rate
        self.pad_id = tokenization.pad_id(directory)
        self.pieces = mlm.Pieces.of(tokenization.load(directory))

    def collate(self, batch: Batch) -> Tensors:
        """`input_ids` some of them masked, `attention_mask`, `labels`, each `[batch, tokens]`."""
        ids = [self.ids[index] for index in batch.indices]
        return mlm.collate(ids, self.pad_id, self.pieces, batch.seed, self.rate)


def load(
    source: DataSource,
    directory: Path,
    how: MaskedText,
    *,
    max_length: int,
    count: int,
    seed: int,
    progress: Progress = lambda fraction, text: None,
) -> Masked:
    """About `count` rows, languages in proportion to their size to the power 0.3.

    Raises:
        DataError: there is no parallel text, or translations are wanted of English alone.
    """
    english_alone = how.languages == ("en",)
    if english_alone and how.tlm > 0:
        raise DataError("tlm: a translation needs a language other than English in mlm_languages")
    tokenizer = tokenization.load(directory)
    if english_alone:
        progress(0.0, "reading English")
        lines = _english(source, how.lines)
        tokenizer.enable_truncation(max_length, strategy="longest_first")
        found = Sequences([e.ids for e in tokenizer.encode_batch(lines)], [0] * len(lines))
    else:
        foreign = None if how.languages is None else [c for c in how.languages if c != "en"]
        read = parallel_text.read(source, foreign, how.lines, progress=progress)
        english = how.languages is None or "en" in how.languages
        found = encode(tokenizer, read.pairs, how.tlm, max_length, seed, english=english)
    drawn = draw(found, how.tlm, ALPHA, count, seed)
    return Masked([found.ids[index] for index in drawn], directory)


def _english(source: DataSource, most: int | None) -> list[str]:
    """English sides of all pairs, and text in English alone, each line once; at most `most`.

    Raises:
        DataError: there are none.
    """
    others = parallel.languages(source)
    every = parallel_text.lines_of(source, "en", others, None, HeldOut.read(source))
    lines: dict[str, None] = {}
    for line in every:
        lines[line] = None
        if len(lines) == most:
            break
    if not lines:
        raise DataError(
            "mlm_languages: en: the corpus has no English text, apart from evaluation text; add "
            "pairs, or English text in mono/"
        )
    return [*lines]


def encode(
    tokenizer: Any,
    pairs: Pairs,
    tlm: float,
    max_length: int,
    seed: int,
    *,
    english: bool = True,
) -> Sequences:
    """Sequences to draw from: pairs whole, unless `tlm` is 0, and one side of each, unless it is 1.

    English sides count as a separate language, so that a sampling exponent weighs it like others.

    Args:
        english: whether some of the single sides are English.
    """
    rng = random.Random(seed)
    own = 1 + max(index for index, _, _ in pairs)  # number of English
    inputs: list[Any] = []
    language: list[int] = []
    for index, foreign, target in pairs:
        if tlm > 0:
            # Either order, so that neither side is always first.
            inputs.append((foreign, target) if rng.random() < 0.5 else (target, foreign))
            language.append(index)
    whole = len(inputs)
    for index, foreign, target in pairs if tlm < 1 else ():
        english_side = english and rng.random() < 1 / (own + 1)
        inputs.append(target if english_side else foreign)
        language.append(own if english_side else index)
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    ids: list[list[int]] = [encoding.ids for encoding in tokenizer.encode_batch(inputs)]
    tokenizer.no_truncation()
    return Sequences(ids, language, whole)


def draw(found: Sequences, tlm: float, alpha: float, count: int, seed: int) -> list[int]:
    """`count` indices, `tlm` of them of pairs.

    Of the pairs, and of the single lines, a language's share is its size to the power `alpha`.
    """
    paired, pairs = round(count * tlm), found.pairs
    two = parallel_text.sample(found.language[:pairs], alpha, paired, seed)
    one = parallel_text.sample(found.language[pairs:], alpha, count - paired, seed)
    drawn = two + [pairs + index for index in one]
    if two and one:
        random.Random(seed).shuffle(drawn)
    return drawn
