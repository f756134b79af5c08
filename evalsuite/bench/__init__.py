"""Measure what models cost to run, each in a process of its own.

>>> (speed,) = measure([Subject(Path("student-int8"), sequences, "int8", "xnli dev")],
...                    source="xtreme", threads=2)
>>> speed.latency_seconds[0]
0.0031

One measuring process imports the runtimes once and forks a child a model (where forking is not to
be had, the models share the process). A child opens its model, warms up, then times batch 1
sentence by sentence and several passes over the whole text in length-sorted batches, with a fixed
thread count; everybody else waits without polling. Raw samples are kept, warm-up apart.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import EvalsuiteError
from evalsuite.results import SpeedResult
from evalsuite.task import SourceKind


class MeasurementError(EvalsuiteError):
    """The measuring process ended without a result."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the text it is measured on.

    Attributes:
        sequences: token ids, specials included, of real sentences (their real lengths).
        text: what they are, for the report.
    """

    directory: Path
    sequences: Sequence[Sequence[int]]
    label: str
    text: str


def measure(
    subjects: Sequence[Subject],
    *,
    source: SourceKind,
    threads: int,
    passes: int = 3,
    latency_samples: int = 200,
) -> list[SpeedResult]:
    """Measure models one after the other.

    Args:
        threads: intra-op threads of the runtime.
        passes: throughput passes over all sequences.
        latency_samples: sentences timed one by one.

    Raises:
        MeasurementError: a measurement failed; its last lines are in the message.
    """
    with tempfile.TemporaryDirectory() as scratch:
        specs = []
        for number, subject in enumerate(subjects):
            sequences = [list(ids) for ids in subject.sequences]
            specs.append(
                {
                    "directory": str(subject.directory),
                    "sequences": sequences,
                    "label": subject.label,
                    "text": subject.text,
                    "source": source,
                    "data_digest": hashlib.sha256(repr(sequences).encode()).hexdigest(),
                    "threads": threads,
                    "passes": passes,
                    "latency_samples": latency_samples,
                    "result": str(Path(scratch, f"{number}.json")),
                }
            )
        path = Path(scratch, "specs.json")
        path.write_text(json.dumps(specs), encoding="utf-8")
        child = subprocess.run(
            [sys.executable, "-m", "evalsuite.bench.worker", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        results = []
        for spec in specs:
            result = Path(str(spec["result"]))
            if not result.is_file():
                tail = "\n".join(child.stderr.strip().splitlines()[-5:])
                raise MeasurementError(f"measuring {spec['label']} gave no result:\n{tail}")
            results.append(SpeedResult.model_validate_json(result.read_text(encoding="utf-8")))
        return results
