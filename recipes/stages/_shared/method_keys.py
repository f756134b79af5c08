"""Keys of `train` that choose a training method, and the options of all methods.

A method reads the options it knows and ignores the others, so that a matrix can vary the method.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, create_model

from evalsuite.task import Format
from recipes.errors import StageInputError
from recipes.stages._shared.contract import ArtifactKind
from transfer.methods._options import NoOptions, declared
from transfer.registry import METHODS


def option_fields() -> dict[str, Any]:
    """Fields of all methods' options, from their declarations; of a shared option, the first.

    Returns:
        name -> (type, field), as `pydantic.create_model` takes them.
    """
    fields: dict[str, Any] = {}
    for name in METHODS.names():
        for option in declared(getattr(METHODS.get(name), "Options", NoOptions)):
            limits: dict[str, Any] = dict(option.limits)
            field = Field(default=option.default, description=option.help, **limits)
            fields.setdefault(option.name, (option.type, field))
    return fields


MethodOptions: Any = create_model(
    "MethodOptions",
    __config__=ConfigDict(defer_build=True),
    __doc__="Options of the training methods; a method reads those it declares.",
    **option_fields(),
)


class MethodKeys(MethodOptions):  # type: ignore[misc]
    """The training method and its options."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    method: str = Field(
        default="lora",
        description="Training method: which weights are trained; lingopress ls methods lists them.",
    )
    sequential: Literal["stack", "start"] | None = Field(
        default=None,
        description="LoRA on a model that is an adapter: stack trains a new adapter on top of "
        "it, start continues from its weights; default: the model is a checkpoint.",
    )


_OPTIONS = tuple(MethodOptions.model_fields)


def method_options(config: Any) -> dict[str, Any]:
    """Options of all methods, by name, as a config has them."""
    shared = ("freeze_embeddings", "gradient_checkpointing", "max_length")
    return {name: getattr(config, name) for name in (*_OPTIONS, *shared)}


def method_gives(config: Any, format: Format | None, family: str | None = None) -> ArtifactKind:
    """Kind of artifact that the method writes.

    Args:
        family: model type of what is trained; None where it is not known.

    Raises:
        StageInputError: there is no such method, its options do not fit together, or it cannot
            train models of the family.
    """
    from evalsuite.errors import UnknownNameError
    from transfer.errors import MethodError

    try:
        method = METHODS.get(config.method)
        method.check(format, config.precision, **method_options(config))
        if family is not None and hasattr(method, "refuse"):
            method.refuse(family)
    except (UnknownNameError, MethodError) as error:
        raise StageInputError(str(error)) from None
    gives: ArtifactKind = method.GIVES
    return gives
