"""Evaluation in length-sorted, token-filled batches against padding to 128 at batch 8.

python benchmarks/length_batching.py CHECKPOINT DATA_DIR [ROWS_A_LANGUAGE]

Both run the same checkpoint in torch fp32 over the same XNLI rows in every language there is; the
padded way is that of the benchmark's own scripts. Prints seconds, the ratio, and label agreement.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from evalsuite import tokenization
from evalsuite.formats import pair
from evalsuite.run import run
from evalsuite.runtimes import open_model
from evalsuite.task import DataSource
from evalsuite.tasks import get

PADDED, BATCH = 128, 8


def main(checkpoint: str, data_dir: str, rows: int = 200) -> None:
    """Time both ways, interleaved by language."""
    directory, source, task = Path(checkpoint), DataSource("xtreme", Path(data_dir)), get("xnli")
    predictor, tokenizer = open_model(directory), tokenization.load(directory)
    pad_id = tokenization.pad_id(directory)
    sorted_seconds = padded_seconds = 0.0
    equal = total = tokens = 0
    split = task.eval_split(source)
    for language in task.available(source, split):
        examples = task.load(source, split, language)
        examples = examples[:: max(1, len(examples) // rows)][:rows]
        encoded = pair.encode(tokenizer, examples, PADDED)
        tokens += sum(len(item.ids) for item in encoded)
        started = time.perf_counter()
        ours = np.stack(run(predictor, encoded, "logits", pad_id))
        sorted_seconds += time.perf_counter() - started
        started = time.perf_counter()
        theirs = []
        for start in range(0, len(encoded), BATCH):
            batch = encoded[start : start + BATCH]
            ids = np.full((len(batch), PADDED), pad_id, dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, item in enumerate(batch):
                ids[row, : len(item.ids)] = item.ids
                mask[row, : len(item.ids)] = 1
            theirs.append(predictor(ids, mask, ("logits",))["logits"])
        padded_seconds += time.perf_counter() - started
        equal += int((ours.argmax(-1) == np.concatenate(theirs).argmax(-1)).sum())
        total += len(encoded)
    print(f"sentences {total}, mean length {tokens / total:.1f} tokens, XNLI {split}")
    print(f"length-sorted {sorted_seconds:.1f} s, padded to {PADDED} {padded_seconds:.1f} s")
    print(f"ratio {padded_seconds / sorted_seconds:.2f}, equal labels {equal} of {total}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 200)
