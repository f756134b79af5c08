"""Draw the scores of systems by language, as an SVG that lies inside the page.

A row per language, a marker per system, a thin line for its 95% interval, and a short upright line
at what guessing scores. Drawn without matplotlib, which takes a hundred times as long for it; rows
carry their language, so that one can be picked in all charts and tables at once.

>>> draw(chart, "chart1")
'<svg viewBox="0 0 345 260" role="img" ...'
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import ceil, floor

from evalsuite.report.charts.chart import LanguageChart, LanguageScores
from evalsuite.report.charts.palette import SHAPES, style_of, variable

WIDTH, LEFT, RIGHT = 345, 86, 12  # pixels
ROW, STEP, TALLEST = 15, 3, 28  # a row is higher where it holds more systems
FOOT, LEGEND = 36, 17
CHARACTER = 6.0  # pixels, on average
LONGEST_NAME = 13


def draw(chart: LanguageChart, prefix: str) -> str:
    """As an `<svg>` element; `prefix` keeps its ids apart from other charts'."""
    legend, top = _legend(chart)
    row = min(TALLEST, ROW + STEP * (len(chart.systems) - 1))
    bottom = top + row * len(chart.languages)
    shapes = "".join(
        f'<path id="{prefix}-{i}" d="{SHAPES[system.style % len(SHAPES)]}"/>'
        for i, system in enumerate(chart.systems)
    )
    parts = [f"<defs>{shapes}</defs>", *legend, *_axis(chart, top, bottom)]
    for i, code in enumerate(chart.languages):
        parts += _row(chart, code, top + row * i, row, prefix)
    label = escape(chart.description)
    box = f'viewBox="0 0 {WIDTH} {bottom + FOOT:g}"'
    return f'<svg {box} role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _x(chart: LanguageChart, value: float) -> float:
    low, high = chart.span
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)


def _paint(system: LanguageScores) -> str:
    colour, edge, _ = style_of(system.style)
    return f"fill:{variable(colour)};stroke:{variable(edge)}"


def _legend(chart: LanguageChart) -> tuple[list[str], float]:
    """The names of the systems, in as few lines as they need, and where the rows begin."""
    parts, x, y = [], 8.0, LEGEND / 2
    for system in chart.systems:
        width = CHARACTER * len(system.label) + 26
        if x > 8 and x + width > WIDTH:
            x, y = 8.0, y + LEGEND
        shape = SHAPES[system.style % len(SHAPES)]
        parts.append(
            f'<path transform="translate({x:g} {y:g})" d="{shape}" style="{_paint(system)}"/>'
            f'<text x="{x + 9:g}" y="{y + 4:g}">{escape(system.label)}</text>'
        )
        x += width
    return parts, y + LEGEND


def _axis(chart: LanguageChart, top: float, bottom: float) -> Iterator[str]:
    low, high = chart.span
    step = 10 if high - low <= 50 else 20
    for tick in range(ceil(low / step) * step, floor(high / step) * step + 1, step):
        x = f"{_x(chart, tick):.1f}"
        yield f'<path class="grid" d="M{x} {top:g}V{bottom:g}"/>'
        number = str(tick).replace("-", "−")
        yield f'<text class="tick" x="{x}" y="{bottom + 13:g}" text-anchor="middle">{number}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    text = f'x="{middle:g}" y="{bottom + 30:g}" text-anchor="middle"'
    yield f'<text class="tick" {text}>{escape(chart.x_label)}</text>'


def _row(chart: LanguageChart, code: str, top: float, height: float, prefix: str) -> Iterator[str]:
    """A group with the language: its background, its name, and a marker per system."""
    middle, name = top + height / 2, chart.names[code]
    shown = name if len(name) <= LONGEST_NAME else code
    yield f'<g data-language="{escape(code)}">'
    yield f'<rect class="band" y="{top:g}" width="{WIDTH}" height="{height:g}"/>'
    text = f'x="{LEFT - 8}" y="{middle + 4:g}" text-anchor="end"'
    yield f"<text {text}>{escape(shown)}</text>"
    if (guess := chart.chance.get(code)) is not None and chart.span[0] <= guess <= chart.span[1]:
        up = height / 2 - 2
        yield f'<path class="chance" d="M{_x(chart, guess):.1f} {middle - up:g}v{2 * up:g}"/>'
    count = len(chart.systems)
    gap = (height - 11) / (count - 1) if count > 1 else 0
    for i, system in enumerate(chart.systems):
        if code not in system.scores:
            continue
        y = middle + gap * (i - (count - 1) / 2)
        if interval := system.intervals.get(code):
            start, end = (_x(chart, value) for value in interval)
            stroke = variable(style_of(system.style)[1])
            line = f"M{start:.1f} {y:.1f}H{end:.1f}"
            yield f'<path class="interval" style="stroke:{stroke}" d="{line}"/>'
        place = f'x="{_x(chart, system.scores[code]):.1f}" y="{y:.1f}"'
        words = escape(chart.words(system, code))
        yield f'<use class="mark" href="#{prefix}-{i}" {place} style="{_paint(system)}">'
        yield f"<title>{words}</title></use>"
    yield "</g>"
