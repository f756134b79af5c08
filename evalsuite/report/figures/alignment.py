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
    """The layer of a model at the depth of a layer of the base; the last one, if several."""
    return max(k for k, of in enumerate(result.base_layers) if of <= layer)
