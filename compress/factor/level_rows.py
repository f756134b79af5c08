"""Rows that a layer norm does not change.

>>> level = level_rows(components)          # [pieces, 158]
>>> torch.allclose(layer_norm(level.table, (160,)), level.table)
True

ELECTRA has the layer norm of its embeddings before the linear layer. It would take the mean of each
row to 0 and its length to the root of the width, whatever they mean. Two more numbers per row give
every row that mean and that length beforehand, so the norm finds nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ADDED = 2  # numbers per row
_OUTLIERS = 0.0005  # share of the rows that are shortened, the longest
_ROOM = 0.98  # of the length that a row may have without the added numbers


@dataclass(frozen=True, slots=True)
class LevelRows:
    """A table, and what was done to the components in it.

    Attributes:
        table: `[pieces, components + 2]`; each row has mean 0 and mean square 1.
        scale: of the components in it.
        shortened: `[pieces]`, true where a row is an outlier and its components are scaled down
            further.
    """

    table: Tensor
    scale: float
    shortened: Tensor


def level_rows(components: Tensor) -> LevelRows:
    """Scale components `[pieces, count]`, and add two numbers to each row."""
    width = components.shape[1] + ADDED
    squares = (components**2).sum(1) + components.sum(1) ** 2 / ADDED  # with equal added numbers
    outliers = int(_OUTLIERS * len(squares))
    longest = squares.topk(outliers + 1).values[-1].clamp(min=1e-12)
    scale = _ROOM * (width / longest).sqrt()
    fits = _ROOM * (width / squares.clamp(min=1e-12)).sqrt() / scale
    shortened = squares * scale**2 > width
    scaled = components * scale * torch.where(shortened, fits, 1.0)[:, None]
    sums = scaled.sum(1)
    rest = width - (scaled**2).sum(1)  # what the squares of the added numbers sum to
    half = (rest / ADDED - sums**2 / ADDED**2).clamp(min=0).sqrt()
    added = torch.stack([half - sums / ADDED, -half - sums / ADDED], 1)
    return LevelRows(torch.cat([scaled, added], 1), float(scale), shortened)


def level_shifts(shifts: Tensor) -> Tensor:
    """What is added to such rows, `[rows, count]`, with two more numbers for a mean of 0."""
    return torch.cat([shifts, -shifts.sum(1, keepdim=True).expand(-1, ADDED) / ADDED], 1)
