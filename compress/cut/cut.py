"""Cut one of its sizes out of an elastic student, as a usual checkpoint.

>>> cut_checkpoint(Path("student"), Path("four"), layers=4, ffn=768)
Cut(layers=(1, 2, 3, 5), ffn=768)

Nothing is computed: some layers and some rows and columns of weights are left out. What is left is
a checkpoint of the same family that plain transformers opens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compress.distill.elastic_cuts import Cut, cuts_of, declare
from compress.distill.student import cut
from compress.errors import StudentError
from compress.prune.structure import keep_units
from evalsuite.inference.checkpoint_config import model_config
from evalsuite.runtimes.torch import load_checkpoint
from transfer.models import cards, checkpoints


def cut_out(model: Any, chosen: Cut) -> Any:
    """A new model of this size; the other one stays as it is."""
    smaller = cut(model, chosen.layers)
    keep_units(smaller, [list(range(chosen.ffn))] * len(chosen.layers))
    declare(smaller.config, None)
    return smaller


def cut_checkpoint(
    directory: Path, out: Path, *, layers: int | None = None, ffn: int | None = None
) -> Cut:
    """Write a cut of an elastic student to `out`.

    Args:
        layers: how many; None: all.
        ffn: feed-forward units per layer; None: all.

    Raises:
        StudentError: the model is no elastic student, or was not trained at this size.
        UnknownNameError: its family is not known.
    """
    model_config(directory)  # a damaged file has its message
    model = load_checkpoint(directory)
    cuts = cuts_of(model.config)
    if cuts is None:
        raise StudentError(
            f"{directory.name} declares no smaller sizes, so none can be cut out of it; "
            "distil it with elastic: {layers: [4, 3]}, or keep fewer layers with prune"
        )
    chosen = cuts.find(layers, ffn)
    smaller = cut_out(model, chosen)
    lines = [
        f"cut from: {directory.name}",
        f"layers kept: {', '.join(map(str, chosen.layers))} of {len(cuts.layers[0])}",
        f"feed-forward units per layer: {chosen.ffn} of {cuts.ffn[0]}",
    ]
    kind = cards.kind_of(smaller.config)
    checkpoints.save(smaller, directory, out, cards.card("Cut of an elastic student", lines, kind))
    return chosen
