"""Align languages by contrast on parallel text, at a layer of an encoder.

>>> trained = align(Path("base"), source, "words", options, work=work, out=out)

After targeted lexical injection (Ngugi 2025, arXiv:2506.15415): low-rank updates of early layers,
trained on pairs of words that translate each other, so that their mean hidden states at one layer
meet. There every layer has an update, the pairs are a list, and the loss has a margin (triplets);
here the layers are chosen, pairs are words read off parallel text or its sentences, and each side
is to find its partner among the batch's (InfoNCE, van den Oord et al. 2018), in both directions.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from transformers.trainer_utils import set_seed

from evalsuite import tokenization
from evalsuite.errors import DataError
from evalsuite.task import DataSource
from transfer.errors import MethodError
from transfer.loop.batch_plan import Batch, padded, plan
from transfer.loop.fit import fit
from transfer.loop.training_length import steps_for
from transfer.loop.types import Progress, Tensors, TrainingData
from transfer.models import checkpoints
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import SentenceVectors, dimension_problems
from transfer.objectives.sentences import contrast, equal_rows, pool
from transfer.registry import METHODS
from transfer.supervised.options import Options
from transfer.supervised.save_trained import training_summary, write
from transfer.supervised.train_tasks import Trained
from transfer.text import word_translations
from transfer.text.parallel_text import Ragged, read

What = Literal["words", "sentences"]


def align(
    directory: Path,
    source: DataSource,
    what: What,
    options: Options,
    *,
    max_pairs: int | None = None,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> Trained:
    """Train the encoder in `directory` and write what the method gives to `out`.

    Args:
        what: is paired with English: words, of a dictionary read off the text, or sentences.
        options: vectors are compared at the highest of its `adapter_layers`, or at the last layer
            where that is None. `languages` other than English; English
            alone, and None, mean all there are. Of `vectors`, words take the pooling (the mean
            where that is None) and the temperature.
        max_pairs: sentence pairs read, a language; None for all, and for 40,000 of words.

    Raises:
        TransferError, EvalsuiteError: something a person can put right.
    """
    method = METHODS.get(options.method)
    languages = [language for language in options.languages or () if language != "en"] or None
    seed, most = options.settings.seed, options.max_examples
    pairs = read_pairs(source, what, languages, max_pairs, progress, most=most, seed=seed)
    random.Random(seed).shuffle(pairs)
    vectors = _vectors(directory, what, options.vectors)
    if vectors.prefix:
        pairs = [(vectors.prefix + foreign, vectors.prefix + english) for foreign, english in pairs]
    tokenizer, pad_id = tokenization.load(directory), tokenization.pad_id(directory)
    longest = checkpoints.longest(directory, options.max_length)
    tokenizer.enable_truncation(longest)
    sides = [
        Ragged([encoding.ids for encoding in tokenizer.encode_batch(list(lines))])
        for lines in zip(*pairs, strict=True)
    ]
    set_seed(seed)
    base, _ = checkpoints.load(directory, None, options.precision)
    if problems := dimension_problems(vectors.dimensions, base.config.hidden_size):
        raise MethodError(problems[0])
    checkpoints.hold_embeddings(base, options.embeddings)
    footprint = checkpoints.memory(base)
    last = base.config.num_hidden_layers
    at = max(options.method_options.get("adapter_layers") or (last,))
    if at > last:
        raise MethodError(f"adapter_layers: {at}, but the model has layers 1 to {last}")
    model = method.prepare(base, None, options.precision, **options.method_options)
    lengths = [int(max(two)) for two in zip(sides[0].lengths, sides[1].lengths, strict=True)]
    steps = steps_for(len(pairs), options.batch_size, options.epochs, options.max_steps)
    batches = plan(lengths, options.batch_size, steps, seed)

    def collate(batch: Batch) -> Tensors:
        both = [padded([side[i] for i in batch.indices], pad_id) for side in sides]
        return {"foreign": both[0], "english": both[1]}

    objective = partial(contrast_loss, layer=at, vectors=vectors)
    model.train()
    fitted = fit(model, TrainingData(batches, collate), objective, options.settings, work, progress)
    model.eval()
    write(method, model, model, [], directory, options, out)
    if what == "sentences" and at == last:
        declared = replace(vectors, passage_prefix=vectors.prefix)  # both sides had the same
        declare_vectors(declared, directory, out)
    summary = training_summary(fitted, model, footprint)
    summary |= checkpoints.truncation_summary(options.max_length, longest)
    return Trained(fitted, summary | {"pairs": len(pairs), "compared at layer": at})


def _vectors(directory: Path, what: What, asked: SentenceVectors) -> SentenceVectors:
    """How the texts of a pair become vectors, and how these are compared."""
    if what == "sentences":
        return asked.resolved(directory)
    return SentenceVectors(asked.pooling or "mean", temperature=asked.temperature)


def read_pairs(
    source: DataSource,
    what: What,
    languages: Sequence[str] | None,
    max_pairs: int | None = None,
    progress: Progress = lambda fraction, text: None,
    *,
    most: int | None = None,
    seed: int = 0,
) -> list[tuple[str, str]]:
    """(foreign, English), each once, evaluation text left out.

    Args:
        max_pairs: sentence pairs read, a language.
        most: pairs of a language, drawn by `seed`; None for all that are read.

    Raises:
        DataError: there is no parallel text, or none of words that occur twice.
    """
    if what == "sentences":
        text = read(source, languages, max_pairs, progress=progress)
        every = [(text.languages[i], (there, here)) for i, there, here in text.pairs]
    else:
        words = word_translations.build(source, max_pairs or word_translations.MAX_PAIRS, progress)
        every = [
            (language, (foreign, english))
            for language, known in words.items()
            if languages is None or language in languages
            for english, foreign in known.items()
        ]
    if not every:
        raise DataError("no words to align: give languages that are written with spaces")
    by_language: dict[str, set[tuple[str, str]]] = {}
    for language, pair in every:
        by_language.setdefault(language, set()).add(pair)
    rng = random.Random(seed)
    return sorted({pair for pairs in by_language.values() for pair in _some(pairs, most, rng)})


def _some(
    pairs: set[tuple[str, str]], most: int | None, rng: random.Random
) -> Collection[tuple[str, str]]:
    """At most that number of them."""
    return pairs if most is None else rng.sample(sorted(pairs), min(most, len(pairs)))


def contrast_loss(
    model: Any, batch: dict[str, Tensors], layer: int, vectors: SentenceVectors | None = None
) -> torch.Tensor:
    """Cross-entropy of finding the partner by cosine of pooled hidden states, both ways.

    Args:
        batch: `foreign` and `english`, each `input_ids` and `attention_mask` `[batch, tokens]`.
        layer: whose output is compared, 1 the lowest.
    """
    made = vectors or SentenceVectors()

    def embed(side: str) -> torch.Tensor:
        hidden = model(**batch[side], output_hidden_states=True).hidden_states[layer]
        return pool(hidden, batch[side]["attention_mask"], made.pooling or "mean")

    foreign, english = embed("foreign"), embed("english")
    with torch.autocast(foreign.device.type, enabled=False):
        same = [equal_rows(batch[side]["input_ids"]) for side in ("foreign", "english")]
        alike = same[0] | same[1]  # another's partner that is one's own too is no negative
        return contrast(
            (foreign, english), alike, made.temperature, made.dimensions, both_ways=True
        )
