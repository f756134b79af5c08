"""What `check` knows of a model's family: models from outside have one, and what is made of them.

>>> refuse_unknown(Artifact("checkpoint", family="albert"), "prune")
StageInputError: prune: unknown model family 'albert' ...
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from evalsuite.errors import FamilyError, UnknownNameError
from evalsuite.family import Family
from evalsuite.family_classes import class_name
from evalsuite.find_family import find_type, named
from evalsuite.registry import FAMILIES
from evalsuite.static.kind import MODEL_TYPE
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact

_BEFORE = "name the encoder that it is made from; the stage static goes after this one"
_STATIC = ("pair", "ranking")  # formats of heads, and of vectors, of static models


def family(artifact: Artifact) -> Family | None:
    """The family, where it is known ahead and a file describes it."""
    return find_type(artifact.family)


def refuse_unknown(artifact: Artifact, what: str, instead: str = _BEFORE) -> None:
    """Raise StageInputError where no file describes the model's family.

    Args:
        instead: what to do with a static model, which is of no family.
    """
    if artifact.family is None:
        return
    if artifact.family == MODEL_TYPE:
        raise StageInputError(f"{what}: a static model has no layers; {instead}")
    try:
        named(artifact.family)
    except UnknownNameError as error:
        raise StageInputError(f"{what}: {error}") from error


def refuse_layers(artifact: Artifact, layers: int | Sequence[int] | None) -> None:
    """Raise StageInputError where a list of layers is without a first one that has to stay."""
    known = family(artifact)
    if known is None or known.fixed_first is None or layers is None or isinstance(layers, int):
        return
    if 0 not in layers:
        files = [FAMILIES.get(name) for name in FAMILIES.names()]
        others = ", ".join(other.name for other in files if other.fixed_first is None)
        raise StageInputError(
            f"layers: a {known.name} cannot be without its first layer: {known.fixed_first}; keep "
            f"layer 0 (models of these families can be without it: {others})"
        )


def refuse_lacking(
    artifact: Artifact, formats: Sequence[str], masked: bool, checkpointing: bool
) -> None:
    """Raise StageInputError where there is no class of the family for a format.

    Args:
        formats: of the heads, one per task.
        masked: whether masked words are trained on, which static models cannot predict.
        checkpointing: whether activations are to be computed again, of which these have none.
    """
    if artifact.family == MODEL_TYPE and (problems := _static(formats, masked, checkpointing)):
        raise StageInputError("\n".join(problems))
    known = family(artifact)
    if known is None:
        return
    for format in formats:
        try:
            class_name(known, format)
        except FamilyError as error:
            raise StageInputError(f"tasks: {error}") from error


def _static(formats: Sequence[str], masked: bool, checkpointing: bool) -> list[str]:
    """What a static model cannot be trained on; arguments as of `refuse_lacking`."""
    problems = []
    if lacking := [format for format in formats if format not in _STATIC]:
        problems.append(
            f"tasks: a static model has one answer per text and none per word or choice, so it "
            f"cannot have a {lacking[0]} head; train an encoder"
        )
    if len(formats) > 1:
        problems.append(
            f"tasks: a static model is trained on one task at a time, and here are {len(formats)}; "
            "name one, or train an encoder"
        )
    if masked:
        problems.append(
            "mlm: a static model reads each piece alone and cannot predict masked ones; set mlm: "
            "0, or train an encoder"
        )
    if checkpointing:
        problems.append(
            "gradient_checkpointing: a static model has no layers whose activations could be "
            "computed again; set it to false"
        )
    return problems


def refuse_runtime(artifact: Artifact, runtime: str, families: Collection[str]) -> None:
    """Raise StageInputError where a runtime does not run models of the family.

    Args:
        families: model types that it runs; none: all.
    """
    if families and artifact.family is not None and artifact.family not in families:
        raise StageInputError(
            f"runtime: {runtime} runs {' and '.join(families)} models, and this is a "
            f"{artifact.family}; set runtime: onnxruntime"
        )


def refuse_dimensions(artifact: Artifact, width: int | None, heads: int | None) -> None:
    """Raise StageInputError where a width alone would change heads' fixed dimensions."""
    known = family(artifact)
    if known is None or known.fixed_dimensions is None or width is None or heads is not None:
        return
    raise StageInputError(
        f"width: {width} alone changes the dimensions of each attention head, and those of a "
        f"{known.name} stay as they are, because {known.fixed_dimensions}; set heads: as well, to "
        "the width divided by the teacher's dimensions per head"
    )


def shortens(artifact: Artifact) -> bool:
    """Whether the last layer can compute the first token alone; True where it is not known."""
    if artifact.family is None:
        return True
    known = family(artifact)
    return known is not None and known.not_first_token is None
