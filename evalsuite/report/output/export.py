"""Scores and speeds as one long table, for a spreadsheet or a data frame.

kind   run   system  model               task  metric    language  value  unit     ...
score  mini  teacher teacher[task=xnli]  xnli  accuracy  sw        61.2   percent  ...
speed  mini  int8    int8[task=xnli]           latency p50         1.2    ms       ...

One row per (model, task, metric, language), per zero-shot mean of (model, task), per (model, figure
of speed), with the language where the figure is of one, and per (model, measure of alignment,
language, layer). Every row has its signature. Cells that do not apply to the kind of a row are
empty.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from evalsuite.errors import DataError
from evalsuite.report.figures.costs import (
    PERCENTILES,
    joules_a_sentence,
    peak_share,
    percentile,
    sentences_in,
    sentences_per_second,
    text_peak_share,
)
from evalsuite.report.figures.labels import parse
from evalsuite.report.figures.seeds import SEED
from evalsuite.report.figures.systems import group
from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.numbers import is_percent
from evalsuite.results.record import Environment, ModelInfo
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import ModelComparison, TaskResult

if TYPE_CHECKING:
    import pyarrow

FORMULAS = "=+-@\t\r"  # a spreadsheet runs a text that begins with one
Row = dict[str, Any]
Figure = tuple[str, str | None, float | None, str, int]  # metric, language, value, unit, samples
Named = Sequence[tuple[str, RunRecord]]
COLUMNS: dict[str, str] = {  # column -> arrow type
    "kind": "string", "run": "string", "recipe": "string", "system": "string", "model": "string",
    "task": "string", "split": "string", "metric": "string", "main_metric": "bool",
    "language": "string", "zero_shot": "bool", "value": "double", "unit": "string",
    "low": "double", "high": "double", "chance": "double", "examples": "int64",
    "max_examples": "int64", "compared_with": "string", "agreement": "double",
    "difference_low": "double", "difference_high": "double",
    "source": "string", "source_language": "string", "text": "string", "data_digest": "string",
    "model_digest": "string", "layer": "int64", "pooling": "string", "scoring": "string",
    "prefix": "string", "passage_prefix": "string", "dimensions": "int64",
    "threshold": "double", "fitted_on": "string", "seed": "int64",
    "seed_variable": "string", "runtime": "string", "precision": "string",
    "architecture": "string", "parameters": "int64", "embedding_parameters": "int64",
    "bytes": "int64", "tokenizer_bytes": "int64", "cpu": "string", "instruction_set": "string",
    "cores": "int64", "threads": "int64", "device": "string", "os": "string", "versions": "string",
}  # fmt: skip


def rows(runs: Named) -> Iterator[Row]:
    """All rows of some runs, each with its name; columns that are absent from a row are empty."""
    for name, run in runs:
        systems = {(m.label, m.runtime, m.precision): s.name for s in group(run) for m in s.models}
        records: list[tuple[TaskResult | SpeedResult | AlignmentResult, Iterator[Row]]] = [
            *((score, chain(_scores(score), _zero_shot_mean(score))) for score in run.scores),
            *((speed, _speeds(speed)) for speed in run.speeds),
            *((aligned, _alignment(aligned)) for aligned in run.alignment),
        ]
        for record, record_rows in records:
            model = record.model
            shared = {
                "run": name,
                "recipe": run.recipe,
                "system": systems.get((model.label, model.runtime, model.precision)),
                "source": record.source,
                "data_digest": record.data_digest,
                **_model(model),
                **_environment(record.environment),
            }
            for row in record_rows:
                yield {"seed": run.seed, **shared, **row}


def _scores(result: TaskResult) -> Iterator[Row]:
    for metric, by_language in result.metrics.items():
        main = metric == result.main_metric
        for language, value in by_language.items():
            low, high = result.intervals.get(language, (None, None)) if main else (None, None)
            yield {
                "kind": "score",
                "task": result.task,
                "split": result.split,
                "metric": metric,
                "main_metric": main,
                "language": language,
                "zero_shot": result.is_zero_shot(language),
                "value": value,
                "unit": "percent" if is_percent(metric) else "score",
                "low": low,
                "high": high,
                "chance": result.chance.get(language) if main else None,
                "examples": result.examples.get(language),
                **(_comparison(result.comparison, language) if main and result.comparison else {}),
                "threshold": result.thresholds.get(language),
                **_settings(result),
            }


def _zero_shot_mean(result: TaskResult) -> Iterator[Row]:
    """A row with the mean of the main metric and its interval, where there is a mean."""
    if (mean := result.zero_shot()) is None:
        return
    low, high = result.zero_shot_interval or (None, None)
    compared = result.comparison
    difference = compared.zero_shot_interval if compared else None
    difference_low, difference_high = difference or (None, None)
    yield {
        "kind": "zero-shot mean",
        "task": result.task,
        "split": result.split,
        "metric": result.main_metric,
        "main_metric": True,
        "zero_shot": True,
        "value": mean,
        "unit": "percent" if is_percent(result.main_metric) else "score",
        "low": low,
        "high": high,
        "compared_with": compared.label if compared else None,
        "difference_low": difference_low,
        "difference_high": difference_high,
        **_settings(result),
    }


def _settings(result: TaskResult) -> Row:
    """What all scores of a result were made with."""
    return {
        "max_examples": result.max_examples,
        "source_language": result.source_language,
        "layer": result.layer,
        "pooling": result.pooling,
        "scoring": result.scoring,
        "prefix": result.prefix,
        "passage_prefix": result.passage_prefix,
        "dimensions": result.dimensions,
        "fitted_on": result.fitted_on,
        "seed": result.seed,
    }


def _comparison(comparison: ModelComparison, language: str) -> Row:
    low, high = comparison.intervals.get(language, (None, None))
    return {
        "compared_with": comparison.label,
        "agreement": comparison.agreement.get(language),
        "difference_low": low,
        "difference_high": high,
    }


def _alignment(result: AlignmentResult) -> Iterator[Row]:
    for language, measured in result.languages.items():
        for metric in type(measured).model_fields:
            for layer, value in enumerate(getattr(measured, metric)):
                yield {
                    "kind": "alignment",
                    "metric": metric,
                    "language": language,
                    "value": value,
                    "unit": "percent" if metric in ("retrieval", "rank_consistency") else "1",
                    "examples": result.examples[language],
                    "max_examples": result.max_examples,
                    "text": result.text,
                    "compared_with": result.base,
                    "layer": layer,
                    "pooling": result.pooling,
                }


def _speeds(speed: SpeedResult) -> Iterator[Row]:
    """Medians and percentiles, as the report has them; `examples` is the number of samples."""
    for metric, language, value, unit, samples in chain(_costs(speed), _shapes(speed)):
        if value is not None:
            yield {
                "kind": "speed",
                "metric": metric,
                "language": language,
                "value": value,
                "unit": unit,
                "examples": samples,
                "text": speed.text,
            }


def _costs(speed: SpeedResult) -> Iterator[Figure]:
    """Of the whole text."""
    taken, tokenizer, passes = speed.latency_seconds, speed.tokenizer, speed.throughput
    yield "throughput", None, sentences_per_second(speed), "sentences/s", len(passes)
    for q in PERCENTILES if taken else ():
        yield f"latency p{q}", None, 1000 * percentile(taken, q), "ms", len(taken)
    if speed.load_seconds:
        yield "load", None, median(speed.load_seconds), "s", len(speed.load_seconds)
    yield "memory over baseline", None, float(speed.memory()), "bytes", 1
    if tokenizer:
        loads = tokenizer.load_seconds
        yield "tokenizer load", None, median(loads), "s", len(loads)
        yield "tokenizer memory", None, float(tokenizer.memory), "bytes", 1
    counted = sum(one.joules is not None for one in passes)
    yield "energy", None, joules_a_sentence(speed), "J/sentence", counted
    yield "share of peak, text", None, text_peak_share(speed), "percent", len(passes)
    if speed.grid:
        repeats = len(max(speed.grid, key=lambda cell: cell.batch * cell.length).seconds)
        yield "share of peak, largest shape", None, peak_share(speed), "percent", repeats


def _shapes(speed: SpeedResult) -> Iterator[Figure]:
    """Of each shape of a batch, and of the text of each language."""
    for cell in speed.grid:
        metric = f"throughput, batch {cell.batch}, {cell.length} tokens"
        yield metric, None, cell.batch / median(cell.seconds), "sequences/s", len(cell.seconds)
    for code, own in speed.languages.items():
        count, taken = sentences_in(speed, code), own.latency_seconds
        rate = count / median(own.seconds) if count else None
        yield "throughput by language", code, rate, "sentences/s", len(own.seconds)
        alone = 1000 * percentile(taken, 50) if taken else None
        yield "latency p50 by language", code, alone, "ms", len(taken)


def _model(model: ModelInfo) -> Row:
    return {
        "model": model.label,
        "seed_variable": dict(parse(model.label).variables).get(SEED),
        "model_digest": model.digest,
        **model.model_dump(exclude={"label", "digest"}),
    }


def _environment(machine: Environment) -> Row:
    return {
        "cpu": machine.cpu,
        "instruction_set": " ".join(machine.instruction_set),
        "cores": machine.cores,
        "threads": machine.threads,
        "device": machine.device,
        "os": machine.system,
        "versions": json.dumps(machine.versions, sort_keys=True),
    }


def table(runs: Named) -> pyarrow.Table:
    """The rows as an Arrow table."""
    import pyarrow

    types = {"bool": pyarrow.bool_(), "double": pyarrow.float64(), "int64": pyarrow.int64()}
    schema = pyarrow.schema(
        [(name, types.get(kind, pyarrow.string())) for name, kind in COLUMNS.items()]
    )
    return pyarrow.Table.from_pylist(list(rows(runs)), schema=schema)


def write_csv(runs: Named, path: Path) -> None:
    """As CSV with a head line, UTF-8; the whole file or none.

    A text that a spreadsheet would run as a formula has a ' in front.

    Raises:
        DataError: it cannot be written.
    """
    from pyarrow import csv

    _put(path, lambda target: csv.write_csv(_without_formulas(table(runs)), target))


def _without_formulas(table: pyarrow.Table) -> pyarrow.Table:
    import pyarrow

    quoted = [
        [f"'{text}" if text and text[0] in FORMULAS else text for text in column.to_pylist()]
        if column.type == pyarrow.string()
        else column
        for column in table.columns
    ]
    return pyarrow.table(quoted, schema=table.schema)


def write_parquet(runs: Named, path: Path) -> None:
    """As Parquet; the whole file or none.

    Raises:
        DataError: it cannot be written.
    """
    from pyarrow import parquet

    _put(path, lambda target: parquet.write_table(table(runs), target))


def _put(path: Path, write: Callable[[str], None]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(str(part))
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
