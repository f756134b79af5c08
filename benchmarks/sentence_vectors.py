"""Sentence vectors of encoders: STS-B and Tatoeba, with a prefix and without, whole and cut.

    python benchmarks/sentence_vectors.py OUT --data DATA --model e5=./e5-small --model int8=./int8

`DATA` has `own/similarity/stsb-{language}-test.csv` (STS-B, two sentences and a score) and
`xtreme/tatoeba/` (LASER's files). Each score is a file in OUT, which is not made again, so a run
that was stopped goes on; the tables are printed at the end. `--dimensions 128` scores the first
numbers of each vector too, `--rows 50` takes some rows of each file, `--only similarity` one task.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.registry import TASKS
from evalsuite.results.task import TaskResult
from evalsuite.task import DataSource, Task


@dataclass(frozen=True, slots=True)
class Way:
    """One way of making vectors: what is put before texts, and how many numbers are kept."""

    prefix: str
    dimensions: int | None

    @property
    def name(self) -> str:
        """For a file and a table."""
        cut = "" if self.dimensions is None else f", {self.dimensions} dimensions"
        return (f"prefix {self.prefix!r}" if self.prefix else "no prefix") + cut


def main() -> None:
    """Score what is not scored yet, then print."""
    options = _options()
    models = dict(one.split("=", 1) for one in options.model)
    ways = [
        Way(prefix, dimensions)
        for dimensions in (None, *options.dimensions)
        for prefix in (options.prefix, "")
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    for title, task, source in _tasks(options.data):
        if options.only not in (None, task.name):
            continue
        results = {
            (label, way): _scored(options, label, Path(directory), task, source, way)
            for label, directory in models.items()
            for way in ways
        }
        print(f"\n{title}\n", flush=True)
        _print(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", action="append", required=True, metavar="LABEL=DIRECTORY")
    parser.add_argument("--prefix", default="query: ")
    parser.add_argument("--dimensions", type=int, action="append", default=[])
    parser.add_argument("--rows", type=int)
    parser.add_argument("--only", choices=("similarity", "tatoeba"))
    return parser.parse_args()


def _tasks(data: Path) -> Iterator[tuple[str, Task, DataSource]]:
    similarity = Declaration(
        format="regression",
        test=str(data / "own" / "similarity" / "stsb-{language}-test.csv"),
        columns={"first": 1, "second": 2, "score": 3},
    )
    yield "STS-B, Spearman", task_of("similarity", similarity), DataSource("files")
    tatoeba = DataSource("xtreme", data / "xtreme")
    yield "Tatoeba, accuracy by cosine, English among them", TASKS.get("tatoeba"), tatoeba


def _scored(
    options: argparse.Namespace,
    label: str,
    directory: Path,
    task: Task,
    source: DataSource,
    way: Way,
) -> TaskResult:
    path = options.out / f"{task.name}.{label}.{way.name.replace('/', '_')}.json"
    if path.is_file():
        return TaskResult.model_validate_json(path.read_text(encoding="utf-8"))
    result = evaluate(
        open_model(directory, threads=1),
        task,
        source,
        label=label,
        out=options.out / "predictions" / label / way.name.replace("/", "_"),
        options=EvaluationOptions(
            layer=-1,
            prefix=way.prefix,
            dimensions=way.dimensions,
            max_examples=options.rows,
        ),
        progress=lambda fraction, text: print(f"{fraction:4.0%} {way.name}: {text}", flush=True),
    )
    path.write_text(result.model_dump_json(indent=1), encoding="utf-8")
    return result


def _print(results: dict[tuple[str, Way], TaskResult]) -> None:
    every = [result.metrics[result.main_metric] for result in results.values()]
    codes = sorted(set.intersection(*map(set, every)))
    print(f"| model | vectors | mean of {len(codes)} | {' | '.join(codes)} |")
    print("| --- | --- |" + " ---: |" * (len(codes) + 1))
    for ((label, way), _), scores in zip(results.items(), every, strict=True):
        cells = [fmean(scores[code] for code in codes), *(scores[code] for code in codes)]
        print(f"| {label} | {way.name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
