"""Which systems no other one beats.

>>> front([(1, 50), (2, 60), (3, 55)], smaller_is_better=True)
(0, 1)
"""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]], *, smaller_is_better: bool) -> tuple[int, ...]:
    """Indices of the points that none dominates, by rising x.

    A point is dominated when another is at least as good in both and better in one. More of y
    is always better; of x, less where `smaller_is_better`, more otherwise.
    """
    sign = -1.0 if smaller_is_better else 1.0
    good = [(sign * x, y) for x, y in points]
    kept = [
        i
        for i, (x, y) in enumerate(good)
        if not any(ox >= x and oy >= y and (ox, oy) != (x, y) for ox, oy in good)
    ]
    return tuple(sorted(kept, key=lambda i: points[i]))
