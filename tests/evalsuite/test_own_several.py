"""Several labels or ids of one row: in one field, or in columns that share a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.task import MatchExample, QueryExample
from tests.support.own_files import SOURCE, declared, read

FOOD = '"Food, drink|Travel"', '"Food, drink"', "Travel", ""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def csv_of(*fields: str) -> str:
    return "text,labels\n" + "".join(f"A.,{field}\n" for field in fields)


def given(rows: Any) -> list[set[str]]:
    return [{name for name, has in row.labels.items() if has} for row in rows]


@pytest.mark.parametrize(
    ("fields", "labels", "expected"),
    [
        (FOOD, ("Food, drink", "Travel"), [{"Food, drink", "Travel"}, {"Food, drink"}]),
        (FOOD[1:] + FOOD[:1], ("Food, drink", "Travel"), [{"Food, drink"}, {"Travel"}]),
        (("a;b,c", '"b,c"', "a"), ("a", "b,c"), [{"a", "b,c"}, {"b,c"}, {"a"}]),
        (('"a, b"', "b", "a"), ("a", "b"), [{"a", "b"}, {"b"}, {"a"}]),
        (('"[""a, b""]"', "c|d"), ("a, b", "c", "d"), [{"a, b"}, {"c", "d"}]),
        (('"Food, drink"', "Travel"), ("Food", "Travel", "drink"), [{"Food", "drink"}, {"Travel"}]),
    ],
)
def test_labels_are_between_the_first_mark_of_all_rows(
    fields: tuple[str, ...], labels: tuple[str, ...], expected: list[set[str]]
) -> None:
    raw = csv_of(*fields).replace("a;b,c", '"a;b,c"')
    task = declared("multilabel", "train", "a.csv", raw)
    assert task.labels == labels
    assert given(task.load(SOURCE, "train", "de"))[: len(expected)] == expected


def test_other_languages_and_splits_have_the_labels_of_the_training_files() -> None:
    Path("en.csv").write_text(csv_of('"Food, drink|Travel"'))
    Path("de.csv").write_text(csv_of('"Food, drink"', "Travel"))
    files: dict[str, Any] = {"train": {"en": "en.csv", "de": "de.csv"}, "test": {"de": "de.csv"}}
    task = task_of("mine", Declaration(format="multilabel", **files))
    assert task.labels == ("Food, drink", "Travel") and not task.first_row_problems()
    assert given(task.load(SOURCE, "test", "de")) == [{"Food, drink"}, {"Travel"}]


@pytest.mark.parametrize(
    "labels", [["Food, drink", "Travel"], {"Food, drink": "food", "Travel": "Travel"}]
)
def test_labels_that_are_declared_stay_whole(labels: Any) -> None:
    first = "food" if isinstance(labels, dict) else "Food, drink"
    rows = read("multilabel", "test", "a.csv", csv_of(*FOOD), labels=labels)
    assert given(rows) == [{first, "Travel"}, {first}, {"Travel"}, set()]
    raw = csv_of('"Food, drink,Travel"')
    with pytest.raises(DataError, match=r"a.csv:2: unknown label 'Food'; allowed: "):
        read("multilabel", "test", "a.csv", raw, labels=labels)
    with pytest.raises(DataError, match=r"a.csv:2: labels: 'Travel\|' has an empty name"):
        read("multilabel", "test", "a.csv", csv_of("Travel|"), labels=labels)


def test_a_name_of_a_label_may_look_like_a_list() -> None:
    rows = read("multilabel", "test", "a.csv", csv_of("[x] y", "z"), labels=["[x] y", "z"])
    assert given(rows) == [{"[x] y"}, {"z"}]


def test_ids_of_candidates_with_a_comma() -> None:
    Path("pool.tsv").write_text("id\ttext\nfaq,1\tIt rains.\nfaq,2\tWe won.\nb\tNo.\n")
    raw = "query\trelevant\nBoth?\tfaq,1|faq,2\nWeather?\tfaq,1\nThree?\tb,b\n"
    keys = {"candidates": "pool.tsv"}
    rows = read("retrieval", "test", "a.tsv", raw, **keys)
    assert rows == [
        QueryExample("test-de-2", "Both?", ("faq,1", "faq,2")),
        QueryExample("test-de-3", "Weather?", ("faq,1",)),
        QueryExample("test-de-4", "Three?", ("b",)),
    ]
    rows = read("retrieval", "train", "a.tsv", raw, **keys)
    assert rows[2] == MatchExample("train-de-3", "Weather?", "It rains.")
    with pytest.raises(DataError, match=r"a.tsv:2: there is no candidate 'faq'"):
        read("retrieval", "test", "a.tsv", "query\trelevant\nOne?\tfaq,3\n", **keys)


@pytest.mark.parametrize("columns", [["happy", "joy", "fear"], ["joy", "happy", "fear"]])
def test_a_label_with_two_columns_is_there_where_one_of_them_says_it(columns: list[str]) -> None:
    raw = "text,happy,joy,fear\nA.,1,0,0\nB.,0,1,0\nC.,0,0,1\nD.,1,1,0\n"
    names = {"happy": "joy", "joy": "joy", "fear": "fear"}
    keys: dict[str, Any] = {"columns": {"text": "text", "labels": columns}, "labels": names}
    rows = read("multilabel", "train", "a.csv", raw, **keys)
    assert [row.labels for row in rows] == [
        {"joy": True, "fear": False},
        {"joy": True, "fear": False},
        {"joy": False, "fear": True},
        {"joy": True, "fear": False},
    ]
    for row in ("A.,1,x,0", "A.,x,1,0"):
        with pytest.raises(DataError, match=r"a.csv:2: 'x' is neither 0 nor 1"):
            read("multilabel", "train", "a.csv", f"text,happy,joy,fear\n{row}\n", **keys)
