"""Which columns of a file hold the texts, what separates them, and where a line of names is."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from evalsuite.bulk.open_rows import Reading
from evalsuite.bulk.run_model import Job
from evalsuite.errors import DataError
from evalsuite.inference.answers import Choices, Texts, Words
from evalsuite.own.records import Column, records
from tests.support.bulk_rows import ROWS, answer, as_file, from_file


def test_columns_are_chosen_by_name_number_and_habit(tmp_path: Path) -> None:
    def texts(raw: str, reading: Reading, kind: Texts | None = None) -> list[list[str]]:
        found: list[list[str]] = []

        def note(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
            found.extend(map(list, rows))
            return [{"x": 1.0} for _ in rows]

        (tmp_path / "r").write_text(raw)
        answer(Job(str(tmp_path / "r"), tmp_path / "o.csv", reading=reading), kind, note)
        (tmp_path / "o.csv").unlink()
        return found

    assert texts("b,a\n1,2\n", Reading("csv", ("a", "b"))) == [["2", "1"]]
    assert texts("b,a\n1,2\n", Reading("csv", ("2",))) == [["a"], ["2"]]
    assert texts("n,second,first\n1,2,3\n", Reading("csv")) == [["3", "2"]]
    assert texts("body\nx\n", Reading("csv")) == [["x"]]
    assert texts("x\ty\nz\tw\n", Reading("tsv")) == [["x", "y"], ["z", "w"]]  # no line of names
    assert texts("n\ttext\n1\tw\n", Reading("tsv")) == [["w"]]
    listed = '{"context": "c", "choices": ["a", "b"]}\n'
    assert texts(listed, Reading("jsonl"), Choices()) == [["c", "a", "b"]]
    asked = '{"context": "c", "question": "Why?", "choices": ["a", "b"]}\n'
    assert texts(asked, Reading("jsonl"), Choices()) == [["c\tWhy?", "a", "b"]]
    assert Choices().example(["c\tWhy?", "a", "b"]).question == "Why?"
    named = Reading("jsonl", ("context", "choices"))
    assert texts(asked, named, Choices()) == [["c", "a", "b"]]
    as_csv = 'context,choices\nc,"[""a"", ""b""]"\n'
    assert texts(as_csv, Reading("csv"), Choices()) == [["c", "a", "b"]]
    assert texts("c\ta\tb\n", Reading("lines"), Choices()) == [["c", "a", "b"]]
    assert texts('{"words": ["a", "b"]}\n', Reading("jsonl"), Words()) == [["a b"]]


LONG = "word " * 3000
SEMICOLONS = [
    # file, --columns, texts, bad rows
    ('\n"id";text\n1;It rains, again.\n2;"a; ""b"""\n\n3\n', (),
     ["It rains, again.", 'a; "b"'], ["r.csv:6: 1 columns where 2 are expected"]),
    ("Text;Note (1,2)\nIt rains.;3\n", ("Text",), ["It rains."], []),
    ("It rains, so.;weather\nIt snows.;weather\n", ("1",), ["It rains, so.", "It snows."], []),
    ("Sauber;4,5\nLaut;2,0\n", ("1",), ["Sauber", "Laut"], []),
    ("Hello, you;Hallo, du\n" * 3, ("2",), ["Hallo, du"] * 3, []),
    ("a;b,1\nc;d,2\n", ("1",), ["a;b", "c;d"], []),  # of both, commas
    (f"{LONG};x\n" * 60, ("2",), ["x"] * 60, []),
    ('"three\nlong\nlines";x\n' * 60, ("2",), ["x"] * 60, []),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "columns", "found", "problems"), SEMICOLONS)
