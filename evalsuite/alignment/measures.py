"""Measures of alignment between sentence vectors and those of their translations.

>>> import numpy as np
>>> pairs, others = cosines(np.eye(3), np.eye(3))
>>> (pairs, others)
(1.0, 0.0)

Rows of `foreign` and `english`, both `[sentences, width]`, are translations of one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.retrieval.cosine import unit

if TYPE_CHECKING:
    import numpy as np

DEPTH = 10  # candidates a ranking is compared by


def cosines(foreign: np.ndarray, english: np.ndarray) -> tuple[float, float]:
    """Mean cosine of translations, and of all other pairs of a foreign and an English row.

    Encoders differ in how close any two sentences lie; only the distance between the two figures
    says something of alignment.

    Raises:
        ValueError: fewer than two rows.
    """
    count = len(foreign)
    if count < 2:
        raise ValueError(f"{count} row(s); other pairs need two")
    a, b = unit(foreign.astype("float64")), unit(english.astype("float64"))
    pairs = float((a * b).sum())
    everything = float(a.sum(0) @ b.sum(0))
    return pairs / count, (everything - pairs) / (count * (count - 1))


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Linear centred kernel alignment of two representations of the same sentences.

    1 where one is a rotation and scaling of the other, about 0 where they have nothing in common.

    Kornblith et al. 2019, with the unbiased estimate of HSIC (Song et al. 2012, equation 5), as
    Nguyen et al. 2021 use it: without it, fewer sentences than dimensions look alike whatever they
    are.

    Raises:
        ValueError: fewer than four rows, or not as many in both.
    """
    if len(first) != len(second) or len(first) < 4:
        raise ValueError(f"{len(first)} and {len(second)} rows; at least four in both are needed")
    a, b = (_gram(rows.astype("float64")) for rows in (first, second))
    scale = max(_hsic(a, a), 0.0) * max(_hsic(b, b), 0.0)
    return _hsic(a, b) / scale**0.5 if scale > 0 else 0.0


def _gram(rows: np.ndarray) -> np.ndarray:
    """Products of rows, the diagonal 0; the estimate centres by itself."""
    import numpy as np

    gram = np.asarray(rows @ rows.T)
    np.fill_diagonal(gram, 0.0)
    return gram


def _hsic(a: np.ndarray, b: np.ndarray) -> float:
    n = len(a)
    trace = float((a * b).sum())
    sums = float(a.sum()) * float(b.sum()) / ((n - 1) * (n - 2))
    cross = 2 * float(a.sum(0) @ b.sum(0)) / (n - 2)
    return (trace + sums - cross) / (n * (n - 3))


def rank_consistency(foreign: np.ndarray, english: np.ndarray, depth: int = DEPTH) -> float:
    """Whether a sentence and its translation rank the other English sentences alike, in percent.

    RankC of Qi et al. 2023 (section 4), with sentences for the candidate answers of their probing:
    the share that two rankings' first j have in common, averaged over j = 1 to `depth` with
    weights in proportion to exp(-j), so that the first few count. Beyond ten the weights sum to
    0.00005. The sentence's own English row is no candidate.

    Raises:
        ValueError: fewer than two rows.
    """
    import numpy as np

    count = len(english)
    if count < 2:
        raise ValueError(f"{count} row(s); there is nothing else to rank")
    depth = min(depth, count - 1)
    candidates = unit(english)
    first, second = (_first(unit(rows) @ candidates.T, depth) for rows in (foreign, english))
    weights = np.exp(-np.arange(1, depth + 1, dtype=float))
    weights /= weights.sum()
    # Where each of one ranking's candidates stands in the other; `depth` for none of its first.
    place = np.where(first[:, :, None] == second[:, None, :], np.arange(depth), depth).min(2)
    both = np.maximum(place, np.arange(depth))  # in both first j for all j above this
    shared = (both[:, :, None] < np.arange(1, depth + 1)).sum(1)
    return float(100.0 * (shared / np.arange(1, depth + 1) @ weights).mean())


def _first(similarities: np.ndarray, depth: int) -> np.ndarray:
    """The most similar `depth` columns of each row but its own, the first of equal ones first."""
    import numpy as np

    np.fill_diagonal(similarities, -np.inf)
    return np.argsort(-similarities, axis=1, kind="stable")[:, :depth]
