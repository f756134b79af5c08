"""Which models can learn from which, as `compress.distill.rules` says it of options.

>>> static_student(options, "lingopress-static", layers=2)
['layers: a static student has none; leave layers out']
"""

from __future__ import annotations

from compress.distill.rules import Terms
from evalsuite.static.kind import MODEL_TYPE


def other_pieces(name: str) -> str:
    """What is wrong with a further teacher that splits text into other pieces than the first.

    Args:
        name: of the further teacher.
    """
    return (
        f"others: {name} splits text into other pieces than the teacher, and all teachers are "
        "given the same token ids; give teachers of one tokenizer, such as two of XLM-R (trimmed "
        f"alike, or not trimmed), or leave {name} out"
    )


def static_student(
    terms: Terms, family: object, layers: object = None, *, checkpointing: bool = False
) -> list[str]:
    """What cannot be matched or computed where the student is a table of vectors, without layers.

    Args:
        family: model type of the student; nothing is wrong with others.
        layers: that are asked for.
        checkpointing: whether activations are to be computed again.
    """
    if family != MODEL_TYPE:
        return []
    problems = []
    if terms.hidden > 0 or terms.relations > 0:
        problems.append(
            "hidden, relations: a static student has no layers to match; set hidden: 0 and "
            "relations: 0"
        )
    if layers is not None:
        problems.append("layers: a static student has none; leave layers out")
    if checkpointing:
        problems.append(
            "gradient_checkpointing: a static student has no layers whose activations could be "
            "computed again; set it to false"
        )
    return problems
