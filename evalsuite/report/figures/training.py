"""The curves of trainings: smoothed, and in words."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import listed, number, three_figures
from evalsuite.results.training import TrainingCurve

_SPAN = 20  # a point is smoothed over about this part of all points: 1/20


def smoothed(losses: Sequence[float]) -> tuple[float, ...]:
    """An exponential mean of the points so far, which begins at the first one.

    >>> smoothed([4.0, 2.0])
    (4.0, 2.6666666666666665)
    """
    keep = 1 - 1 / max(2.0, len(losses) / _SPAN)
    mean, weight, result = 0.0, 0.0, []
    for loss in losses:
        mean, weight = keep * mean + (1 - keep) * loss, keep * weight + 1 - keep
        result.append(mean / weight)
    return tuple(result)


def in_words(curve: TrainingCurve) -> str:
    """What a curve shows, in sentences.

    >>> in_words(curve)
    '400 steps, loss 2.31 to 0.61, learning rate at most 0.0002. Resumed at step 120.'
    """
    smooth = smoothed(curve.losses)
    parts = [
        f"{curve.steps[-1]:,} steps, "
        f"loss {three_figures(smooth[0])} to {three_figures(smooth[-1])}, "
        f"learning rate at most {max(curve.rates):.2g}."
    ]
    for name in dict.fromkeys(score.name for score in curve.scores):
        own = [score for score in curve.scores if score.name == name]
        best = max(own, key=lambda score: (score.value, -score.step))
        parts.append(f"{name}: {number(own[-1].value)}, best {number(best.value)} at step "
                     f"{best.step:,}.")  # fmt: skip
    if curve.checkpoints:
        several = len(curve.checkpoints) > 1
        parts.append(f"{len(curve.checkpoints)} checkpoint{'s' if several else ''}.")
    if curve.resumed:
        parts.append(f"Resumed at step {listed([f'{step:,}' for step in curve.resumed])}.")
    return " ".join(parts)
