"""Small SVG pictures that follow the reader's light or dark setting and need no font or script.

>>> picture("Two boxes", "One after the other.", 200, 60, [box(10, 10, 80, 40, "a")])[:4]
'<svg'
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

STYLE = """
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.small{font-size:11.5px}.strong{font-weight:600}.soft-text{fill:#59636e}
.line{stroke:#59636e;stroke-width:1.4;fill:none}.grid{stroke:#d1d9e0;stroke-width:1}
.box{fill:#f6f8fa;stroke:#818b98}.first{fill:#0b66c3}.second{fill:#b35900}.third{fill:#59636e}
.first-line{stroke:#0b66c3;stroke-width:2;fill:none}.second-line{stroke:#b35900;stroke-width:2}
.first-box{fill:#ddf0ff;stroke:#0b66c3}.second-box{fill:#fff0dd;stroke:#b35900}
.head{fill:#59636e}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.soft-text{fill:#a3adb8}.line{stroke:#a3adb8}.grid{stroke:#3d444d}
.box{fill:#212830;stroke:#7d8793}.first{fill:#69b1ff}.second{fill:#ffb054}.third{fill:#a3adb8}
.first-line{stroke:#69b1ff}.second-line{stroke:#ffb054}.head{fill:#a3adb8}
.first-box{fill:#10304f;stroke:#69b1ff}.second-box{fill:#452a06;stroke:#ffb054}}
"""


def picture(title: str, meaning: str, width: float, height: float, parts: Iterable[str]) -> str:
    """A whole file; `title` and `meaning` are what a screen reader says."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(meaning)}</desc>\n'
        f"<style>{STYLE}</style>\n"
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text whose baseline is at `y`; `anchor` is start, middle or end."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, words: str, kind: str = "box") -> str:
    """A box with lines of text in its middle; the first line is strong where there are several."""
    lines = words.split("\n")
    top = y + height / 2 - (len(lines) - 1) * 8.5 + 4.5
    shape = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{kind}"/>'
    )
    styles = ["strong" if len(lines) > 1 else "", *["small"] * (len(lines) - 1)]
    texts = [
        text(x + width / 2, top + 17 * place, line, style, "middle")
        for place, (line, style) in enumerate(zip(lines, styles, strict=True))
    ]
    return "\n".join([shape, *texts])


def bar(x: float, y: float, width: float, height: float) -> str:
    """A filled bar."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" class="first" rx="2"/>'
    )


def dot(x: float, y: float, kind: str = "first", radius: float = 5.5) -> str:
    """A filled point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{kind}"/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "line") -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight arrow, horizontal or vertical."""
    across, down = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    if across:
        head = f"{x2:g},{y2:g} {x2 - 7 * across:g},{y2 - 4:g} {x2 - 7 * across:g},{y2 + 4:g}"
    else:
        head = f"{x2:g},{y2:g} {x2 - 4:g},{y2 - 7 * down:g} {x2 + 4:g},{y2 - 7 * down:g}"
    shaft = line(x1, y1, x2 - 6 * across, y2 - 6 * down)
    return f'{shaft}\n<polygon points="{head}" class="head"/>'
