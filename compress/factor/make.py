"""Write a checkpoint with factored word embeddings.

>>> make(Path("student"), lines, Path("out"), width=160)
{'pieces': 250002, 'width': 160, 'parameters before': 106993152, 'parameters': 50825440, ...}

Factored embeddings are those of Lan et al. (2020). What the embeddings give for each piece, after
their layer norm, is taken to the directions in which frequent pieces differ most. The layers and
the head are copied. It is meant to be trained afterwards, as the student of `distill`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compress.errors import FactorError
from compress.export.low_rank import frequencies
from compress.factor.directions import directions
from compress.factor.embedded import embedded
from compress.factor.level_rows import ADDED, level_rows, level_shifts
from compress.factor.rules import ELECTRA, entries, narrow_already, problems
from evalsuite import tokenization
from evalsuite.find_family import config_of, family_of, named
from evalsuite.inference.checkpoint_config import head_of, model_config
from evalsuite.inference.token_types import read_types, separator_read
from evalsuite.opening.pretrained import from_config
from evalsuite.runtimes.torch import auto_class, load_checkpoint
from transfer.loop.types import Summary
from transfer.models import cards, checkpoints

# Root of the rows' mean square. A layer norm does not see it, and a step of Adam is as large
# whatever it is: at a tenth of this, a step moved the rows of positions by half of what they were.
_SIZE = 0.5


def make(
    directory: Path,
    lines: Iterable[str],
    out: Path,
    *,
    width: int,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Summary:
    """Factor the word embeddings of a checkpoint.

    Args:
        directory: a checkpoint; its tokenizer and what it declares of its vectors are copied.
        lines: text in which pieces are counted.
        width: numbers per piece, fewer than the model's width.

    Raises:
        FactorError: a model of another kind, a head that does not stay, a width that is too large,
            or no text.
        ModelError: the checkpoint does not open.
    """
    raw = model_config(directory)
    head, hidden = head_of(raw), raw.get("hidden_size")
    if found := problems(raw.get("model_type"), head, width, hidden):
        raise FactorError("\n".join(found))
    model = load_checkpoint(directory).float()
    if found := narrow_already(model.config):
        raise FactorError("\n".join(found))
    progress(0.0, "counting pieces")
    counts = _counts(directory, lines, len(model.get_input_embeddings().weight))
    progress(0.5, "factoring")
    small, lost = factored(model, head, counts, width)
    pieces = len(counts)
    facts = [
        f"made from: {directory.name}",
        f"{pieces:,} pieces of {width} numbers, and a linear layer to {hidden}",
        "not trained yet",
    ]
    card = cards.card("Checkpoint with factored word embeddings", facts)
    checkpoints.save(small, directory, out, card)
    return {
        "pieces": pieces,
        "width": width,
        "parameters before": _parameters(model),
        "parameters": _parameters(small),
        "variance lost %": round(100 * lost, 2),
    }


def factored(model: Any, head: str | None, counts: Tensor, width: int) -> tuple[Any, float]:
    """An ELECTRA with the layers and the head of a model.

    Args:
        model: of transformers, in eval mode and fp32.
        head: format of its head.
        counts: `[pieces]`, how often each occurs.
        width: numbers per piece.

    Returns:
        it, and the share of the weighted variance of the embeddings that is lost.
    """
    small = from_config(auto_class(head), config_of(entries(model.config, width))).eval()
    tensors, lost = _embeddings(model, counts, width)
    state = small.state_dict()
    own, base = (f"{one.base_model_prefix}." if head else "" for one in (small, model))
    for name, tensor in model.state_dict().items():
        inner = name.removeprefix(base) if name.startswith(base) else None
        if inner is None:  # of the head
            state[name] = tensor
        elif inner.startswith("encoder."):
            state[own + inner] = tensor
    small.load_state_dict(state | {own + name: tensor for name, tensor in tensors.items()})
    read_types(small, separator_read(model))
    return small, lost


def _embeddings(model: Any, counts: Tensor, width: int) -> tuple[dict[str, Tensor], float]:
    """Tensors of an ELECTRA's embeddings and of the linear layer after them."""
    config = model.config
    positions = int(config.max_position_embeddings)
    first = positions - family_of(config).longest(config)
    vectors = embedded(model, counts, first)
    found = directions(vectors.pieces, counts, width - ADDED)
    mean, basis = found.mean.float(), found.basis.float()
    rows = level_rows((vectors.pieces - mean) @ basis)
    shifts = [
        level_shifts(shift @ basis * rows.scale) for shift in (vectors.positions, vectors.types)
    ]
    # The norm divides by the root of the mean square plus eps, which is not 1 of rows this short.
    norm = (1 + config.layer_norm_eps / _SIZE**2) ** 0.5
    outward = torch.cat([basis / rows.scale, basis.new_zeros(len(basis), ADDED)], 1)
    tensors = {
        f"{named(ELECTRA).words}.weight": _SIZE * rows.table,
        "embeddings.position_embeddings.weight": _SIZE * shifts[0],
        "embeddings.token_type_embeddings.weight": _SIZE * shifts[1],
        "embeddings.LayerNorm.weight": torch.full((width,), norm),
        "embeddings.LayerNorm.bias": torch.zeros(width),
        "embeddings_project.weight": outward,
        "embeddings_project.bias": mean,
    }
    return tensors, found.lost


def _counts(directory: Path, lines: Iterable[str], pieces: int) -> Tensor:
    """How often each piece occurs, from 1 on.

    Raises:
        FactorError: no text.
    """
    given = list(lines)
    if not any(line.strip() for line in given):
        raise FactorError("no text in which pieces are counted; give text, or languages")
    counts: np.ndarray = frequencies(tokenization.load(directory), given, pieces)
    return torch.from_numpy(counts)


def _parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
