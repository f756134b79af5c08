"""Tables of what each pass saves and loses, from a run of `compact/passes`.

lingopress run compact/passes --data-dir DATA_DIR
python benchmarks/passes.py [RUN] [--workspace DIR]

Prints a table of sizes, speeds and mean scores, one row per pass, and one of scores by language. Of
a pass's three runtimes the stages are called `pass`, `pass_ort` and `pass_openvino`; a pass that is
a bundle itself has one of them alone. Scores are means over the languages, English apart, that the
recipe's trims keep, with the distance from the first row in points, and over the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from evalsuite.report.figures.costs import percentile, sentences_per_second
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult
from recipes.cli.compare_runs import read_run

RUNTIMES = ("torch", "onnxruntime", "openvino")
SUFFIXES = ("_ort", "_openvino")
ENCODERS = {  # retrieval is the encoder's own; the pass that each shares a shape with
    "e5-mini": "teacher",
    "encoder": "distilled",
    "encoder_trimmed": "small",
    "encoder_int8": "small_int8",
}


def stem(label: str) -> str:
    """`small_int8_openvino[task=udpos]` is the pass `small_int8`."""
    name = label.partition("[")[0].rpartition("/")[2]
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return ENCODERS.get(name, name)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """In Markdown; the first column is text."""
    columns = list(head)
    rule = ["---", *["--:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def costs(run: RunRecord) -> str:
    """One row per pass: bytes, parameters, speeds, mean scores."""
    speeds: dict[str, dict[str, SpeedResult]] = {}
    for speed in run.speeds:
        speeds.setdefault(stem(speed.model.label), {})[speed.model.runtime] = speed
    scores: dict[str, dict[str, TaskResult]] = {}
    for score in run.scores:
        scores.setdefault(stem(score.model.label), {})[score.task] = score
    tasks = list(dict.fromkeys(score.task for score in run.scores if score.comparison))
    first = next(iter(speeds))
    kept = {
        code
        for stage in run.stages
        if stage.kind == "trim"
        for code in stage.config.get("languages", ())
    }
    rows = []
    for name, found in speeds.items():
        info = min(found.values(), key=lambda speed: speed.model.bytes).model
        rest = info.parameters - info.embedding_parameters
        row = [name, f"{info.bytes / 1e6:.1f}"]
        row += [f"{info.embedding_parameters / 1e6:.1f} + {rest / 1e6:.1f}"]
        for runtime in RUNTIMES:
            measured = found.get(runtime)
            row.append(f"{sentences_per_second(measured):,.0f}" if measured else "")
        for runtime in RUNTIMES:
            measured = found.get(runtime)
            row.append(f"{1000 * percentile(measured.latency_seconds, 50):.1f}" if measured else "")
        own = scores.get(name, {})
        for task in tasks:
            row += _means(own.get(task), scores[first][task], kept)
        rows.append(row)
    short = ("torch", "ORT", "OpenVINO")
    return table(
        [
            "pass",
            "MB",
            "million parameters, embeddings + rest",
            *(f"{name}, sentences/s" for name in short),
            *(f"{name}, ms" for name in short),
            *(f"{task}{of}" for task in tasks for of in ("", ", not kept")),
        ],
        rows,
    )


def _means(score: TaskResult | None, first: TaskResult, kept: set[str]) -> list[str]:
    """Of the languages kept, with what is lost, and of the others."""
    if score is None:
        return ["", ""]
    cells = []
    for inside in (True, False):
        own, base = (
            [v for k, v in r.metrics[r.main_metric].items() if k != "en" and (k in kept) is inside]
            for r in (score, first)
        )
        mean, before = sum(own) / len(own), sum(base) / len(base)
        lost = "" if score is first or not inside else f" ({mean - before:+.1f})"
        cells.append(f"{mean:.1f}{lost}")
    return cells


def languages(run: RunRecord) -> str:
    """One row per task and pass, one column per language."""
    codes = list(dict.fromkeys(c for s in run.scores for c in s.metrics[s.main_metric]))
    return table(
        ["task, pass", *codes],
        (
            [
                f"{score.title}, {stem(score.model.label)}",
                *(
                    f"{own[code]:.1f}" if code in own else ""
                    for own in (score.metrics[score.main_metric],)
                    for code in codes
                ),
            ]
            for score in run.scores
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="compact/passes")
    parser.add_argument("--workspace", type=Path, default=None)
    arguments = parser.parse_args()
    record = read_run(arguments.run, arguments.workspace).record
    print(costs(record), languages(record), sep="\n\n")
