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
