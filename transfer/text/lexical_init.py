"""Start a multilingual embedding table from parallel text.

>>> align([(0, foreign_ids, english_ids)], table).shape            # one vocabulary
(4000, 128)
>>> across([(0, foreign_ids, english_ids)], table, own, 32000).shape  # onto a new vocabulary
(32000, 384)

Each piece that is not English's own becomes the weighted mean of the English pieces it occurs
with most, so that a word and its translation start close together and training need not discover
the dictionary. The association is phi-squared over sentence pairs (Gale & Church 1991), the top
four count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

TOP = 4
_SPECIALS = 4


def align(
    pairs: Sequence[tuple[int, Sequence[int], Sequence[int]]], table: np.ndarray
) -> np.ndarray:
    """A copy of `table` `[vocabulary, width]` with foreign rows set from English ones.

    Args:
        pairs: (language, foreign ids, English ids) of each sentence pair, specials left out.
        table: the starting table; English rows are kept, others replaced where anything is known.

    A piece that English uses too (a name, a numeral, punctuation) keeps its row. A row's norm is
    set to the mean norm of English rows, since a mean of vectors is shorter than each. A piece of
    several languages takes the mean over them, weighted by how often each has it.
    """
    size = len(table)
    english = np.zeros(size, dtype=bool)
    for _, _, target in pairs:
        english[list(target)] = True
    total, weight = _pooled(pairs, table, size, english)
    rows = np.flatnonzero(weight)
    result = table.copy()
    norm = np.linalg.norm(table[english], axis=1).mean() if english.any() else 1.0
    result[rows] = _scaled(total[rows], float(norm)).astype(table.dtype)
    return result


def across(
    pairs: Sequence[tuple[int, Sequence[int], Sequence[int]]],
    table: np.ndarray,
    own: Mapping[int, tuple[Sequence[int], int]],
    size: int,
) -> np.ndarray:
    """Rows of a new vocabulary, `[size, width]`, from those of an English one, `table`.

    Args:
        pairs: (language, foreign ids in the new vocabulary, English ids in the old one).
        own: pieces of the new vocabulary that English uses -> (the old pieces that spell it, how
            often English has it). A piece spelt by one old piece and used by English alone is
            that piece's row, exactly.

    Weights, norms and what several languages share are as in `align`. A piece nothing is known
    about gets the mean row.
    """
    norm = float(np.linalg.norm(table, axis=1).mean())
    total, weight = _pooled(pairs, table, size, np.zeros(size, dtype=bool))
    known = weight > 0
    total[known] = _scaled(total[known], norm) * weight[known, None]
    for piece, (spelling, count) in own.items():
        row = table[list(spelling)].mean(0)
        if len(spelling) > 1:
            row = _scaled(row[None], norm)[0]
        total[piece] += count * row
        weight[piece] += count
    result = np.tile(table.mean(0), (size, 1))
    known = weight > 0
    result[known] = total[known] / weight[known, None]
    return result.astype(table.dtype)


def _scaled(vectors: np.ndarray, norm: float) -> np.ndarray:
    """Rows of equal length, since a mean of vectors is shorter than each."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9) * norm)


def _pooled(
    pairs: Sequence[tuple[int, Sequence[int], Sequence[int]]],
    table: np.ndarray,
    size: int,
    left_out: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Sum over languages of (mean English row x occurrences), and the occurrences."""
    total = np.zeros((size, table.shape[1]), dtype=np.float64)
    weight = np.zeros(size)
    for language in sorted({pair[0] for pair in pairs}):
        chosen = [pair for pair in pairs if pair[0] == language]
        foreign = _incidence([pair[1] for pair in chosen], size)
        target = _incidence([pair[2] for pair in chosen], len(table))
        mean, seen = _means(foreign, target, left_out, table)
        count = np.asarray(foreign.sum(0)).ravel()[seen]
        total[seen] += mean * count[:, None]
        weight[seen] += count
    return total, weight


def _incidence(sentences: Sequence[Sequence[int]], size: int) -> sparse.csr_matrix:
    """`[sentences, vocabulary]`, 1 where the sentence has the piece."""
    rows, columns = [], []
    for row, ids in enumerate(sentences):
        unique = set(ids)
        rows += [row] * len(unique)
        columns += sorted(unique)
    values = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(sentences), size))


def _means(
    foreign: sparse.csr_matrix,
    target: sparse.csr_matrix,
    left_out: np.ndarray,
    table: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, piece ids) of this language's pieces, less those left out."""
    count = foreign.shape[0]
    in_foreign = np.asarray(foreign.sum(0)).ravel()
    in_target = np.asarray(target.sum(0)).ravel()
    seen = np.flatnonzero((in_foreign > 0) & ~left_out)
    seen = seen[seen >= _SPECIALS]
    together = (foreign[:, seen].T @ target).tocsr()
    vectors = np.zeros((len(seen), table.shape[1]))
    for row, piece in enumerate(seen):
        columns = together.indices[together.indptr[row] : together.indptr[row + 1]]
        both = together.data[together.indptr[row] : together.indptr[row + 1]]
        scores = phi_squared(both, in_foreign[piece], in_target[columns], count)
        best = np.argsort(-scores, kind="stable")[:TOP]
        if scores[best].sum() > 0:
            vectors[row] = scores[best] @ table[columns[best]] / scores[best].sum()
    known = np.linalg.norm(vectors, axis=1) > 0
    return vectors[known], seen[known]


def phi_squared(both: np.ndarray, first: float, second: np.ndarray, count: int) -> np.ndarray:
    """Squared correlation of two binary variables from their counts; 0 where it is negative.

    >>> float(phi_squared(np.array([5.0]), 5, np.array([5.0]), 10)[0])
    1.0
    """
    a, b, c = both, first - both, second - both
    d = count - a - b - c
    determinant = a * d - b * c
    below = (a + b) * (c + d) * (a + c) * (b + d)
    score = np.where(below > 0, determinant**2 / np.maximum(below, 1e-9), 0.0)
    return np.where(determinant > 0, score, 0.0)
