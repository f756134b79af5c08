"""Open the input of a stage for inference, whatever kind of model it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipes.stages._shared.adapter_task import with_task
from recipes.stages._shared.contract import Input
from transfer.find_task import find_task

if TYPE_CHECKING:
    from evalsuite.inference.predictor import Predictor


def open_input(model: Input, adapter_task: str | None = None) -> Predictor:
    """A checkpoint or bundle in its runtime; an adapter or prompt on the base it was trained on.

    Args:
        adapter_task: task of an adapter from outside that does not say it.

    Raises:
        EvalsuiteError, TransferError: the model cannot be opened.
    """
    if model.artifact.kind in ("adapter", "prompt"):
        from transfer.models.adapters import open_adapter

        task = with_task(model.artifact, adapter_task).task
        return open_adapter(model.path, find_task(task) if task else None)
    from evalsuite.inference.open_model import open_model

    return open_model(model.path)
