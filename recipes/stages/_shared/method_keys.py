"""Keys of `train` that choose a training method, and the options of all methods.

A method reads the options it knows and ignores the others, so that a matrix can vary the method.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from evalsuite.task import Format
from recipes.errors import StageInputError
from recipes.stages._shared.contract import ArtifactKind


class MethodKeys(BaseModel):
    """The training method and its options."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    method: str = Field(
        default="lora",
        description="Training method: which weights are trained; lingopress ls methods lists them.",
    )
    rank: int = Field(
        default=16, ge=1, description="LoRA rank: inner dimension of the low-rank update."
    )
    alpha: int = Field(
        default=32,
        ge=1,
        description="LoRA scale: the update is multiplied by alpha / rank, or by alpha / "
        "sqrt(rank) with scaling: rslora.",
    )
    dropout: float = Field(
        default=0.05, ge=0, lt=1, description="Dropout rate on the input of the LoRA update."
    )
    targets: tuple[str, ...] | Literal["all-linear"] = Field(
        default=("query", "value"),
        description="Names of the linear layers that get a LoRA update; all-linear means all of "
        "them.",
    )
    scaling: Literal["standard", "rslora"] = Field(
        default="standard",
        description="LoRA scaling: standard divides alpha by rank, rslora divides it by "
        "sqrt(rank).",
    )
    dora: bool = Field(
        default=False,
        description="DoRA: train the magnitudes of the weights apart from their directions.",
    )
    init: str = Field(
        default="random",
        description="Initial LoRA weights: random, pissa, pissa_niter_4 (faster; any number) or "
        "loftq.",
    )
    adapter_layers: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        default=None,
        min_length=1,
        description="Layers that get a LoRA update, counted from 1, the lowest; default: all "
        "layers.",
    )
    last: int | None = Field(
        default=None,
        ge=1,
        description="Number of top layers that method last_k trains; that method needs it.",
    )
    length: int = Field(
        default=16, ge=1, description="Number of virtual tokens of a soft or deep prompt."
    )
    sequential: Literal["stack", "start"] | None = Field(
        default=None,
        description="LoRA on a model that is an adapter: stack trains a new adapter on top of "
        "it, start continues from its weights; default: the model is a checkpoint.",
    )


_OPTIONS = tuple(n for n in MethodKeys.model_fields if n not in ("method", "sequential"))


def method_options(config: Any) -> dict[str, Any]:
    """Options of all methods, by name, as a config has them."""
    shared = ("freeze_embeddings", "gradient_checkpointing", "max_length")
    return {name: getattr(config, name) for name in (*_OPTIONS, *shared)}


def method_gives(config: Any, format: Format | None) -> ArtifactKind:
    """Kind of artifact that the method writes.

    Raises:
        StageInputError: there is no such method, or its options do not fit together.
    """
    from evalsuite.errors import UnknownNameError
    from transfer.errors import MethodError
    from transfer.registry import METHODS

    try:
        method = METHODS.get(config.method)
        method.check(format, config.precision, **method_options(config))
    except (UnknownNameError, MethodError) as error:
        raise StageInputError(str(error)) from None
    gives: ArtifactKind = method.GIVES
    return gives
