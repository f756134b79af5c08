"""What a training writes about itself while it runs: `training.jsonl` in its work directory.

```
{"step": 10, "loss": 1.31, "rate": 2e-05}
{"step": 40, "scores": {"xnli": 71.4}}
{"step": 40, "event": "checkpoint"}
{"step": 40, "event": "resumed"}
```

A training that was killed goes on from its last checkpoint, and takes the steps after it again.
Lines about these steps are removed first, so no step is there twice and none is lost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.results.training import DevScore, TrainingCurve

FILE = "training.jsonl"
POINTS = 400  # that are kept of a curve, at most
_MARKS = 100  # checkpoints that are kept of a curve, at most


class TrainingLog:
    """The file of one training, which is written line by line."""

    def __init__(self, work: Path) -> None:
        self.path = work / FILE

    def begin(self, step: int) -> None:
        """Remove what stands there about later steps, and note where the training goes on.

        Args:
            step: steps that are done: 0, or those of the checkpoint that the training goes on from.
        """
        before = _lines(self.path)
        if not before:
            return
        kept = [line for line in before if line["step"] <= step]
        kept.append({"step": step, "event": "resumed"})
        partial = self.path.with_suffix(".partial")
        partial.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        partial.replace(self.path)

    def loss(self, step: int, loss: float, rate: float) -> None:
        """Note the mean loss since the note before, and the learning rate."""
        self._add({"step": step, "loss": loss, "rate": rate})

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Note scores on dev rows."""
        self._add({"step": step, "scores": dict(scores)})

    def checkpoint(self, step: int) -> None:
        """Note that a checkpoint was saved."""
        self._add({"step": step, "event": "checkpoint"})

    def _add(self, line: Mapping[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log; one that a kill cut short is left out."""
    if not path.is_file():
        return []
    found = []
    for text in path.read_text("utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            found.append(line)
    return found


def read_curves(work: Path) -> tuple[TrainingCurve, ...]:
    """The curves of every training below a work directory, by the name of its folder.

    >>> read_curves(work)[0].losses[-1]
    0.61
    """
    paths = sorted(work.rglob(FILE), key=lambda path: (len(path.parts), str(path)))
    return tuple(_curve(path, path.parent.relative_to(work)) for path in paths)


def _curve(path: Path, folder: Path) -> TrainingCurve:
    lines = _lines(path)
    points = [
        (line["step"], float(line["loss"]), float(line["rate"]))
        for line in lines
        if "loss" in line and math.isfinite(line["loss"])
    ]
    steps, losses, rates = zip(*_thinned(points), strict=True) if points else ((), (), ())
    scores = [
        DevScore(step=line["step"], name=name, value=value)
        for line in lines
        for name, value in line.get("scores", {}).items()
    ]
    saved = [line["step"] for line in lines if line.get("event") == "checkpoint"]
    return TrainingCurve(
        name=" ".join(part for part in folder.parts if part != "training"),
        steps=steps,
        losses=losses,
        rates=rates,
        scores=tuple(scores),
        checkpoints=tuple(saved[:: max(1, math.ceil(len(saved) / _MARKS))]),
        resumed=tuple(line["step"] for line in lines if line.get("event") == "resumed"),
    )


def _thinned(points: Sequence[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    """At most `POINTS` points: of each run of neighbours the last one, with their mean loss."""
    size = math.ceil(len(points) / POINTS)
    runs = [points[i : i + size] for i in range(0, len(points), size)] if size else []
    return [(run[-1][0], sum(p[1] for p in run) / len(run), run[-1][2]) for run in runs]
