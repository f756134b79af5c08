"""Outputs without a row, and files that standard output goes to."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from evalsuite.bulk.run_model import Job
from evalsuite.errors import DataError
from evalsuite.inference.answers import Sentences
from evalsuite.retrieval.sentence_embedder import OneText
from tests.support.bulk_rows import ROWS, answer, as_file, from_file, label, vectors


def test_no_lines_give_an_output_without_rows(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    for name in ("v.npy", "v.parquet", "v.jsonl", "o.parquet", "o.jsonl", "o.csv", "o.tsv.gz"):
        embeds, out = name.startswith("v"), tmp_path / name
        texts, model = (OneText(), vectors) if embeds else (Sentences(), label)
        done, _ = answer(Job(str(tmp_path / "empty.txt"), out), texts, model)
        assert (done.rows, done.bad) == (0, 0)
        if name == "v.npy":
            found = np.load(out)
            assert found.shape == (0, 3) and found.dtype == np.float32
        elif ".parquet" in name:
            assert pyarrow.parquet.read_table(out).num_rows == 0
        else:
            assert from_file(out) == []
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize("name", ["o.csv.gz", "o.jsonl.zst", "o.TSV.GZ", "o.csv", "o.parquet"])
def test_a_file_of_standard_output_is_written_as_its_name_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_file(tmp_path / "r.csv")
    answer(Job(str(path), tmp_path / name))
    (tmp_path / "redirected").mkdir()
    redirected = tmp_path / "redirected" / name
    with redirected.open("w") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        answer(Job(str(path)))
    assert redirected.read_bytes() == (tmp_path / name).read_bytes() != b""
    if name != "o.TSV.GZ":
        assert [row["text"] for row in from_file(redirected)] == [row["text"] for row in ROWS]


def test_what_is_refused_as_an_output_is_refused_of_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = as_file(tmp_path / "r.csv"), tmp_path / "x.parquet.gz"
    with out.open("w") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        with pytest.raises(DataError, match=r"x\.parquet\.gz: a parquet file is not compressed"):
            answer(Job(str(path)))
    assert out.read_bytes() == b""
