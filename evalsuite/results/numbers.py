"""Ranges of the numbers that results hold; a number out of its range is refused.

>>> TypeAdapter(Percent).validate_python(950.0)
ValidationError: 950.0 is not a percentage: it must be between 0 and 100
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_ROUNDING = 1e-6  # a mean of numbers within a range may be that much outside


def _within(low: float, high: float, name: str) -> Callable[[float], float]:
    """A check that a number is in a range; `name` is what it is, for the message."""

    def check(value: float) -> float:
        if isfinite(value) and low - _ROUNDING <= value <= high + _ROUNDING:
            return value
        counted = high in (_INFINITY, _LARGEST) and value < low
        allowed = f"{low:g} or more" if counted else f"between {low:g} and {high:g}"
        raise PydanticCustomError("out_of_range", f"{value} is not {name}: it must be {allowed}")

    return check


def _above_zero(name: str) -> Callable[[float], float]:
    """A check that a number is above zero, as rates are computed from it."""

    def check(value: float) -> float:
        if isfinite(value) and value > 0:
            return value
        raise PydanticCustomError("out_of_range", f"{value} is not {name}: it must be above 0")

    return check


def is_percent(name: str) -> bool:
    """Whether a score is in percent, and not in the unit of the answers it compares."""
    return _limits(name)[1] == 100.0


@cache
def _limits(name: str) -> tuple[float, float]:
    """Of a score, by its name."""
    from evalsuite.registry import METRICS

    return METRICS.get(name).limits if name in METRICS.names() else (0.0, 100.0)


def check_score(name: str, value: float, place: str) -> None:
    """Refuse a score outside of its metric's limits; one of no known metric is a percentage.

    Args:
        place: where it stands in the record, for the message.
    """
    low, high = _limits(name)
    kind = "a percentage" if (low, high) == (0.0, 100.0) else f"a value of {name}"
    try:
        _within(low, high, kind)(value)
    except PydanticCustomError as error:
        raise PydanticCustomError("out_of_range", f"{place}: {error.message()}") from None


_INFINITY = float("inf")
_LARGEST = 2**63 - 1  # of the tables that results are exported to

Percent = Annotated[float, AfterValidator(_within(0, 100, "a percentage"))]
Points = Annotated[float, AfterValidator(_within(-200, 200, "a difference of percentages"))]
Score = Annotated[float, AfterValidator(_within(-100, 100, "a mean score"))]
Share = Annotated[float, AfterValidator(_within(0, 1, "a probability"))]
Cosine = Annotated[float, AfterValidator(_within(-1, 1, "a cosine"))]
Amount = Annotated[float, AfterValidator(_within(0, _INFINITY, "an amount"))]  # joules, MB, rates
Seconds = Annotated[float, AfterValidator(_within(0, _INFINITY, "a time in seconds"))]
Count = Annotated[int, AfterValidator(_within(0, _LARGEST, "a count"))]  # bytes too
Measured = Annotated[
    float, AfterValidator(_above_zero("a time in seconds"))
]  # seconds of something that was timed
Several = Annotated[Count, AfterValidator(_above_zero("a count here"))]  # at least one
