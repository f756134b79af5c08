"""Nearest neighbour among all English sentences, by cosine.

>>> import numpy as np
>>> nearest(np.eye(3), np.eye(3)[[1, 0, 2]])
array([1, 0, 2])

Row i's translation is row i. Ties go to the lower index, so embeddings that are all equal score
1 in n, not n in n. Upstream is `third_party/utils_retrieve.py` of google-research/xtreme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Indices = NDArray[np.intp]


def nearest(source: Floats, target: Floats, block: int = 1024) -> Indices:
    """For each source row the index of the target row with the largest cosine.

    Args:
        source: `[n, width]`.
        target: `[m, width]`.
        block: source rows compared at once; memory is `block * m` floats.

    Returns:
        `[n]`. A row of zeros has cosine 0 with everything.

    Raises:
        ValueError: shapes do not fit, or a value is not finite.
    """
    import numpy as np

    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1]:
        raise ValueError(
            f"shapes {source.shape} and {target.shape}; [n, width], [m, width] are due"
        )
    if not len(target):
        raise ValueError("no target rows to search")
    unit_target = unit(target)
    found = np.empty(len(source), dtype=np.intp)
    for start in range(0, len(source), block):
        similarity = unit(source[start : start + block]) @ unit_target.T
        found[start : start + block] = similarity.argmax(axis=1)
    return found


def unit(rows: Floats) -> Floats:
    """Rows of length 1, a row of zeros left as it is; ValueError where one is not finite."""
    import numpy as np

    if not np.isfinite(rows).all():
        raise ValueError("embeddings with values that are not finite")
    wide: Floats = rows.astype(np.float64 if rows.dtype == np.float64 else np.float32, copy=False)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Floats = wide / np.where(norms > 0, norms, 1)
    return unit
