"""What each batch of `extend` has, decided before the first step."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from evalsuite.errors import DataError
from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.loop.batch_plan import Batch
from transfer.loop.mixing import mix
from transfer.registry import TEACHERS
from transfer.text.parallel_text import Ragged, sample
from transfer.text.vocabulary import Case

BOS, PAD, EOS = 0, 1, 2  # of the new vocabulary, as in XLM-R
SENTENCES, LINES, WORDS, TLM, MLM = range(5)  # the parts
_WORDS_A_SENTENCE = 4  # so many times more words than sentences in a batch
_FREQUENT = 20_000  # words a language, the most frequent first
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One objective's text."""

    ids: Ragged  # special tokens included
    lines: list[str]  # what a teacher embeds of it, each once
    rows: list[int]  # each sequence's line; none where nothing is embedded


@dataclass(frozen=True, slots=True)
class Plan:
    """What each batch has."""

    parts: list[Part]
    batches: list[Batch]
    seen: list[int]  # tokens up to and with each batch


def make_plan(tokenizer: Any, corpus: Corpus, options: Options) -> Plan:
    """Draw every part's text by language, and mix the parts by batch.

    Raises:
        DataError: what is asked for has no text.
    """
    pools = _pools(corpus, options)
    wanted = [options.sentences, options.lines, options.words, options.tlm, options.mlm]
    shares = [share if pool else 0.0 for share, pool in zip(wanted, pools, strict=True)]
    if sum(shares) == 0:
        raise DataError(
            "there is no text for any of the objectives asked for: single lines need `mono/`, "
            "`lines` and `words` a `teacher`"
        )
    sizes = [options.batch_size] * len(shares)
    sizes[WORDS] *= _WORDS_A_SENTENCE
    seed, batches = options.settings.seed, options.steps * options.settings.accumulate
    drawn = []
    for part, pool in enumerate(pools):
        count = round(batches * sizes[part] * shares[part] / sum(shares))
        chosen = sample([language for language, _ in pool], options.alpha, count, seed + part)
        drawn.append([pool[i][1] for i in chosen])
    rng = random.Random(seed)
    parts = [
        _translated(corpus, drawn[SENTENCES], options.english, rng),
        _taught(tokenizer, drawn[LINES], options.max_length),
        _taught(tokenizer, drawn[WORDS], options.max_length),
        _paired(corpus, drawn[TLM], rng),
        Part(Ragged([[BOS, *corpus.lines[i], EOS] for i in drawn[MLM]]), [], []),
    ]
    lengths = [part.ids.lengths.tolist() for part in parts]
    mixed = mix(lengths, shares, sizes, batches, seed)
    tokens = (sum(lengths[batch.part][i] for i in batch.indices) for batch in mixed)
    return Plan(parts, mixed, list(accumulate(tokens)))


def _translated(corpus: Corpus, drawn: list[int], english: float, rng: random.Random) -> Part:
    """Pairs: one side to read, the English one, where `english` has it too, to be matched."""
    ids = []
    for i in drawn:
        side = corpus.english if rng.random() < english else corpus.foreign
        ids.append([BOS, *side[i], EOS])
    return _matched(ids, [corpus.text.pairs[i][2] for i in drawn])


def _taught(tokenizer: Any, drawn: list[str], longest: int) -> Part:
    """Lines and words: to read and to be matched."""
    once = sorted(set(drawn))
    encoded = tokenizer.encode_batch(once)
    ids = {line: e.ids[:longest] for line, e in zip(once, encoded, strict=True)}
    return _matched([ids[line] for line in drawn], drawn)


def _matched(ids: list[list[int]], lines: list[str]) -> Part:
    once = sorted(set(lines))
    row = {line: number for number, line in enumerate(once)}
    return Part(Ragged(ids), once, [row[line] for line in lines])


def _paired(corpus: Corpus, drawn: list[int], rng: random.Random) -> Part:
    """Both sides at once, in either order, so that neither is always first."""
    ids = []
    for i in drawn:
        first, second = corpus.foreign[i], corpus.english[i]
        if rng.random() < 0.5:
            first, second = second, first
        ids.append([BOS, *first, EOS, EOS, *second, EOS])
    return Part(Ragged(ids), [], [])


def _pools(corpus: Corpus, options: Options) -> list[list[tuple[int, Any]]]:
    """What each part is drawn from: language, and index of a pair or line, or the text itself."""
    text, room = corpus.text, options.max_length - 2
    pairs = [(text.pairs[i][0], i) for i in corpus.train]
    short = [i for i, length in enumerate(corpus.lines.lengths) if 0 < length <= room]
    lines = _known(corpus, short, options) if options.teacher is not None else []
    singles = [(text.lines[i][0], i) for i in short]
    return [pairs, lines, _frequent(lines, options.case), pairs, singles]


def _known(corpus: Corpus, short: list[int], options: Options) -> list[tuple[int, str]]:
    """Lines of the languages the second teacher knows."""
    assert options.teacher is not None
    text, known = corpus.text, TEACHERS.get(options.teacher).languages
    usable = {index for index, language in enumerate(text.languages) if language in known}
    lines = [text.pairs[i][:2] for i in corpus.train if text.pairs[i][0] in usable]
    # As many English sides as a language has pairs on the average.
    lines += [(text.english, text.pairs[i][2]) for i in corpus.train[:: len(text.languages)]]
    return lines + [text.lines[i] for i in short if text.lines[i][0] in usable]


def _frequent(lines: list[tuple[int, str]], case: Case) -> list[tuple[int, str]]:
    """The most frequent words of each language, those that occur once left out."""
    counts: dict[int, Counter[str]] = {}
    for index, line in lines:
        folded = line if case == "keep" else line.lower()
        counts.setdefault(index, Counter()).update(_WORD.findall(folded))
    return [
        (index, word)
        for index, counter in sorted(counts.items())
        for word, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT]
        if count > 1
    ]
