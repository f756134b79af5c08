"""Teachers: a checkpoint in any precision, or a bundle of any runtime.

>>> teacher = open_teacher(Path("teacher-int8"))
>>> logits_function(teacher)({"input_ids": ids, "attention_mask": mask}).shape
torch.Size([8, 3])

A bundle is run by the same code that scores it, so a student learns from the model that was
measured. A bundle has no layers to start a student from, and gives logits only, once per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from compress.distill.targets import Teacher
from evalsuite.inference.finite_outputs import refuse_not_finite
from evalsuite.inference.label_order import places
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import Predictor
from evalsuite.runtimes._bundle import read_card
from evalsuite.runtimes.torch import TorchPredictor, load_checkpoint, opens
from transfer.loop.types import Tensors
from transfer.models import checkpoints, label_rows
from transfer.models.checkpoints import Precision


def open_teacher(directory: Path, precision: Precision = "fp32") -> Predictor:
    """Open a checkpoint with its weights in a precision, on a GPU where torch sees one; or a bundle
    as it is.

    Raises:
        ModelError: it does not open, or not in that precision.
        MissingExtraError: its runtime is not installed.
    """
    if not opens(directory):
        return open_model(directory)
    model = (
        load_checkpoint(directory)
        if precision == "fp32"
        else checkpoints.frozen(directory, precision)
    )
    if precision == "fp32" and read_card(directory, "torch") is None:
        model.float()  # whatever it is stored in
    model.requires_grad_(False)
    if torch.cuda.is_available() and precision in ("fp32", "bf16"):
        model.cuda()
    return TorchPredictor(directory, model, precision)


def in_order(teacher: Predictor, labels: Sequence[str]) -> None:
    """Turn a checkpoint's last layer so that its labels are in this order; a bundle's logits are
    turned where they are read (`logits_function`)."""
    if isinstance(teacher, TorchPredictor) and teacher.labels != tuple(labels):
        label_rows.put_in_order(teacher.model, labels)
        teacher.labels = tuple(labels)


def model_of(teacher: Predictor) -> Any:
    """The transformers model of a checkpoint; None for a bundle."""
    return teacher.model if isinstance(teacher, TorchPredictor) else None


def logits_function(teacher: Predictor, labels: Sequence[str] = ()) -> Teacher:
    """A function from ids and mask to the teacher's logits; the choices of a row are one row.

    Args:
        labels: the order of the logits; default: the teacher's.
    """
    order = places(labels, teacher.labels)

    def run(inputs: Tensors) -> torch.Tensor:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        flat = ids.flatten(0, -2).numpy(), mask.flatten(0, -2).numpy()
        outputs = teacher(*flat, ("logits",))
        refuse_not_finite(teacher, *flat, outputs)
        logits = torch.from_numpy(outputs["logits"])
        logits = logits[..., order] if order else logits
        return logits.view(ids.shape[:-1]) if ids.dim() == 3 else logits

    return run
