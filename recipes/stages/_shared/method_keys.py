"""Config fields that say how weights are trained: a method, and the options of all methods.

A method takes those it knows and lets the others be, so that a recipe can fan out over methods.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from evalsuite.task import Format
from recipes.errors import StageInputError
from recipes.stages._shared.contract import ArtifactKind


class MethodKeys(BaseModel):
    """Keys of `train`, by method: lora; last_k; soft_prompt and deep_prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    method: str = "lora"
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] = ("query", "value")
    scaling: Literal["standard", "rslora"] = Field(
        default="standard", description="alpha / rank, or alpha / sqrt(rank)"
    )
    dora: bool = Field(default=False, description="magnitudes trained apart from directions")
    init: str = Field(
        default="random", description="random, pissa, pissa_niter_4 or loftq: where lora starts"
    )
    layers: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        default=None, min_length=1, description="that get an adapter, 1 the lowest; default all"
    )
    last: int | None = Field(default=None, ge=1, description="top layers that last_k trains")
    length: int = Field(default=16, ge=1, description="virtual tokens of a prompt")
    sequential: Literal["stack", "start"] | None = Field(
        default=None,
        description="of an adapter as model: trained over it, or from its weights",
    )


_OPTIONS = tuple(n for n in MethodKeys.model_fields if n not in ("method", "sequential"))


def method_options(config: Any) -> dict[str, Any]:
    """Every method's options, of a config."""
    shared = ("freeze_embeddings", "gradient_checkpointing", "max_length")
    return {name: getattr(config, name) for name in (*_OPTIONS, *shared)}


def method_gives(config: Any, format: Format | None) -> ArtifactKind:
    """What the method's training gives.

    Raises:
        StageInputError: there is no such method, or it does not go with what is asked for.
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
