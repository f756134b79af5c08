"""Give an English encoder new languages.

>>> extend(english_dir, source, Options(vocabulary=32000, steps=12000, ...), work=work, out=out)

The encoder's layers are carried into the XLM-R architecture behind a new multilingual vocabulary,
whose embeddings start from the English ones they are translated by. Then objectives mixed by batch
teach the languages: sentence-embedding distillation on parallel text, with the English encoder as
teacher (Reimers & Gurevych 2020); the same from a multilingual teacher, which needs no parallel
text, on lines and on single words; translation language modelling (Lample & Conneau 2019); masked
language modelling.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from transformers.trainer_utils import set_seed

from evalsuite import tokenization
from evalsuite.task import DataSource
from transfer import cards, checkpoints, lexical, vocabulary
from transfer.batches import Batch, padded
from transfer.carry import carry, load_english
from transfer.mixing import mix
from transfer.objectives import mlm, sentences
from transfer.targets import embed, targets
from transfer.teachers import get as get_teacher
from transfer.text import Ragged, Text, read, sample
from transfer.train import Fitted, Progress, Settings, Tensors, fit, resolve_compute

_WORD = re.compile(r"[^\W\d_]+")
_BOS, _PAD, _EOS = 0, 1, 2  # of the new vocabulary, as in XLM-R
_SPECIAL = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
_LEXICAL_PAIRS = 15_000  # a language, to start the embeddings from
_POINTS = 8  # of the curve
_SENTENCES, _LINES, _WORDS, _TLM, _MLM = range(5)
_WORDS_A_SENTENCE = 4  # so many times more words than sentences in a batch
_FREQUENT = 20_000  # words a language, the most frequent first
_RIDGE = 5_000  # English lines the head starts from

Watch = Callable[[Any, Any, int], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Options:
    """What to learn and for how long; shares are of batches and need not sum to 1."""

    vocabulary: int
    lowercase: bool
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
    store: Literal["fp32", "fp16"]
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Corpus:
    """Encoded text without special tokens."""

    text: Text
    foreign: Ragged  # a pair
    english: Ragged  # a pair, in the new vocabulary
    lines: Ragged
    train: list[int]  # pairs to learn from: short enough, not held out
    held: list[int]


def extend(
    english_dir: Path,
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
    watch: Watch | None = None,
) -> tuple[Fitted, dict[str, float | int | str]]:
    """Carry, start, train; write a masked-LM checkpoint to `out`.

    Args:
        watch: `(encoder, tokenizer, tokens seen) -> figures`, called at the points of the curve
            beside the held-out retrieval.

    Raises:
        DataError: there is no parallel text.
        ModelError: the encoder is not a BERT.
    """
    original = load_english(english_dir)
    english_tokenizer = tokenization.load(english_dir)
    text = read(
        source, options.languages, options.max_pairs, options.max_lines, options.prose, progress
    )
    tokenizer_dir = work / "tokenizer"
    _vocabulary(text, options, tokenizer_dir, original.config.max_position_embeddings, progress)
    tokenizer = tokenization.load(tokenizer_dir)
    progress(0.0, "encoding text")
    corpus = _encode(tokenizer, text, options)
    progress(0.0, "starting embeddings")
    set_seed(options.settings.seed)
    table = _table(original, english_tokenizer, tokenizer, corpus, options)
    model = carry(original, torch.from_numpy(table))
    compute = resolve_compute(options.settings.compute)
    if torch.cuda.is_available():
        original.cuda()

    def english(lines: Sequence[str]) -> np.ndarray:
        ids = _english(english_tokenizer, lines)
        return embed(original, ids, original.config.pad_token_id, compute)

    plan = _plan(tokenizer, corpus, options)
    vectors = {}
    if plan.lines[_SENTENCES]:
        vectors[_SENTENCES] = targets(english, plan.lines[_SENTENCES], work / "teacher", progress)
    if options.teacher is not None and options.lines + options.words > 0:
        second = get_teacher(options.teacher)
        multilingual = second.open()
        for part in (part for part in (_LINES, _WORDS) if plan.lines[part]):
            place = work / f"{options.teacher}-{part}"
            vectors[part] = targets(multilingual, plan.lines[part], place, progress)
        model.head = nn.Linear(original.config.hidden_size, second.width, bias=False)
        some = sorted({pair[2] for pair in text.pairs[: 4 * _RIDGE]})[:_RIDGE]
        with torch.no_grad():
            model.head.weight.copy_(_regress(english(some), multilingual(some)))
    mask_id = tokenization.id_of(tokenizer, "<mask>")

    def collate(batch: Batch) -> Tensors:
        ids = [plan.parts[batch.part].ids[i] for i in batch.indices]
        if batch.part not in vectors:
            return mlm.collate(ids, _PAD, mask_id, batch.seed, options.mask_rate)
        rows = [plan.parts[batch.part].rows[i] for i in batch.indices]
        wanted = torch.from_numpy(vectors[batch.part][rows]).float()
        tensors = padded(ids, _PAD)
        wanted = nn.functional.normalize(wanted, dim=-1)
        return {**tensors, "target": wanted, "through_head": batch.part != _SENTENCES}

    def objective(module: Any, batch: Tensors) -> torch.Tensor:
        if "target" not in batch:
            return mlm.loss(module, batch)
        wanted, through_head = batch.pop("target"), batch.pop("through_head")
        hidden = module.base_model(**batch).last_hidden_state
        embedding = sentences.pool(hidden, batch["attention_mask"])
        if through_head:
            embedding = nn.functional.normalize(module.head(embedding).float(), dim=-1)
        return sentences.loss(embedding, wanted, options.contrast)

    curve = _Curve(model, tokenizer, corpus, plan, options, work / "curve.json", compute, watch)
    model.roberta.requires_grad_(not options.freeze_body)
    model.get_input_embeddings().weight.requires_grad_(True)
    model.train()
    fitted = fit(
        model, plan.batches, collate, objective, options.settings, work, progress, after=curve
    )
    model.eval().cpu()
    model.head = None  # not part of the encoder
    if options.store == "fp16":
        model.half()
    checkpoints.save(model, tokenizer_dir, out, _card(english_dir, source, corpus, options))
    points = curve.points()
    (out / "curve.json").write_text(json.dumps(points, indent=2), encoding="utf-8")
    return fitted, {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms a step": round(1000 * fitted.seconds_a_step, 1),
        "sentence pairs": len(text.pairs),
        "single lines": len(text.lines),
        "dropped as evaluation text": text.dropped,
        "languages": len(text.languages),
        "vocabulary": tokenizer.get_vocab_size(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "tokens seen": plan.tokens(len(plan.batches)),
        "held-out retrieval": points[-1]["held-out retrieval"] if points else "not measured",
    }


def _vocabulary(text: Text, options: Options, directory: Path, longest: int, say: Progress) -> None:
    """Train the vocabulary once; a rerun finds it."""
    if (directory / "tokenizer_config.json").is_file():
        return
    say(0.0, "training the vocabulary")
    english = {english for _, _, english in text.pairs}
    pool = [(index, foreign) for index, foreign, _ in text.pairs] + text.lines
    pool += [(text.english, line) for line in sorted(english)]
    seed = options.settings.seed
    drawn = sample([index for index, _ in pool], options.alpha, options.vocabulary_lines, seed)
    lines = [pool[i][1] for i in drawn]
    tokenizer = vocabulary.train_unigram(lines, options.vocabulary, options.lowercase)
    vocabulary.save(tokenizer, directory, longest)


def _encode(tokenizer: Any, text: Text, options: Options) -> _Corpus:
    def ids(lines: Sequence[str]) -> Ragged:
        encoded = tokenizer.encode_batch(list(lines), add_special_tokens=False)
        return Ragged([encoding.ids for encoding in encoded])

    foreign = ids([pair[1] for pair in text.pairs])
    english = ids([pair[2] for pair in text.pairs])
    lines = ids([line for _, line in text.lines])
    room = options.max_length - 2
    short = [
        i
        for i in range(len(text.pairs))
        if 0 < foreign.lengths[i] <= room and 0 < english.lengths[i] <= room
    ]
    random.Random(options.settings.seed).shuffle(short)
    held: list[int] = []
    train: list[int] = []
    count = [0] * len(text.languages)
    for i in short:
        language = text.pairs[i][0]
        count[language] += 1
        (held if count[language] <= options.held_out else train).append(i)
    # A sentence that several languages share would be learnt through another of them.
    kept_out = {text.pairs[i][2] for i in held}
    train = [i for i in train if text.pairs[i][2] not in kept_out]
    return _Corpus(text, foreign, english, lines, sorted(train), sorted(held))


def _english(tokenizer: Any, lines: Sequence[str]) -> Ragged:
    """Ids as the English encoder takes them, special tokens included."""
    tokenizer.enable_truncation(256)
    encoded = tokenizer.encode_batch(list(lines))
    tokenizer.no_truncation()
    return Ragged([encoding.ids for encoding in encoded])


def _table(original: Any, old: Any, new: Any, corpus: _Corpus, options: Options) -> np.ndarray:
    """Word embeddings of the new vocabulary `[vocabulary, width]`."""
    rows = original.get_input_embeddings().weight.detach().numpy()
    size = new.get_vocab_size()
    if options.lexical:
        count = [0] * len(corpus.text.languages)
        chosen = []
        for i in corpus.train:
            language = corpus.text.pairs[i][0]
            count[language] += 1
            if count[language] <= _LEXICAL_PAIRS:
                chosen.append(i)
        encoded = old.encode_batch(
            [corpus.text.pairs[i][2] for i in chosen], add_special_tokens=False
        )
        pairs = [
            (corpus.text.pairs[i][0], corpus.foreign[i], encoding.ids)
            for i, encoding in zip(chosen, encoded, strict=True)
        ]
        used = np.zeros(size, dtype=np.int64)
        for i in chosen:
            used[np.unique(corpus.english[i])] += 1
        own = {
            int(piece): (spelling(new.id_to_token(int(piece)), old), int(used[piece]))
            for piece in np.flatnonzero(used)
        }
        table = lexical.across(pairs, rows, own, size)
    else:
        table = np.random.default_rng(options.settings.seed).normal(
            rows.mean(), rows.std(), (size, rows.shape[1])
        )
    for ours, theirs in _SPECIAL.items():
        table[new.token_to_id(ours)] = rows[old.token_to_id(theirs)]
    return table.astype(np.float32)


def spelling(piece: str, tokenizer: Any) -> list[int]:
    """WordPiece ids that spell a unigram piece: `▁word` starts a word, `ing` goes on with one."""
    if not piece.startswith("▁"):
        inside = tokenizer.token_to_id("##" + piece)
        if inside is not None:
            return [int(inside)]
    ids = tokenizer.encode(piece.replace("▁", " "), add_special_tokens=False).ids
    return [int(i) for i in ids] or [int(tokenizer.token_to_id("[UNK]"))]


def _regress(inputs: np.ndarray, outputs: np.ndarray, ridge: float = 1.0) -> torch.Tensor:
    """Weight `[out, in]` of the linear map that takes `inputs` nearest to `outputs`."""
    square = inputs.T @ inputs + ridge * np.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.from_numpy(np.linalg.solve(square, inputs.T @ outputs).T.copy())


@dataclass(frozen=True, slots=True)
class _Part:
    """One objective's text."""

    ids: Ragged  # special tokens included
    rows: list[int]  # each sequence's line in the teacher's


