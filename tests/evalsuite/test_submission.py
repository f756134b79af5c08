"""Prediction files: what is written is read back, and is the benchmark's layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalsuite.errors import MalformedRowError, MissingDataError, UnknownNameError
from evalsuite.registry import TASKS
from evalsuite.submission import files


@pytest.mark.parametrize(
    ("task", "rows", "text"),
    [
        ("xnli", ["neutral", "entailment"], "neutral\nentailment\n"),
        ("udpos", [["DET", "NOUN"], ["X"]], "DET\nNOUN\n\nX\n"),
        ("panx", [["O"]], "O\n"),
        ("xnli", ["<error>", "neutral"], "<error>\nneutral\n"),
        ("udpos", [["<head>", "BZh"]], "<head>\nBZh\n"),
        ("tatoeba", [3, 0], "3\n0\n"),
    ],
)
def test_layout(tmp_path: Path, task: str, rows: list[object], text: str) -> None:
    path = files.write(tmp_path, task, "sw", rows)
    assert path == tmp_path / task / "test-sw.tsv"
    assert path.read_text() == text
    assert files.read(tmp_path, task, "sw") == rows
    assert [p.name for p in path.parent.iterdir()] == ["test-sw.tsv"]


def test_other_splits_are_named(tmp_path: Path) -> None:
    path = files.write(tmp_path, "xnli", "sw", ["neutral"], split="dev")
    assert path.name == "dev-sw.tsv"
    assert files.read(tmp_path, "xnli", "sw", split="dev") == ["neutral"]


@pytest.mark.parametrize(
    ("task", "rows", "text"),
    [
        ("xnli", [], "no predictions"),
        ("udpos", [["DET"], []], "a sentence without tags"),
        ("xnli", ["a\nb"], "not one line"),
        ("xnli", [""], "empty"),
    ],
)
def test_unwritable_rows(tmp_path: Path, task: str, rows: list[object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        files.write(tmp_path, task, "sw", rows)
    assert not list(tmp_path.rglob("*.tsv"))


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="predictions for xnli sw: there is no"):
        files.read(tmp_path, "xnli", "sw")
    (tmp_path / "tatoeba").mkdir()
    (tmp_path / "tatoeba" / "test-sw.tsv").write_text("1\ntwo\n")
    with pytest.raises(MalformedRowError, match=r"test-sw\.tsv:2: 'two' is no row number"):
        files.read(tmp_path, "tatoeba", "sw")
    (tmp_path / "tatoeba" / "test-sw.tsv").write_text("1\n\n2\n")
    with pytest.raises(MalformedRowError, match=r"test-sw\.tsv:2: a blank line"):
        files.read(tmp_path, "tatoeba", "sw")
    with pytest.raises(UnknownNameError, match="did you mean 'xnli'"):
        files.write(tmp_path, "xnly", "sw", ["neutral"])


@pytest.mark.data
def test_the_mock_submission_survives_a_round_trip(mock_dir: Path, tmp_path: Path) -> None:
    checked = 0
    for name in TASKS.names():
        for original in sorted((mock_dir / "predictions" / name).glob("*")):
            language = original.stem.removeprefix("test-")
            rows = files.read(mock_dir / "predictions", name, language)
            ids = list(rows) if isinstance(rows, dict) else ()
            values = list(rows.values()) if isinstance(rows, dict) else rows
            copy = files.write(tmp_path, name, language, values, ids=ids)
            if isinstance(rows, dict):  # JSON has spaces the scorer does not see
                assert json.loads(copy.read_text()) == json.loads(original.read_text())
            else:
                assert copy.read_bytes() == original.read_bytes(), original
            checked += 1
    assert checked == 15 + 33 + 40 + 36 + 11
