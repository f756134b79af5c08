"""From a figure of matplotlib to an `<svg>` element that lies inside the page.

The element follows the page's light or dark colours and its font, and its points carry what a
reader sees on them: a `<title>`, which browsers show without any script.

>>> as_element((440, 290), paint, "Score against size.", "chart1", {"mark-0": ["base: 61.2"]})
'<svg viewBox="0 0 440 290" role="img" aria-label="Score against size."><g>...'

The same figure gives the same bytes: ids come from a fixed salt and there is no date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any
from warnings import catch_warnings, filterwarnings
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from evalsuite.report.charts.palette import variable

DPI = 72  # a point is a pixel
_LONG = re.compile(r"(\d\.\d\d)\d+")
_FONTS = re.compile(r" font-family: [^;]*;")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # not in XML
_REFERENCE = re.compile(r'(?:href="#|url\(#)([^")]+)')


def as_element(
    size: tuple[int, int],
    paint: Callable[[Any], None],
    description: str,
    prefix: str,
    marks: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Draw a figure as an `<svg>` element.

    Args:
        size: width and height in pixels; the page scales them to its columns.
        paint: draws on the empty `matplotlib.figure.Figure`.
        description: what the drawing shows, in words.
        prefix: keeps its ids apart from those of other drawings.
        marks: gid of an artist -> what its markers show, in the order they are drawn.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    salt = {"svg.hashsalt": "lingopress", "svg.fonttype": "none", "font.family": "sans-serif"}
    plain = {"text.parse_math": False}  # a `$` in a name begins no formula
    with rc_context({**salt, **plain, "font.size": 11}), catch_warnings():
        filterwarnings("ignore", "Glyph .* missing")  # the browser has other fonts
        figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI)
        figure.patch.set_visible(False)
        canvas = FigureCanvasSVG(figure)
        paint(figure)
        text = StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        canvas.print_svg(text, metadata=nothing)
    return _inline(text.getvalue(), description, prefix, marks or {})


def _inline(svg: str, description: str, prefix: str, marks: Mapping[str, Sequence[str]]) -> str:
    """An SVG document as an element: described, with marks, variables and separate ids."""
    body = _UNSEEN.sub("", _FONTS.sub("", svg[svg.index("<svg") :]))
    used = set(_REFERENCE.findall(body))
    root = fromstring(body)
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag.endswith(("}metadata", "}style"))]:
            parent.remove(child)
        if marks and parent.get("id") in marks:
            _mark(parent, marks[parent.get("id", "")])
        _clean(parent, used, prefix)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": description}
    drawn = _UNSEEN.sub("", tostring(root, encoding="unicode"))
    return re.sub(r">\s+<", "><", drawn).strip()


def _mark(group: Element, marks: Sequence[str]) -> None:
    """Give the markers of an artist their texts."""
    markers = [child for child in group.iter() if child.tag.endswith("}use")]
    for marker, text in zip(markers, marks, strict=True):
        marker.set("class", "mark")
        SubElement(marker, "title").text = text


def _clean(element: Element, used: set[str], prefix: str) -> None:
    """Plain HTML names, shorter numbers, no id that nothing refers to, and variables for colours.

    Text keeps its numbers: ticks of a loss differ in the third decimal.
    """
    element.tag = element.tag.rpartition("}")[2]
    attributes = {
        name.rpartition("}")[2]: _LONG.sub(r"\1", value) for name, value in element.attrib.items()
    }
    if attributes.get("id") not in used:
        attributes.pop("id", None)
    if attributes.get("transform", "").startswith("rotate(-0"):
        del attributes["transform"]
    for name, value in attributes.items():
        if name == "id":
            attributes[name] = f"{prefix}-{value}"
        elif name == "href":
            attributes[name] = f"#{prefix}-{value.removeprefix('#')}"
        elif name == "clip-path":
            attributes[name] = value.replace("url(#", f"url(#{prefix}-")
        elif name == "style":
            attributes[name] = _COLOUR.sub(lambda m: variable(m[0]), value)
    element.attrib = attributes
