"""What a perfect model of spans would score: gold answers through windows and back.

python benchmarks/span_windows.py DATA_DIR MODEL_DIR

For every question of XQuAD, MLQA and TyDiQA in DATA_DIR, by the tokenizer of MODEL_DIR: whether a
window of 384 tokens holds the answer whole, and whether its tokens give back the exact characters.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from evalsuite import scoring, tokenization
from evalsuite.data.squad import SpanTask
from evalsuite.formats import span
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Split

SPLITS: dict[str, Split] = {"xquad": "test", "mlqa": "dev", "tydiqa": "train"}


def main(data_dir: str, model_dir: str) -> None:
    """Print one row per task and language."""
    tokenizer = tokenization.load(Path(model_dir))
    source = DataSource("xtreme", Path(data_dir))
    for name, split in SPLITS.items():
        task = TASKS.get(name)
        assert isinstance(task, SpanTask)
        for language in task.available(source, split):
            examples: Any = task.load(source, split, language)
            windows = span.encode(tokenizer, examples, span.LONGEST)
            held, outputs = set(), []
            for window in windows:
                logits = np.zeros((len(window.ids), 2), dtype=np.float32)
                if ends := span.target(examples[window.example], window):
                    logits[ends[0], 0] = logits[ends[1], 1] = 9
                    held.add(window.example)
                outputs.append(logits)
            found = span.decode(task.labels, examples, windows, outputs)
            exact = [
                answer == example.answers[0].text.strip()
                for example, answer in zip(examples, found, strict=True)
            ]
            f1 = scoring.main_score(scoring.answers(task, language, examples, found))
            print(
                f"{name} {language}: {len(examples)} questions, {len(examples) - len(held)} in no "
                f"window, {100 * sum(exact) / len(exact):.1f}% exact, F1 {f1:.1f}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:3])
