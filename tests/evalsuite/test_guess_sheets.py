"""`lingopress init`: the line of names, separators and kinds of files; rows that are divided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from drafts import CSV, rows, table

from evalsuite.data.csv_separator import separator
from evalsuite.errors import DataError
from evalsuite.guess.declare import Asked, look_at
from evalsuite.guess.divide import divide
from evalsuite.guess.sheet import read_sheet
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.own.records import records

Put = Callable[[dict[str, str]], None]


def indexed(head: str) -> str:
    lines = [f"{n},{text},{label}\n" for n, (text, label) in enumerate(rows(60))]
    return f"{head}\n" + "".join(lines)


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        (",text,label", ["", "text", "label"]),
        ("Unnamed: 0,text,label", ["Unnamed: 0", "text", "label"]),
        (",line,kind", ["", "line", "kind"]),
        ("id,text,label?", ["id", "text", "label?"]),
        ("id,my text*,label", ["id", "my text*", "label"]),
    ],
)
def test_a_line_of_names(put: Put, head: str, columns: list[str]) -> None:
    put({"msg.csv": indexed(head)})
    sheet = read_sheet(Path("msg.csv"))
    assert [column.key for column in sheet.columns] == columns
    assert sheet.rows == 60
    assert sheet.columns[0].kind == "ids"


def test_the_index_of_pandas_is_no_training_row(put: Put) -> None:
    put({"msg.csv": indexed(",text,label")})
    declaration = look_at([Path("msg.csv")], Asked()).declaration
    assert "columns" not in declaration
    assert OwnTask("msg", Declaration.model_validate(declaration)).labels == (
        "politics",
        "sports",
        "weather",
    )


def test_a_first_row_whose_label_is_a_usual_name_is_a_row(put: Put) -> None:
    found = [(text, ("question", "statement")[n % 2]) for n, (text, _) in enumerate(rows(60))]
    put({"r.tsv": table([("what is it", "question"), *found], "\t", head="")})
    sheet = read_sheet(Path("r.tsv"))
    assert (sheet.named, sheet.rows) == (False, 61)


def test_a_line_of_names_that_comes_again_is_one(put: Put) -> None:
    put({"twice.csv": CSV + CSV})
    assert read_sheet(Path("twice.csv")).named


SEMICOLONS = "".join(f"{text}, he said;{label}\n" for text, label in rows(60))
# Rows of three columns, one of two, and a text of three lines in quotation marks.
SHORT = "it rains;weather;1\n" * 13 + 'a;b\n"Hello,\n""it"" rains; thanks\nBob";weather;2\n'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("g.tsv", "text;label\n" + SEMICOLONS, "separated by semicolons; save it as CSV, or"),
        ("g.csv", "text|label\n" + "it rains|weather\n" * 9, "by bars; save it as CSV, or TSV"),
        ("g.csv", "text\tlabel\n" + SEMICOLONS.replace(";", "\t"), "tabs; rename it to end in .t"),
        ("g.csv", CSV + "one,two,three\n", "g.csv:32: 3 columns where 2 are expected"),
        ("g.csv", "text;label;no\n" + SHORT, "g.csv:15: 2 columns where 3 are expected"),
        ("g.csv", "text;label\n" + "it rains;weather\n" * 60 + "b\n", "g.csv:62: 1 columns"),
        ("g.txt", "text\tlabel\n" + "a\tb\n" * 9 + "a\tb\tc\n", "g.txt:11: 3 columns where 2"),
        ("g.json", json.dumps([{"text": "it rains", "label": "weather"}] * 9),
         "rows go into a file that ends in .jsonl, one JSON object per line"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_named(put: Put, name: str, text: str, message: str) -> None:
    put({name: text})
    with pytest.raises(DataError) as caught:
        read_sheet(Path(name))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("text;label\n" + SEMICOLONS, True),
        ("a text, its title, or both;label\n" + SEMICOLONS, True),
        ('"text";"label"\n' + SEMICOLONS, True),
        ("text;label\n" + '"it; rains, again";weather\n' * 9, True),
        ("in short, a text;weather\n" + SEMICOLONS.replace(", he", ", so, he"), False),
    ],
)
def test_columns_of_csv_may_be_separated_by_semicolons(put: Put, text: str, named: bool) -> None:
    put({"g.csv": text})
    sheet = read_sheet(Path("g.csv"))
    assert sheet.named == named and len(sheet.columns) == 2
    keys = [column.key for column in sheet.columns]
    read = [tuple(record.fields.values()) for record in records(Path("g.csv"), keys)]
    lines = text.splitlines()[named:]
    assert read == [tuple(line.replace('"', "").rsplit(";", 1)) for line in lines]


TWO_LINES = '"The rain, I am afraid,\nis on its way, again";weather\n'
SAID = "rock &amp; roll\n" * 3


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        (TWO_LINES * 9 + "broken\n" + TWO_LINES * 30, ";"),
        (TWO_LINES * 9 + "short, too\n" + TWO_LINES * 30, ";"),
        ("so it is, he said;weather\n" * 9 + "well, no\n", ";"),
        ((SAID + "it rains\n") * 20, ","),
        ((SAID + "it rains, again\n") * 20, ","),
        ('"It rains; again","weather"\n' * 9 + "broken\n", ","),
        ("he said; it rains,\n" * 9, ","),
    ],
)
def test_the_mark_of_a_file_without_names(text: str, mark: str) -> None:
    assert separator(text.splitlines(keepends=True), named=False) == mark


def test_rare_labels_are_divided_together() -> None:
    labels = [f"intent{n // 4}" for n in range(100)]
    parts = divide([f"text {n}" for n in range(100)], labels)
    assert {split: len(places) for split, places in parts.items()} == {
        "train": 84,
        "dev": 8,
        "test": 8,
    }
    assert {labels[place] for place in parts["train"]} == set(labels)  # no label is unknown later
    assert sorted(place for places in parts.values() for place in places) == [*range(100)]


def test_frequent_labels_are_divided_as_before() -> None:
    labels = ["a"] * 60 + ["b"] * 40
    parts = divide([f"text {n}" for n in range(100)], labels)
    assert Counter(labels[place] for place in parts["test"]) == {"a": 6, "b": 4}


def test_too_few_rows_per_label_are_named_before_anything_is_written(put: Put) -> None:
    put({"all.csv": table([(text, f"kind {n}") for n, (text, _) in enumerate(rows(52))])})
    asked = Asked(format="classification", columns={"text": "text", "label": "label"})
    with pytest.raises(DataError, match="52 rows with 52 labels are too few rows per label"):
        look_at([Path("all.csv")], asked)
    assert not Path("data").exists()


@pytest.mark.parametrize("end", ["", ".gz", ".zst"])
def test_parquet_that_is_compressed_as_a_whole(tmp_path: Path, end: str) -> None:
    import gzip

    import pyarrow
    import zstandard
    from pyarrow import parquet

    texts, labels = zip(*rows(60), strict=True)
    out = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({"text": texts, "label": labels}), out)
    raw = out.getvalue().to_pybytes()
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[end]
    path = tmp_path / f"rows.parquet{end}"
    path.write_bytes(pack(raw))
    declaration = look_at([path], Asked(folder=tmp_path / "rows-data")).declaration
    assert declaration["format"] == "classification"
    assert OwnTask("rows", Declaration.model_validate(declaration)).labels == (
        "politics",
        "sports",
        "weather",
    )
