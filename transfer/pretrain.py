"""Pretrain a multilingual encoder: masked LM, with translation LM on parallel text.

>>> shape = Shape(layers=4, hidden=192, heads=4, ffn=512, vocabulary=8000, max_length=256)
>>> pretrain(None, source, Options(shape=shape, ...), work=work, out=out)

From scratch it trains the vocabulary too; from a checkpoint it goes on with that one's own.
Languages are sampled with exponent 0.3 of their share (Conneau et al. 2020, section 3.1).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM
from transformers.trainer_utils import set_seed

from evalsuite import tokenization
from evalsuite.find_family import config_of
from evalsuite.opening.pretrained import from_config
from evalsuite.task import DataSource
from transfer.encoded_rows import masked_text
from transfer.encoder_shape import Shape, config_entries
from transfer.loop.batch_plan import Batch, plan
from transfer.loop.fit import Fitted, Settings, fit
from transfer.loop.types import Progress, Summary, Tensors, TrainingData
from transfer.models import cards, checkpoints
from transfer.models.head_alone import open_masked_lm
from transfer.objectives import mlm
from transfer.text import lexical_init, parallel_text, vocabulary

MOST_LINES = 200_000  # lines the vocabulary is trained on, at most


@dataclass(frozen=True, slots=True)
class Options:
    """What to train on and for how long; `shape` None continues a checkpoint."""

    shape: Shape | None
    steps: int
    batch_size: int
    max_length: int  # of training sequences
    max_pairs: int | None  # a language
    tlm: float  # share of rows that are translation pairs
    mask_rate: float  # share of tokens predicted
    lexical: bool  # from scratch: start embeddings from the parallel text
    freeze_embeddings: bool
    alpha: float  # sampling exponent
    languages: tuple[str, ...] | None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Start:
    """What a pretraining begins from: a checkpoint, or a tokenizer and a shape.

    Attributes:
        directory: the checkpoint; None: from scratch.
        longest: tokens of the longest sequence that is trained on.
    """

    directory: Path | None
    tokenizer_dir: Path
    tokenizer: Any
    pieces: mlm.Pieces
    pad_id: int
    longest: int
    options: Options

    @classmethod
    def of(cls, directory: Path | None, tokenizer_dir: Path, options: Options) -> Start:
        """With its tokenizer open."""
        tokenizer = tokenization.load(tokenizer_dir)
        pieces = mlm.Pieces.of(tokenizer)
        if directory is not None:
            pad_id = tokenization.pad_id(directory)
            longest = checkpoints.longest(directory, options.max_length)
        else:
            assert options.shape is not None
            pad_id = tokenization.id_of(tokenizer, "<pad>")
            longest = min(options.max_length, options.shape.max_length)
        return cls(directory, tokenizer_dir, tokenizer, pieces, pad_id, longest, options)

    def collate(self, sequences: Sequence[Sequence[int]], seed: int) -> Tensors:
        """Some sequences with masked tokens."""
        return mlm.collate(sequences, self.pad_id, self.pieces, seed, self.options.mask_rate)

    def train(
        self,
        data: TrainingData,
        work: Path,
        progress: Progress,
        prepare: Callable[[Any], None] = lambda model: None,
    ) -> tuple[Fitted, Any]:
        """What the training was like, and the model.

        Args:
            prepare: changes the model before it is trained.
        """
        settings = self.options.settings
        set_seed(settings.seed)
        model = _new_model(self.directory, self.options.shape, self.tokenizer.get_vocab_size())
        prepare(model)
        frozen = self.options.freeze_embeddings
        model.get_input_embeddings().weight.requires_grad_(not frozen)
        model.train()
        fitted = fit(model, data, mlm.loss, settings, work, progress)
        return fitted, model.eval()

    def save(
        self, model: Any, out: Path, objective: str, languages: Iterable[str], text: str
    ) -> None:
        """Write the model, its tokenizer and its card."""
        lines = [
            f"objective: {objective}",
            f"languages: {' '.join(languages)}",
            f"text: {text}",
            f"from: {self.directory.name if self.directory else 'scratch'}",
        ]
        card = cards.card("Pretrained multilingual encoder", lines)
        checkpoints.save(model, self.tokenizer_dir, out, card)

    def facts(self, fitted: Fitted, model: Any, text: Summary) -> Summary:
        """Of the training, of the text and of the model."""
        return {
            "steps": fitted.steps,
            "final loss": round(fitted.final_loss, 4),
            "compute": fitted.compute,
            "ms per step": round(1000 * fitted.seconds_per_step, 1),
            **text,
            "vocabulary": self.tokenizer.get_vocab_size(),
            "parameters": sum(p.numel() for p in model.parameters()),
            **checkpoints.truncation_summary(self.options.max_length, self.longest),
        }


def pretrain(
    directory: Path | None,
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> tuple[Fitted, Summary]:
    """Train and write a masked-LM checkpoint to `out`.

    Raises:
        DataError: there is no parallel text.
    """
    read = parallel_text.read(source, options.languages, options.max_pairs, progress=progress)
    pairs = read.pairs
    tokenizer_dir = directory if directory is not None else work / "tokenizer"
    settings = options.settings
    if directory is None:
        assert options.shape is not None
        _vocabulary(pairs, options.shape, tokenizer_dir, settings.seed, progress)
    start = Start.of(directory, tokenizer_dir, options)
    progress(0.0, "encoding text")
    encoded = masked_text.encode(start.tokenizer, pairs, options.tlm, start.longest, settings.seed)
    steps = options.steps * settings.accumulate  # batches
    needed = steps * options.batch_size
    drawn = masked_text.draw(encoded, options.tlm, options.alpha, needed, settings.seed)
    lengths = [len(encoded.ids[index]) for index in drawn]
    batches = plan(lengths, options.batch_size, steps, settings.seed)

    def collate(batch: Batch) -> Tensors:
        return start.collate([encoded.ids[drawn[index]] for index in batch.indices], batch.seed)

    def align(model: Any) -> None:
        if directory is None and options.lexical:
            progress(0.0, "aligning embeddings")
            _align(model, start.tokenizer, pairs)

    fitted, model = start.train(TrainingData(batches, collate), work, progress, align)
    text = f"{source.kind} source, {len(pairs)} sentence pairs"
    start.save(model, out, "masked LM and translation LM", read.languages, text)
    facts: Summary = {
        "sentence pairs": len(pairs),
        "dropped as evaluation text": read.dropped,
        "languages": len(read.languages),
        "tokens seen": sum(lengths),
    }
    return fitted, start.facts(fitted, model, facts)


def _vocabulary(
    pairs: list[tuple[int, str, str]], shape: Shape, directory: Path, seed: int, progress: Progress
) -> None:
    """Train the vocabulary once; a rerun finds it."""
    if (directory / "tokenizer_config.json").is_file():
        return
    progress(0.0, "training the vocabulary")
    lines = [foreign for _, foreign, _ in pairs]
    lines += sorted({english for _, _, english in pairs})
    if len(lines) > MOST_LINES:
        lines = random.Random(seed).sample(lines, MOST_LINES)
    vocabulary.save(vocabulary.train_unigram(lines, shape.vocabulary), directory, shape.max_length)


def _align(model: Any, tokenizer: Any, pairs: list[tuple[int, str, str]]) -> None:
    """Start every piece from the English pieces it is translated by."""
    sides = [
        [
            e.ids
            for e in tokenizer.encode_batch(
                [pair[side] for pair in pairs], add_special_tokens=False
            )
        ]
        for side in (1, 2)
    ]
    triples = [(pair[0], sides[0][i], sides[1][i]) for i, pair in enumerate(pairs)]
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        table.copy_(torch.from_numpy(lexical_init.align(triples, table.numpy())))


def _new_model(directory: Path | None, shape: Shape | None, vocabulary_size: int) -> Any:
    """The checkpoint that is continued, or a model of a shape with random weights."""
    if directory is not None:
        return open_masked_lm(directory)
    assert shape is not None
    config = config_of(config_entries(shape, vocabulary_size))
    return from_config(AutoModelForMaskedLM, config)
