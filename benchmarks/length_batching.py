"""Evaluation in length-sorted, token-filled batches compared with padding to 128 at batch 8.

python benchmarks/length_batching.py CHECKPOINT DATA_DIR [ROWS_A_LANGUAGE] [BUNDLE ...]

The padded way is that of the benchmark's own scripts: the checkpoint in torch fp32. Against it, on
XNLI rows in every language there is, interleaved by language, so that a change of the machine's own
speed meets all of them: the same checkpoint in torch fp32 as `evaluate` runs it, and each bundle of
it that is named, over all rows twice in a row, since some runtimes prepare their kernels for each
shape they meet. Of many rows the checkpoint itself runs 24 of each language, evenly apart: padded,
every row is the same work. Prints sentences per second, ratios, and how many of those 24 labels
agree.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evalsuite.inference.batch_runner import pad, run
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import CONCURRENT_FROM
from evalsuite.inference.probe_text import sample, spread
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.task import DataSource

PADDED, BATCH = 128, 8
PART = 24  # rows of a language that the checkpoint itself runs


def padded(session: Session, encoded: Sequence[Encoded]) -> np.ndarray:
    """Logits of batches in file order, each padded to 128."""
    logits = []
    for start in range(0, len(encoded), BATCH):
        ids, mask = pad([item.ids for item in encoded[start : start + BATCH]], session.pad_id)
        missing = ((0, 0), (0, PADDED - ids.shape[1]))
        ids = np.pad(ids, missing, constant_values=session.pad_id)
        logits.append(session.predictor(ids, np.pad(mask, missing), ("logits",))["logits"])
    return np.concatenate(logits)


def main(checkpoint: str, data_dir: str, rows: int, bundles: Sequence[str]) -> None:
    """Time all ways, interleaved by language; a bundle may have another vocabulary."""
    session = Session(open_model(Path(checkpoint)))
    source, task = DataSource("xtreme", Path(data_dir)), TASKS.get("xnli")
    ways = {}
    for bundle in bundles:
        opened = Session(open_model(Path(bundle)))
        info = opened.predictor.describe("")
        few = [pad([[0, 2]], opened.pad_id)] * CONCURRENT_FROM * opened.predictor.threads
        list(opened.predictor.run_batches(few, ("logits",)))  # opens it as it is run below
        ways[f"{Path(bundle).name}, {info.runtime} {info.precision}"] = opened
    texts = {name: sample(way.tokenizer, PADDED, task, source, rows) for name, way in ways.items()}
    timed = {name: Timed() for name in ["padded", "torch fp32", *ways]}
    again = {name: Timed() for name in ways}
    for language, encoded in sample(session.tokenizer, PADDED, task, source, rows).items():
        part = spread(encoded, PART)
        with timed["padded"].of(part):
            expected = padded(session, part).argmax(-1)
        with timed["torch fp32"].of(part):
            logits = run(session.predictor, part, "logits", session.pad_id)
        timed["torch fp32"].compare(logits, expected)
        for name, way in ways.items():
            own = texts[name][language]
            for passed in (timed, again):
                with passed[name].of(own):
                    logits = run(way.predictor, own, "logits", way.pad_id)
            timed[name].compare(spread(logits, PART), expected)
    base = timed["padded"].rate()
    print(f"torch fp32 padded to {PADDED}, batch {BATCH}: {timed['padded']}")
    for name, one in list(timed.items())[1:]:
        second = f", again {again[name].rate() / base:.2f}" if name in again else ""
        print(f"{name}: {one}, ratio {one.rate() / base:.2f}{second}, equal labels {one.equal}")


@dataclass
class Timed:
    """What one way took over some sequences, and how many of its labels are those expected."""

    seconds: float = 0.0
    lengths: list[int] = field(default_factory=list)
    equal: int = 0

    @contextmanager
    def of(self, encoded: Sequence[Encoded]) -> Iterator[None]:
        """Time what is done to these."""
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started
        self.lengths += [len(item.ids) for item in encoded]

    def compare(self, logits: Sequence[np.ndarray], expected: np.ndarray) -> None:
        """Count labels."""
        self.equal += int((np.stack(logits).argmax(-1) == expected).sum())

    def rate(self) -> float:
        """Sequences per second."""
        return len(self.lengths) / self.seconds

    def __str__(self) -> str:
        return (
            f"{len(self.lengths)} rows, {np.mean(self.lengths):.1f} tokens on average, "
            f"{self.rate():.1f} rows/s"
        )


if __name__ == "__main__":
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    main(sys.argv[1], sys.argv[2], count, sys.argv[4:])
