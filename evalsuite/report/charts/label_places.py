"""Put labels next to their points so that none covers another.

>>> place([(50, 50), (52, 50)], [(30, 8), (30, 8)], (0, 0, 200, 100))
[(57.0, 46.0), (15.0, 46.0)]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import cos, hypot, pi, sin

XY = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top

REACHES = (7.0, 12.0, 18.0, 26.0, 36.0, 48.0, 64.0)  # from the point to the label's edge
DIRECTIONS = tuple(i * pi / 8 for i in (0, 8, 4, 12, 2, 6, 14, 10, 1, 7, 15, 9, 3, 5, 13, 11))
MARKER = 5.0  # half its width


def place(
    points: Sequence[XY],
    sizes: Sequence[XY],
    bounds: Box,
    lines: Sequence[XY] = (),
    others: Sequence[XY] = (),
) -> list[XY]:
    """The lower left corner of each label.

    Greedy, point by point: of places at growing distance around the point, the first that
    covers nothing, or else the one that covers least.

    Args:
        points: where the markers are, in pixels.
        sizes: width and height of each label, in pixels.
        bounds: what labels stay inside of.
        lines: a path that labels should rather not lie on.
        others: where markers without a label are.
    """
    markers = [(x - MARKER, y - MARKER, x + MARKER, y + MARKER) for x, y in (*points, *others)]
    dots = _dots(lines)
    placed: list[Box] = []
    for (x, y), (width, height) in zip(points, sizes, strict=True):
        best: tuple[float, Box] | None = None
        for step, reach in enumerate(REACHES):
            for turn, angle in enumerate(DIRECTIONS):
                if best is not None and best[0] <= 4 * step + 0.1 * turn:
                    break  # no place further away costs less
                box = _beside(x, y, width, height, reach, angle)
                cost = (
                    100 * sum(_overlap(box, other) for other in (*placed, *markers))
                    + 100 * _outside(box, bounds)
                    + 3 * sum(_holds(box, dot) for dot in dots)
                    + 4 * step
                    + 0.1 * turn
                )
                if best is None or cost < best[0]:
                    best = cost, box
        assert best is not None
        placed.append(best[1])
    return [(left, bottom) for left, bottom, _, _ in placed]


def _beside(x: float, y: float, width: float, height: float, reach: float, angle: float) -> Box:
    """A box whose near edge is `reach` from the point, in the direction of `angle`."""
    dx, dy = cos(angle), sin(angle)
    left = x + dx * reach + (dx - 1) / 2 * width
    bottom = y + dy * reach + (dy - 1) / 2 * height
    return left, bottom, left + width, bottom + height


def _overlap(a: Box, b: Box) -> float:
    """The area two boxes share."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def _outside(box: Box, bounds: Box) -> float:
    """How many pixels of a box lie outside its bounds."""
    sides = (bounds[0] - box[0], bounds[1] - box[1], box[2] - bounds[2], box[3] - bounds[3])
    return sum(max(0.0, side) for side in sides)


def _holds(box: Box, dot: XY) -> bool:
    return box[0] <= dot[0] <= box[2] and box[1] <= dot[1] <= box[3]


def _dots(lines: Sequence[XY]) -> list[XY]:
    """Points along a path, 4 pixels apart."""
    dots = []
    for (x, y), (end_x, end_y) in pairwise(lines):
        count = max(1, int(hypot(end_x - x, end_y - y) / 4))
        dots += [
            (x + (end_x - x) * i / count, y + (end_y - y) * i / count) for i in range(count + 1)
        ]
    return dots
