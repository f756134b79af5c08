"""Draw a chart of points, and where they are, in a page.

>>> draw(chart, "chart1")
'<svg viewBox="0 0 440 290" role="img" ...'
"""

from __future__ import annotations

from math import floor, log10
from textwrap import fill
from typing import Any

from evalsuite.report.charts.chart import Chart
from evalsuite.report.charts.label_places import place
from evalsuite.report.charts.palette import AXIS, GREY, INK, LINE, PALE, PAPER, style_of
from evalsuite.report.charts.svg_element import as_element

LARGE, SMALL = (440, 290), (345, 250)  # pixels
LEFT, BOTTOM, EDGE = 52, 46, 8  # pixels around the axes
LONGEST_LABEL = 24
CHARACTER = 6.0  # pixels, on average


def draw(chart: Chart, prefix: str) -> str:
    """The chart as an `<svg>` element; `prefix` keeps its ids apart from other charts'."""
    width, height = SMALL if chart.group else LARGE

    def paint(figure: Any) -> None:
        inner = (width - LEFT - EDGE) / width, (height - BOTTOM - EDGE) / height
        axes = figure.add_axes((LEFT / width, BOTTOM / height, *inner))
        _dress(axes, chart)
        _draw_points(axes, chart)
        _draw_labels(figure, axes, chart)

    marks = {_gid(i): [chart.words(point)] for i, point in enumerate(chart.points)}
    return as_element((width, height), paint, chart.description, prefix, marks)


def _gid(point: int) -> str:
    return f"point-{point}"


def _dress(axes: Any, chart: Chart) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    xs, ys = [p.x for p in chart.points], [p.y for p in chart.points]
    low, high = min(xs) / 1.7, max(xs) * 1.7
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    room = max(1.5, 0.14 * (max(ys) - min(ys)))
    axes.set_ylim(min(ys) - room, max(ys) + room)
    ticks = log_ticks(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:,g}" for tick in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    dress(axes, chart.x_label, chart.y_label)


def dress(axes: Any, x_label: str, y_label: str) -> None:
    """What the axes of every plot of the report look like."""
    room = axes.get_window_extent()
    axes.set_xlabel(fill(x_label, int(room.width / CHARACTER)), color=GREY)
    axes.set_ylabel(fill(y_label, int(room.height / CHARACTER)), color=GREY)
    axes.patch.set_visible(False)
    axes.tick_params(colors=GREY, length=0)
    axes.grid(True, color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(AXIS)


def _draw_points(axes: Any, chart: Chart) -> None:
    best = [chart.points[i] for i in chart.front]
    axes.plot([p.x for p in best], [p.y for p in best], color=LINE, linewidth=1.4, zorder=2)
    if chart.line is not None:
        xs, ys = zip(*chart.line, strict=True)
        axes.plot(xs, ys, color=LINE, linewidth=1.4, linestyle=(0, (5, 3)), zorder=2)
    for i, point in enumerate(chart.points):
        (colour, edge, marker), on_front = style_of(point.style), i in chart.front
        axes.plot(
            [point.x],
            [point.y],
            marker=marker,
            markersize=8.5 if on_front else 7,
            markerfacecolor=PAPER if point.partial else colour,
            markeredgecolor=INK if on_front else edge,
            markeredgewidth=1.3,
            linestyle="none",
            zorder=3,
            gid=_gid(i),
        )


def _draw_labels(figure: Any, axes: Any, chart: Chart) -> None:
    order = chart.labelled
    points = [chart.points[i] for i in order]
    spots = [_pixels(axes, point.x, point.y) for point in points]
    others = [_pixels(axes, p.x, p.y) for i, p in enumerate(chart.points) if i not in order]
    texts = [
        axes.text(0, 0, shortened(p.label), color=INK, fontsize=10.5, weight=_weight(i, chart),
                  transform=None, zorder=4)
        for i, p in zip(order, points, strict=True)
    ]  # fmt: skip
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    boxes = [text.get_window_extent(renderer) for text in texts]
    sizes = [(box.width + 2, box.height + 1) for box in boxes]
    frame = axes.get_window_extent(renderer)
    path = chart.line or [(chart.points[i].x, chart.points[i].y) for i in chart.front]
    line = [_pixels(axes, x, y) for x, y in path]
    bounds = (frame.x0 + 2, frame.y0 + 2, frame.x1, frame.y1)
    corners = place(spots, sizes, bounds, line, others)
    for text, spot, (width, height), (x, y) in zip(texts, spots, sizes, corners, strict=True):
        text.set_position((x + 1, y + 3))
        near = min(max(spot[0], x), x + width), min(max(spot[1], y), y + height)
        if abs(near[0] - spot[0]) + abs(near[1] - spot[1]) > 15:
            axes.plot(*zip(spot, near, strict=True), color=LINE, linewidth=0.7,
                      transform=None, zorder=1)  # fmt: skip


def _weight(i: int, chart: Chart) -> str:
    return "bold" if i in chart.front else "normal"


def _pixels(axes: Any, x: float, y: float) -> tuple[float, float]:
    left, bottom = axes.transData.transform((x, y))
    return float(left), float(bottom)


def shortened(name: str) -> str:
    """A name short enough for a chart: its beginning and its end, where names differ."""
    kept = LONGEST_LABEL - 1
    return (
        name if len(name) <= LONGEST_LABEL else f"{name[: kept // 3]}…{name[-(kept - kept // 3) :]}"
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high: 1, 2, 5 of each decade, or 1 alone over many decades."""
    first, last = floor(log10(low)), floor(log10(high))
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    edge = (high / low) ** 0.04  # a number there would be cut
    low, high = low * edge, high / edge
    kept = [tick for tick in ticks if low <= tick <= high]
    if len(kept) > 1:
        return kept
    finer = [step * 10.0**power for power in range(first, last + 1) for step in range(1, 10)]
    return [tick for tick in finer if low <= tick <= high] or [(low * high) ** 0.5]
