"""Pretrain with masked LM on more text than memory holds.

>>> pretrain_stream(Path("xlmr"), source, options, stream, work=work, out=out)

As `transfer.pretrain`, but rows are single lines that are read from shards, and which rows a batch
has is computed as the training goes on (`transfer.loop.stream_plan`).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path

from transformers.trainer_utils import set_seed

from evalsuite import tokenization
from evalsuite.task import DataSource
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Fitted, fit
from transfer.loop.types import Progress, Summary, Tensors, TrainingData
from transfer.models import cards, checkpoints
from transfer.objectives import mlm
from transfer.pretrain import MOST_LINES, Options, new_model
from transfer.text import vocabulary
from transfer.text.stream import Stream, first_lines, tokenize


def pretrain_stream(
    directory: Path | None,
    source: DataSource,
    options: Options,
    stream: Stream,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> tuple[Fitted, Summary]:
    """Train and write a masked-LM checkpoint to `out`.

    Args:
        directory: a checkpoint to continue; None for one from scratch.
        source: whose evaluation text is left out.

    Raises:
        DataError: a shard is absent or cannot be read.
    """
    tokenizer_dir = directory if directory is not None else work / "tokenizer"
    asked = options.max_length
    if directory is None:
        assert options.shape is not None
        _vocabulary(stream, source, options, tokenizer_dir, progress)
        options = replace(options, max_length=min(asked, options.shape.max_length))
    else:
        options = replace(options, max_length=checkpoints.longest(directory, asked))
    tokenizer = tokenization.load(tokenizer_dir)
    pieces = mlm.Pieces.of(tokenizer)
    pad_id = (
        tokenization.id_of(tokenizer, "<pad>")
        if directory is None
        else tokenization.pad_id(directory)
    )
    text = tokenize(stream, tokenizer, options.max_length, source, progress)
    settings = options.settings
    plan = text.plan(
        alpha=options.alpha,
        batch_size=options.batch_size,
        steps=options.steps * settings.accumulate,  # batches
        seed=settings.seed,
    )

    def collate(batch: Batch) -> Tensors:
        ids = [plan.ids(index) for index in batch.indices]
        return mlm.collate(ids, pad_id, pieces, batch.seed, options.mask_rate)

    set_seed(settings.seed)
    model = new_model(directory, options.shape, tokenizer.get_vocab_size())
    model.get_input_embeddings().weight.requires_grad_(not options.freeze_embeddings)
    model.train()
    data = TrainingData(plan, collate, rows=plan.rows)
    fitted = fit(model, data, mlm.loss, settings, work, progress)
    model.eval()
    languages = " ".join(text.corpora)
    card = cards.card(
        "Pretrained multilingual encoder",
        [
            "objective: masked LM",
            f"languages: {languages}",
            f"text: {text.rows} rows, streamed",
            f"from: {directory.name if directory else 'scratch'}",
        ],
    )
    checkpoints.save(model, tokenizer_dir, out, card)
    return fitted, {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms per step": round(1000 * fitted.seconds_per_step, 1),
        "rows of text": text.rows,
        "rows seen": fitted.examples,
        "languages": len(text.corpora),
        "vocabulary": tokenizer.get_vocab_size(),
        "parameters": sum(p.numel() for p in model.parameters()),
        **checkpoints.truncation_summary(asked, options.max_length),
    }


def _vocabulary(
    stream: Stream, source: DataSource, options: Options, directory: Path, progress: Progress
) -> None:
    """Train the vocabulary once; a rerun finds it."""
    assert options.shape is not None
    if (directory / "tokenizer_config.json").is_file():
        return
    progress(0.0, "training the vocabulary")
    lines = first_lines(stream, MOST_LINES, source)
    found = vocabulary.train_unigram(chain(*lines.values()), options.shape.vocabulary)
    vocabulary.save(found, directory, options.shape.max_length)
