"""Write numbers for people to read. What is rounded to zero has no sign.

>>> points(-1.84), size(34_700_000), duration(200), times(7.31)
('−1.8', '34.7 MB', '3 min 20 s', '7.3×')
"""

from __future__ import annotations

NONE = "–"


def percent(value: float | None) -> str:
    """A score in percent, one decimal."""
    return NONE if value is None else f"{value:z.1f}".replace("-", "−")


def points(value: float | None) -> str:
    """A difference of scores, with its sign."""
    if value is None:
        return ""
    text = f"{value:+z.1f}"
    return "±0.0" if text == "+0.0" else text.replace("-", "−")


def between(interval: tuple[float, float] | None) -> str:
    """An interval of scores: `57.9 to 61.3`; empty where there is none."""
    return "" if interval is None else f"{percent(interval[0])} to {percent(interval[1])}"


def number(value: float | None) -> str:
    """Three figures or so: `1,112`, `34.7`, `3.47`, `0.35`."""
    if value is None:
        return NONE
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:z,.{decimals}f}".replace("-", "−")


def small_number(value: float | None) -> str:
    """The same with three decimals below 1: `0.043`, as of errors in the unit of the answers."""
    if value is None or abs(value) >= 1:
        return number(value)
    return f"{value:z.3f}".replace("-", "−")


def three_figures(value: float) -> str:
    """`0.0123`, `1e-05`, `999`, and from 1,000 on whole numbers."""
    return f"{value:z.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def megabytes(value: float | None) -> str:
    """Bytes as MB (10^6 bytes), without the unit."""
    return NONE if value is None else number(value / 1e6)


def size(value: float) -> str:
    """Bytes as MB with the unit."""
    return f"{megabytes(value)} MB"


def millions(value: float) -> str:
    """A count in millions, without the unit."""
    return number(value / 1e6)


def times(ratio: float) -> str:
    """A ratio: `7.3×`."""
    return f"{ratio:,.0f}×" if ratio >= 9.95 else f"{ratio:.1f}×"


def duration(seconds: float) -> str:
    """A time from milliseconds to hours."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def digest(value: str) -> str:
    """The first twelve characters, the algorithm's name left out."""
    return value.rpartition(":")[2][:12]


def listed(items: list[str]) -> str:
    """`a, b and c`."""
    return (
        items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
    )
