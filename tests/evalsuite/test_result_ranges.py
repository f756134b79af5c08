"""Results hold numbers that can be: percentages from 0 to 100, times and sizes from 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from report_fakes import a_model, a_run, a_score, a_speed

from evalsuite.errors import DataError
from evalsuite.report.output.read_report import read
from evalsuite.results.fertility import Fertility
from evalsuite.results.read_record import read_record
from evalsuite.results.record import Record
from evalsuite.results.search import Trial
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult
from recipes.stages._shared import read_measurements


def changed(record: Record, path: str, value: object) -> str:
    """A record's JSON with one value changed; `path` has dots."""
    tree = json.loads(record.model_dump_json())
    *parents, last = path.split(".")
    inner = tree
    for name in parents:
        inner = inner[int(name) if isinstance(inner, list) else name]
    inner[int(last) if isinstance(inner, list) else last] = value
    return json.dumps(tree)


SCORE = a_score(a_model("teacher"), en=80.0, de=70.0)
SPEED = a_speed(a_model("teacher"), 10)


@pytest.mark.parametrize(
    ("record", "path", "value", "said"),
    [
        (SCORE, "metrics.accuracy.de", 950.0, "metrics.accuracy.de: 950.0 is not a percentage"),
        (SCORE, "metrics.accuracy.de", -1, "it must be between 0 and 100"),
        (SCORE, "metrics.accuracy.de", float("nan"), "metrics.accuracy.de: input should be a fin"),
        (SCORE, "intervals", {"de": [60, 101]}, "intervals.de.1: 101.0 is not a percentage"),
        (SCORE, "zero_shot_interval", [-3, 90], "zero_shot_interval.0: -3.0 is not a percentage"),
        (SCORE, "chance.de", 200, "chance.de: 200.0 is not a percentage"),
        (SCORE, "examples.de", -5, "examples.de: -5 is not a count: it must be 0 or more"),
        (SCORE, "seconds", -0.5, "seconds: -0.5 is not a time in seconds"),
        (SCORE, "model.bytes", -1, "model.bytes: -1 is not a count"),
        (SCORE, "main_metric", "mean_score", "metrics have no main metric"),
        (SPEED, "latency_seconds.0", -1, "latency_seconds.0: -1.0 is not a time in seconds"),
        (SPEED, "load_seconds.1", float("inf"), "load_seconds.1: input should be a finite number"),
        (SPEED, "throughput.0.joules", -2, "throughput.0.joules: -2.0 is not an amount"),
        (SPEED, "languages.de.seconds.0", -2, "languages.de.seconds.0: -2.0 is not a time"),
        (SPEED, "peak_memory", -4, "peak_memory: -4 is not a count"),
    ],
)
def test_a_number_out_of_its_range_never_enters_a_report(
    tmp_path: Path, record: Record, path: str, value: object, said: str
) -> None:
    file = tmp_path / "000.json"
    file.write_text(changed(record, path, value))
    with pytest.raises(DataError) as caught:
        read_record(file, type(record))
    assert f"{file} was changed by hand or damaged: " in str(caught.value)
    assert said in str(caught.value)
    kind = "scores" if isinstance(record, TaskResult) else "speed"
    with pytest.raises(DataError):
        read_measurements.read([(kind, tmp_path)])
    field = "scores" if isinstance(record, TaskResult) else "speeds"
    run = a_run(SCORE, speeds=(SPEED,))
    (tmp_path / "report.json").write_text(changed(run, f"{field}.0.{path}", value))
    with pytest.raises(DataError, match="changed by hand"):
        read(tmp_path / "report.json")


def test_results_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (999, 1000, 1001, 2):
        score = SCORE.model_copy(update={"seed": number})
        (tmp_path / f"{number:03d}.json").write_text(score.model_dump_json())
    found = read_measurements.read([("scores", tmp_path)])["scores"]
    assert [score.seed for score in found] == [2, 999, 1000, 1001]


def test_numbers_in_their_ranges_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "000.json"
    for value in (0, 100, 100.0000000001):
        file.write_text(changed(SCORE, "metrics.accuracy.de", value))
        assert read_record(file, TaskResult).metrics["accuracy"]["de"] == value
    file.write_text(SPEED.model_dump_json())
    assert read_record(file, SpeedResult) == SPEED


def test_other_records_have_ranges_too() -> None:
    with pytest.raises(ValidationError):
        Fertility(words=-1, subwords=0, split=0, unknown=0)
    with pytest.raises(ValidationError):
        Trial(assignment={}, average=101)
    assert Trial(assignment={}, difference=-7.5).difference == -7.5


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_record(tmp_path / "000.json", TaskResult)
