"""Run encoded sequences through a predictor in batches of similar length."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from evalsuite.inference.batching import by_tokens
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.finite_outputs import refuse_not_finite

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor


def pad(
    sequences: Sequence[Sequence[int]], pad_id: int, width: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Right-pad to the longest, or to `width` tokens if that is more: int64 ids and mask, both
    `[batch, tokens]`."""
    import numpy as np

    width = max(width, *(len(ids) for ids in sequences))
    ids = np.full((len(sequences), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(sequences), width), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask


def run(
    predictor: Predictor,
    encoded: Sequence[Encoded],
    output: str,
    pad_id: int,
    reduce: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    max_tokens: int | None = None,
) -> list[np.ndarray]:
    """One array a sequence, in the order given.

    Args:
        output: name of the output wanted.
        reduce: `(values [batch, ...], mask) -> [batch, ...]`, applied a batch at a time, so that
            hidden states need not be kept; without it a token-level output is cut to its length.
        max_tokens: padded tokens a batch; default what suits the predictor.
    """
    results: list[np.ndarray | None] = [None] * len(encoded)
    for batch, mask, outputs in batches(predictor, encoded, (output,), pad_id, max_tokens):
        values = outputs[output] if reduce is None else reduce(outputs[output], mask)
        for row, index in enumerate(batch):
            value = values[row]
            results[index] = value[: len(encoded[index].ids)] if value.ndim == 2 else value
    return [value for value in results if value is not None]


def batches(
    predictor: Predictor,
    encoded: Sequence[Encoded],
    outputs: tuple[str, ...],
    pad_id: int,
    max_tokens: int | None = None,
) -> Iterator[tuple[list[int], np.ndarray, dict[str, np.ndarray]]]:
    """Indices of each batch, its mask, and the outputs wanted of it.

    Raises:
        NotFiniteError: an output is NaN or infinite.
    """
    batching = predictor.batching
    sizes = batching.widths([len(item.ids) for item in encoded], predictor.max_length)
    groups = by_tokens(sizes, max_tokens or batching.tokens)
    inputs: deque[tuple[np.ndarray, np.ndarray]] = deque()

    def padded() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for group in groups:
            ids, mask = pad([encoded[index].ids for index in group], pad_id, sizes[group[0]])
            inputs.append((ids, mask))
            yield ids, mask

    for group, found in zip(groups, predictor.run_batches(padded(), outputs), strict=True):
        ids, mask = inputs.popleft()
        refuse_not_finite(predictor, ids, mask, found)
        yield group, mask, found
