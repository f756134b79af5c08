"""XLM-R base's shape to 6 x 768 and L6-H384, fifteen languages' vocabulary, int8: bytes and speed.

python benchmarks/compact_shapes.py make|speed DATA_DIR WORK [--lines N] [--coverage SHARE]
    [--rounds N] [--rows N]

`make`: a 12x768 checkpoint with random weights and a unigram vocabulary of 250,002 pieces trained
on the corpus beside DATA_DIR goes through a recipe: distilled to six layers, 768 and 384 wide, the
vocabulary cut to what XNLI's fifteen languages need (pieces of several Han characters, as in
XLM-R's vocabulary), int8 for ONNX Runtime and OpenVINO, there with bf16 between products too.
`speed` measures all in one run: batches of 8 x 128 tokens in rounds over the models, against the
fp32 original in torch; then real XNLI rows as `evaluate` batches them, against the original as
benchmark scripts run it, fp32 in torch, padded to 128, batches of 8. Weights are random: accuracy
means nothing here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import length_batching
import runtimes
import xlmr_shapes
from tokenizers import Tokenizer

from evalsuite.machine import environment
from evalsuite.task import DataSource
from transfer.text import parallel_text, vocabulary

XNLI = ("en", "ar", "bg", "de", "el", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
PIECES = 250_002
STUDENTS = {"six": "6 x 768", "narrow": "L6-H384"}

RECIPE = """
name: compact-shapes
description: XLM-R base shape, random weights, to six layers.
source: xtreme
seed: 1
matrix:
  student:
    - {{name: six, width: 768, ffn: 3072}}
    - {{name: narrow, width: 384, ffn: 1536}}
stages:
  - {{name: distilled, stage: distill, teacher: {model}, layers: 6, width: "${{student.width}}", heads: 12, ffn: "${{student.ffn}}", hidden: 0, relations: 1, batch_size: 4, max_steps: 2, max_length: 32, max_pairs: 20, learning_rate: 1.0e-4}}
  - {{name: trimmed, stage: trim, model: distilled, languages: {languages}, coverage: {coverage}, max_lines: {lines}, probe: 0}}
  - {{name: int8, stage: export, model: trimmed, precision: int8, probe: 0}}
  - {{name: openvino, stage: export, model: trimmed, runtime: openvino, precision: int8, probe: 0}}
  - {{name: mixed, stage: export, model: trimmed, runtime: openvino, precision: int8-bf16, probe: 0}}
"""  # noqa: E501


def make(arguments: argparse.Namespace) -> None:
    """The checkpoint, where it is not there yet, and what the recipe makes of it."""
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    model, words = work / "xlmr-base", work / "tokenizer.json"
    if not words.is_file():
        began = time.perf_counter()
        source = DataSource("xtreme", arguments.data_dir)
        corpus = parallel_text.read(source, None, arguments.lines, arguments.lines)
        lines = [foreign for _, foreign, _ in corpus.pairs]
        lines += [english for _, _, english in corpus.pairs[:: len(corpus.languages)]]
        lines += [line for _, line in corpus.lines]
        vocabulary.train_unigram(lines, PIECES, join_han=True).save(str(words))
        print(f"vocabulary: {len(lines):,} lines, {time.perf_counter() - began:.0f} s")
    tokenizer = Tokenizer.from_file(str(words))
    print(f"{tokenizer.get_vocab_size():,} pieces")
    if not (model / "tokenizer.json").is_file():
        xlmr_shapes.make("base", model, "pair", tokenizer)
    recipe = work / "compact-shapes.yaml"
    recipe.write_text(
        RECIPE.format(
            model=json.dumps(str(model)),
            languages=json.dumps(XNLI),
            coverage=arguments.coverage,
            lines=arguments.lines,
        ),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "recipes.cli", "run", str(recipe), "--workspace"]
    subprocess.run(
        [*command, str(work / "workspace"), "--data-dir", str(arguments.data_dir)], check=True
    )


def speed(arguments: argparse.Namespace) -> None:
    """Measure what `make` made, in one run."""
    made = arguments.work / "workspace/runs/compact-shapes"
    found = {"torch fp32": arguments.work / "xlmr-base"}
    for student, shape in STUDENTS.items():
        for stage, what in (("trimmed", "torch fp32"), ("int8", "onnxruntime int8")):
            found[f"{shape}, {what}"] = made / f"{stage}[student={student}]"
        for stage, what in (("openvino", "int8"), ("mixed", "int8-bf16")):
            found[f"{shape}, openvino {what}"] = made / f"{stage}[student={student}]"
    runtimes.rounds(found, arguments)
    bundles = [str(path) for name, path in found.items() if "int8" in name]
    length_batching.main(str(found["torch fp32"]), str(arguments.data_dir), arguments.rows, bundles)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("make", "speed"))
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--lines", type=int, default=20_000, help="read of each language")
    parser.add_argument("--coverage", type=float, default=0.984)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=40, help="of XNLI, a language")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=environment.threads())
    arguments = parser.parse_args()
    {"make": make, "speed": speed}[arguments.what](arguments)


if __name__ == "__main__":
    main()
