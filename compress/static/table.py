"""The table of a static model from vectors of pieces: principal components, weights by frequency.

>>> table = weigh(project(vectors, width=256), frequencies)
>>> table.shape
(30000, 256)

So does Model2Vec (Tulkens & van Dongen 2024), with weights by rank; here they are those of smooth
inverse frequency (SIF, Arora et al. 2017), by counts.
"""

from __future__ import annotations

import numpy as np

SMOOTHING = 1e-3  # SIF's a; Arora et al. use 1e-4 to 1e-3


def project(vectors: np.ndarray, width: int) -> np.ndarray:
    """The first principal components, fp32 `[pieces, width]`, the mean row of length 1.

    The mean of all vectors is taken off: an encoder's vectors lie in a narrow cone, and the part
    that they share tells no texts apart.

    Args:
        vectors: `[pieces, dimensions]`.
        width: at most `dimensions`.

    Raises:
        ValueError: there are fewer dimensions, or fewer pieces.
    """
    if width > min(vectors.shape):
        raise ValueError(f"{width} components of vectors {vectors.shape}")
    centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    found = centred @ directions[:, ::-1][:, :width]
    length = np.linalg.norm(found, axis=1).mean()
    return np.asarray(found / max(length, 1e-12), np.float32)


def weigh(table: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Each row times `a / (a + p)`, where `p` is the share of the text that the piece makes up.

    >>> weigh(np.ones((2, 1)), np.array([999.0, 1.0])).round(3).tolist()
    [[0.001], [0.5]]

    Args:
        counts: `[pieces]`, how often each occurs.
    """
    shares = counts / max(float(counts.sum()), 1.0)
    return np.asarray(table * (SMOOTHING / (SMOOTHING + shares))[:, None], table.dtype)
