"""Refuse outputs that are NaN or infinite, and find the layer where they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.errors import ModelError, NotFiniteError

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor


def refuse_not_finite(
    predictor: Predictor, ids: np.ndarray, mask: np.ndarray, outputs: dict[str, np.ndarray]
) -> None:
    """Raise NotFiniteError where an output of a batch is NaN or infinite at a real token.

    Args:
        ids, mask: the padded batch, `[batch, tokens]`.
        outputs: what the predictor gave for it.
    """
    for name, values in outputs.items():
        if not _is_finite(values, mask):
            where = _first_layer(predictor, ids, mask) or name
            raise NotFiniteError(
                f"{predictor.directory} gives outputs that are NaN or infinite, first in {where}\n"
                "its weights are too large for its precision; use another precision, or train it "
                "again with a lower learning_rate"
            )


def _is_finite(values: np.ndarray, mask: np.ndarray) -> bool:
    import numpy as np

    if np.isfinite(values).all():
        return True
    by_token = values.ndim > 2 and values.shape[:2] == mask.shape
    return by_token and bool(np.isfinite(values[mask.astype(bool)]).all())


def _first_layer(predictor: Predictor, ids: np.ndarray, mask: np.ndarray) -> str | None:
    """The first hidden states that are not finite; None where the runtime gives none that are."""
    for layer in range(predictor.layers + 1):
        name = f"hidden_states.{layer}"
        try:
            values = predictor(ids, mask, (name,))[name]
        except ModelError:  # a bundle has the outputs it was exported with
            continue
        if not _is_finite(values, mask):
            return f"layer {layer} ({name})" if layer else f"the embeddings ({name})"
    return None
