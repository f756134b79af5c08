"""Draw scores against size, a small plot per language, as an SVG that lies inside the page.

All plots have the same axes. Drawn without matplotlib, as `draw_languages` is and for the same
reasons.

>>> draw(chart, "chart1")
'<svg class="sizes" viewBox="0 0 690 240" role="img" ...'
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import log10

from evalsuite.report.charts.chart import SizeChart, SizeLine
from evalsuite.report.charts.palette import SHAPES, style_of, variable
from evalsuite.report.figures.formatting import three_figures

WIDTH, LEFT, RIGHT = 690, 40, 6  # pixels
COLUMNS, GAP = 6, 10
NAME, PLOT, BELOW = 18, 78, 8  # of a plot: its name, its height, the space to the next
FOOT, LEGEND = 28, 17
CHARACTER = 6.0  # pixels, on average
LONGEST_NAME = 15


def draw(chart: SizeChart, prefix: str) -> str:
    """As an `<svg>` element; `prefix` keeps its ids apart from other charts'."""
    legend, top = _legend(chart)
    rows = -(-len(chart.languages) // COLUMNS)
    bottom = top + rows * (NAME + PLOT + BELOW)
    shapes = "".join(
        f'<path id="{prefix}-{i}" d="{SHAPES[i % len(SHAPES)]}"/>' for i in range(len(chart.lines))
    )
    parts = [f"<defs>{shapes}</defs>", *legend]
    for place, code in enumerate(chart.languages):
        row, column = divmod(place, COLUMNS)
        parts += _plot(chart, code, column, top + row * (NAME + PLOT + BELOW), prefix)
    sizes = [size for line in chart.lines for size in line.sizes]
    axis = f"Size: {three_figures(min(sizes))} to {three_figures(max(sizes))} MB, log scale"
    middle = f'x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{bottom + 16:g}" text-anchor="middle"'
    parts.append(f'<text class="tick" {middle}>{axis}</text>')
    box = f'viewBox="0 0 {WIDTH} {bottom + FOOT:g}"'
    label = escape(f"{chart.description}")
    return f'<svg class="sizes" {box} role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _legend(chart: SizeChart) -> tuple[list[str], float]:
    """The names of the lines, in as few rows as they need, and where the plots begin."""
    parts, x, y = [], 8.0, LEGEND / 2
    for i, line in enumerate(chart.lines):
        width = CHARACTER * len(line.name) + 26
        if x > 8 and x + width > WIDTH:
            x, y = 8.0, y + LEGEND
        parts.append(
            f'<path transform="translate({x:g} {y:g})" d="{SHAPES[i % len(SHAPES)]}" '
            f'style="{_paint(i)}"/><text x="{x + 9:g}" y="{y + 4:g}">{escape(line.name)}</text>'
        )
        x += width
    return parts, y + LEGEND


def _paint(place: int) -> str:
    colour, edge, _ = style_of(place)
    return f"fill:{variable(colour)};stroke:{variable(edge)}"


def _plot(chart: SizeChart, code: str, column: int, top: float, prefix: str) -> Iterator[str]:
    """A group with the language: its name, its axes, and a marker per model."""
    width = (WIDTH - LEFT - RIGHT - GAP * (COLUMNS - 1)) / COLUMNS
    left, upper = LEFT + column * (width + GAP), top + NAME
    name = chart.names[code]
    yield f'<g data-language="{escape(code)}">'
    yield f'<rect class="band" x="{left:.1f}" y="{top:g}" width="{width:.1f}" height="{NAME}"/>'
    shown = name if len(name) <= LONGEST_NAME else code
    yield f'<text x="{left + 2:.1f}" y="{top + 13:g}">{escape(shown)}</text>'
    low, high = chart.span
    for value in (low, (low + high) / 2, high):
        y = _y(chart, value, upper)
        yield f'<path class="grid" d="M{left:.1f} {y:.1f}h{width:.1f}"/>'
        if column == 0:
            place = f'x="{left - 5:.1f}" y="{y + 4:.1f}" text-anchor="end"'
            yield f'<text class="tick" {place}>{value:g}</text>'
    for i, line in enumerate(chart.lines):
        yield from _line(chart, line, i, code, (left, upper, width), prefix)
    yield "</g>"


def _line(
    chart: SizeChart,
    line: SizeLine,
    number: int,
    code: str,
    place: tuple[float, float, float],
    prefix: str,
) -> Iterator[str]:
    left, upper, width = place
    points = [
        (k, _x(chart, size, left, width), _y(chart, scores[code], upper))
        for k, (size, scores) in enumerate(zip(line.sizes, line.scores, strict=True))
        if code in scores
    ]
    if line.joined and len(points) > 1:
        path = "L".join(f"{x:.1f} {y:.1f}" for _, x, y in points)
        stroke = variable(style_of(number)[1])
        yield f'<path style="fill:none;stroke:{stroke};stroke-width:1.4" d="M{path}"/>'
    for k, x, y in points:
        yield f'<use class="mark" href="#{prefix}-{number}" x="{x:.1f}" y="{y:.1f}" '
        yield f'style="{_paint(number)}"><title>{escape(chart.words(line, k, code))}</title></use>'


def _x(chart: SizeChart, size: float, left: float, width: float) -> float:
    logs = [log10(max(one, 1e-9)) for line in chart.lines for one in line.sizes]
    low, high = min(logs), max(logs)
    share = (log10(max(size, 1e-9)) - low) / (high - low) if high > low else 0.5
    return left + 6 + (width - 12) * share


def _y(chart: SizeChart, value: float, upper: float) -> float:
    low, high = chart.span
    return upper + (PLOT - 6) * (high - value) / (high - low) + 3
