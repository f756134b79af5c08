"""Ratio margins of a whole table, written out: what the search is compared with."""

from __future__ import annotations

import numpy as np


def by_hand(foreign: np.ndarray, english: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole table of margins, and of cosines."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (foreign, english)]
    cosines = unit[0] @ unit[1].T
    there = np.sort(cosines, axis=1)[:, ::-1][:, :k].mean(1)
    back = np.sort(cosines, axis=0)[::-1][:k].mean(0)
    return cosines / ((there[:, None] + back[None]) / 2), cosines
