"""A teacher's logits for every row, computed once and read back from the disk while training.

>>> targets = Targets.compute([teacher], sets, Path("work/targets"))
>>> targets.batch(Batch(part=0, indices=(4, 7), seed=0)).shape
torch.Size([2, 3])

Where a row is met more than once, running the teacher once a row saves the rest, and logits are
small (hidden states and attention relations are not, so they are recomputed). Of several teachers
the mean logits count, the geometric mean of their predictions (Hinton et al. 2015, section 1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evalsuite.inference.batching import by_tokens
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Progress, Tensors

Teacher = Callable[[Tensors], torch.Tensor]  # ids and mask -> `[rows, ..., labels]`
_TOKENS = 2048  # padded tokens the teacher runs at once
_VALUES, _INDEX = "values.f32", "index.json"


class Targets:
    """Logits of the rows of several sets: `[labels]` a row, or `[tokens, labels]`."""

    def __init__(self, directory: Path) -> None:
        """Open what `compute` wrote."""
        index = json.loads((directory / _INDEX).read_text(encoding="utf-8"))
        self._values = np.memmap(directory / _VALUES, dtype=np.float32, mode="r")
        self.labels: int = index["labels"]
        self._tokens: bool = index["tokens"]
        self._starts = [np.concatenate([[0], np.cumsum(sizes)]) for sizes in index["sizes"]]
        self._offsets = np.cumsum([0, *(int(starts[-1]) for starts in self._starts)])

    @classmethod
    def compute(
        cls,
        teachers: Sequence[Teacher],
        sets: Sequence[Any],
        directory: Path,
        progress: Progress = lambda fraction, text: None,
        wanted: Sequence[Collection[int]] | None = None,
    ) -> Targets:
        """Run the teachers over the rows, or open what an earlier run of the stage left.

        Args:
            sets: rows with `lengths()` and `collate(batch)`.
            wanted: the rows of each set that will be asked for; None for all.
            directory: created whole: its index is written last.
        """
        if not (directory / _INDEX).is_file():
            directory.mkdir(parents=True, exist_ok=True)
            rows = [range(len(each)) for each in sets] if wanted is None else wanted
            _write(teachers, sets, [sorted(some) for some in rows], directory, progress)
        return cls(directory)

    def batch(self, batch: Batch) -> torch.Tensor:
        """`[batch, labels]`, or `[batch, tokens, labels]` with zeros beyond a row's end."""
        rows = [self.row(batch.part, index) for index in batch.indices]
        if not self._tokens:
            return torch.from_numpy(np.stack(rows))
        padded = np.zeros((len(rows), max(map(len, rows)), self.labels), dtype=np.float32)
        for number, row in enumerate(rows):
            padded[number, : len(row)] = row
        return torch.from_numpy(padded)

    def best(self, part: int) -> list[int]:
        """The number of the highest logit of each row of a set, `[labels]` each."""
        return [int(self.row(part, index).argmax()) for index in range(len(self._starts[part]) - 1)]

    def row(self, part: int, index: int) -> np.ndarray:
        """Of one row, `[labels]` or `[tokens, labels]`."""
        starts, offset = self._starts[part], self._offsets[part]
        values = self._values[offset + starts[index] : offset + starts[index + 1]]
        return values.reshape(-1, self.labels) if self._tokens else np.array(values)


def _write(
    teachers: Sequence[Teacher],
    sets: Sequence[Any],
    wanted: Sequence[Sequence[int]],
    directory: Path,
    progress: Progress,
) -> None:
    total = sum(map(len, wanted))
    done = 0
    labels, tokens = 0, False
    sizes: list[list[int]] = []
    with (directory / _VALUES).open("wb") as file:
        for part, rows in enumerate(sets):
            found: list[np.ndarray | None] = [None] * len(rows)
            lengths = rows.lengths()
            for places in by_tokens([lengths[row] for row in wanted[part]], _TOKENS):
                indices = [wanted[part][place] for place in places]
                progress(0.0, f"teacher: {done:,} of {total:,} rows")
                tensors = rows.collate(Batch(part, tuple(indices), 0))
                inputs = {name: tensors[name] for name in ("input_ids", "attention_mask")}
                logits = average([teacher(inputs) for teacher in teachers]).cpu().numpy()
                labels, tokens = logits.shape[-1], logits.ndim == 3
                mask = inputs["attention_mask"].numpy().astype(bool)
                for row, index in enumerate(indices):
                    found[index] = logits[row][mask[row]] if tokens else logits[row]
                done += len(indices)
            sizes.append([0 if value is None else value.size for value in found])
            for value in found:
                if value is not None:
                    file.write(np.ascontiguousarray(value, dtype=np.float32).tobytes())
    part_file = directory / f"{_INDEX}.part"
    part_file.write_text(json.dumps({"labels": labels, "tokens": tokens, "sizes": sizes}))
    part_file.replace(directory / _INDEX)


def average(logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """The mean, which is the geometric mean of the teachers' probabilities."""
    return torch.stack([own.float() for own in logits]).mean(0)
