"""`lingopress init`: a recipe reads the files that were decided on, and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from drafts import CSV, OTHER, TEST, TRAIN, table

from evalsuite.guess.declare import Asked, look_at
from evalsuite.own.declaration import Declaration
from evalsuite.task import Split

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


def test_files_of_an_earlier_init_are_not_read(put: Put) -> None:
    head = "text,label,language,split\n"
    lines = [f"{text},{label},en,train\n" for text, label in TRAIN]
    lines += [f"{text},{label},{code},test\n" for text, label in OTHER for code in ("en", "de")]
    put({"all.csv": head + "".join(lines), "data/fr/test.csv": table(OTHER)})
    assert set(read(declared("all.csv"), "test")) == {"en", "de"}
