"""`lingopress init`: a recipe reads the files that were decided on, and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drafts import CSV, OTHER, TEST, TRAIN, table

from evalsuite.errors import DataError, UnknownNameError
from evalsuite.guess.declare import Asked, look_at
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.task import DataSource, Split

Put = Callable[[dict[str, str]], None]


def declared(*paths: str, **asked: Any) -> dict[str, Any]:
    return look_at([Path(path) for path in paths], Asked(**asked)).declaration


def read(declaration: dict[str, Any], split: Split) -> dict[str, Any]:
    return Declaration.model_validate(declaration).places(split)


def test_languages_that_are_not_trained_on_are_not_read(put: Put) -> None:
    put(
        {f"a/{code}/{split}.csv": CSV for code in ("en", "de", "fr") for split in ("train", "test")}
    )
    found = declared("a", train_on=("en", "de"))
    assert found["train"] == {"en": "a/en/train.csv", "de": "a/de/train.csv"}
    assert found["test"] == "a/{language}/test.csv"  # all of its files
    assert set(read(found, "train")) == {"en", "de"}


def test_training_rows_are_not_scored(put: Put) -> None:
    put({"b/en.csv": CSV, "b/de.csv": table(OTHER), "b/fr.csv": table(OTHER)})
    put({"b/dev-en.csv": table(TEST)})
    found = declared("b")
    assert found["train"] == {"en": "b/en.csv"}
    assert found["test"] == {"de": "b/de.csv", "fr": "b/fr.csv"}


def test_files_next_to_those_passed_are_not_read(put: Put) -> None:
    put({f"c/test.{code}.csv": table(OTHER) for code in ("en", "de", "fr")})
    put({"c/train.en.csv": table(TRAIN)})
    passed = ("c/train.en.csv", "c/test.en.csv", "c/test.de.csv")
    assert set(read(declared(*passed), "test")) == {"en", "de"}
    assert declared(*passed, "c/test.fr.csv")["test"] == "c/test.{language}.csv"


def test_the_same_holds_of_files_with_one_line_per_row(put: Put) -> None:
    for code, rows in (("en", TRAIN), ("de", OTHER), ("fr", OTHER)):
        texts, labels = ("".join(f"{row[part]}\n" for row in rows) for part in (0, 1))
        for split in ("train", "test"):
            put({f"d/{code}/{split}_text.txt": texts, f"d/{code}/{split}_labels.txt": labels})
    found = declared("d", train_on=("en", "de"))
    assert set(found["train"]) == {"en", "de"}
    assert found["train"]["de"] == {
        "text": "d/de/train_text.txt",
        "label": "d/de/train_labels.txt",
    }
    assert found["test"] == {
        "text": "d/{language}/test_text.txt",
        "label": "d/{language}/test_labels.txt",
    }


TAGGED = ["Anna visits Rome", "Rome is a town", "we went to Rome"]
LINES = {  # format -> lines of texts, lines of labels, the parts, the labels of the task
    "classification": (["it rains", "we won"], ["a", "b"], ("text", "label"), ("a", "b")),
    "multilabel": (["it rains", "we won"], ["a|b", "", "b"], ("text", "labels"), ("a", "b")),
    "regression": (["it rains", "we won"], ["0.5", "3"], ("text", "score"), ("score",)),
    "tagging": (TAGGED, ["O O B", "B O O O", "O O O B"], ("word", "tag"), ("O", "B")),
}


@pytest.mark.parametrize("format", LINES)
@pytest.mark.parametrize("splits", [("train", "test"), ("all",)])
def test_files_with_one_line_per_row_are_of_the_format_asked_for(
    put: Put, format: str, splits: tuple[str, ...]
) -> None:
    texts, labels, parts, known = LINES[format]
    for split in splits:
        numbered = [texts[n % len(texts)] for n in range(90)]
        if format != "tagging":
            numbered = [f"{text} on day {n} of the year" for n, text in enumerate(numbered)]
        else:
            numbered = [text.replace("Rome", f"Rome{n}") for n, text in enumerate(numbered)]
        put({f"d/{split}_text.txt": "".join(f"{text}\n" for text in numbered)})
        put({f"d/{split}_labels.txt": "".join(f"{labels[n % len(labels)]}\n" for n in range(90))})
    found = declared("d", format=format, language="en")
    assert found["format"] == format and tuple(found["train"]["en"]) == parts
    task = OwnTask("own", Declaration.model_validate(found))
    assert task.labels == known
    assert task.load(DataSource("files"), "test", "en")
    assert len(task.load(DataSource("files"), "train", "en")) > 60


def test_files_with_one_line_per_row_are_refused_where_a_row_has_more(put: Put) -> None:
    texts, labels = ("".join(f"{row[part]}\n" for row in TRAIN) for part in (0, 1))
    put({"d/train_text.txt": texts, "d/train_labels.txt": labels})
    files = "^d/train_text.txt and d/train_labels.txt have "
    with pytest.raises(DataError, match=f"{files}.* pair is two sentences and a label\n"):
        declared("d", format="pair")
    with pytest.raises(UnknownNameError, match="unknown format 'multilable'"):
        declared("d", format="multilable")
    with pytest.raises(DataError, match=r"^--columns: d/train_text\.txt .* no columns\n"):
        declared("d", columns={"label": "x"})


def test_files_of_an_earlier_init_are_not_read(put: Put) -> None:
    head = "text,label,language,split\n"
    lines = [f"{text},{label},en,train\n" for text, label in TRAIN]
    lines += [f"{text},{label},{code},test\n" for text, label in OTHER for code in ("en", "de")]
    put({"all.csv": head + "".join(lines), "data/fr/test.csv": table(OTHER)})
    assert set(read(declared("all.csv"), "test")) == {"en", "de"}
