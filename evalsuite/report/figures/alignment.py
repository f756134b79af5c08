"""Measures of cross-lingual alignment by layer, and layers at the same depth."""

from __future__ import annotations

from evalsuite.results.alignment import AlignmentResult


def by_layer(result: AlignmentResult, measure: str) -> tuple[float, ...]:
    """Means over languages; `above`: cosine of translations minus that of other pairs."""
    if measure != "above":
        return result.mean(measure)
    pairs = zip(result.mean("pair_cosine"), result.mean("other_cosine"), strict=True)
    return tuple(near - far for near, far in pairs)


def as_deep(result: AlignmentResult, layer: int) -> int:
    """The layer of a model nearest in depth to a layer of the base; the last one, if several.

    The embeddings do not count as a layer, as in `AlignmentResult.best`.

    >>> result.base_layers, as_deep(result, 3), as_deep(result, 7)
    ((0, 4, 8, 12), 1, 2)
    """
    of = result.base_layers
    return min(range(1, len(of)), key=lambda k: (abs(of[k] - layer), -k))
