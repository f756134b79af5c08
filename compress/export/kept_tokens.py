"""Which tokens a graph may leave out: what `check` and the export itself refuse.

>>> places_problem({4: 50})
"""

from __future__ import annotations

from collections.abc import Mapping

# Layer, counted from 1 -> percent of the text's tokens that are left after it.
KeptTokens = Mapping[int, int]
NO_FIRST_TOKEN = (
    "keep_tokens: needs a head with one answer per text, which reads the first token; leave it out"
)


def needs_all_places(family: str) -> str:
    """Why a model of a family cannot leave tokens out."""
    return (
        f"keep_tokens: not for {family}: its layers need the places of all tokens, or are of "
        "a kind that is not known; leave it out"
    )


def whole_layer(kept: KeptTokens) -> int | None:
    """The highest layer whose states are those of every token; None where no token is dropped.

    >>> whole_layer({4: 50, 8: 25})
    3
    """
    return min(kept) - 1 if kept else None


def places_problem(kept: KeptTokens, layers: int | None = None) -> str | None:
    """What is wrong with layers and percents; None where nothing is.

    >>> places_problem({4: 50, 8: 70})
    'keep_tokens: 70 percent after layer 8, where 50 are left after layer 4; give falling percents'

    Args:
        layers: of the model; None where it is not known.
    """
    before, left = 0, 100
    for layer, percent in sorted(kept.items()):
        if layer < 1 or (layers is not None and layer >= layers):
            most = "" if layers is None else f" to {layers - 1}"
            return f"keep_tokens: after layer {layer}; give layers from 1{most}"
        if not 1 <= percent <= 99:
            return f"keep_tokens: {percent} percent after layer {layer}; give 1 to 99"
        if percent >= left:
            return (
                f"keep_tokens: {percent} percent after layer {layer}, where {left} are left after "
                f"layer {before}; give falling percents"
            )
        before, left = layer, percent
    return None
