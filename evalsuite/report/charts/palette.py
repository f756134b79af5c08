"""Colours and markers of all charts, and the variables of the style sheet that colours become.

The page has two colour schemes, so a drawing must hold no fixed colour: `svg_element.py` replaces
every colour below by `var(...)`, and `templates/style.css` gives the variables their values. On
white paper those are the colours below.

>>> VARIABLES[COLOURS[1].lower()]
'--c2'
"""

from __future__ import annotations

# Okabe and Ito's palette without its yellow, which is too light for white paper.
# Black is not #000000, which matplotlib leaves out of an SVG as its default.
# Source: https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#010101", "#E69F00", "#56B4E9")
# Of a marker's edge. The last two colours have too little contrast with white without a darker one.
EDGES = (*COLOURS[:5], "#8F6200", "#2A7CB0")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")  # so that colour is not all
# The same markers around 0, 0, for drawings made without matplotlib.
SHAPES = (
    "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0z",
    "M-3.5-3.5h7v7h-7z",
    "M0-4.2 4 3.4h-8z",
    "M0-4.6 4.6 0 0 4.6-4.6 0z",
    "M0 4.2 4-3.4h-8z",
    "M-1.5-4.2h3v2.7h2.7v3h-2.7v2.7h-3v-2.7h-2.7v-3h2.7z",
    "M-4.2-2.1-2.1-4.2 0-2.1 2.1-4.2 4.2-2.1 2.1 0 4.2 2.1 2.1 4.2 0 2.1-2.1 4.2-4.2 2.1-2.1 0z",
    "M0-4.4 4.2-1.4 2.6 3.6h-5.2L-4.2-1.4z",
)
INK, GREY, PALE, LINE, AXIS = "#1f2328", "#59636e", "#e6e8eb", "#8c959f", "#c4c9cf"
PAPER = "#ffffff"

VARIABLES = {
    **{colour.lower(): f"--c{i}" for i, colour in enumerate(COLOURS, 1)},
    **{colour.lower(): f"--e{i}" for i, colour in enumerate(EDGES, 1) if colour not in COLOURS},
    INK: "--ink",
    GREY: "--chart-text",
    PALE: "--grid",
    LINE: "--front",
    AXIS: "--axis",
    PAPER: "--paper",
}


def style_of(place: int) -> tuple[str, str, str]:
    """Colour, edge and marker of the system, curve or score at a place, from 0."""
    i = place % len(COLOURS)
    return COLOURS[i], EDGES[i], MARKERS[place % len(MARKERS)]


def variable(colour: str) -> str:
    """What stands for a colour in a drawing: `var(--c1)`."""
    return f"var({VARIABLES[colour.lower()]})"
