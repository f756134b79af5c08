"""Keys of elastic students: the sizes they are trained at, and the one that is cut out.

>>> artifact = Artifact("checkpoint", cuts=CutSizes((6, 4), (1536,)))
>>> refuse_cut(artifact, layers=5, ffn=None, key="cut: ")
StageInputError: cut: layers: 5: the student was not trained at this size; trained: layers 6, 4; ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from compress.distill.elastic_cuts import Elastic, declared, sizes_problem, untrained
from compress.errors import StudentError
from evalsuite.static.kind import MODEL_TYPE
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, CutSizes
from recipes.stages._shared.families import refuse_unknown
from recipes.stages._shared.planned_model import PlannedModel, training_memory

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work


class ElasticConfig(BaseModel):
    """Smaller sizes of an elastic student; each number of layers goes with each of units."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    layers: tuple[int, ...] = Field(
        default=(),
        description="Numbers of layers, smaller than the student's; each depth keeps some layers "
        "of the next larger one.",
    )
    ffn: tuple[int, ...] = Field(
        default=(),
        description="Numbers of feed-forward units per layer, smaller than the student's; the most "
        "important units are kept.",
    )

    def sizes(self) -> Elastic:
        """For the pass."""
        return Elastic(self.layers, self.ffn)


class CutConfig(BaseModel):
    """One size of an elastic student."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    layers: int | None = Field(
        default=None, ge=1, description="Number of layers; default: all of the student's."
    )
    ffn: int | None = Field(
        default=None,
        ge=1,
        description="Feed-forward units per layer; default: all of the student's.",
    )


def elastic_problems(
    elastic: ElasticConfig | None, whole: tuple[int | None, int | None], artifact: Artifact
) -> list[str]:
    """What is wrong with the sizes of a student, as far as it is known ahead.

    Args:
        whole: layers and units of the student; None where they are not known.
        artifact: the model that the student starts from.

    Raises:
        StageInputError: no file describes its family.
    """
    if elastic is None:
        return []
    if artifact.family == MODEL_TYPE:
        return ["elastic: a static student has no layers; leave elastic out"]
    refuse_unknown(artifact, "elastic")
    problem = sizes_problem(elastic.sizes(), *whole)
    return [f"elastic: {problem}"] if problem else []


def cut_sizes(elastic: ElasticConfig | None, layers: int | None, ffn: int | None) -> CutSizes:
    """The sizes that a student will have.

    Args:
        layers, ffn: of the student; None where they are not known.
    """
    if elastic is None:
        return CutSizes((), ())
    depths = None if layers is None else tuple({*elastic.layers, layers})
    widths = None if ffn is None else tuple({*elastic.ffn, ffn})
    return CutSizes(depths, widths, tuple(elastic.layers), tuple(elastic.ffn))


def declared_sizes(config: Mapping[str, Any]) -> CutSizes | None:
    """The sizes that a checkpoint's `config.json` declares.

    None where the entry is damaged, which the stage that cuts reports.
    """
    try:
        cuts = declared(config)
    except StudentError:
        return None
    return CutSizes((), ()) if cuts is None else CutSizes(tuple(map(len, cuts.layers)), cuts.ffn)


def refuse_cut(artifact: Artifact, layers: int | None, ffn: int | None, key: str = "") -> None:
    """Raise StageInputError where a model is known to have no cut of a size.

    Args:
        key: before the message, such as `cut: `.
    """
    refuse_unknown(artifact, "model")
    known = artifact.cuts
    if known is None:
        return
    if known == CutSizes((), ()):
        raise StageInputError(
            f"{key}the model was trained at one size, so no smaller one can be cut out of it; "
            "distil it with elastic: {layers: [4, 3]}, or keep fewer layers with prune"
        )
    depths = _trained(layers, known.layers, known.smaller_layers)
    widths = _trained(ffn, known.ffn, known.smaller_ffn)
    if problem := untrained(layers, ffn, depths, widths):
        raise StageInputError(f"{key}{problem}")


def _trained(
    asked: int | None, known: tuple[int, ...] | None, smaller: tuple[int, ...]
) -> tuple[int, ...]:
    """The sizes that it has to be one of; none where it may be the student's own, unknown one."""
    if known is not None:
        return known
    return smaller if asked is not None and asked < max(smaller, default=0) else ()


def planned_cut(model: PlannedModel, layers: int | None, ffn: int | None) -> PlannedModel:
    """A cut as far as it is known ahead."""
    from compress.distill.student import config_of_student

    return replace(model, config=config_of_student(model.config, layers, None, None, ffn))


def _smaller(elastic: ElasticConfig, model: PlannedModel) -> list[PlannedModel]:
    """All smaller cuts of an elastic student."""
    shape = model.shape()
    depths, widths = {shape.layers, *elastic.layers}, {shape.units, *elastic.ffn}
    sizes = set(product(depths, widths)) - {(shape.layers, shape.units)}
    return [planned_cut(model, *size) for size in sorted(sizes)]


def elastic_memory(config: Any, model: PlannedModel) -> Memory:
    """What an elastic training holds: of the student all, of its largest cut the activations.

    Args:
        config: of a stage that trains, with `elastic`.
    """
    from evalsuite.machine.memory import Memory

    whole = training_memory(config, model)
    if config.elastic is None:
        return whole
    cuts = [training_memory(config, cut) for cut in _smaller(config.elastic, model)]
    most = max(cut.parts["activations"] for cut in cuts)
    return whole.and_also(Memory({"activations": most}))


def elastic_work(elastic: ElasticConfig | None, model: PlannedModel, done: Work) -> Work:
    """The steps of the smaller cuts, each of which trains with its share of the batches.

    Args:
        done: the student's training.
    """
    from evalsuite.machine.work import Work

    if elastic is None:
        return Work()
    cuts = _smaller(elastic, model)
    return Work(
        tuple(
            replace(batches, shape=cut.shape(), count=batches.count / len(cuts))
            for batches in done.batches
            if batches.backward == "weights"
            for cut in cuts
        )
    )
