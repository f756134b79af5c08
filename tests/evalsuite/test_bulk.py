"""Files of rows: read in every form, answered in windows, written whole.

The model is a function here; `tests/recipes/test_model_commands.py` has real ones.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from evalsuite.bulk import windows
from evalsuite.bulk.open_rows import Reading, open_rows
from evalsuite.bulk.rows import BadRow, Row
from evalsuite.bulk.run_model import Job
from evalsuite.errors import DataError, EvalsuiteError, MalformedRowError
from evalsuite.retrieval.sentence_embedder import OneText
from tests.support.bulk_rows import ROWS, answer, as_file, from_file, label, vectors


@pytest.mark.parametrize(
    "name",
    ["r.csv", "r.tsv", "r.jsonl", "r.parquet", "r.csv.gz", "r.tsv.zst", "r.jsonl.zst", "r.CSV"],
)
def test_every_form_is_read(name: str, tmp_path: Path) -> None:
    rows = [row for row in ROWS if row["id"] != "3"] if "tsv" in name else ROWS
    path = as_file(tmp_path / name.lower(), rows)
    path = path.rename(tmp_path / name)
    done, seen = answer(Job(str(path), tmp_path / "out.jsonl"))
    assert (done.rows, done.bad, seen.problems) == (len(rows), 0, [])
    found = from_file(tmp_path / "out.jsonl")
    assert [{"id": row["id"], "text": row["text"]} for row in found] == rows
    assert found[0]["label"] == "a" and found[0]["scores"] == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize(
    "name", ["o.jsonl", "o.csv", "o.tsv", "o.parquet", "o.csv.gz", "o.jsonl.zst"]
)
def test_every_form_is_written(name: str, tmp_path: Path) -> None:
    path = as_file(tmp_path / "r.csv")
    answer(Job(str(path), tmp_path / name))
    found = from_file(tmp_path / name)
    assert [{"id": row["id"], "text": row["text"]} for row in found] == ROWS
    said = [row["label"] for row in found]
    assert said == [row["label"] for row in label([[row["text"]] for row in ROWS])]
    if "jsonl" not in name:
        assert list(found[0]) == ["id", "text", "label", "score"]
        assert [float(row["score"]) for row in found[:2]] == [0.25, 0.25]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "r.csv"])


def test_parquet_keeps_the_types_of_columns(tmp_path: Path) -> None:
    from datetime import datetime

    kinds = {"n": pyarrow.int16(), "when": pyarrow.timestamp("us"), "raw": pyarrow.binary(),
             "kind": pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
             "text": pyarrow.string()}  # fmt: skip
    row = {"n": 7, "when": datetime(2026, 1, 2), "raw": b"\0\1", "kind": "x", "text": "a"}
    table = pyarrow.Table.from_pylist([row, dict.fromkeys(row, None) | {"text": "b"}])
    table = table.cast(pyarrow.schema(kinds.items()))
    pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
    answer(Job(str(tmp_path / "r.parquet"), tmp_path / "o.parquet"))
    found = pyarrow.parquet.read_table(tmp_path / "o.parquet")
    assert [str(kind) for kind in found.schema.types] == [
        "int16", "timestamp[us]", "binary", "string", "string", "string", "double"
    ]  # fmt: skip
    assert found.to_pylist()[0].items() >= row.items()
    answer(Job(str(tmp_path / "r.parquet"), tmp_path / "o.jsonl"))
    assert from_file(tmp_path / "o.jsonl")[0] | {"label": "", "scores": ""} == {
        "n": 7, "when": "2026-01-02T00:00:00", "raw": "AAE=", "kind": "x", "text": "a",
        "label": "", "scores": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "raw", "problems"),
    [
        ("r.csv", b'text\na,b\n\nc\n"d"e\nf\n" "\n\xff\n\0\ng\n', [
            "r.csv:2: 2 columns where 1 are expected",
            "r.csv:5: not a row of CSV: ',' expected after '\"'",
            "r.csv:7: an empty text in column 'text'",
            "r.csv:8: not UTF-8 (byte 0xff)",
            "r.csv:9: a NUL byte; the file is damaged or not UTF-8 text",
        ]),
        ("r.jsonl", b'{"text": "c"}\n\n[1]\n{"text": 1e999}\n{"text": null}\n{}\n{"text": "f"}\n'
                    b'{"text": true}\n{"text": "g"}\n', [
            "r.jsonl:3: not a JSON object with the columns as its keys",
            "r.jsonl:4: not JSON: the number 1e999 is not finite",
            "r.jsonl:5: no text in column 'text'",
            "r.jsonl:6: no text in column 'text'",
            "r.jsonl:8: no text in column 'text', but bool",
        ]),
        ("r.tsv", b"text\tn\nc\t1\nd\nf\t2\r\n\t3\ng\t4", [
            "r.tsv:3: 1 columns where 2 are expected",
            "r.tsv:5: an empty text in column 'text'",
        ]),
        ("r.txt", b"\xef\xbb\xbfc\n\nf\r\na\tb\ng", [
            "r.txt:2: an empty text", "r.txt:4: 2 column(s), and the first usable line has 1",
        ]),
    ],
)  # fmt: skip
def test_bad_rows_are_reported_and_do_not_stop_the_rest(
    name: str, raw: bytes, problems: list[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(raw)
    job = Job(str(tmp_path / name), tmp_path / "o.jsonl")
    done, seen = answer(job)
    assert seen.problems == problems
    assert [row["text"] for row in from_file(tmp_path / "o.jsonl")] == ["c", "f", "g"]
    assert (done.rows, done.bad) == (3 + len(problems), len(problems))
    listed = from_file(tmp_path / "o.jsonl.bad.jsonl")
    assert [f"{name}:{row['row']}: {row['problem']}" for row in listed] == problems
    (tmp_path / "o.jsonl").unlink()
    with pytest.raises(
        MalformedRowError, match=problems[0].replace("(", r"\(").replace(")", r"\)")
    ):
        answer(Job(job.file, job.output, strict=True))
    (tmp_path / name).write_bytes(b"\xff\n" if name in ("r.txt", "r.jsonl") else b"text\n\xff\n")
    with pytest.raises(MalformedRowError, match=rf"\(byte 0xff\); convert it: iconv .* {name}$"):
        answer(Job(job.file, job.output, strict=True))
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize(
    ("raw", "reading", "says"),
    [
        (b"", Reading("csv"), "no column is called text or first,second"),
        (b"text\n", Reading("csv"), "there is no row"),
        (b"text\n\n \n", Reading("csv"), "none of its 1 rows can be read"),
        (b"a,b\n1,2\n", Reading("csv"), "say which hold the text: --columns"),
        (b"a,b\n1,2\n", Reading("csv", ("c",)), "no column 'c'; there are: 'a', 'b'"),
        (b"a,b,c\n1,2,3\n", Reading("csv", ("a", "b", "c")), "reads 1 to 2 column"),
        (b"a,a\n1,2\n", Reading("csv", ("a",)), ":1: two columns have the name 'a'"),
        (b"a,b\n1,2\n", Reading("lines", ("a",)), "plain lines have no columns"),
        (b'{"x": 1, "y": 2}\n', Reading("jsonl"), "there are: 'x', 'y'"),
        (b"PAR1 and no more", Reading("parquet"), "cannot be read: "),
        (b"version https://git-lfs.github.com/spec/v1\n", Reading("csv"), "a Git LFS pointer"),
        (b"\xff\xfet\0e\0", Reading("csv"), "UTF-16"),
        (b"t\xfcxt\na\n", Reading("csv"), "0xfc); convert it: iconv -f <encoding> -t utf-8 r"),
        (gzip.compress(b"text\n" + b"a line\n" * 9, mtime=0)[:-9], Reading("csv"), "to its end: "),
        (zstandard.compress(b"text\n" + b"a line\n" * 9)[:-3], Reading("csv"), "cut short"),
    ],
)
def test_an_input_that_cannot_be_used_is_one_message(
    raw: bytes, reading: Reading, says: str, tmp_path: Path
) -> None:
    (tmp_path / "r").write_bytes(raw)
    with pytest.raises(EvalsuiteError) as error:
        answer(Job(str(tmp_path / "r"), tmp_path / "o.csv", reading=reading))
    assert says in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]
    with pytest.raises(DataError, match=r"absent\.txt cannot be read: .*No such file"):
        answer(Job(str(tmp_path / "absent.txt"), tmp_path / "o.csv"))


def test_bad_rows_of_an_earlier_run_are_not_listed(tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    answer(Job(str(as_file(tmp_path / "r.csv", [{"text": "a"}, {"text": ""}])), out))
    listed = tmp_path / "o.csv.bad.jsonl"
    assert listed.is_file()
    out.unlink()
    answer(Job(str(as_file(tmp_path / "r.csv", [{"text": "a"}, {"text": "b"}])), out))
    assert not listed.exists()


def test_a_column_with_the_answers_name_is_kept(tmp_path: Path) -> None:
    rows = [{"text": "aa", "label": "gold"}, {"text": "b", "label": "other"}]
    path = as_file(tmp_path / "r.csv", rows)
    answer(Job(str(path), tmp_path / "o.csv"))
    found = from_file(tmp_path / "o.csv")
    assert found[0] == {
        "text": "aa", "label": "gold", "predicted_label": "a", "predicted_score": "0.25"
    }  # fmt: skip
    path = as_file(tmp_path / "s.csv", [{"text": "aa", "score": "0.9"}])
    for name in ("s-out.csv", "s-out.parquet"):
        answer(Job(str(path), tmp_path / name))
        (row,) = from_file(tmp_path / name)
        assert row["score"] == "0.9" and float(row["predicted_score"]) == 0.25
    path = as_file(tmp_path / "s.jsonl", [{"text": "aa", "score": 0.9}])
    answer(Job(str(path), tmp_path / "s-out.jsonl"))
    (row,) = from_file(tmp_path / "s-out.jsonl")  # it has `scores`, and no `score`
    assert (row["score"], row["label"]) == (0.9, "a")
    path = as_file(tmp_path / "r.jsonl", [{"text": "a"}, {"text": "b", "label": "gold"}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "ROWS", 1)
        _, seen = answer(Job(str(path), tmp_path / "o.jsonl"))
    assert seen.problems == ["r.jsonl:2: it has a column 'label', which the answer is called"]


def test_rows_of_json_lines_must_fit_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 2)
    rows = [{"text": "a", "n": 1}, {"text": "b", "n": 2}, {"text": "c", "n": "x"},
            {"text": "d", "m": 1}, {"text": "e"}]  # fmt: skip
    path = as_file(tmp_path / "r.jsonl", rows)
    strange = "r.jsonl:4: it has a column 'm', which the first rows do not have"
    _, seen = answer(Job(str(path), tmp_path / "o.csv"))
    assert seen.problems == [strange]
    assert [row["n"] for row in from_file(tmp_path / "o.csv")] == ["1", "2", "x", ""]
    _, seen = answer(Job(str(path), tmp_path / "o.parquet"))
    assert seen.problems == ["r.jsonl:3: column 'n' is no int64, as in the first rows", strange]
    assert [row["n"] for row in from_file(tmp_path / "o.parquet")] == [1, 2, None]


def test_vectors_stand_in_the_place_of_their_rows(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("ab\n\nabcd\n")
    _, seen = answer(Job(str(tmp_path / "r.txt"), tmp_path / "v.npy"), OneText(), vectors)
    found = np.load(tmp_path / "v.npy")
    assert found.dtype == np.float32 and found.shape == (3, 3)
    assert found[:, 0].tolist()[::2] == [2, 4] and np.isnan(found[1]).all()
    assert seen.problems == ["r.txt:2: an empty text"]
    for name in ("v.jsonl", "v.parquet"):
        answer(Job(str(tmp_path / "r.txt"), tmp_path / name), OneText(), vectors)
        assert from_file(tmp_path / name) == [
            {"text": "ab", "vector": [2.0] * 3}, {"text": "abcd", "vector": [4.0] * 3}
        ]  # fmt: skip


@pytest.mark.parametrize("to", ["jsonl", "csv", "parquet"])
def test_standard_input_and_output(
    to: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    raw = b"text\na\nbb\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(raw))))
    answer(Job(to=to, reading=Reading("csv")))
    out = capfdbinary.readouterr().out
    if to == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(out)).to_pylist()[1]["label"] == "a"
    else:
        assert (
            out.splitlines()[-1]
            == {
                "csv": b"bb,a,0.25",
                "jsonl": b'{"text": "bb", "label": "a", "scores": {"a": 0.25, "b": 0.75}}',
            }[to]
        )


def test_the_output_form_is_the_name_s_or_said(tmp_path: Path) -> None:
    path = as_file(tmp_path / "r.csv")
    with pytest.raises(DataError, match=r"o\.xlsx: cannot write this kind of file; it can be: j"):
        answer(Job(str(path), tmp_path / "o.xlsx"))
    with pytest.raises(DataError, match="cannot write npy"):
        answer(Job(str(path), tmp_path / "o.csv", to="npy"))
    with pytest.raises(DataError, match="a parquet file is not compressed as a whole"):
        answer(Job(str(path), tmp_path / "o.parquet.gz"))
    with pytest.raises(DataError, match=r"none/o\.csv cannot be written: No such file"):
        answer(Job(str(path), tmp_path / "none" / "o.csv"))
    answer(Job(str(path), tmp_path / "o.xlsx", to="csv"))
    assert (tmp_path / "o.xlsx").read_text().startswith("id,text,label,score\n")


def test_a_line_without_end_is_bad_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalsuite.bulk.read_text.LONGEST", 1 << 20)
    (tmp_path / "r.txt").write_bytes(b"a\n" + b"x" * (3 << 20) + b"\nb\n")
    with open_rows(str(tmp_path / "r.txt"), Reading()) as rows:
        assert list(rows) == [
            Row(1, {"line": "a"}), BadRow(2, "the line is longer than 1 MiB"), Row(3, {"line": "b"})
        ]  # fmt: skip
