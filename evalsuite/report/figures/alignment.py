"""The arithmetic of cross-lingual alignment: measures by layer, and layers that are as deep."""

from __future__ import annotations

from evalsuite.results.alignment import AlignmentResult


def by_layer(result: AlignmentResult, measure: str) -> tuple[float, ...]:
    """Means over languages; `above` is the cosine of translations less that of other pairs."""
    if measure != "above":
        return result.mean(measure)
    pairs = zip(result.mean("pair_cosine"), result.mean("other_cosine"), strict=True)
    return tuple(near - far for near, far in pairs)


def as_deep(result: AlignmentResult, layer: int) -> int:
    """Of the layers compared with this one of the base, the last."""
    return max(k for k, of in enumerate(result.base_layers) if of <= layer)