@dataclass(frozen=True, slots=True)
class _Plan:
    """What each batch has."""

    parts: list[_Part]
    lines: dict[int, list[str]]  # what a teacher embeds, a part
    batches: list[Batch]
    seen: list[int]  # tokens up to and with each batch

    def tokens(self, batches: int) -> int:
        """Tokens seen after so many batches."""
        return self.seen[batches - 1] if batches else 0


def _plan(tokenizer: Any, corpus: _Corpus, options: Options) -> _Plan:
    text, seed, room = corpus.text, options.settings.seed, options.max_length - 2
    taught = options.teacher is not None
    shares = [options.sentences, options.lines * taught, options.words * taught, options.tlm]
    shares.append(options.mlm if text.lines else 0.0)
    sizes = [options.batch_size] * len(shares)
    sizes[_WORDS] *= _WORDS_A_SENTENCE
    batches = options.steps * options.settings.accumulate
    counts = [round(batches * n * s / sum(shares)) for n, s in zip(sizes, shares, strict=True)]
    rng = random.Random(seed)

    def draw(languages: Sequence[int], part: int) -> list[int]:
        return sample(languages, options.alpha, counts[part], seed + part) if languages else []

    of_pair = [text.pairs[i][0] for i in corpus.train]
    pairs = [(corpus.train[i], rng.random()) for i in draw(of_pair, _SENTENCES)]
    sides = (corpus.foreign, corpus.english)
    lines: dict[int, list[str]] = {_SENTENCES: sorted({text.pairs[i][2] for i, _ in pairs})}
    row_of = {line: row for row, line in enumerate(lines[_SENTENCES])}
    parts = [
        _Part(
            Ragged([[_BOS, *sides[chance < options.english][i], _EOS] for i, chance in pairs]),
            [row_of[text.pairs[i][2]] for i, _ in pairs],
        )
    ]
    pools = _pools(corpus, options) if taught else {_LINES: [], _WORDS: []}
    for part, pool in pools.items():
        drawn = [pool[i][1] for i in draw([language for language, _ in pool], part)]
        lines[part] = sorted(set(drawn))
        encoded = tokenizer.encode_batch(lines[part])
        ids = [encoding.ids[: options.max_length] for encoding in encoded]
        row_of = {line: row for row, line in enumerate(lines[part])}
        rows = [row_of[line] for line in drawn]
        parts.append(_Part(Ragged([ids[row] for row in rows]), rows))
    both = []
    for i in (corpus.train[i] for i in draw(of_pair, _TLM)):
        first, second = corpus.foreign[i], corpus.english[i]
        if rng.random() < 0.5:  # either order, so that neither side is always first
            first, second = second, first
        both.append([_BOS, *first, _EOS, _EOS, *second, _EOS])
    parts.append(_Part(Ragged(both), []))
    short = [i for i, n in enumerate(corpus.lines.lengths) if 0 < n <= room]
    drawn_lines = [short[i] for i in draw([text.lines[i][0] for i in short], _MLM)]
    parts.append(_Part(Ragged([[_BOS, *corpus.lines[i], _EOS] for i in drawn_lines]), []))
    lengths = [part.ids.lengths.tolist() for part in parts]
    mixed = mix(lengths, shares, sizes, batches, seed)
    seen, total = [], 0
    for batch in mixed:
        total += sum(lengths[batch.part][i] for i in batch.indices)
        seen.append(total)
    return _Plan(parts, lines, mixed, seen)


