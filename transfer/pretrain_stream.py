"""Pretrain with masked LM on more text than memory holds.

>>> pretrain_stream(Path("xlmr"), source, options, stream, work=work, out=out)

As `transfer.pretrain`, but rows are single lines that are read from shards, and which rows a batch
has is computed as the training goes on (`transfer.loop.stream_plan`).
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from evalsuite.task import DataSource
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Fitted
from transfer.loop.types import Progress, Summary, Tensors, TrainingData
from transfer.pretrain import MOST_LINES, Options, Start
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
    if directory is None:
        _vocabulary(stream, source, options, tokenizer_dir, progress)
    start = Start.of(directory, tokenizer_dir, options)
    text = tokenize(stream, start.tokenizer, start.longest, source, progress)
    settings = options.settings
    plan = text.plan(
        alpha=options.alpha,
        batch_size=options.batch_size,
        steps=options.steps * settings.accumulate,  # batches
        seed=settings.seed,
    )

    def collate(batch: Batch) -> Tensors:
        return start.collate([plan.ids(index) for index in batch.indices], batch.seed)

    fitted, model = start.train(TrainingData(plan, collate, rows=plan.rows), work, progress)
    start.save(model, out, "masked LM", text.corpora, f"{text.rows} rows, streamed")
    facts: Summary = {
        "rows of text": text.rows,
        "rows seen": fitted.examples,
        "languages": len(text.corpora),
    }
    return fitted, start.facts(fitted, model, facts)


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
