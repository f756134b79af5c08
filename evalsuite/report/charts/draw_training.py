"""The loss of one training by step, as a small SVG that lies inside the page.

The loss as it was logged is faint, the smoothed one strong; scores on dev rows have an axis on the
right. A tick at the bottom is a checkpoint, a dashed line a point where the training was resumed.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from evalsuite.report.charts.chart import TrainingChart
from evalsuite.report.charts.draw_points import dress, shortened
from evalsuite.report.charts.palette import COLOURS, GREY, INK, style_of
from evalsuite.report.charts.svg_element import as_element

WIDTH, HEIGHT = 345, 220  # pixels
LEFT, RIGHT, BOTTOM, TOP = 52, 50, 42, 10
FAINT = 0.45  # opacity of the loss as it was logged
LINES = ((0, (1, 0)), (0, (5, 2)), (0, (1, 1.5)))  # of the scores, so that colour is not all


def draw(chart: TrainingChart, prefix: str) -> str:
    """As an `<svg>` element; `prefix` keeps its ids apart from other charts'."""

    def paint(figure: Any) -> None:
        inner = (WIDTH - LEFT - RIGHT) / WIDTH, (HEIGHT - BOTTOM - TOP) / HEIGHT
        axes = figure.add_axes((LEFT / WIDTH, BOTTOM / HEIGHT, *inner))
        _draw_loss(axes, chart)
        if chart.scores:
            _draw_scores(axes.twinx(), chart)

    marks = {
        f"score-{i}": [
            f"{name}, step {step:,}: {value:.1f}" for step, value in points if isfinite(value)
        ]
        for i, (name, points) in enumerate(chart.scores)
    }
    return as_element((WIDTH, HEIGHT), paint, chart.description, prefix, marks)


def _draw_loss(axes: Any, chart: TrainingChart) -> None:
    from matplotlib.markers import TICKUP  # above the axis, away from its numbers
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    steps, losses = zip(*chart.points, strict=True)
    marker = {"marker": "o", "markersize": 3} if len(steps) == 1 else {}
    axes.plot(steps, losses, color=COLOURS[0], alpha=FAINT, linewidth=0.9)
    axes.plot(steps, chart.smooth, color=COLOURS[0], linewidth=1.8, **marker)
    for step in chart.resumed:
        axes.axvline(step, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    if chart.checkpoints:
        low = [0.0] * len(chart.checkpoints)
        axes.plot(
            chart.checkpoints, low, color=GREY, marker=TICKUP, markersize=6, linestyle="none",
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
    axes.set_xlim(0, max(steps[-1], *chart.resumed, *chart.checkpoints, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    dress(axes, "Step", "Loss")


def _draw_scores(axes: Any, chart: TrainingChart) -> None:
    from matplotlib.ticker import MaxNLocator

    for i, (name, points) in enumerate(chart.scores):
        steps, values = zip(*points, strict=True)
        colour, edge, marker = style_of(1 + i)
        axes.plot(
            steps, values, color=colour, linewidth=1.4, markersize=4, marker=marker,
            markeredgecolor=edge, linestyle=LINES[i % len(LINES)], clip_on=False, zorder=3,
            gid=f"score-{i}",
        )  # fmt: skip
        if len(chart.scores) > 1:
            axes.annotate(
                shortened(name), (steps[-1], values[-1]), (-4, 5), textcoords="offset points",
                ha="right", color=INK, fontsize=9.5,
            )  # fmt: skip
    dress(axes, "", "Dev score")
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(5))
