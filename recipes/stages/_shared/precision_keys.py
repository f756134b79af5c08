"""Keys of `export` that choose a precision and how it is reached, and the check that they fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from compress.export.exporter import Precision as PrecisionRules
from compress.export.exporter import Rounding, Scales
from compress.export.registry import EXPORTERS, precisions, runtimes_with
from evalsuite.errors import MissingExtraError
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Noun
from recipes.stages._shared.score_gate import ScoreGateConfig

if TYPE_CHECKING:
    Runtime: TypeAlias = str
    Precision: TypeAlias = str
else:  # the names are those of the exporters' files
    Runtime = Literal[EXPORTERS.names()]
    Precision = Literal[precisions()]
Rank = Annotated[str, Field(pattern=r"^rank-[1-9]\d*(-int[48])?$"), Noun("rank-N", "rank-N")]


class PrecisionKeys(ScoreGateConfig):
    """The runtime, the precision, and how weights and embeddings are stored."""

    runtime: Runtime = Field(default="onnxruntime", description="Inference runtime of the bundle.")
    precision: Precision = Field(
        default="fp32",
        description="Precision of the bundle; lingopress ls runtimes NAME lists those of each "
        "runtime.",
    )
    embeddings: Literal["fp32", "int8", "int4"] | Rank | None = Field(
        default=None,
        description="Storage of the word embeddings; rank-64 (any number) factors them, "
        "rank-64-int4 in int4; default: what the precision implies.",
    )
    exclude: Literal["auto"] | tuple[str, ...] = Field(
        default=(),
        description="Parts that stay fp32 in ONNX Runtime int8, such as embeddings, head, 'layer "
        "0 attention' or 'layer 0 feed-forward'; auto: the fewest that keep the "
        "labels.",
    )
    max_drop: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="Percent of labels on calibration text that exclude: auto may change; "
        "default: 100 minus min_agreement.",
    )
    scales: Scales = Field(
        default="group",
        description="Scales of int4-weights: one per group of weights, or one per tensor.",
    )
    group_size: Literal[16, 32, 64, 128] | None = Field(
        default=None,
        description="Weights that share a scale in int4-weights and int8-weights; fewer keep "
        "more answers in more bytes; default: 32.",
    )
    rounding: Rounding = Field(
        default="nearest",
        description="How OpenVINO's int4-weights are rounded: to the nearest value, or so that "
        "outputs on calibration text change least.",
    )


def check_precision(config: PrecisionKeys) -> None:
    """The runtime has the precision, what makes it is installed, and the keys fit it.

    Raises:
        StageInputError: a key does not fit, with the runtimes and precisions that it is for.
    """
    _check_runtime(config)
    _check_keys_of_some_precisions(config)
    _check_weights(config)


def _check_runtime(config: PrecisionKeys) -> None:
    """The runtime has this precision, and what makes it is installed."""
    exporter = EXPORTERS.get(config.runtime)
    if config.precision not in exporter.precisions:
        raise StageInputError(
            f"precision: {config.runtime} has no {config.precision}, only "
            f"{', '.join(exporter.precisions)}; for {config.precision} set runtime: "
            f"{' or '.join(runtimes_with(config.precision))}"
        )
    try:
        exporter.require(config.precision)
    except MissingExtraError as error:
        key = "runtime" if exporter.packages else "precision"
        raise StageInputError(f"{key}: {error}") from None


def _check_keys_of_some_precisions(config: PrecisionKeys) -> None:
    """Keys that only some runtimes and precisions have fit those of the stage."""
    precision = EXPORTERS.get(config.runtime).precisions[config.precision]
    form = config.embeddings
    if form and not precision.stores_embeddings_as(form):
        takes = ", ".join(precision.embeddings) or "no such key"
        raise StageInputError(
            f"embeddings: {config.runtime} {config.precision} takes {takes}; for {form} set "
            + _where(lambda precision: precision.stores_embeddings_as(form))
        )
    if config.exclude and not precision.excludes:
        raise StageInputError(f"exclude: only for {_where(lambda precision: precision.excludes)}")
    if config.max_drop is not None and config.exclude != "auto":
        raise StageInputError("max_drop: only with exclude: auto")


def _check_weights(config: PrecisionKeys) -> None:
    """`scales`, `group_size` and `rounding` fit the precision and each other."""
    precision = EXPORTERS.get(config.runtime).precisions[config.precision]
    if config.scales == "tensor":
        if not precision.tensor_scales:
            raise StageInputError(
                f"scales: tensor only for {_where(lambda precision: precision.tensor_scales)}"
            )
        if config.embeddings != "int4":
            raise StageInputError("scales: tensor needs embeddings: int4")
        if config.group_size is not None:
            raise StageInputError("group_size: not with scales: tensor")
    if config.group_size is not None and not precision.groups:
        raise StageInputError(f"group_size: only for {_where(lambda precision: precision.groups)}")
    if config.rounding != "nearest" and not precision.rounds:
        where = _where(lambda precision: precision.rounds)
        raise StageInputError(f"rounding: {config.rounding} only for {where}")


def _where(fits: Callable[[PrecisionRules], bool]) -> str:
    """The runtimes, with their precisions, that fit.

    >>> _where(lambda precision: precision.excludes)
    'runtime: onnxruntime with precision: int8'
    """
    return ", or ".join(
        f"runtime: {runtime} with precision: {' or '.join(names)}"
        for runtime in EXPORTERS.names()
        if (names := [n for n, p in EXPORTERS.get(runtime).precisions.items() if fits(p)])
    )
