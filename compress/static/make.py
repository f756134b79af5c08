"""Write a static model of an encoder.

>>> make(Path("trimmed"), lines, Path("out"), width=256)
{'pieces': 30000, 'width': 256, 'parameters': 7680000}

It is meant to be trained afterwards: as the student of `distill`, or by contrast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.trainer_utils import set_seed

from compress.errors import StudentError
from compress.export.low_rank import frequencies
from compress.static.piece_vectors import piece_vectors
from compress.static.rules import width_problem
from compress.static.table import project, weigh
from evalsuite import tokenization
from evalsuite.inference.checkpoint_config import answers_of, head_of, max_length_of, model_config
from evalsuite.opening.pretrained import from_config
from evalsuite.retrieval.declared_vectors import declared_by, declares
from evalsuite.runtimes.torch import auto_class, load_checkpoint
from evalsuite.static.config import StaticConfig
from transfer.loop.types import Summary
from transfer.models import cards, checkpoints
from transfer.models.first_score import begin_as
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import SentenceVectors

_KEPT = ("id2label", "label2id", "problem_type", "finetuning_task")  # of a config: the head's


def make(
    directory: Path,
    lines: Iterable[str],
    out: Path,
    *,
    width: int = 256,
    prefix: str | None = None,
    seed: int = 0,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Summary:
    """Run each piece through the encoder, and write the table as a checkpoint.

    A head for one label per row becomes a new head for the same labels, which is to be trained.

    Args:
        directory: a checkpoint, with the tokenizer that the static model will have.
        lines: text in which pieces are counted.
        prefix: put before each piece; None: as the checkpoint declares.
        seed: of a new head's weights.

    Raises:
        StudentError: the encoder is narrower, or has fewer pieces, or its head reads tokens.
        ModelError: the checkpoint does not open.
    """
    raw = model_config(directory)
    head = head_of(raw)
    if head not in (None, "pair"):
        raise StudentError(
            f"{directory.name} has a {head} head; a static model pools its vectors, so it has "
            "one answer per row: give an encoder, or a model with a label per row"
        )
    model = load_checkpoint(directory).float()
    tokenizer, pad_id = tokenization.load(directory), tokenization.pad_id(directory)
    pieces = model.get_input_embeddings().weight.shape[0]
    if problem := width_problem(width, model.config.hidden_size, pieces):
        raise StudentError(problem)
    declared = declared_by(directory) if declares(directory) else None
    if prefix is None:
        prefix = declared.prefix if declared else ""
    vectors = piece_vectors(
        model.base_model,
        tokenizer,
        pieces,
        pad_id,
        prefix=prefix,
        pooling=declared.pooling if declared else "mean",
        progress=progress,
    )
    projected = project(vectors, width)
    around = tokenization.template(tokenizer)
    special = sorted({*around.before, *around.after, *around.between, pad_id})
    table = weigh(projected, frequencies(tokenizer, lines, pieces))
    table[special] = 0.0  # they are in every text and say nothing
    set_seed(seed)  # a new head depends on it
    static = _model(raw, head, table, pad_id, around.between)
    if head is not None and answers_of(raw) == "score":
        begin_as(static, model)
    facts = [f"made from: {directory.name}", f"{pieces:,} pieces", f"{width} wide, not trained yet"]
    card = cards.card("Static model", facts, cards.kind_of(static.config))
    checkpoints.save(static, directory, out, card)
    if head is None:
        declare_vectors(SentenceVectors("mean", "", ""), out, out)
    return {"pieces": pieces, "width": width, "parameters": int(table.size)}


def _model(
    raw: dict[str, Any], head: str | None, table: np.ndarray, pad_id: int, between: Sequence[int]
) -> Any:
    """The static model with this table, and with a new head where the encoder has one."""
    config = StaticConfig(
        vocab_size=len(table),
        hidden_size=table.shape[1],
        max_position_embeddings=max_length_of(raw) + 2,
        pad_token_id=pad_id,
        sep_token_id=between[0] if between else None,
        **({key: raw[key] for key in _KEPT if raw.get(key) is not None} if head else {}),
    )
    model = from_config(auto_class(head), config).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(torch.from_numpy(table))
    return model