def test_columns_of_csv_may_be_separated_by_semicolons(
    raw: str, columns: tuple[str, ...], found: list[str], problems: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(raw, encoding="utf-8")
    done, seen = answer(Job(str(path), tmp_path / "out.jsonl", reading=Reading(columns=columns)))
    column = columns[0] if columns else "text"
    assert [row[column] for row in from_file(tmp_path / "out.jsonl")] == found
    assert seen.problems == problems and done.rows == len(found) + len(problems)
    key: Column = int(column) if column.isdecimal() else column
    if not problems:  # a training reads the same
        assert [record.fields[key] for record in records(path, [key])] == found


def test_a_row_of_tsv_whose_cells_are_empty_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "r.tsv").write_text("id\ttext\n1\ta\n\t\n\n3\tc\n")
    done, seen = answer(Job(str(tmp_path / "r.tsv"), tmp_path / "out.jsonl"))
    assert (done.rows, seen.problems) == (3, ["r.tsv:3: an empty text in column 'text'"])


def test_a_line_of_names_in_tsv_is_seen_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "r.tsv").write_text("\ntext\tlabel\nIt rains.\tweather\n")
    answer(Job(str(tmp_path / "r.tsv"), tmp_path / "out.jsonl"))
    assert [row["text"] for row in from_file(tmp_path / "out.jsonl")] == ["It rains."]
    (tmp_path / "r.tsv").write_text("Text\tLabel\nIt rains.\tweather\n")
    with pytest.raises(DataError, match="there are: 'Text', 'Label'"):
        answer(Job(str(tmp_path / "r.tsv"), tmp_path / "two.jsonl"))


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_parquet_may_be_compressed_as_a_whole(suffix: str, tmp_path: Path) -> None:
    plain = as_file(tmp_path / "r.parquet").read_bytes()
    packed = gzip.compress(plain) if suffix == "gz" else zstandard.compress(plain)
    (tmp_path / f"r.parquet.{suffix}").write_bytes(packed)
    done, _ = answer(Job(str(tmp_path / f"r.parquet.{suffix}"), tmp_path / "out.jsonl"))
    assert done.rows == len(ROWS) and done.bad == 0


def test_the_first_json_lines_choose_their_column_together(tmp_path: Path) -> None:
    def texts(*rows: dict[str, str], columns: tuple[str, ...] = ()) -> list[list[str]]:
        found: list[list[str]] = []

        def note(given: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
            found.extend(map(list, given))
            return [{"x": 1.0} for _ in given]

        path = as_file(tmp_path / "r.jsonl", list(rows))
        job = Job(str(path), tmp_path / "o.jsonl", reading=Reading(columns=columns))
        _, seen = answer(job, model=note)
        (tmp_path / "o.jsonl").unlink()
        return [*found, seen.problems]

    absent = ["r.jsonl:1: no text in column 'text'"]
    assert texts({"id": "7"}, {"id": "8", "text": "a"}) == [["a"], absent]
    assert texts({"id": "7", "n": "1"}, {"id": "8", "text": "a"}) == [["a"], absent]
    assert texts({"body": "a"}, {"body": "b"}) == [["a"], ["b"], []]
    assert texts({}, {"body": "b"}) == [["b"], ["r.jsonl:1: no text in column 'body'"]]
    pair = {"sentence1": "a", "sentence2": "b"}
    assert texts(pair, {"text": "c"}) == [["a", "b"], ["r.jsonl:2: no text in column 'sentence1'"]]
    assert texts({"id": "7"}, {"body": "b"}, columns=("body",)) == [
        ["b"], ["r.jsonl:1: no text in column 'body'"]
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"--columns NAME.*\nthere are: 'id', 'body'"):
        texts({"id": "7"}, {"body": "b"})


@pytest.mark.parametrize("first", ["a\tb\tc", "", "\tb", "a\t \t"])
def test_a_bad_first_line_does_not_decide_for_the_others(first: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(f"{first}\na\tb\nc\td\ne\n")
    _, seen = answer(Job(str(tmp_path / "r.txt"), tmp_path / "o.csv"))
    rows = from_file(tmp_path / "o.csv")
    assert [(row["first"], row["second"]) for row in rows] == [("a", "b"), ("c", "d")]
    assert [problem.split(":")[1] for problem in seen.problems] == ["1", "4"]
    assert seen.problems[1] == "r.txt:4: 1 column(s), and the first usable line has 2"
