"""Chunk F1 of PAN-X's dev files: the counting of this package compared with seqeval.

python benchmarks/chunk_f1.py DATA_DIR [MODEL_DIR]

Times are of the processor. Predictions are the gold tags, one in five replaced by any tag. In one
run, over all languages:
`seqeval`'s precision, recall and F1 in one call; `chunk_f1`; the largest difference between the
two; and all that scoring costs an evaluation (`score`, `parts`, 1,000 bootstrap draws, chance).
With the directory of a checkpoint or bundle, also how long it takes to run over the same sentences,
and the share of scoring in both together.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from evalsuite import scoring
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.metrics.chunk_f1 import chunk_f1
from evalsuite.registry import TASKS
from evalsuite.task import DataSource

WRONG = 0.2
ROUNDS = 3  # the quickest counts


def main(data_dir: str, model_dir: str = "") -> None:
    """Print times, their ratio, the difference and the share."""
    task, source = TASKS.get("panx"), DataSource("xtreme", Path(data_dir))
    session = Session(open_model(Path(model_dir))) if model_dir else None
    rng = random.Random(1)
    theirs = ours = scoring = running = difference = 0.0
    sentences = words = languages = 0
    for language in task.available(source, "dev"):
        rows: Any = task.load(source, "dev", language)
        gold = [list(row.tags) for row in rows]
        said = [[_perturbed(tag, task.labels, rng) for tag in tags] for tags in gold]
        seconds, expected = timed(
            lambda: precision_recall_fscore_support(gold, said, average="micro", zero_division=0)  # noqa: B023
        )
        theirs += seconds
        seconds, found = timed(lambda: chunk_f1(gold, said))  # noqa: B023
        ours += seconds
        pairs = zip(found.values(), expected[:3], strict=True)
        difference = max(difference, *(abs(a - 100 * b) for a, b in pairs))
        seconds, _ = timed(lambda: _scored(task, language, rows, said))  # noqa: B023
        scoring += seconds
        if session is not None:
            began = time.process_time()
            output = f"hidden_states.{session.predictor.layers}"
            session.run(session.encode("tagging", rows), output)
            running += time.process_time() - began
        sentences, languages = sentences + len(rows), languages + 1
        words += sum(map(len, gold))
    print(
        f"{languages} languages, {sentences:,} sentences, {words:,} words: seqeval {theirs:.2f} s, "
        f"ours {ours:.2f} s, ratio {theirs / ours:.1f}, largest difference {difference:.1e}; "
        f"all scoring {scoring:.2f} s"
    )
    if session is not None:
        share = 100 * scoring / (scoring + running)
        rate = sentences / running
        print(f"running {running:.0f} s ({rate:.0f} sentences/s); scoring is {share:.1f}% of both")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of the quickest round, and what it gave."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        found = work()
        best = min(best, time.process_time() - began)
    return best, found


def _perturbed(tag: str, tags: tuple[str, ...], rng: random.Random) -> str:
    return rng.choice(tags) if rng.random() < WRONG else tag


def _scored(task: Any, language: str, rows: Any, said: Any) -> None:
    answers = scoring.answers(task, language, rows, said)
    scoring.score(answers)
    scoring.draws(answers, seed=0)
    scoring.chance(answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
