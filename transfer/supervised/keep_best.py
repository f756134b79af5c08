"""Which of a training's steps is kept, and when it stops, by English dev rows alone.

>>> selection = Selection(dev, model, how, total=400, work=work)
>>> fit(..., after=selection)
>>> selection.finish()["kept step"]
240

What was scored is kept next to the training's checkpoints, and what came after the one it goes on
from is forgotten: a training that was killed ends with the weights of one that was not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transfer.loop import processes
from transfer.loop.fit import newest_complete
from transfer.loop.types import Summary
from transfer.supervised import snapshots
from transfer.supervised.dev_scores import Dev, DevRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Selecting:
    """When to score, and what for.

    Attributes:
        every: steps between two scores; the last step is scored too.
        patience: scores without a better one after which training stops; None never.
        keep: which weights are the result.
        examples: dev rows of a task, at most.
        rows: where they come from; see `transfer.supervised.dev_scores.english`.
    """

    every: int
    patience: int | None = None
    keep: Literal["best", "last"] = "best"
    examples: int = 500
    rows: DevRows = "split"


class Selection:
    """Scores at regular steps.

    Scores of several tasks are put on one scale, guessing 0 and all right 100, and their mean
    counts; of equal ones the first.

    Attributes:
        history: `{"step", "mean", <task>: score, "constant": [...]}` a score.
    """

    def __init__(self, dev: Dev, model: Any, how: Selecting, total: int, work: Path) -> None:
        self.dev, self.model, self.how, self.total, self.work = dev, model, how, total, work
        self.file = work / "selection.json"
        self.history: list[dict[str, Any]] | None = None
        self.scores: dict[str, float] = {}  # of the last call; empty where it scored nothing

    def __call__(self, step: int) -> bool:
        """After a step: whether to stop here."""
        if self.history is None:  # the first step since the process began
            self.history = [entry for entry in self._read() if entry["step"] < step]
        self.scores = {}
        if step % self.how.every and step != self.total:
            return False
        return processes.broadcast_from_main(self._score(step) if processes.is_main() else False)

    def _score(self, step: int) -> bool:
        assert self.history is not None
        scores = self.scores = self.dev()
        normal = [one.normalized(scores[one.task.name]) for one in self.dev.sets]
        entry = {"step": step, "mean": sum(normal) / len(normal), **scores}
        self.history.append({**entry, "constant": self.dev.constant})
        best = self.best(step)
        if best["step"] == step:
            snapshots.write(self.model, self._path(step))
            self._clean(step)
        self._write()
        since = sum(entry["step"] > best["step"] for entry in self.history)
        return self.how.patience is not None and since >= self.how.patience

    def best(self, until: int) -> dict[str, Any]:
        """The first of the highest scores up to a step."""
        assert self.history
        seen = [entry for entry in self.history if entry["step"] <= until]
        return max(seen, key=lambda entry: (entry["mean"], -entry["step"]))

    def kept(self) -> dict[str, Any]:
        """The score of the weights that are the result."""
        if self.history is None:
            self.history = self._read()
        return self.best(self.total) if self.how.keep == "best" else self.history[-1]

    def finish(self) -> Summary:
        """Give the model the weights to keep; lines for the summary."""
        kept = self.kept()
        if self.how.keep == "best":
            snapshots.restore(self.model, [self._path(kept["step"])])
        rows = ", ".join(
            f"{one.task.name} {len(one.examples)} "
            + ("held out of train" if one.held_out else "of dev")
            for one in self.dev.sets
        )
        scores = ", ".join(f"{one.task.name} {kept[one.task.name]:.1f}" for one in self.dev.sets)
        return {
            "kept step": kept["step"],
            "English dev score": scores,
            "selected on": f"English rows: {rows}",
        }

    def _clean(self, step: int) -> None:
        """Delete weights that neither this process nor one that goes on from the newest
        checkpoint could still want."""
        wanted = {self._path(step)}
        checkpoint = newest_complete(self.work)
        if checkpoint is not None:
            at = int(checkpoint.name.rpartition("-")[2])
            if self.history and self.history[0]["step"] <= at:
                wanted.add(self._path(self.best(at)["step"]))
        for path in self.work.glob("best-*.safetensors"):
            if path not in wanted:
                path.unlink()

    def _path(self, step: int) -> Path:
        return self.work / f"best-{step}.safetensors"

    def _read(self) -> list[dict[str, Any]]:
        if not self.file.is_file():
            return []
        found: list[dict[str, Any]] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    def _write(self) -> None:
        partial = self.file.with_suffix(".partial")
        partial.write_text(json.dumps(self.history), encoding="utf-8")
        partial.replace(self.file)
