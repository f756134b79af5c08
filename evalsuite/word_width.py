"""Width of the word embeddings, which may be narrower than the layers.

>>> word_width(ElectraConfig(embedding_size=128, hidden_size=256))
128

A linear layer then takes them to the width (`projection` of a family); transformers has none where
both are equal.
"""

from __future__ import annotations

from typing import Any

from evalsuite.errors import FamilyError


def word_width(config: Any) -> int:
    """Numbers per piece in the table of word embeddings."""
    return int(getattr(config, "embedding_size", None) or config.hidden_size)


def set_width(config: Any, width: int, name: str) -> None:
    """Set the width of the layers, in place; narrower word embeddings stay as they are.

    Args:
        name: of the family.

    Raises:
        FamilyError: narrower word embeddings have that width, so there would be no linear layer.
    """
    words = word_width(config)
    if words == int(config.hidden_size):
        if getattr(config, "embedding_size", None) is not None:
            config.embedding_size = width
    elif words == width:
        raise FamilyError(
            f"width {width}: the word embeddings of this {name} are {words} wide, and a linear "
            "layer takes them to another width; ask for another width"
        )
    config.hidden_size = width
