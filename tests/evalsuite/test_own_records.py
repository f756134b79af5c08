"""Rows of table files of every kind, right and broken."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.errors import DataError, MalformedRowError
from evalsuite.own.records import records

ROWS = [("It rains.", "weather"), ('He said "no", twice.', "speech"), ("Två\u2028rader", "text")]
NAMES = ("text", "label")


def as_csv() -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([NAMES, *ROWS])
    return out.getvalue().encode()


def as_tsv() -> bytes:
    return "".join("\t".join(row) + "\n" for row in [NAMES, *ROWS]).encode()


def as_json() -> bytes:
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS).encode()


def write(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def read(path: Path, columns: tuple[str | int, ...] = NAMES) -> list[tuple[str, ...]]:
    return [tuple(row.fields[column] for column in columns) for row in records(path, columns)]


FILES = {"a.csv": as_csv, "a.tsv": as_tsv, "a.txt": as_tsv, "a.jsonl": as_json}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", ["", ".gz", ".zst", "bom", "crlf"])
def test_the_same_rows_in_every_form(tmp_path: Path, name: str, packed: str) -> None:
    raw = FILES[name]()
    if packed == ".gz":
        raw = gzip.compress(raw)
    elif packed == ".zst":
        raw = zstandard.compress(raw)
    elif packed == "bom":
        raw, packed = b"\xef\xbb\xbf" + raw, ""
    elif packed == "crlf":
        raw, packed = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), ""
    assert read(write(tmp_path, name + packed, raw)) == ROWS


def test_parquet(tmp_path: Path) -> None:
    table = pyarrow.table({"n": [1, 2], "label": ["a", None], "text": ["x", "y"]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [("x", "a"), ("y", "")]
    assert [row.line for row in records(tmp_path / "a.parquet", ("n",))] == [1, 2]


def test_a_compressed_file_under_a_plain_name(tmp_path: Path) -> None:
    assert read(write(tmp_path, "a.csv", gzip.compress(as_csv()))) == ROWS


def test_a_name_in_capitals(tmp_path: Path) -> None:
    assert read(write(tmp_path, "A.CSV.GZ", gzip.compress(as_csv()))) == ROWS


def test_several_frames(tmp_path: Path) -> None:
    raw = as_csv()
    packed = zstandard.compress(raw[:20]) + zstandard.compress(raw[20:])
    assert read(write(tmp_path, "a.csv.zst", packed)) == ROWS


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b'text,label\n"two\nlines",a\n\nx,b\n')
    assert [(row.line, row.fields["label"]) for row in records(path, NAMES)] == [(2, "a"), (5, "b")]


def test_columns_by_number_where_there_is_no_line_of_names(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b"A man.,A woman.,2.5\n")
    assert read(path, (1, 2, 3)) == [("A man.", "A woman.", "2.5")]
    assert [row.line for row in records(path, (1,))] == [1]


def test_values_of_json_that_are_no_texts(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", b'{"text": "x", "label": 1}\n{"text": "y", "label": true}\n')
    assert read(path) == [("x", "1"), ("y", "1")]


@pytest.mark.parametrize(
    ("name", "raw", "line", "problem"),
    [
        ("a.csv", b"text,class\nx,a\n", 1, "no column 'label'; there are: text, class"),
        ("a.csv", b"text,label\nx\n", 2, "1 columns where 2 are expected"),
        ("a.csv", b"text,label,label\nx,a,b\n", 1, "several columns are called 'label'; keep one"),
        ("a.csv", b'text,label\nx,a\n"y,b\n', 3, "not a row of CSV"),
        ("a.tsv", b"text\tlabel\nx\ta\tb\n", 2, "3 columns where 2 are expected"),
        ("a.tsv", b"text\tlabel\nx\t\xff\n", 2, "not UTF-8 (byte 0xff)"),
        ("a.tsv", b"text\tlabel\nx\t\0\n", 2, "a NUL byte"),
        ("a.jsonl", b'{"text": "x", "label": "a"}\n{"text"\n', 2, "not JSON"),
        ("a.jsonl", b"[1, 2]\n", 1, "not a JSON object"),
        ("a.jsonl", b"[" * 100_000, 1, "not JSON"),
        ("a.jsonl", b'{"text": "x"}\n', 1, "no column 'label'"),
        ("a.csv", b"  \n", 1, "the file is empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, name: str, raw: bytes, line: int, problem: str
) -> None:
    path = write(tmp_path, name, raw)
    with pytest.raises(MalformedRowError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ") and problem in str(caught.value)


def overwritten(raw: bytes) -> bytes:
    """Bytes with other ones in the middle, as a damaged disk gives them."""
    return raw[:12] + b"\xff" * 12 + raw[24:]


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("a.xlsx", b"PK", "the name does not say what kind of file it is"),
        ("a.csv.gz", gzip.compress(as_csv(), mtime=0)[:30], "compressed, and damaged"),
        ("a.csv.gz", overwritten(gzip.compress(as_csv(), mtime=0)), "compressed, and damaged"),
        ("a.csv.zst", zstandard.compress(as_csv())[:20], "damaged: it is cut short"),
        ("a.csv.zst", zstandard.compress(as_csv()) + b"?", "compressed, and damaged"),
        ("a.parquet", b"PAR1", "cannot read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, raw: bytes, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read(write(tmp_path, name, raw))


@pytest.mark.parametrize("there", [True, False])
def test_a_column_is_in_all_rows_of_json_or_in_none(tmp_path: Path, there: bool) -> None:
    rows = [{"text": "x"} | ({"label": "a"} if there else {}), {"text": "y"}]
    if not there:
        rows[1]["label"] = "a"
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path = write(tmp_path, "a.jsonl", raw)
    said = "no 'label', which line 1 has" if there else "'label', which line 1 does not have"
    with pytest.raises(MalformedRowError, match=f":2: {said}; give it in all rows or in none"):
        list(records(path, ("text",), optional=("label",)))
    assert len(list(records(path, ("text",)))) == 2


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet"])
def test_two_columns_of_one_name_that_may_be_absent(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.parquet":
        columns = [pyarrow.array([value]) for value in ("x", "a", "b")]
        table = pyarrow.Table.from_arrays(columns, names=["text", "label", "label"])
        pyarrow.parquet.write_table(table, path)
    else:
        mark = "," if name == "a.csv" else "\t"
        path.write_text(f"text{mark}label{mark}label\nx{mark}a{mark}b\n")
    with pytest.raises(MalformedRowError, match=rf"{name}:1: several columns are called 'label'"):
        list(records(path, ("text",), optional=("label",)))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_long_text_is_read(tmp_path: Path, name: str) -> None:
    text, before = "long " * 40_000 + "end", csv.field_size_limit(1 << 17)
    raw = {
        "a.csv": f"text,label\n{text},a\n",
        "a.tsv": f"text\tlabel\n{text}\ta\n",
        "a.jsonl": json.dumps({"text": text, "label": "a"}),
    }[name]
    try:
        assert read(write(tmp_path, name, raw.encode())) == [(text, "a")]
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read(tmp_path / name)


TEXT = st.text(st.characters(blacklist_characters="\0\r\n", codec="utf-8"), min_size=1)


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_what_csv_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([NAMES, *rows])
    folder = tmp_path_factory.mktemp("csv")
    assert read(write(folder, "a.csv", out.getvalue().encode())) == rows


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.tsv", b"version https://git-lfs.github.com/spec/v1\noid x\n", "a Git LFS pointer"),
        ("a.csv", b"<html><body>not found</body></html>", "a web page"),
        ("a.tsv", b"text\tlabel\ra\tb\rc\td\r", "lines end as on old Macs"),
        ("a.jsonl", b'{"text": "a", "label": 1e999}\n', "the number 1e999 is not finite"),
        ("a.jsonl", b'{"text": "\\ud83d", "label": 1}\n', "half of a character"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MalformedRowError, match=rf"{name}:1: .*{problem}"):
        list(records(tmp_path / name, ("text", "label")))
