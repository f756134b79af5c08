"""`lingopress init`: which columns are languages, splits, labels, or several labels in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from drafts import rows

from evalsuite.errors import DataError
from evalsuite.guess.columns import look
from evalsuite.guess.declare import Asked, Found, look_at
from evalsuite.guess.guessed import guess
from evalsuite.guess.several import has_several
from evalsuite.guess.sheet import read_sheet
from evalsuite.guess.survey import survey
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.task import DataSource

Put = Callable[[dict[str, str]], None]


def looked(path: str = "all.csv", **asked: Any) -> Found:
    return look_at([Path(path)], Asked(**asked))


def table(head: str, values: Sequence[str], count: int = 240) -> str:
    """English texts with a label, and these values in turn in one more column."""
    lines = [
        f"{text},{label},{values[n % len(values)]}" for n, (text, label) in enumerate(rows(count))
    ]
    return "\n".join([head, *lines]) + "\n"


@pytest.mark.parametrize(
    ("values", "languages"),
    [
        (("EN", "DE"), {"en", "de"}),
        (("English", "Norwegian"), {"en", "no"}),
        (("en-us", "pt-br"), {"en-US", "pt-BR"}),
        (("Croatian", "en"), {"hr", "en"}),
        (("de", "fr"), {"de", "fr"}),
    ],
)
@pytest.mark.parametrize("name", ["language", "Lang", "locale"])
def test_a_column_that_is_called_a_language(
    put: Put, name: str, values: tuple[str, ...], languages: set[str]
) -> None:
    put({"all.csv": table(f"text,label,{name}", values)})
    trained = min(languages)
    declaration = looked(train_on=(trained,)).declaration
    assert set(declaration["train"]) == {trained}
    task = Declaration.model_validate(declaration)
    assert set(task.places("train")) | set(task.places("test")) == languages


@pytest.mark.parametrize(
    ("head", "value", "message"),
    [
        ("text,label,language", "Klingon", "'Klingon' in column language is no language that"),
        ("text,label,lang", "", "an empty field in column lang is no language that"),
        ("text,label,split", "holdout", "'holdout' in column split is no split\nwrite train, dev"),
        ("text,label,subset", "other", "'other' in column subset is no split"),
    ],
)
def test_an_unknown_value_is_named(put: Put, head: str, value: str, message: str) -> None:
    known = ("en", "de") if "lang" in head else ("train", "test")
    put({"all.csv": table(head, (*known, *known, value))})
    with pytest.raises(DataError) as caught:
        looked()
    assert message in str(caught.value)
    assert "give it another name" in str(caught.value)


def test_rows_without_a_split_are_not_used_and_counted(put: Put) -> None:
    put({"all.csv": table("text,label,split", ("train", "test", ""), count=120)})
    found = looked()
    assert found.notes[0] == "all.csv: 40 rows are not used; column split is empty there"
    assert not [note for note in found.notes if "its name says no split" in note]
    assert len([note for note in found.notes if "taken as English" in note]) == 1
    for split in ("train", "test"):
        written = Path(f"data/en/{split}.csv").read_text(encoding="utf-8")
        assert written.count("\n") == 41


def test_other_names_of_splits_are_known(put: Put) -> None:
    put({"all.csv": table("text,label,split", ("train", "devel", "evaluation"))})
    assert set(looked().declaration) >= {"train", "dev", "test"}


@pytest.mark.parametrize(
    ("head", "values", "label"),
    [
        ("text,label,country", ("de", "fr", "it"), "label"),
        ("text,label,country", ("en", "de"), "label"),
        ("text,category,department", ("hr", "it"), "category"),
        ("text,category,desk", ("hr", "it"), "category"),
        ("text,id,label", ("si", "no"), "label"),
        ("text,id,label", ("en", "de"), "label"),
        ("text,id,label", ("train", "test"), "label"),
    ],
)
def test_codes_of_other_things_are_no_languages(
    put: Put, head: str, values: tuple[str, ...], label: str
) -> None:
    put({"all.csv": table(head, values)})
    found = looked().declaration
    assert found.get("columns", {"text": "text", "label": "label"})["label"] == label
    assert found["train"] == {"en": "data/en/train.csv"}


def test_another_column_is_languages_where_none_is_called_so() -> None:
    codes = ["en", "de", "fr"] * 10
    assert look([("tongue", codes)])[0].kind == "languages"
    assert look([("text_lang", ["de"] * 30)])[0].kind == "languages"
    kinds = [column.kind for column in look([("tongue", codes), ("language", ["en"] * 30)])]
    assert kinds == ["labels", "languages"]


EMOTIONS = ("joy|fear", "joy", "fear|anger", "anger")


@pytest.mark.parametrize(
    ("values", "several"),
    [
        (EMOTIONS, True),
        ([value.replace("|", ";") for value in EMOTIONS], True),
        ([value.replace("|", ", ") for value in EMOTIONS], True),
        (['["joy", "fear"]', '["joy"]', "[]"], True),
        (["['joy', 'fear']", "['joy']"], True),  # which a run refuses
        (["joy", "fear", "anger"], False),
        (["Food, drink", "Travel", "Arts, crafts"], False),
        (["Home, garden", "Home, kitchen", "Tools"], False),
        (['["O", "B-PER", "O"]', '["O", "O"]'], False),  # a tag per word
    ],
)
def test_several_labels_in_a_field(values: Sequence[str], several: bool) -> None:
    assert has_several([*values] * 5) == several


def test_names_between_marks_are_multilabel(put: Put) -> None:
    put({"all.csv": "".join(_emotions(",", "text,labels\n"))})
    found = looked()
    assert found.declaration["format"] == "multilabel"
    task = OwnTask("emotions", Declaration.model_validate(found.declaration))
    assert task.labels == ("anger", "fear", "joy")
    rows_of = [len(task.load(DataSource("files"), split, "en")) for split in ("train", "dev")]
    assert rows_of == [96, 12]


@pytest.mark.parametrize("format", [None, "multilabel"])
def test_json_lists_are_multilabel(put: Put, format: str | None) -> None:
    lines = [
        json.dumps({"text": text, "labels": EMOTIONS[n % 4].split("|")}) + "\n"
        for n, (text, _) in enumerate(rows(120))
    ]
    put({"train.jsonl": "".join(lines), "test.jsonl": "".join(lines)})
    found = look_at([Path()], Asked(format=format)).declaration
    assert found["format"] == "multilabel"
    assert "columns" not in found  # the usual ones


def _emotions(separator: str, head: str) -> list[str]:
    found = [f"{text}{separator}{EMOTIONS[n % 4]}\n" for n, (text, _) in enumerate(rows(120))]
    return [head, *found]


def test_a_label_with_a_comma_in_it_is_one_label(put: Put) -> None:
    values = ('"Food, drink"', "Travel", '"Arts, crafts"')
    put({"all.csv": table("text,id,labels", values)})
    assert looked().declaration["format"] == "classification"


def test_a_label_next_to_tags_is_the_label(put: Put) -> None:
    put({"all.csv": table("text,label,tags", EMOTIONS)})
    assert looked().declaration["format"] == "classification"


def test_the_flags_of_excel_are_multilabel(put: Put) -> None:
    lines = [
        f"{text},{('TRUE', 'FALSE')[n % 2]},{('FALSE', 'TRUE', 'FALSE')[n % 3]}"
        for n, (text, _) in enumerate(rows(120))
    ]
    put({"all.csv": "text,joy,fear\n" + "\n".join(lines) + "\n"})
    found = looked().declaration
    assert found["format"] == "multilabel"
    assert found["columns"] == {"text": "text", "labels": ["joy", "fear"]}


def test_a_format_that_does_not_fit_names_its_own_columns(put: Put) -> None:
    put({"all.csv": table("text,id,label", ("a", "b"))})
    with pytest.raises(DataError, match="--format multilabel --columns text=NAME,labels=NAME"):
        looked(format="multilabel")


SHORT = ("It rains.", "We won.", "It snows.")  # so few that they look like labels


def _of_columns(head: str, *columns: Sequence[str]) -> str:
    lines = (",".join(values[n % len(values)] for values in columns) for n in range(120))
    return "\n".join([head, *lines]) + "\n"


SCORED = _of_columns("First,second,score", SHORT, SHORT[:2], [*map(str, range(14, 90))])


@pytest.mark.parametrize(
    ("text", "format", "columns"),
    [
        (_of_columns("text,labels", SHORT, EMOTIONS), "multilabel", ["text", "labels"]),
        (_of_columns("text,labels", SHORT, EMOTIONS[1:2]), "multilabel", ["text", "labels"]),
        (_of_columns("text,label", SHORT, ("a", "b")), "classification", ["text", "label"]),
        (SCORED, "regression", ["First", "second", "score"]),
        (
            _of_columns("first,second,label", SHORT, SHORT[:2], ("a", "b")),
            "pair",
            ["first", "second", "label"],
        ),
    ],
)
@pytest.mark.parametrize("asked", [True, False])
def test_columns_with_the_usual_names_are_found_whatever_is_in_them(
    put: Put, text: str, format: str, columns: list[str], *, asked: bool
) -> None:
    put({"all.csv": text})
    found = guess(read_sheet(Path("all.csv")), format if asked else None)
    assert found.format == format and [*found.columns.values()] == columns


TEXT = [f"the dog {n} and the cat" for n in range(120)]
QUESTIONS = [f"what is it that {n} is" for n in range(120)]
ANSWERS = [f'"[""dog {n}""]"' for n in range(120)]
CHOICES = [f'"[""a dog {n}"", ""a cat""]"' for n in range(120)]


@pytest.mark.parametrize(
    ("head", "values", "format"),
    [
        ("question,context,answers", [QUESTIONS, TEXT, ANSWERS], "span"),
        ("question,context,answers", [QUESTIONS, TEXT, ANSWERS[:9]], "span"),
        ("context,choices,label", [TEXT, CHOICES, "01"], "choice"),
        ("first,second,label", [TEXT, QUESTIONS, "01"], "pair"),
    ],
)
def test_the_usual_names_decide_between_formats_of_the_same_columns(
    put: Put, head: str, values: list[Sequence[str]], format: str
) -> None:
    put({"all.csv": _of_columns(head, *values)})
    found = guess(read_sheet(Path("all.csv")))
    assert found.format == format and [*found.columns] == head.split(",")


@pytest.mark.parametrize("empty", ["score", "label", "labels"])
def test_an_empty_column_does_not_hide_translations(put: Put, empty: str) -> None:
    put({"all.csv": _of_columns(f"first,second,{empty}", TEXT, QUESTIONS, [""])})
    found = guess(read_sheet(Path("all.csv")))
    assert (found.format, found.columns) == ("retrieval", {"first": "first", "second": "second"})


def test_a_score_that_is_no_number_is_named(put: Put) -> None:
    lines = [f"the dog {n};the cat and the dog {n};0,{n:02}\n" for n in range(60)]
    lines[20] = "the dog;a cat;50%\n"
    put({"all.csv": "first;second;score\n" + "".join(lines)})
    found = looked()
    assert found.declaration["format"] == "regression"  # and not a line and its translation
    (error,) = survey(OwnTask("mine", Declaration.model_validate(found.declaration))).errors
    assert str(found.origins.of(error)) == "all.csv:22: the score '50%' is not a number"


def test_a_format_that_does_not_fit_names_the_columns_that_are_there(put: Put) -> None:
    put({"all.csv": _of_columns("first,second,stars", SHORT, SHORT, ("*", "**"))})
    with pytest.raises(DataError, match="--columns first=NAME,second=NAME,score=NAME"):
        looked(format="regression")


@pytest.mark.parametrize("order", [("label", "text"), ("text", "label")])
def test_english_is_looked_for_in_the_texts(put: Put, order: tuple[str, str]) -> None:
    lines = [f"{text},{label}\n" for text, label in rows(60)]
    put({"all.csv": "message,category\n" + "".join(lines)})
    names = {"text": "message", "label": "category"}
    found = looked(columns={part: names[part] for part in order})
    assert found.declaration["train"] == {"en": "data/en/train.csv"}
