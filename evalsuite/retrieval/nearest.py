"""The nearest of many candidates by cosine, exactly, a block of candidates at a time.

>>> import numpy as np
>>> scores, indices = nearest(np.eye(3), [np.eye(3)[:2], np.eye(3)[2:]], k=1)
>>> indices[:, 0]
array([0, 1, 2])

Candidates are seen once and not kept, so that a million of them need the memory of one block: the
scores of some queries against it. Once every query has k candidates, a score is looked at only if
it beats the last of them, which few do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from evalsuite.retrieval.cosine import unit

if TYPE_CHECKING:
    import numpy as np

QUERIES = 2048  # compared with a block at once


def nearest(
    queries: np.ndarray, blocks: Iterable[np.ndarray], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k candidates of the largest cosine for each query, the nearest first.

    Args:
        queries: `[n, width]`.
        blocks: of candidates, each `[rows, width]`; indices count through all of them.

    Returns:
        scores and indices, `[n, k]`, or as many columns as there are candidates. Of equal scores
        the lower index is first.

    Raises:
        ValueError: there is no candidate, or a value is not finite.
    """
    import numpy as np

    sought = unit(queries)
    scores = np.empty((len(sought), 0), dtype=sought.dtype)
    indices = np.empty((len(sought), 0), dtype=np.int64)
    seen = 0
    for block in blocks:
        near = unit(block).T
        found = []
        for start in range(0, len(sought), QUERIES):
            part = slice(start, start + QUERIES)
            found.append(_better(scores[part], indices[part], sought[part] @ near, seen, k))
        if found:
            scores = np.concatenate([part for part, _ in found])
            indices = np.concatenate([part for _, part in found])
        seen += near.shape[1]
    if not seen:
        raise ValueError("no candidates to search")
    return scores, indices


def _better(
    scores: np.ndarray, indices: np.ndarray, similarity: np.ndarray, seen: int, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best of what was found before, `[n, <=k]`, and of a block's `[n, rows]`."""
    import numpy as np

    if scores.shape[1] < k:
        columns = np.arange(seen, seen + similarity.shape[1])
        indices = np.concatenate([indices, np.broadcast_to(columns, similarity.shape)], 1)
        scores = np.concatenate([scores, similarity], 1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # columns are in index order
        return np.take_along_axis(scores, order, 1), np.take_along_axis(indices, order, 1)
    # An equal score of a later index does not count.
    row, column = np.nonzero(similarity > scores[:, -1:])
    if not len(row):
        return scores, indices
    touched, place = np.unique(row, return_inverse=True)
    rows = np.concatenate([np.repeat(np.arange(len(touched)), k), place])
    values = np.concatenate([scores[touched].ravel(), similarity[row, column]])
    which = np.concatenate([indices[touched].ravel(), column + seen])
    order = np.lexsort((which, -values, rows))
    starts = np.searchsorted(rows[order], np.arange(len(touched)))
    best = order[starts[:, None] + np.arange(k)]
    scores, indices = scores.copy(), indices.copy()
    scores[touched], indices[touched] = values[best], which[best]
    return scores, indices
