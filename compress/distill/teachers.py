"""Teachers: a checkpoint in any precision, or a bundle of any runtime.

>>> teacher = open_teacher(Path("teacher-int8"))
>>> says(teacher)({"input_ids": ids, "attention_mask": mask}).shape
torch.Size([8, 3])

What runs a bundle is what scores it, so a student learns from the very model that was measured. A
bundle has no layers to start a student from, and gives logits alone, once a row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from compress.distill.options import Options
from compress.distill.targets import Teacher
from compress.errors import StudentError
from evalsuite.inference.open_model import Predictor, open_model
from evalsuite.runtimes.torch import TorchPredictor, load_checkpoint, opens
from transfer.loop.types import Tensors
from transfer.models import checkpoints
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
    model.requires_grad_(False)
    if torch.cuda.is_available() and precision in ("fp32", "bf16"):
        model.cuda()
    return TorchPredictor(directory, model, precision)


def model_of(teacher: Predictor) -> Any:
    """The transformers model of a checkpoint; None for a bundle."""
    return teacher.model if isinstance(teacher, TorchPredictor) else None


def says(teacher: Predictor) -> Teacher:
    """A teacher as a function of ids and mask to logits, choices of a row put together."""

    def run(inputs: Tensors) -> torch.Tensor:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        found = teacher(ids.flatten(0, -2).numpy(), mask.flatten(0, -2).numpy(), ("logits",))
        logits = torch.from_numpy(found["logits"])
        return logits.view(ids.shape[:-1]) if ids.dim() == 3 else logits

    return run


def require_what_it_gives(teacher: Predictor, options: Options) -> None:
    """Raise StudentError where more is asked of a bundle than its logits."""
    if model_of(teacher) is not None:
        return
    name = teacher.directory.name
    if options.hidden > 0 or options.relations > 0 or options.sentences > 0:
        raise StudentError(
            f"{name} is a bundle and gives logits alone; set hidden, relations and sentences to 0"
        )
    if options.student is None:
        raise StudentError(
            f"{name} is a bundle, which has no layers to start from; give student: a checkpoint"
        )
    if options.cache == "never":
        raise StudentError(f"cache: never: {name} is a bundle, run once a row; leave it out")
    if options.teacher_precision != "fp32":
        raise StudentError(
            f"teacher_precision: {name} is a bundle and has its own, {teacher.precision}"
        )
