"""Scores and speeds as one long table: every figure once, and back from both files."""

from __future__ import annotations

import json
from csv import DictReader as reader
from pathlib import Path
from typing import Any

import pytest
from pyarrow import csv, parquet
from report_fakes import MACHINE, run_of_three_systems

from evalsuite.errors import DataError
from evalsuite.report.figures.costs import peak_share, text_peak_share
from evalsuite.report.output.export import COLUMNS, rows, table, write_csv, write_parquet
from evalsuite.results.alignment import AlignmentResult, LanguageAlignment
from evalsuite.results.run import RunRecord
from evalsuite.results.task import ModelComparison


@pytest.fixture(scope="module")
def run() -> RunRecord:
    """Of three systems; the first score has an interval, and there is a label with a seed."""
    run = run_of_three_systems()
    other = ModelComparison(
        label="the other", agreement={"de": 91.0}, intervals={"de": (-1.5, 0.5)},
        zero_shot_interval=None, p=None,
    )  # fmt: skip
    with_interval = run.scores[0].model_copy(
        update={"intervals": {"de": (67.5, 72.5)}, "max_examples": 200, "comparison": other}
    )
    model = run.scores[7].model.model_copy(update={"label": "base[seed=3]"})
    last = run.scores[7].model_copy(update={"model": model})
    return run.model_copy(update={"scores": (with_interval, *run.scores[1:7], last)})


def kept(run: RunRecord, **wanted: Any) -> list[dict[str, Any]]:
    found = table([("mine", run)]).to_pylist()
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def test_every_score_is_one_row(run: RunRecord) -> None:
    told = {
        (row["model"], row["task"], row["metric"], row["language"], row["value"])
        for row in kept(run, kind="score")
    }
    expected = {
        (score.model.label, score.task, metric, language, value)
        for score in run.scores
        for metric, own in score.metrics.items()
        for language, value in own.items()
    }
    assert told == expected and len(kept(run, kind="score")) == len(expected)


def test_alignment_is_a_row_a_layer(run: RunRecord) -> None:
    values = {"retrieval": (1.0, 2.0), "cka": (1.0, 0.5)}
    own = LanguageAlignment(
        pair_cosine=(0.5, 0.6), other_cosine=(0.1, 0.2), rank_consistency=(30.0, 20.0), **values
    )
    aligned = AlignmentResult(
        model=run.scores[0].model, text="tatoeba", source="embedded", data_digest="d",
        pooling="mean", max_examples=None, examples={"de": 40}, base="base", base_layers=(0, 1),
        languages={"de": own}, environment=MACHINE,
    )  # fmt: skip
    found = kept(run.model_copy(update={"alignment": (aligned,)}), kind="alignment")
    assert len(found) == 10
    (row,) = [r for r in found if r["metric"] == "cka" and r["layer"] == 1]
    assert (row["value"], row["unit"], row["language"], row["compared_with"]) == (
        0.5,
        "1",
        "de",
        "base",
    )
    assert row["examples"] == 40 and row["model_digest"] == run.scores[0].model.digest


def test_a_row_carries_its_signature(run: RunRecord) -> None:
    (row,) = kept(run, model="teacher[task=xnli]", task="xnli", language="de")
    assert row == {
        "kind": "score", "run": "mine", "recipe": "small", "system": "teacher",
        "model": "teacher[task=xnli]", "task": "xnli", "split": "test", "metric": "accuracy",
        "main_metric": True, "language": "de", "zero_shot": True, "value": 70.0,
        "unit": "percent", "low": 67.5, "high": 72.5, "chance": 33.3, "examples": 1500,
        "max_examples": 200, "compared_with": "the other", "agreement": 91.0,
        "difference_low": -1.5,
        "difference_high": 0.5,
        "source": "embedded", "source_language": "en", "text": None,
        "data_digest": run.scores[0].data_digest, "model_digest": run.scores[0].model.digest,
        "layer": None, "pooling": None, "scoring": None, "prefix": None,
        "passage_prefix": None, "dimensions": None, "threshold": None, "fitted_on": None,
        "seed": 7, "seed_variable": None, "runtime": "torch",
        "precision": "fp32", "architecture": "xlm-roberta 4x192", "parameters": 14_000_000,
        "embedding_parameters": 12_000_000, "bytes": 8000, "tokenizer_bytes": 10,
        "cpu": "a CPU", "instruction_set": "avx2 avx512_vnni", "cores": 2, "threads": 2,
        "device": "cpu", "os": "Linux", "versions": json.dumps(MACHINE.versions),
    }  # fmt: skip
    (retrieval,) = kept(run, system="base[seed=3]", language="sw")
    assert (retrieval["layer"], retrieval["pooling"]) == (8, "mean")
    assert retrieval["seed_variable"] == "3"
    (english,) = kept(run, model="teacher[task=udpos]", metric="token_accuracy", language="en")
    assert not english["zero_shot"] and not english["main_metric"] and english["chance"] is None


