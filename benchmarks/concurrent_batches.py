"""Many batches at the same time, one thread each, compared with one at a time on all threads.

python benchmarks/concurrent_batches.py DATA_DIR BUNDLE [BUNDLE ...] [--rows N] [--rounds N]

Each bundle is opened twice; both run the same batches of XNLI rows, as `evaluate` makes them, each
language by one and then by the other, so that a change of the machine's own speed meets both. A
round before the first is not counted: some runtimes prepare their kernels for each shape they meet.
Prints rows a second of both ways and their ratio, round by round.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from evalsuite.inference.batch_runner import batches
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import Predictor
from evalsuite.inference.probe_text import sample
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes._bundle import BundlePredictor
from evalsuite.task import DataSource


class InTurn:
    """A bundle that runs many batches one at a time."""

    def __init__(self, bundle: Predictor) -> None:
        self._bundle = bundle

    def __getattr__(self, name: str) -> object:
        return getattr(self._bundle, name)

    def run_batches(self, batches, wanted):  # type: ignore[no-untyped-def]
        """One after the other, on all threads."""
        return (self._bundle(ids, mask, wanted) for ids, mask in batches)


def seconds(predictor: Predictor, rows: list[Encoded], pad_id: int) -> float:
    """Of one pass over the rows."""
    started = time.perf_counter()
    for _ in batches(predictor, rows, ("logits",), pad_id):
        pass
    return time.perf_counter() - started


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, default=200, help="of XNLI, a language")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    source, task = DataSource("xtreme", arguments.data_dir), TASKS.get("xnli")
    for path in arguments.bundles:
        session, concurrent = Session(open_model(path)), open_model(path)
        if not isinstance(concurrent, BundlePredictor):
            parser.error(f"{path} is a checkpoint; give bundles")
        in_turn: Predictor = InTurn(session.predictor)  # type: ignore[assignment]
        longest = min(128, concurrent.max_length)
        text = sample(session.tokenizer, longest, task, source, arguments.rows)
        info = concurrent.describe(path.name)
        count = sum(map(len, text.values()))
        print(f"{path.name}, {info.runtime} {info.precision}, {concurrent.threads} threads:")
        for number in range(arguments.rounds + 1):
            spent = [0.0, 0.0]
            for rows in text.values():
                for way, predictor in enumerate((in_turn, concurrent)):
                    spent[way] += seconds(predictor, list(rows), session.pad_id)
            if number:
                one, many = (count / each for each in spent)
                print(f"  {one:.1f} rows/s in turn, {many:.1f} concurrent, ratio {many / one:.2f}")


if __name__ == "__main__":
    main()
