"""What each batch of `extend` has, decided before the first step."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transfer.batches import Batch
from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.mixing import mix
from transfer.teachers import get as get_teacher
from transfer.text import Ragged, sample

BOS, PAD, EOS = 0, 1, 2  # of the new vocabulary, as in XLM-R
SENTENCES, LINES, WORDS, TLM, MLM = range(5)  # the parts
_WORDS_A_SENTENCE = 4  # so many times more words than sentences in a batch
_FREQUENT = 20_000  # words a language, the most frequent first
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One objective's text."""

    ids: Ragged  # special tokens included
    rows: list[int]  # each sequence's line in the teacher's


@dataclass(frozen=True, slots=True)
class Plan:
    """What each batch has."""

    parts: list[Part]
    lines: dict[int, list[str]]  # what a teacher embeds, a part
    batches: list[Batch]
    seen: list[int]  # tokens up to and with each batch

    def tokens(self, batches: int) -> int:
        """Tokens seen after so many batches."""
        return self.seen[batches - 1] if batches else 0


def make_plan(tokenizer: Any, corpus: Corpus, options: Options) -> Plan:
    """Draw every part's text by language, and mix the parts by batch."""
    text, seed, room = corpus.text, options.settings.seed, options.max_length - 2
    taught = options.teacher is not None
    shares = [options.sentences, options.lines * taught, options.words * taught, options.tlm]
    shares.append(options.mlm if text.lines else 0.0)
    sizes = [options.batch_size] * len(shares)
    sizes[WORDS] *= _WORDS_A_SENTENCE
    batches = options.steps * options.settings.accumulate
    counts = [round(batches * n * s / sum(shares)) for n, s in zip(sizes, shares, strict=True)]
    rng = random.Random(seed)

    def draw(languages: Sequence[int], part: int) -> list[int]:
        return sample(languages, options.alpha, counts[part], seed + part) if languages else []

    of_pair = [text.pairs[i][0] for i in corpus.train]
    pairs = [(corpus.train[i], rng.random()) for i in draw(of_pair, SENTENCES)]
    sides = (corpus.foreign, corpus.english)
    lines: dict[int, list[str]] = {SENTENCES: sorted({text.pairs[i][2] for i, _ in pairs})}
    row_of = {line: row for row, line in enumerate(lines[SENTENCES])}
    parts = [
        Part(
            Ragged([[BOS, *sides[chance < options.english][i], EOS] for i, chance in pairs]),
            [row_of[text.pairs[i][2]] for i, _ in pairs],
        )
    ]
    pools = _pools(corpus, options) if taught else {LINES: [], WORDS: []}
    for part, pool in pools.items():
        drawn = [pool[i][1] for i in draw([language for language, _ in pool], part)]
        lines[part] = sorted(set(drawn))
        encoded = tokenizer.encode_batch(lines[part])
        ids = [encoding.ids[: options.max_length] for encoding in encoded]
        row_of = {line: row for row, line in enumerate(lines[part])}
        rows = [row_of[line] for line in drawn]
        parts.append(Part(Ragged([ids[row] for row in rows]), rows))
    both = []
    for i in (corpus.train[i] for i in draw(of_pair, TLM)):
        first, second = corpus.foreign[i], corpus.english[i]
        if rng.random() < 0.5:  # either order, so that neither side is always first
            first, second = second, first
        both.append([BOS, *first, EOS, EOS, *second, EOS])
    parts.append(Part(Ragged(both), []))
    short = [i for i, n in enumerate(corpus.lines.lengths) if 0 < n <= room]
    drawn_lines = [short[i] for i in draw([text.lines[i][0] for i in short], MLM)]
    parts.append(Part(Ragged([[BOS, *corpus.lines[i], EOS] for i in drawn_lines]), []))
    lengths = [part.ids.lengths.tolist() for part in parts]
    mixed = mix(lengths, shares, sizes, batches, seed)
    seen, total = [], 0
    for batch in mixed:
        total += sum(lengths[batch.part][i] for i in batch.indices)
        seen.append(total)
    return Plan(parts, lines, mixed, seen)


def _pools(corpus: Corpus, options: Options) -> dict[int, list[tuple[int, str]]]:
    """Lines, and frequent words, of the languages the second teacher knows."""
    assert options.teacher is not None
    text = corpus.text
    known = set(get_teacher(options.teacher).languages)
    usable = {index for index, language in enumerate(text.languages) if language in known}
    room = options.max_length - 2
    lines = [text.pairs[i][:2] for i in corpus.train if text.pairs[i][0] in usable]
    lines += [(text.english, text.pairs[i][2]) for i in corpus.train[:: len(text.languages)]]
    lines += [
        line
        for line, length in zip(text.lines, corpus.lines.lengths, strict=True)
        if line[0] in usable and length <= room
    ]
    counts: dict[int, Counter[str]] = {index: Counter() for index in usable}
    for index, line in lines:
        folded = line.lower() if options.lowercase else line
        counts[index].update(word for word in _WORD.findall(folded))
    words = [
        (index, word)
        for index, counter in sorted(counts.items())
        for word, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT]
        if count > 1
    ]
    return {LINES: lines, WORDS: words}
