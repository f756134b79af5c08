"""One trimmed int8 classifier, tagger and encoder in every program that opens them: same answers?

    .venv/bin/python benchmarks/deploy_agreement.py WORK --data ../shared/data \
        --languages ar de en es fr hi ru zh \
        --classifier CHECKPOINT --tagger CHECKPOINT --encoder CHECKPOINT \
        --library APP --native build/bundle \
        --python-onnx ENV/bin/python --python-openvino ENV/bin/python \
        --write docs/deploy.md

Run it from the root of the repository, with PYTHONPATH=. in front. Checkpoints are in fp32 and
trimmed to the languages; WORK keeps the bundles made from them. Rows are real sentences, 1,000 per
language: SIB-200's test rows and Tatoeba, and of a tagger UD-POS. Each program of
`benchmarks/deploy_targets/` runs in a process, one row at a time, and its answers are compared with
those of this toolkit in ONNX Runtime. APP is where `npm install @huggingface/transformers` was run;
build/bundle is the program of docs/native; the two environments have optimum-onnx and optimum-intel
with sentence-transformers. What is not here is listed as not run.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from compress.export import bundle
from compress.export.calibration_text import Calibration
from compress.export.demo.build import copy_bundle
from compress.export.demo.settings import settings_of
from compress.export.export import export
from compress.export.graph import ExportOptions
from evalsuite.catalog import Catalogue
from evalsuite.machine import environment
from evalsuite.registry import TASKS
from evalsuite.runtimes._bundle import read_card
from evalsuite.task import DataSource, ParallelExample

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = "onnxruntime"
HEADS = {"classifier": "pair", "tagger": "tagging", "encoder": None}
START, END = "<!-- agreement -->", "<!-- /agreement -->"
TARGETS: Catalogue[Any] = Catalogue("benchmarks.deploy_targets", "target")


@dataclass(frozen=True)
class Rows:
    """Texts, or lists of words, with the language of each."""

    texts: list[Any]
    languages: list[str]


def read_rows(kind: str, data: Path, count: int, languages: list[str]) -> Rows:
    """The first `count` rows of each language: of a tagger UD-POS, else SIB-200 and Tatoeba."""
    texts: list[Any] = []
    row_languages = []
    for language in languages:
        found = (words_of if kind == "tagger" else sentences_of)(data, language)[:count]
        texts += found
        row_languages += [language] * len(found)
    return Rows(texts, row_languages)


def words_of(data: Path, language: str) -> list[list[str]]:
    """The words of each test sentence."""
    text = (data / "xtreme" / "udpos" / f"test-{language}.tsv").read_text(encoding="utf-8")
    return [[line.split("\t")[0] for line in s.splitlines()] for s in text.strip().split("\n\n")]


def sentences_of(data: Path, language: str) -> list[str]:
    """Test sentences of topics, then of Tatoeba; of English the English sides of German ones."""
    with (data / "own" / "topics" / language / "test.tsv").open(encoding="utf-8") as file:
        found = [row["text"] for row in csv.DictReader(file, delimiter="\t")]
    source = DataSource("xtreme", data / "xtreme")
    rows = TASKS.get("tatoeba").load(source, "test", "de" if language == "en" else language)
    for row in rows:
        assert isinstance(row, ParallelExample)
        found.append(row.english if language == "en" else row.foreign)
    return found


def forms(kind: str, checkpoint: Path, work: Path, source: DataSource) -> dict[str, Path]:
    """The checkpoint, and bundles made from it; those of an earlier run are taken."""
    task = TASKS.get("udpos" if kind == "tagger" else "xnli")
    options = ExportOptions(Calibration(task, source, 16, "parallel"))
    found = {"checkpoint": checkpoint}
    runtimes = ["onnxruntime", "openvino"]
    if find_spec("executorch") is not None:
        runtimes.append("executorch")
    for runtime in runtimes:
        out = found[runtime] = work / kind / runtime
        if not (out / bundle.SUMS).is_file():
            export(checkpoint, out, runtime=runtime, precision="int8", options=options)
    out = found["transformers.js"] = work / kind / "transformers.js"
    if not (out / bundle.SUMS).is_file():
        copy_bundle(found["onnxruntime"], out, read_card(found["onnxruntime"]) or {})
    return found


def run(command: list[str], task: dict[str, Any]) -> dict[str, Any]:
    """The result of a target's program."""
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(task), capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command[:4]}: {done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def compare(head: str | None, rows: Rows, right: list[Any], answers: list[Any]) -> dict[str, Any]:
    """Percent of equal answers, on average over languages and in the worst; of vectors the lowest
    cosine, and equal nearest neighbours among the rows of the language."""
    by_language: dict[str, list[int]] = defaultdict(list)
    for place, language in enumerate(rows.languages):
        by_language[language].append(place)
    equal = {}
    lowest = None
    if head is None:
        first, second = (np.array(vectors, dtype=np.float64) for vectors in (right, answers))
        lowest = float((first * second).sum(1).min())
        for language, places in by_language.items():
            pair = [nearest(vectors[places]) for vectors in (first, second)]
            equal[language] = 100 * float((pair[0] == pair[1]).mean())
    else:
        for language, places in by_language.items():
            pairs = [
                pair
                for place in places
                for pair in (
                    zip(right[place], answers[place], strict=True)
                    if head == "tagging"
                    else [(right[place], answers[place])]
                )
            ]
            equal[language] = 100 * fmean(a == b for a, b in pairs)
    worst = min(equal, key=lambda language: equal[language])
    return {"equal": fmean(equal.values()), "worst": (worst, equal[worst]), "lowest": lowest}


def nearest(vectors: np.ndarray) -> np.ndarray:
    """The nearest other row of each."""
    products = vectors @ vectors.T
    np.fill_diagonal(products, -2)
    return np.asarray(products.argmax(1))


def table(results: list[dict[str, Any]], count: int) -> str:
    """The results in Markdown."""
    machine = environment.capture(environment.threads()).cpu
    lines = [
        f"{count:,} rows per language at most, one at a time, {machine}, made by",
        "`benchmarks/deploy_agreement.py`.",
        "",
        "| model | program | equal % | worst language | lowest cosine | load s | MB | rows/s |",
        "| --- | --- | --: | --- | --: | --: | --: | --: |",
    ]
    for row in results:
        start = f"| {row['kind']} | {row['title']} |"
        if "equal" not in row:
            lines.append(f"{start} not run | | | | | |")
            continue
        language, value = row["worst"]
        lowest = "" if row["lowest"] is None else f"{row['lowest']:.4f}"
        lines.append(
            f"{start} {row['equal']:.2f} | {language} {value:.2f} | {lowest} | "
            f"{row['load_s']:.1f} | {row['memory_mb']:.0f} | {row['rate']:.0f} |"
        )
    return "\n".join(lines)


def measure(kind: str, checkpoint: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    """All targets on one model."""
    head = HEADS[kind]
    rows = read_rows(kind, args.data, args.rows, args.languages)
    places = forms(kind, checkpoint, args.work, DataSource("xtreme", args.data / "xtreme"))
    settings = settings_of(places["onnxruntime"])
    names = [name for name in TARGETS.names() if name != "child"]
    names = [REFERENCE, *(n for n in names if n != REFERENCE and n in (args.targets or names))]
    results = []
    right: list[Any] = []
    for name in names:
        target = TARGETS.get(name)
        if head not in target.HEADS:
            continue
        entry = {"kind": kind, "title": target.TITLE}
        results.append(entry)
        command = target.command(args)
        if command is None:
            print(kind, name, "not run", flush=True)
            continue
        task = {"head": head, "rows": rows.texts, "settings": settings}
        found = run(command, task | {"directory": str(places[target.FORM].resolve())})
        right = right or found["answers"]
        entry |= compare(head, rows, right, found.pop("answers"))
        entry |= found | {"rate": len(rows.texts) / found["seconds"]}
        shown = {key: value for key, value in entry.items() if key not in ("kind", "title")}
        print(kind, name, json.dumps(shown), flush=True)
    return results


def write(path: Path, text: str) -> None:
    """Put the table between the marks of a page."""
    page = path.read_text(encoding="utf-8")
    before, after = page.split(START)[0], page.split(END)[1]
    path.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("work", type=Path)
    for kind in HEADS:
        parser.add_argument(f"--{kind}", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1000, help="per language")
    parser.add_argument("--languages", nargs="+", required=True, help="those of the checkpoints")
    parser.add_argument("--targets", nargs="*")
    parser.add_argument("--library", type=Path)
    parser.add_argument("--native", type=Path)
    parser.add_argument("--python-onnx")
    parser.add_argument("--python-openvino")
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    results = []
    for kind in HEADS:
        checkpoint = getattr(args, kind)
        if checkpoint is not None:
            results += measure(kind, checkpoint, args)
    text = table(results, args.rows)
    print(text)
    if args.write is not None:
        write(args.write, text)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
