"""The types of what a runtime offers for measuring the machine's matrix products.

`evalsuite.bench.peak` multiplies square matrices with each program that any runtime offers for a
type, and takes the fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Prepare = Callable[[int, int], Callable[[], object]]
"""Takes a size and a number of threads; returns what multiplies two matrices of that size."""

Multiply = Mapping[str, Mapping[str, Prepare]]
"""Type of the product (`fp32`, `bf16`, `int8`) -> title of a program -> the program."""
