"""Lines over whole numbers, as an SVG that lies inside the page.

>>> draw(Curves("Retrieval", "Layer", "Found (%)", (Curve("base", (1.0, 9.5)),)), "curve1")
'<svg viewBox=...'
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from evalsuite.report.charts.chart import Curves
from evalsuite.report.charts.draw_points import COLOURS, DPI, INK, MARKERS, dress, inline, shortened

WIDTH, PLOT = 440, 230  # pixels
LEFT, BOTTOM, EDGE, LINE = 56, 44, 8, 17


def draw(chart: Curves, prefix: str) -> str:
    """As an `<svg>` element with its legend on top, a name a line, so that it covers nothing."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    legend = LINE * len(chart.curves) + EDGE
    height = PLOT + legend
    salt = {"svg.hashsalt": "lingopress", "svg.fonttype": "none", "font.family": "sans-serif"}
    with rc_context({**salt, "font.size": 11}):
        figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
        canvas = FigureCanvasSVG(figure)
        box = (LEFT, BOTTOM, WIDTH - LEFT - EDGE, PLOT - BOTTOM - EDGE)
        axes = figure.add_axes((box[0] / WIDTH, box[1] / height, box[2] / WIDTH, box[3] / height))
        for i, curve in enumerate(chart.curves):
            style: Any = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
            axes.plot(range(len(curve.values)), curve.values, linewidth=1.6, markersize=5, **style)
            y = 1 - (i + 0.6) * LINE / height
            figure.text((LEFT + 22) / WIDTH, y, shortened(curve.name), color=INK, va="center")
            axes.plot(
                [(LEFT + 10) / WIDTH], [y], transform=figure.transFigure, clip_on=False,
                markersize=6, linestyle="none", **style,
            )  # fmt: skip
        axes.set_xlim(-0.3, max(len(curve.values) for curve in chart.curves) - 0.7)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        dress(axes, chart.x_label, chart.y_label)
        text = StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        canvas.print_svg(text, metadata=nothing)
    return inline(text.getvalue(), chart.description, prefix)