def _pools(corpus: _Corpus, options: Options) -> dict[int, list[tuple[int, str]]]:
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
    return {_LINES: lines, _WORDS: words}


class _Curve:
    """Held-out retrieval at some points of training, kept over a kill."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        corpus: _Corpus,
        plan: _Plan,
        options: Options,
        path: Path,
        compute: str,
        watch: Watch | None,
    ) -> None:
        self.model, self.tokenizer, self.corpus, self.plan = model, tokenizer, corpus, plan
        self.path, self.compute, self.watch = path, compute, watch
        self.micro = options.settings.accumulate
        self.at = {max(1, round(options.steps * n / _POINTS)) for n in range(1, _POINTS + 1)}

    def __call__(self, step: int) -> None:
        if step not in self.at or not self.corpus.held:
            return
        seen = self.plan.tokens(step * self.micro)
        self.model.eval()
        point = {"step": step, "tokens": seen, "held-out retrieval": round(self.retrieval(), 2)}
        if self.watch is not None:
            point |= self.watch(self.model, self.tokenizer, seen)
        self.model.train()
        kept = [other for other in self.points() if other["step"] < step]
        partial = self.path.with_suffix(".part")
        partial.write_text(json.dumps([*kept, point]), encoding="utf-8")
        partial.replace(self.path)

    def points(self) -> list[dict[str, float]]:
        """Those measured so far."""
        if not self.path.is_file():
            return []
        found: list[dict[str, float]] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    def retrieval(self) -> float:
        """Percent of held-out sentences, mean over languages, whose nearest English sentence, of
        all languages' held-out ones, is their own translation."""
        corpus = self.corpus
        sides = [
            embed(
                self.model.roberta,
                [[_BOS, *ids[i], _EOS] for i in corpus.held],
                _PAD,
                self.compute,
            )
            for ids in (corpus.foreign, corpus.english)
        ]
        english = [corpus.text.pairs[i][2] for i in corpus.held]
        nearest = (sides[0] @ sides[1].T).argmax(1)
        right: dict[int, list[bool]] = {}
        for row, index in enumerate(corpus.held):
            found = english[int(nearest[row])] == english[row]
            right.setdefault(corpus.text.pairs[index][0], []).append(found)
        return 100 * float(np.mean([np.mean(values) for values in right.values()]))


def _card(english_dir: Path, source: DataSource, corpus: _Corpus, options: Options) -> str:
    return cards.card(
        "English encoder extended to new languages",
        [
            f"layers from: {english_dir.name}, carried into the XLM-R architecture",
            f"languages: {' '.join(corpus.text.languages)}",
            f"text: {source.kind} source, {len(corpus.train)} sentence pairs "
            f"and {len(corpus.lines)} single lines",
            f"shares of batches: sentence distillation {options.sentences:g}, from "
            f"{options.teacher or 'a second teacher'}: lines {options.lines:g}, words "
            f"{options.words:g}; translation LM {options.tlm:g}, masked LM {options.mlm:g}",
            "sentence embedding: mean over tokens of the last layer",
        ],
    )
