"""Lines over whole numbers, as an SVG that lies inside the page.

>>> draw(Curves("Retrieval", "Layer", "Found (%)", (Curve("base", (1.0, 9.5)),)), "curve1")
'<svg viewBox=...'
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from evalsuite.report.charts.chart import Curves
from evalsuite.report.charts.draw_points import dress, shortened
from evalsuite.report.charts.palette import INK, style_of
from evalsuite.report.charts.svg_element import as_element

WIDTH, PLOT = 440, 230  # pixels
LEFT, BOTTOM, EDGE, LINE = 66, 44, 8, 17


def draw(chart: Curves, prefix: str) -> str:
    """As an `<svg>` element with its legend on top, a name per line, so that it covers nothing."""
    height = PLOT + LINE * len(chart.curves) + EDGE
    marks = {
        f"curve-{i}": [
            chart.words(curve, k) for k, value in enumerate(curve.values) if isfinite(value)
        ]
        for i, curve in enumerate(chart.curves)
    }

    def paint(figure: Any) -> None:
        _paint(figure, chart, height)

    return as_element((WIDTH, height), paint, chart.description, prefix, marks)


def _paint(figure: Any, chart: Curves, height: int) -> None:
    from matplotlib.ticker import MaxNLocator

    box = (LEFT, BOTTOM, WIDTH - LEFT - EDGE, PLOT - BOTTOM - EDGE)
    axes = figure.add_axes((box[0] / WIDTH, box[1] / height, box[2] / WIDTH, box[3] / height))
    for i, curve in enumerate(chart.curves):
        colour, edge, marker = style_of(i)
        style: Any = {"color": colour, "marker": marker, "markeredgecolor": edge}
        axes.plot(
            range(len(curve.values)), curve.values, linewidth=1.6, markersize=5, gid=f"curve-{i}",
            **style,
        )  # fmt: skip
        y = 1 - (i + 0.6) * LINE / height
        figure.text((LEFT + 22) / WIDTH, y, shortened(curve.name), color=INK, va="center")
        axes.plot(
            [(LEFT + 10) / WIDTH], [y], transform=figure.transFigure, clip_on=False,
            markersize=6, linestyle="none", **style,
        )  # fmt: skip
    axes.set_xlim(-0.3, max(len(curve.values) for curve in chart.curves) - 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    dress(axes, chart.x_label, chart.y_label)
