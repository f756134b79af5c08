"""What the key `sequential` of the stage train needs of the model that it goes on from.

>>> check_sequential(Config(sequential="stack", ...), checkpoint)
Traceback (most recent call last):
StageInputError: sequential: stack goes on from an adapter, and the model is a whole checkpoint; ...
"""

from __future__ import annotations

from typing import Any

from recipes.errors import StageInputError
from recipes.stages._shared.contract import AdapterFacts, Artifact
from recipes.stages._shared.method_keys import method_options
from recipes.stages._shared.training_keys import need
from transfer.errors import MethodError
from transfer.methods.lora import refuse_sequential


def check_sequential(config: Any, model: Artifact) -> None:
    """Refuse a model that does not fit `sequential`.

    Args:
        config: of the stage train.

    Raises:
        StageInputError: it is no checkpoint or adapter, as the key needs, or the adapter was
            trained with options that an adapter on top of it, or from it, cannot have.
    """
    if config.sequential is None:
        if model.kind == "adapter":
            raise StageInputError(
                "model: is an adapter; put a fuse stage between, or go on from it with "
                "sequential: stack (trained over it) or start (from its weights)"
            )
        need(model, "model", "checkpoint")
        return
    if model.kind == "checkpoint":
        raise StageInputError(
            f"sequential: {config.sequential} goes on from an adapter, and the model is a whole "
            "checkpoint; leave it out"
        )
    need(model, "model", "adapter")
    if config.contrastive in ("words", "sentences"):
        raise StageInputError("sequential: parallel text is aligned on a checkpoint; leave it out")
    try:
        refuse_sequential(config.sequential, config.method, **method_options(config))
    except MethodError as error:
        raise StageInputError(str(error)) from None
    if model.adapter is not None:  # from outside the recipe: looked at when it is there
        _check_trained_alike(config, model.adapter)


def _check_trained_alike(config: Any, before: AdapterFacts) -> None:
    """Refuse options of a new adapter that do not fit those of the one before it."""
    if before.dora:
        raise StageInputError("sequential: the adapter is a dora, whose update is no sum; fuse it")
    for key in ("precision", "embeddings"):
        one, two = getattr(config, key), getattr(before, key)
        if one != two:
            raise StageInputError(
                f"{key}: {one}, but the adapter is trained on its base in {two}, and one adapter "
                f"comes of both; set {key}: {two}, or put a fuse stage between"
            )
    if config.sequential == "start" and config.rank != before.rank:
        raise StageInputError(
            f"rank: {config.rank}, but the adapter to start from has {before.rank}; set rank: "
            f"{before.rank}, or sequential: stack"
        )