def test_speeds_are_rows_of_their_own(run: RunRecord) -> None:
    found = kept(run, kind="speed", model="teacher[task=xnli]", language=None)
    told = {
        row["metric"]: (pytest.approx(row["value"]), row["unit"], row["examples"]) for row in found
    }
    share = peak_share(run.speeds[0]), text_peak_share(run.speeds[0])
    assert told == {
        "throughput": (10, "sentences/s", 3),
        "latency p50": (25, "ms", 4),
        "latency p90": (37, "ms", 4),
        "latency p99": (39.7, "ms", 4),
        "load": (2, "s", 3),
        "memory over baseline": (3_000_000, "bytes", 1),
        "tokenizer load": (0.6, "s", 3),
        "tokenizer memory": (1_500_000, "bytes", 1),
        "share of peak, largest shape": (share[0], "percent", 3),
        "share of peak, text": (share[1], "percent", 3),
        "throughput, batch 1, 16 tokens": (10, "sequences/s", 3),
        "throughput, batch 8, 16 tokens": (80, "sequences/s", 3),
        "throughput, batch 8, 64 tokens": (80, "sequences/s", 3),
    }
    assert {row["text"] for row in found} == {"xnli dev, 2 languages, 4 sentences"}
    assert {row["task"] for row in found} == {None}
    assert len(kept(run, kind="speed")) == 4 * (13 + 2 * 2)


def test_speeds_of_a_language_have_it_in_its_column(run: RunRecord) -> None:
    found = kept(run, kind="speed", model="teacher[task=xnli]")
    told = {
        (row["metric"], row["language"]): (pytest.approx(row["value"]), row["examples"])
        for row in found
        if row["language"]
    }
    assert told == {
        ("throughput by language", "de"): (10, 1),
        ("throughput by language", "sw"): (5, 3),
        ("latency p50 by language", "de"): (15, 2),
        ("latency p50 by language", "sw"): (35, 2),
    }


def test_energy_is_that_of_a_sentence(run: RunRecord) -> None:
    first = run.speeds[0]
    passes = [one.model_copy(update={"joules": 50.0 * n}) for n, one in enumerate(first.throughput)]
    speed = first.model_copy(update={"throughput": (*passes, first.throughput[0])})
    (row,) = kept(run.model_copy(update={"speeds": (speed,)}), metric="energy")
    assert (row["value"], row["unit"], row["examples"]) == (0.5, "J/sentence", 3)


def test_zero_shot_means_are_rows_with_their_intervals(run: RunRecord) -> None:
    other = run.scores[0].comparison
    assert other is not None
    compared = other.model_copy(update={"zero_shot_interval": (-2.0, 1.0)})
    score = run.scores[0].model_copy(
        update={"zero_shot_interval": (61.0, 66.0), "comparison": compared}
    )
    (row,) = kept(run.model_copy(update={"scores": (score,)}), kind="zero-shot mean")
    assert (row["task"], row["metric"], row["language"]) == ("xnli", "accuracy", None)
    assert (row["value"], row["low"], row["high"]) == (score.zero_shot(), 61.0, 66.0)
    assert (row["difference_low"], row["difference_high"]) == (-2.0, 1.0)
    assert (row["compared_with"], row["unit"], row["seed"]) == ("the other", "percent", 7)
    seen = score.model_copy(update={"seen_languages": tuple(score.metrics["accuracy"])})
    assert not kept(run.model_copy(update={"scores": (seen,)}), kind="zero-shot mean")


def test_both_files_read_back(run: RunRecord, tmp_path: Path) -> None:
    named = [("one", run), ("two", run)]
    expected = table(named)
    assert expected.column_names == list(COLUMNS)
    assert expected.num_rows == 2 * len(list(rows([("one", run)])))
    write_parquet(named, tmp_path / "new" / "all.parquet")
    assert parquet.read_table(tmp_path / "new" / "all.parquet").equals(expected)
    write_csv(named, tmp_path / "new" / "all.csv")
    options = csv.ConvertOptions(column_types=expected.schema, strings_can_be_null=True)
    assert csv.read_csv(tmp_path / "new" / "all.csv", convert_options=options).equals(expected)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"all.csv", "all.parquet"}


@pytest.mark.parametrize("first", "=+-@\t")
def test_no_text_is_a_formula_of_a_spreadsheet(run: RunRecord, tmp_path: Path, first: str) -> None:
    text = f"{first}cmd|' /C calc'!A0"
    score = run.scores[0].model_copy(update={"prefix": text, "task": text})
    write_csv([("one", run.model_copy(update={"scores": (score,)}))], tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        (row,) = (r for r in reader(file) if r["language"] == "de" and r["kind"] == "score")
    assert (row["prefix"], row["task"]) == (f"'{text}", f"'{text}")
    assert (row["difference_low"], row["value"], row["scoring"]) == ("-1.5", "70", "")


def test_a_file_that_cannot_be_written_is_told_and_left_as_it_was(
    run: RunRecord, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    for write in (write_csv, write_parquet):
        with pytest.raises(DataError, match="folder cannot be written: Is a directory"):
            write([("one", run)], tmp_path / "folder")
        with pytest.raises(DataError, match="cannot be written: "):
            write([("one", run)], tmp_path / "file" / "below")
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}
    assert (tmp_path / "file").read_text() == "kept"
