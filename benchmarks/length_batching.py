"""Evaluation in length-sorted, token-filled batches against padding to 128 at batch 8.

python benchmarks/length_batching.py CHECKPOINT DATA_DIR [ROWS_A_LANGUAGE] [BUNDLE ...]

The padded way is that of the benchmark's own scripts: the checkpoint in torch fp32. Against it, on
the same XNLI rows in every language there is, interleaved by language: the same checkpoint in
torch fp32 as `evaluate` runs it, and each bundle of it that is named. Prints seconds, ratios, and
how many labels agree.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evalsuite.formats import Encoded
from evalsuite.run import pad, run
from evalsuite.runtimes import open_model
from evalsuite.sample import sample
from evalsuite.session import Session
from evalsuite.task import DataSource
from evalsuite.tasks import get

PADDED, BATCH = 128, 8


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
    """Time all ways, interleaved by language; a bundle may have a vocabulary of its own."""
    session = Session(open_model(Path(checkpoint)))
    source, task = DataSource("xtreme", Path(data_dir)), get("xnli")
    ways = {"torch fp32": session}
    for bundle in bundles:
        opened = Session(open_model(Path(bundle)))
        info = opened.predictor.describe("")
        ways[f"{Path(bundle).name}, {info.runtime} {info.precision}"] = opened
    texts = {name: sample(way.tokenizer, PADDED, task, source, rows) for name, way in ways.items()}
    seconds = dict.fromkeys(["padded", *ways], 0.0)
    equal = dict.fromkeys(ways, 0)
    lengths: dict[str, list[int]] = {name: [] for name in ways}
    for language, encoded in texts["torch fp32"].items():
        started = time.perf_counter()
        expected = padded(session, encoded).argmax(-1)
        seconds["padded"] += time.perf_counter() - started
        for name, way in ways.items():
            own = texts[name][language]
            lengths[name] += [len(item.ids) for item in own]
            started = time.perf_counter()
            logits = np.stack(run(way.predictor, own, "logits", way.pad_id))
            seconds[name] += time.perf_counter() - started
            equal[name] += int((logits.argmax(-1) == expected).sum())
    print(
        f"{len(lengths['torch fp32'])} sentences; torch fp32 padded to {PADDED}, batch {BATCH}: "
        f"{seconds['padded']:.1f} s"
    )
    for name in ways:
        ratio = seconds["padded"] / seconds[name]
        print(
            f"{name}: {np.mean(lengths[name]):.1f} tokens on average, {seconds[name]:.2f} s, "
            f"ratio {ratio:.2f}, equal labels {equal[name]}"
        )


if __name__ == "__main__":
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    main(sys.argv[1], sys.argv[2], count, sys.argv[4:])
