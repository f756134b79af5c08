"""Runs over files of rows that were killed: they go on to the same bytes, or say why not."""

from __future__ import annotations

import fcntl
import json
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from evalsuite.bulk import windows
from evalsuite.bulk.journal import Journal
from evalsuite.bulk.run_model import Job
from evalsuite.errors import DataError
from evalsuite.inference.answers import Sentences, Texts
from evalsuite.retrieval.sentence_embedder import OneText
from tests.support.bulk_rows import LONGEST, ROWS, answer, as_file, label, vectors


class Killed(BaseException):
    """The end of a process."""


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv", "o.parquet", "o.tsv.gz", "o.npy"])
def test_a_killed_run_goes_on_to_the_same_bytes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 2)
    long = {"id": "y", "text": "x" * (LONGEST + 1)}  # read again by each run, and counted once
    rows = [long, ROWS[1], {"id": "x", "text": ""}, *ROWS[2:]]
    path = as_file(tmp_path / "r.csv", rows)
    model = vectors if name == "o.npy" else label
    whole = tmp_path / "whole" / name
    whole.parent.mkdir()
    kind: Texts = OneText() if name == "o.npy" else Sentences()
    answer(Job(str(path), whole), kind, model)
    append, calls = Journal.append, 0

    def dying(self: Journal, *given: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            self._file.write(b"half a win")
            self._file.flush()
            raise Killed
        append(self, *given)

    out = tmp_path / name
    for _ in range(20):
        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "append", dying)
            try:
                done, seen = answer(Job(str(path), out), kind, model)
                break
            except Killed:
                assert not out.exists()
    assert out.read_bytes() == whole.read_bytes()
    assert seen.resumed == 8 and seen.rows == 10 and done.cut == 1
    bad = tmp_path / f"{name}.bad.jsonl"
    assert bad.read_bytes() == (whole.parent / bad.name).read_bytes() != b""
    assert len(list(tmp_path.iterdir())) == 4  # the input, the output, its bad rows, whole/


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
@pytest.mark.parametrize("done", [False, True])
def test_a_kill_while_files_get_their_names(
    name: str, done: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after each renaming: the output is absent, or whole; the rerun makes it whole."""
    monkeypatch.setattr(windows, "ROWS", 4)
    path = as_file(tmp_path / "r.csv", [*ROWS, {"id": "x", "text": ""}])
    whole = tmp_path / name
    answer(Job(str(path), whole))
    rename, calls, kill_at = Path.replace, 0, 0

    def dying(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == kill_at and not done:
            raise Killed
        found = rename(self, target)
        if calls == kill_at:
            raise Killed
        return found

    kills = 0
    for kill_at in range(1, 9):
        calls, out = 0, tmp_path / str(kill_at) / name
        out.parent.mkdir()
        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(Path, "replace", dying)
            answer(Job(str(path), out))
        kills += calls == kill_at
        if not out.exists():
            answer(Job(str(path), out))
        assert out.read_bytes() == whole.read_bytes()
        listed = out.with_name(f"{name}.bad.jsonl")
        assert listed.read_bytes() == whole.with_name(f"{name}.bad.jsonl").read_bytes()
        out.unlink()  # whatever a kill has left is no obstacle to a new run
        answer(Job(str(path), out))
        assert out.read_bytes() == whole.read_bytes()
    assert kills == 4  # three windows, and the file


def begun(tmp_path: Path, path: Path, job: Job) -> None:
    """A run that is killed before its second window."""

    def dying(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        if rows[0][0] == ROWS[2]["text"]:
            raise Killed
        return label(rows)

    with pytest.raises(Killed):
        answer(job, model=dying)


def test_what_does_not_fit_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 2)
    path, out = as_file(tmp_path / "r.csv"), tmp_path / "o.csv"
    job = Job(str(path), out)
    begun(tmp_path, path, job)
    with pytest.raises(DataError, match="this model gives other answers to its first rows") as end:
        answer(job, model=lambda rows: [{"label": "a", "scores": {"a": 1.0}} for _ in rows])
    assert f"to begin again, type: rm {out}.partial" in str(end.value)
    as_file(path, ROWS[1:])
    with pytest.raises(DataError, match=r"this model gives other answers|of the input are others"):
        answer(job)
    as_file(path, [ROWS[0], ROWS[1] | {"id": "y"}, *ROWS[2:]])
    with pytest.raises(DataError, match=r"gives other answers|the first 2 rows of the input are"):
        answer(job)
    as_file(path)
    with (tmp_path / "o.csv.partial").open("r+b") as file:
        file.truncate(3)
    with pytest.raises(DataError, match="it is shorter than it was"):
        answer(job)
    (tmp_path / "o.csv.partial.json").write_text("{}")
    answer(job)
    with pytest.raises(DataError, match=r"o\.csv is there already; delete it"):
        answer(job)
    out.unlink()
    held = Journal(out)
    with pytest.raises(DataError, match="is being written by another process"):
        answer(job)
    held.close()
    assert answer(job)[0].rows == 9


@pytest.mark.parametrize("name", ["o.csv", "o.parquet", "o.csv.gz"])
def test_what_another_process_finishes_meanwhile_is_kept(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one publishes after this one has opened the rows so far, and before it has them."""
    path, out = as_file(tmp_path / "r.csv"), tmp_path / name
    lock = fcntl.flock

    def late(file: IO[bytes], how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        answer(Job(str(path), out))
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(DataError, match=f"{name} is there already"):
        Journal(out)
    monkeypatch.setattr(fcntl, "flock", lock)
    whole = out.read_bytes()
    assert whole and sorted(tmp_path.iterdir()) == sorted([path, out])
    out.unlink()
    answer(Job(str(path), out))
    assert out.read_bytes() == whole


def test_a_file_that_another_process_gave_up_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, lock = tmp_path / "o.csv", fcntl.flock
    other = Journal(out)

    def late(file: IO[bytes], how: int) -> None:
        other.close()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(DataError, match="another process until now; run the same command again"):
        Journal(out)
    assert not list(tmp_path.iterdir())
    second = Journal(out)
    other.close()  # a second time: what is there is not its own
    assert second.partial.exists() and second.bad.exists()
    second.close()
    assert not list(tmp_path.iterdir())


def test_the_command_to_begin_again_can_be_typed(tmp_path: Path) -> None:
    out = tmp_path / "my answers.csv"
    partial, state = (tmp_path / f"my answers.csv.partial{end}" for end in ("", ".json"))
    partial.write_text("a")
    state.write_text("[]")
    with pytest.raises(DataError) as error:
        Journal(out)
    command = str(error.value).rpartition("type: ")[2]
    assert shlex.split(command) == ["rm", str(partial), str(state)]


def test_rows_cut_by_an_older_version_are_unknown_and_not_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 2)
    path = as_file(tmp_path / "r.csv", [{"id": "y", "text": "x" * (LONGEST + 1)}, *ROWS[1:]])
    job = Job(str(path), tmp_path / "o.csv")
    begun(tmp_path, path, job)
    state = tmp_path / "o.csv.partial.json"
    counts = json.loads(state.read_text())
    assert counts.pop("cut") == 1
    state.write_text(json.dumps(counts))
    done, _ = answer(job)
    assert done.cut is None and done.rows == 9
