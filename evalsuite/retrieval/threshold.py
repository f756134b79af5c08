"""Where to stop taking mined pairs: the threshold of the best F1.

>>> best_threshold([1.4, 1.2, 1.0], [True, True, False], gold=2)
1.1
"""

from __future__ import annotations

from collections.abc import Sequence


def best_threshold(scores: Sequence[float], right: Sequence[bool], gold: int) -> float:
    """The score from which on pairs are taken for the best F1; the highest of equally good ones.

    It lies halfway to the next lower score, as in `bucc_optimize` of google-research/xtreme's
    `third_party/utils_retrieve.py`, except that pairs of one score are taken together. Where no
    pair is right, all are taken, and with no pairs it is 0.

    Args:
        gold: how many pairs there are to be found.
    """
    ordered = sorted(zip(scores, right, strict=True), reverse=True)
    best, found, threshold = 0.0, 0, ordered[-1][0] if ordered else 0.0
    for taken, (score, hit) in enumerate(ordered, 1):
        found += hit
        below = ordered[taken][0] if taken < len(ordered) else score
        f1 = 2 * found / (taken + gold)
        if f1 > best and (below < score or taken == len(ordered)):
            middle = (score + below) / 2
            best, threshold = f1, middle if middle > below else score
    return threshold
