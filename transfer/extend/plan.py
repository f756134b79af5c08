"""What each batch of `extend` has, decided before the first step."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from evalsuite.errors import DataError
from evalsuite.languages import is_among
from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.extend.streams import StreamedLines
from transfer.loop.mixed_plan import MixedPlan, in_memory
from transfer.loop.stream_plan import StreamPlan
from transfer.registry import TEACHERS
from transfer.text.parallel_text import Ragged, sample
from transfer.text.vocabulary import Case
from transfer.text.word_translations import core, has_spaces

BOS, PAD, EOS = 0, 1, 2  # of the new vocabulary, as in XLM-R
SENTENCES, LINES, WORDS, TLM, MLM, ENGLISH = range(6)  # the parts
_STREAMED = {"lines": LINES, "mlm": MLM, "english": ENGLISH}  # by their names in `rules.readers`
_WORDS_A_SENTENCE = 4  # so many times more words than sentences in a batch
_FREQUENT = 20_000  # words a language, the most frequent first
_Drawn = tuple[Ragged, list[str], list[int]]  # the fields of a `Part` whose text is in memory


class Ids(Protocol):
    """Token ids of rows, special tokens included."""

    def __getitem__(self, index: int) -> list[int]:
        """Of one row."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One objective's text."""

    ids: Ids
    lines: list[str]  # what a teacher embeds of it, each once; none of a stream
    rows: list[int]  # each sequence's line; none where nothing is embedded


@dataclass(frozen=True, slots=True)
class Plan:
    """What each batch has."""

    parts: list[Part]
    batches: MixedPlan
    seen: list[int] | None  # tokens up to and with each batch; not known of a stream


def make_plan(
    tokenizer: Any,
    corpus: Corpus,
    options: Options,
    streams: Mapping[str, StreamedLines] | None = None,
) -> Plan:
    """Draw every part's text by language, and mix the parts by batch.

    Args:
        streams: lines that are not in memory, by the objective that reads them.

    Raises:
        DataError: what is asked for has no text.
    """
    streamed = {_STREAMED[name]: lines for name, lines in (streams or {}).items()}
    pools = _pools(corpus, options, streamed)
    apart = options.english if ENGLISH in streamed else 0.0  # English sentences of the stream
    distilled, english = options.sentences * (1 - apart), options.sentences * apart
    wanted = [distilled, options.lines, options.words, options.tlm, options.mlm, english]
    shares = [
        share if pool or part in streamed else 0.0
        for part, (share, pool) in enumerate(zip(wanted, pools, strict=True))
    ]
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
        count = round(batches * sizes[part] * shares[part] / sum(shares)) if pool else 0
        chosen = sample([language for language, _ in pool], options.alpha, count, seed + part)
        drawn.append([pool[i][1] for i in chosen])
    rng = random.Random(seed)
    memory = [
        _translated(corpus, drawn[SENTENCES], 0.0 if apart else options.english, rng),
        _taught(tokenizer, drawn[LINES], options.max_length),
        _taught(tokenizer, drawn[WORDS], options.max_length),
        _paired(corpus, drawn[TLM], rng),
        (Ragged([[BOS, *corpus.lines[i], EOS] for i in drawn[MLM]]), [], []),
        (Ragged([]), [], []),
    ]
    lengths = [ids.lengths.tolist() for ids, _, _ in memory]
    ways = [
        streamed[part].batches(options) if part in streamed else in_memory(own, size, seed)
        for part, (own, size) in enumerate(zip(lengths, sizes, strict=True))
    ]
    mixed = MixedPlan(ways, shares, batches, seed)
    parts = [Part(*text) for text in memory]
    for part, lines in streamed.items():
        batched = mixed.plans[part]
        assert isinstance(batched, StreamPlan)
        parts[part] = Part(lines.rows(batched, options), [], [])
    if streamed:
        return Plan(parts, mixed, None)
    tokens = (sum(lengths[batch.part][i] for i in batch.indices) for batch in mixed)
    return Plan(parts, mixed, list(accumulate(tokens)))


def _translated(corpus: Corpus, drawn: list[int], english: float, rng: random.Random) -> _Drawn:
    """Pairs: one side to read, the English one, where `english` has it too, to be matched."""
    ids = []
    for i in drawn:
        side = corpus.english if rng.random() < english else corpus.foreign
        ids.append([BOS, *side[i], EOS])
    return _matched(ids, [corpus.text.pairs[i][2] for i in drawn])


def _taught(tokenizer: Any, drawn: list[str], longest: int) -> _Drawn:
    """Lines and words: to read and to be matched."""
    once = sorted(set(drawn))
    encoded = tokenizer.encode_batch(once)
    ids = {line: e.ids[:longest] for line, e in zip(once, encoded, strict=True)}
    return _matched([ids[line] for line in drawn], drawn)


def _matched(ids: list[list[int]], lines: list[str]) -> _Drawn:
    once = sorted(set(lines))
    row = {line: number for number, line in enumerate(once)}
    return Ragged(ids), once, [row[line] for line in lines]


def _paired(corpus: Corpus, drawn: list[int], rng: random.Random) -> _Drawn:
    """Both sides at once, in either order, so that neither is always first."""
    ids = []
    for i in drawn:
        first, second = corpus.foreign[i], corpus.english[i]
        if rng.random() < 0.5:
            first, second = second, first
        ids.append([BOS, *first, EOS, EOS, *second, EOS])
    return Ragged(ids), [], []


def _pools(
    corpus: Corpus, options: Options, streamed: Container[int]
) -> list[list[tuple[int, Any]]]:
    """What each part is drawn from: language, and index of a pair or line, or the text itself."""
    text, room = corpus.text, options.max_length - 2
    pairs = [(text.pairs[i][0], i) for i in corpus.train]
    short = [i for i, length in enumerate(corpus.lines.lengths) if 0 < length <= room]
    singles = [(text.lines[i][0], i) for i in short]
    if options.teacher is None:
        return [pairs, [], [], pairs, singles, []]
    sampled = short if options.stream is None else range(len(text.lines))
    words = _frequent(_known(corpus, sampled, options), text.languages, options.case)
    lines = [] if LINES in streamed else _known(corpus, short, options)
    return [pairs, lines, words, pairs, singles, []]


def _known(corpus: Corpus, short: Sequence[int], options: Options) -> list[tuple[int, str]]:
    """Lines of the languages the second teacher knows, those of `short` among the single ones."""
    assert options.teacher is not None
    text, known = corpus.text, TEACHERS.get(options.teacher).languages
    usable = {index for index, language in enumerate(text.languages) if is_among(language, known)}
    lines = [text.pairs[i][:2] for i in corpus.train if text.pairs[i][0] in usable]
    # As many English sides as a language has pairs on the average.
    lines += [(text.english, text.pairs[i][2]) for i in corpus.train[:: len(text.languages)]]
    return lines + [text.lines[i] for i in short if text.lines[i][0] in usable]


def _frequent(
    lines: list[tuple[int, str]], languages: Sequence[str], case: Case
) -> list[tuple[int, str]]:
    """The most frequent words of each language, those that occur once left out.

    Words are what lies between spaces, so a language that is written without spaces has none.
    """
    spaced = [has_spaces(language) for language in languages]
    counts: dict[int, Counter[str]] = {}
    for index, line in lines:
        if not spaced[index]:
            continue
        folded = line if case == "keep" else line.lower()
        words = filter(None, map(core, folded.split()))
        counts.setdefault(index, Counter()).update(words)
    return [
        (index, word)
        for index, counter in sorted(counts.items())
        for word, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT]
        if count > 1
    ]
