"""Each kind of file of each format of declared tasks, right and broken in many ways.

A right file gives the rows of the plain one. A broken one gives one message, in one line, that
begins with the file (and the line, where there is one); nothing is left out without a count.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from parquet_files import as_parquet, broken_parquet

from evalsuite.data.left_out import collected
from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.task import DataSource, Example

SOURCE = DataSource("files")
Rows = list[dict[str, Any]]
# format -> keys of the declaration, rows, the part of a row that may not be empty, and its gold
FORMATS: dict[str, tuple[dict[str, Any], Rows, str, str]] = {
    "classification": (
        {"labels": {"0": "sports", "1": "weather"}},
        [{"text": 'It "rains", a lot.', "label": "1"}, {"text": "We won.", "label": "0"}],
        "text",
        "label",
    ),
    "pair": (
        {"labels": ["no", "yes"]},
        [
            {"first": "A man.", "second": "A woman.", "label": "no"},
            {"first": "A\u2028b.", "second": "B, b.", "label": "yes"},
        ],
        "second",
        "label",
    ),
    "regression": (
        {},
        [{"text": "Good.", "score": "4.5"}, {"text": "Bad; very.", "score": "-1"}],
        "text",
        "score",
    ),
    "multilabel": (
        {"columns": {"labels": ["joy", "fear"]}},
        [{"text": "Oh!", "joy": "1", "fear": "0"}, {"text": "Ah, no.", "joy": "0", "fear": "0"}],
        "text",
        "fear",
    ),
    "choice": (
        {"columns": {"choices": ["a", "b"]}},
        [
            {"context": "Rain.", "a": "Wet.", "b": "Dry.", "label": "0"},
            {"context": "Sun.", "a": "Wet.", "b": "Dry.", "label": "1"},
        ],
        "context",
        "label",
    ),
    "span": (
        {},
        [
            {"question": "When?", "context": "In 476.", "answers": '["476"]'},
            {"question": "Who?", "context": "By Odo.", "answers": '["Odo"]'},
        ],
        "question",
        "answers",
    ),
    "retrieval": (
        {"candidates": "pool.csv"},
        [{"query": "Rain?", "relevant": "c1"}, {"query": "Who won?", "relevant": "c1|c2"}],
        "query",
        "relevant",
    ),
}


def as_csv(rows: Rows, **how: Any) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", **how)
    writer.writerows([list(rows[0]), *(row.values() for row in rows)])
    return out.getvalue().encode()


def as_tsv(rows: Rows) -> bytes:
    lines = [list(rows[0]), *(row.values() for row in rows)]
    return "".join("\t".join(map(str, line)) + "\n" for line in lines).encode()


def as_json(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


KINDS: dict[str, Callable[[Rows], bytes]] = {
    ".csv": as_csv, ".tsv": as_tsv, ".jsonl": as_json, ".parquet": as_parquet
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pool.csv").write_text("id,text\nc1,It rains.\nc2,We won.\n")
    return tmp_path


def read(format: str, name: str) -> list[Example]:
    declaration = Declaration(format=format, test={"de": name}, **FORMATS[format][0])
    return list(task_of("mine", declaration).load(SOURCE, "test", "de"))


def without_ids(rows: list[Example]) -> list[str]:
    return [re.sub(r"id='[^']*'", "", repr(row)) for row in rows]


def right(kind: str, rows: Rows) -> dict[str, tuple[str, bytes]]:
    """Case -> name and content of a file with these very rows."""
    make = KINDS[kind]
    plain = make(rows)
    turned = [dict(reversed(row.items())) for row in rows]
    more = [{"n": "7", **row, "source": "web"} for row in rows]
    cases = {
        "columns in another order": make(turned),
        "more columns": make(more),
    }
    found = {case: (f"a{kind}", content) for case, content in cases.items()}
    found["a name in capitals"] = (f"A{kind.upper()}", plain)
    if kind == ".parquet":
        as_bytes = [{n: str(v).encode() for n, v in row.items()} for row in rows]
        return found | {
            "text as bytes": ("a.parquet", make(as_bytes)),
            "gzip": ("a.parquet.gz", gzip.compress(plain)),
            "zstd": ("a.parquet.zst", zstandard.compress(plain)),
        }
    found |= {
        case: (f"a{kind}", content)
        for case, content in {
            "byte-order mark": b"\xef\xbb\xbf" + plain,
            "CRLF": plain.replace(b"\n", b"\r\n"),
            "no line end": plain.removesuffix(b"\n"),
            "blank lines at the end": plain + b"\n\n",
            "blank lines within": plain.replace(b"\n", b"\n\n", 1),
            "packed under a plain name": gzip.compress(plain),
        }.items()
    }
    found["gzip"] = f"a{kind}.gz", gzip.compress(plain)
    found["zstd"] = f"a{kind}.zst", zstandard.compress(plain)
    if kind == ".csv":
        found["all quoted"] = "a.csv", as_csv(rows, quoting=csv.QUOTE_ALL)
    return found


def changed(rows: Rows, part: str, value: Any) -> Rows:
    return [rows[0], {**rows[1], part: value}]


def broken(kind: str, rows: Rows, text: str, gold: str) -> dict[str, tuple[bytes, int | None]]:
    """Case -> content, and the line that the message has to name."""
    make, line = KINDS[kind], 2 if kind in (".jsonl", ".parquet") else 3
    found: dict[str, tuple[bytes, int | None]] = {
        "an empty text": (make(changed(rows, text, "")), line),
        "a text of blanks": (make(changed(rows, text, "  ")), line),
        "no gold": (make(changed(rows, gold, "")), line),
        "unknown gold": (make(changed(rows, gold, "[x")), line),
        "a column that is absent": (
            make([{f"no {n}" if n == text else n: row[n] for n in row} for row in rows]),
            1,
        ),
    }
    if kind == ".parquet":
        return found | broken_parquet(rows, text, gold)
    plain = make(rows)
    found |= {
        "an empty file": (b"", 1),
        "blank lines alone": (b"\n \n", 1),
        "not UTF-8": (plain.removesuffix(b"\n") + b"\xe9\n", line),
        "UTF-16": (plain.decode().encode("utf-16"), 1),
        "a NUL byte": (plain + b"\0\n", plain.count(b"\n") + 1),
        "lines of old Macs": (plain.replace(b"\n", b"\r"), 1),
        "a web page": (b"<!DOCTYPE html><html></html>", 1),
        "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", 1),
        "packed and cut short": (gzip.compress(plain, mtime=0)[:-9], None),
        "packed by zstd and cut short": (zstandard.compress(plain)[:-4], None),
    }
    if kind == ".jsonl":
        found |= {
            "a list": (plain + b'["a", "b"]\n', 3),
            "not JSON": (plain + b'{"text": \n', 3),
            "a key too few": (plain + b'{"other": "A"}\n', 3),
            "NaN": (plain + b'{"text": NaN}\n', 3),
            "half of a character": (plain + b'{"text": "\\ud800"}\n', 3),
        }
        return found
    mark = b"," if kind == ".csv" else b"\t"
    head, _, rest = plain.partition(b"\n")
    found |= {
        "no row": (head + b"\n", None),
        "a field too many": (plain + mark * len(rows[0]) + b"\n", 4),
        "a field too few": (plain + b"x\n", 4),
        "a row of empty fields": (plain + mark * (len(rows[0]) - 1) + b"\n", 4),
        "two columns of one name": (head + mark + text.encode() + b"\n" + rest, 1),
    }
    if kind == ".csv":
        found["an open quotation mark"] = plain + b'"x\n', 4
        found["text after a quotation mark"] = plain + b'"x"y' + b",z" * (len(rows[0]) - 1), 4
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", FORMATS)
def test_right_files(format: str, kind: str) -> None:
    _, rows, _, _ = FORMATS[format]
    Path(f"plain{kind}").write_bytes(KINDS[kind](rows))
    wanted = without_ids(read(format, f"plain{kind}"))
    assert len(wanted) == 2
    for case, (name, content) in right(kind, rows).items():
        Path(name).write_bytes(content)
        with collected() as found:
            assert without_ids(read(format, name)) == wanted, case
        (counts,) = found.values()
        blank = 1 if "within" in case else 2 if "at the end" in case else 0
        assert counts.reasons == ({"blank line": blank} if blank else {}), case
        assert counts.read == 2 + blank


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", FORMATS)
def test_broken_files(format: str, kind: str) -> None:
    _, rows, text, gold = FORMATS[format]
    for case, (content, line) in broken(kind, rows, text, gold).items():
        if "not finite" in case and format not in ("regression", "multilabel"):
            continue  # their gold is no number
        Path(f"a{kind}").write_bytes(content)
        with pytest.raises(DataError) as caught:
            pytest.fail(f"{case}: read as {read(format, f'a{kind}')}")
        said = str(caught.value)
        where = f"a{kind}" if line is None else f"a{kind}:{line}: "
        assert said.startswith(where) or (line is None and where in said), f"{case}: {said}"
        assert "\n" not in said and len(said) < 300, f"{case}: {said}"


@pytest.mark.parametrize("name", ["a.xlsx", "none.csv", "folder.csv", "a.csv.bz2"])
def test_names_that_cannot_be_read(name: str) -> None:
    Path("a.xlsx").write_bytes(b"PK")
    Path("a.csv.bz2").write_bytes(b"BZh9")
    Path("folder.csv").mkdir()
    with pytest.raises(DataError) as caught:
        read("pair", name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
