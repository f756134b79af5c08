"""The text `extend` learns from: its vocabulary, its encoding, what is held out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.task import DataSource
from transfer.extend.options import Options
from transfer.loop.types import Progress
from transfer.text import vocabulary
from transfer.text.parallel_text import Ragged, Text, ranks, read, sample
from transfer.text.stream import first_lines

_CHARACTERS = 1_000  # of a line of a stream, from which the vocabulary is learnt


@dataclass(frozen=True, slots=True)
class Corpus:
    """Encoded text without special tokens."""

    text: Text
    foreign: Ragged  # a pair
    english: Ragged  # a pair, in the new vocabulary
    lines: Ragged  # none with a stream, whose rows are not in memory
    train: list[int]  # pairs to learn from: short enough, not held out
    held: list[int]


def read_text(source: DataSource, options: Options, progress: Progress) -> Text:
    """Sentence pairs and single lines; of a stream a sample of its lines.

    Raises:
        DataError: there is no text, or a shard of the stream cannot be read.
    """
    stream = options.stream
    text = Text(("en",), [], [], 0)
    if options.paired:
        text = read(
            source,
            options.languages,
            options.max_pairs,
            options.max_lines if stream is None else 0,
            prose=options.prose,
            progress=progress,
        )
    if stream is None:
        return text
    progress(0.0, "reading the first lines of the stream")
    some = first_lines(stream, options.vocabulary_lines, source, _CHARACTERS)
    new = [code for code in some if code not in text.languages]
    languages = (*text.languages[:-1], *new, "en")  # as pairs are numbered
    number = {code: index for index, code in enumerate(languages)}
    lines = [(number[code], line) for code, found in some.items() for line in found]
    return Text(languages, text.pairs, lines, text.dropped)


def train_vocabulary(
    text: Text, options: Options, directory: Path, longest: int, progress: Progress
) -> None:
    """Train the vocabulary once, on lines drawn evenly over languages; a rerun finds it."""
    if (directory / "tokenizer_config.json").is_file():
        return
    progress(0.0, "training the vocabulary")
    english = {english for _, _, english in text.pairs}
    pool = [(index, foreign) for index, foreign, _ in text.pairs] + text.lines
    pool += [(text.english, line) for line in sorted(english)]
    seed = options.settings.seed
    drawn = sample([index for index, _ in pool], options.alpha, options.vocabulary_lines, seed)
    lines = [pool[i][1] for i in drawn]
    tokenizer = vocabulary.train_unigram(lines, options.vocabulary, options.case)
    vocabulary.save(tokenizer, directory, longest)


def encode(tokenizer: Any, text: Text, options: Options) -> Corpus:
    """Encode all text, leave out what is too long, hold out some pairs a language."""

    def ids(lines: Sequence[str]) -> Ragged:
        encoded = tokenizer.encode_batch(list(lines), add_special_tokens=False)
        return Ragged([encoding.ids for encoding in encoded])

    foreign = ids([pair[1] for pair in text.pairs])
    english = ids([pair[2] for pair in text.pairs])
    lines = ids([line for _, line in text.lines] if options.stream is None else [])
    room = options.max_length - 2
    short = [
        i
        for i in range(len(text.pairs))
        if 0 < foreign.lengths[i] <= room and 0 < english.lengths[i] <= room
    ]
    random.Random(options.settings.seed).shuffle(short)
    places = ranks([text.pairs[i][0] for i in short])
    held = {i for i, place in zip(short, places, strict=True) if place < options.held_out}
    # A sentence that several languages share would be learnt through another of them.
    kept_out = {text.pairs[i][2] for i in held}
    train = [i for i in sorted(short) if i not in held and text.pairs[i][2] not in kept_out]
    return Corpus(text, foreign, english, lines, train, sorted(held))
