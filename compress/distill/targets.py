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
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evalsuite.inference.batching import by_tokens
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Progress, Tensors

Teacher = Callable[[Tensors], torch.Tensor]  # ids and mask -> `[rows, ..., labels]`
_TOKENS = 2048  # padded tokens the teacher runs at once
_SHARD = 20_000  # rows that are written at once
_VALUES, _INDEX, _SO_FAR = "values.f32", "index.json", "so_far.json"


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
            directory: a run that was killed goes on after the last 20,000 rows that it wrote.
        """
        if not (directory / _INDEX).is_file():
            directory.mkdir(parents=True, exist_ok=True)
            rows = [range(len(each)) for each in sets] if wanted is None else wanted
            _write(teachers, sets, rows, directory, progress)
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

    def values(self) -> torch.Tensor:
        """All logits of all rows, `[numbers]`."""
        return torch.from_numpy(np.array(self._values))

    def row(self, part: int, index: int) -> np.ndarray:
        """Of one row, `[labels]` or `[tokens, labels]`."""
        starts, offset = self._starts[part], self._offsets[part]
        values = self._values[offset + starts[index] : offset + starts[index + 1]]
        return values.reshape(-1, self.labels) if self._tokens else np.array(values)


@dataclass(slots=True)
class _Written:
    """What is on disk: how many labels there are, and how many values each row of each set has.

    Attributes:
        tokens: whether a row has `[tokens, labels]`.
    """

    sizes: list[list[int]]
    labels: int = 0
    tokens: bool = False

    @classmethod
    def read(cls, file: Path, sets: int) -> _Written:
        """What a run that was killed has written; nothing where there was none."""
        if not file.is_file():
            return cls([[] for _ in range(sets)])
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def save(self, file: Path) -> None:
        """Written whole, or as it was."""
        part_file = file.with_name(f"{file.name}.part")
        part_file.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part_file.replace(file)


def _write(
    teachers: Sequence[Teacher],
    sets: Sequence[Any],
    wanted: Sequence[Collection[int]],
    directory: Path,
    progress: Progress,
) -> None:
    written = _Written.read(directory / _SO_FAR, len(sets))
    total = sum(map(len, wanted))
    done = sum(size > 0 for sizes in written.sizes for size in sizes)
    with (directory / _VALUES).open("ab") as file:
        file.truncate(sum(map(sum, written.sizes)) * np.dtype(np.float32).itemsize)
        for part, rows in enumerate(sets):
            sizes, lengths, asked = written.sizes[part], rows.lengths(), set(wanted[part])
            for start in range(len(sizes), len(rows), _SHARD):
                shard = range(start, min(start + _SHARD, len(rows)))
                some = [row for row in shard if row in asked]
                found: dict[int, np.ndarray] = {}
                for places in by_tokens([lengths[row] for row in some], _TOKENS):
                    progress(0.0, f"teacher: {done + len(found):,} of {total:,} rows")
                    batch = Batch(part, tuple(some[place] for place in places), 0)
                    found |= _logits(teachers, rows, batch, written)
                sizes += [found[row].size if row in found else 0 for row in shard]
                for row in some:
                    file.write(np.ascontiguousarray(found[row], dtype=np.float32).tobytes())
                done += len(some)
                file.flush()
                os.fsync(file.fileno())
                written.save(directory / _SO_FAR)
    written.save(directory / _INDEX)
    (directory / _SO_FAR).unlink(missing_ok=True)


def _logits(
    teachers: Sequence[Teacher], rows: Any, batch: Batch, written: _Written
) -> dict[int, np.ndarray]:
    """The mean logits of the rows of a batch, by row."""
    tensors = rows.collate(batch)
    inputs = {name: tensors[name] for name in ("input_ids", "attention_mask")}
    logits = average([teacher(inputs) for teacher in teachers]).cpu().numpy()
    written.labels, written.tokens = logits.shape[-1], logits.ndim == 3
    mask = inputs["attention_mask"].numpy().astype(bool)
    return {
        index: logits[row][mask[row]] if written.tokens else logits[row]
        for row, index in enumerate(batch.indices)
    }


def average(logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """The mean, which is the geometric mean of the teachers' probabilities."""
    return torch.stack([own.float() for own in logits]).mean(0)
