"""Measure what a model costs to run, in a process of its own.

>>> speed = measure(Path("student-int8"), sentences, label="int8", text="xnli dev", threads=2)
>>> speed.latency_seconds[0]
0.0031

The measuring process opens the model, warms up, then times batch 1 sentence by sentence and
several passes over the whole text in length-sorted batches, with a fixed thread count; this
process waits for it without polling. Raw samples are kept, warm-up apart.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from evalsuite.errors import EvalsuiteError
from evalsuite.results import SpeedResult
from evalsuite.task import SourceKind


class MeasurementError(EvalsuiteError):
    """The measuring process ended without a result."""


def measure(
    directory: Path,
    sequences: Sequence[Sequence[int]],
    *,
    label: str,
    text: str,
    source: SourceKind,
    threads: int,
    passes: int = 3,
    latency_samples: int = 200,
) -> SpeedResult:
    """Measure one model on sequences of token ids.

    Args:
        sequences: token ids, specials included, of real sentences (their real lengths).
        text: what they are, for the report.
        threads: intra-op threads of the runtime.
        passes: throughput passes over all sequences.
        latency_samples: sentences timed one by one.

    Raises:
        MeasurementError: the process failed; its last lines are in the message.
    """
    with tempfile.TemporaryDirectory() as scratch:
        spec, result = Path(scratch, "spec.json"), Path(scratch, "result.json")
        spec.write_text(
            json.dumps(
                {
                    "directory": str(directory),
                    "sequences": [list(ids) for ids in sequences],
                    "label": label,
                    "text": text,
                    "source": source,
                    "data_digest": hashlib.sha256(repr(list(sequences)).encode()).hexdigest(),
                    "threads": threads,
                    "passes": passes,
                    "latency_samples": latency_samples,
                }
            ),
            encoding="utf-8",
        )
        child = subprocess.run(
            [sys.executable, "-m", "evalsuite.bench.worker", str(spec), str(result)],
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode or not result.is_file():
            tail = "\n".join(child.stderr.strip().splitlines()[-5:])
            raise MeasurementError(f"measuring {label} ended with {child.returncode}:\n{tail}")
        return SpeedResult.model_validate_json(result.read_text(encoding="utf-8"))
