"""Values of rows that a form of the output cannot have as they are: numbers, lists, objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from evalsuite.bulk.arrow_types import fits_parquet, misfit, plain_field
from evalsuite.bulk.open_rows import Reading, open_rows
from evalsuite.bulk.rows import Row
from evalsuite.bulk.run_model import Job
from evalsuite.inference.answers import Words
from tests.support.bulk_rows import answer, as_file, from_file


def tags(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    return [{"words": text.split(), "tags": ["X"] * len(text.split())} for (text,) in rows]


@pytest.mark.parametrize("name", ["o.csv", "o.tsv"])
def test_lists_of_the_input_are_json_and_those_of_the_answer_are_joined(
    name: str, tmp_path: Path
) -> None:
    row = {"text": "a b", "keywords": ["new york", "x"], "hashtags": ["y"], "n": [1]}
    answer(Job(str(as_file(tmp_path / "r.jsonl", [row])), tmp_path / name), Words(), tags)
    (found,) = from_file(tmp_path / name)
    assert found == {
        "text": "a b", "keywords": '["new york", "x"]', "hashtags": '["y"]', "n": "[1]",
        "words": "a b", "tags": "X X",
    }  # fmt: skip
    row = {"words": ["a", "b"], "tags": ["B", "I"]}
    answer(Job(str(as_file(tmp_path / "s.jsonl", [row])), tmp_path / f"s-{name}"), Words(), tags)
    (found,) = from_file(tmp_path / f"s-{name}")
    assert found == {
        "words": '["a", "b"]', "tags": '["B", "I"]',
        "predicted_words": "a b", "predicted_tags": "X X",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["o.csv", "o.tsv"])
def test_dates_decimals_and_truth_have_no_quotation_marks(name: str, tmp_path: Path) -> None:
    row = {
        "text": "a", "day": date(2024, 1, 2), "at": datetime(2024, 1, 2, 3), "n": Decimal("1.50"),
        "yes": True, "no": False, "raw": b"\0\1", "half": 0.5, "none": None, "in": [True, False],
    }  # fmt: skip
    answer(Job(str(as_file(tmp_path / "r.parquet", [row])), tmp_path / name))
    (found,) = from_file(tmp_path / name)
    assert found.items() >= {
        "day": "2024-01-02", "at": "2024-01-02T03:00:00", "n": "1.50", "yes": "true",
        "no": "false", "raw": "AAE=", "half": "0.5", "none": "", "in": "[true, false]",
    }.items()  # fmt: skip
    path = as_file(tmp_path / "r.jsonl", [{"text": "a", "yes": True}])
    answer(Job(str(path), tmp_path / f"j-{name}"))
    assert from_file(tmp_path / f"j-{name}")[0]["yes"] == "true"


@pytest.mark.parametrize("name", ["o.csv", "o.tsv", "o.csv.gz"])
def test_a_carriage_return_can_be_read_again(name: str, tmp_path: Path) -> None:
    rows = [{"text": "a\rb", "n\r": 1}, {"text": "c", "n\r": 2}, {"text": "\rd\r", "n\r": None}]
    answer(Job(str(as_file(tmp_path / "r.jsonl", rows)), tmp_path / name))
    with open_rows(str(tmp_path / name), Reading(roles=[("text",)])) as read:
        found = [row.fields for row in read if isinstance(row, Row)]
    assert [row["text"] for row in found] == ["a\rb", "c", "\rd\r"]
    assert [row["n\r"] for row in found] == ["1", "2", ""]


@pytest.mark.parametrize("name", ["o.jsonl", "o.csv"])
def test_a_number_that_json_does_not_have_is_null(name: str, tmp_path: Path) -> None:
    nan = float("nan")
    row = {"text": "a", "x": nan, "deep": {"y": [1.5, nan, float("-inf")], "z": None}}
    answer(Job(str(as_file(tmp_path / "r.parquet", [row])), tmp_path / name))
    (found,) = from_file(tmp_path / name)
    deep = json.loads(found["deep"]) if name == "o.csv" else found["deep"]
    assert deep == {"y": [1.5, None, None], "z": None}
    assert found["x"] == ("nan" if name == "o.csv" else None)
    if name == "o.jsonl":
        assert "NaN" not in (tmp_path / name).read_text()


def test_objects_that_parquet_cannot_have_are_json_text(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(99):
        deep = [deep]
    row = {"meta": {}, "list": [{}], "inner": {"a": {}, "b": 1}, "deep": deep, "m": {"a": 1}}
    path = as_file(tmp_path / "r.jsonl", [{"text": "a", **row}, {"text": "b", "meta": None}])
    done, seen = answer(Job(str(path), tmp_path / "o.parquet"))
    assert (done.bad, seen.problems) == (0, [])
    first, second = from_file(tmp_path / "o.parquet")
    assert first["m"] == {"a": 1} and second["meta"] is None
    for name in ("meta", "list", "inner", "deep"):
        assert json.loads(first[name]) == row[name]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (1, 2**63, "uint64"),
        (None, 2**64 - 1, "uint64"),
        (1, 2, "int64"),
        (1, 2.5, "double"),
        (-1, 2**63, "JSON"),
        (1, 2**64, "JSON"),
        (2**53 + 1, 0.5, "JSON"),
        (1, "a", "JSON"),
        ("a", 1, "JSON"),
        (1, True, "JSON"),
        ([1], ["a"], "JSON"),
        ({"a": 1}, "x", "JSON"),
        ({"a": 1}, {"a": "x"}, "JSON"),
    ],
)
def test_no_row_is_lost_of_those_that_decide_the_type(
    first: Any, second: Any, kind: str, tmp_path: Path
) -> None:
    path = as_file(tmp_path / "r.jsonl", [{"text": "a", "n": first}, {"text": "b", "n": second}])
    _, seen = answer(Job(str(path), tmp_path / "o.parquet"))
    found = [row["n"] for row in from_file(tmp_path / "o.parquet")]
    written = str(pyarrow.parquet.read_schema(tmp_path / "o.parquet").field("n").type)
    assert (seen.problems, written) == ([], "string" if kind == "JSON" else kind)
    assert [json.loads(n) if kind == "JSON" else n for n in found] == [first, second]


def test_no_part_of_a_later_row_is_lost(tmp_path: Path) -> None:
    first = {"m": {"a": 1}, "n": 1, "s": [{"a": 1.5}], "words": ["x"]}
    rows = [{"text": "a", **first}] * 2048
    later: list[dict[str, Any]] = [
        {"m": {"a": 1, "b": 2}}, {"n": 1.5}, {"s": [{"a": 1, "c": 0}]}, {"words": "xy"},
        {"m": []}, {"s": [{"a": True}]},
    ]  # fmt: skip
    fits = [{"m": {"a": None}, "n": 2.0}, {"m": {}, "s": [{"a": 3}, {}], "words": []}, {"m": None}]
    path = as_file(tmp_path / "r.jsonl", rows + [{"text": "b", **row} for row in [*later, *fits]])
    _, seen = answer(Job(str(path), tmp_path / "o.parquet"))
    assert [problem.split(",")[0] for problem in seen.problems] == [
        "r.jsonl:2049: column 'm' is no struct<a: int64>",
        "r.jsonl:2050: column 'n' is no int64",
        "r.jsonl:2051: column 's' is no list<item: struct<a: double>>",
        "r.jsonl:2052: column 'words' is no list<item: string>",
        "r.jsonl:2053: column 'm' is no struct<a: int64>",
        "r.jsonl:2054: column 's' is no list<item: struct<a: double>>",
    ]
    found = from_file(tmp_path / "o.parquet")[2048:]
    assert [row["m"] for row in found] == [{"a": None}, {"a": None}, None]
    assert found[0]["n"] == 2 and found[1]["s"] == [{"a": 3}, {"a": None}]


def test_dictionaries_are_taken_out_at_every_depth(tmp_path: Path) -> None:
    packed = pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    inner = pyarrow.struct([("k", pyarrow.list_(packed)), ("n", pyarrow.int16())])
    kinds = {
        "list": (pyarrow.list_(packed), ["a", "b"]),
        "large": (pyarrow.large_list(packed), ["a"]),
        "fixed": (pyarrow.list_(packed, 2), ["a", "b"]),
        "map": (pyarrow.map_(pyarrow.string(), packed), [("x", "y")]),
        "deep": (pyarrow.list_(inner), [{"k": ["a"], "n": 7}]),
        "text": (pyarrow.string(), "t"),
    }
    row = {name: value for name, (_, value) in kinds.items()}
    columns = {name: pyarrow.array([value, value], kind) for name, (kind, value) in kinds.items()}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "r.parquet")
    answer(Job(str(tmp_path / "r.parquet"), tmp_path / "o.parquet"))
    found = pyarrow.parquet.read_table(tmp_path / "o.parquet")
    assert "dictionary" not in str(found.schema)
    assert [row.items() <= written.items() for written in found.to_pylist()] == [True, True]


def test_types_of_columns() -> None:
    packed = pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    for kind in (pyarrow.list_view, pyarrow.large_list_view):
        field = plain_field(pyarrow.field("x", kind(packed), nullable=False))
        assert field.type == kind(pyarrow.string()) and not field.nullable
    assert fits_parquet(pyarrow.list_(pyarrow.struct([("a", pyarrow.int64())])))
    assert not fits_parquet(pyarrow.list_(pyarrow.struct([])))
    schema = pyarrow.schema([("n", pyarrow.int64())])
    assert misfit({"n": 2**70}, schema) == "column 'n' is no int64, as in the first rows"
    assert misfit({"n": True}, schema) and not misfit({"n": 2**60}, schema)
