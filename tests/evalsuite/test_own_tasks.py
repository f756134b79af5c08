"""Declared tasks: labels, languages and rows as the files have them, or one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from pydantic import ValidationError

from evalsuite.errors import DataError, MalformedRowError, UnknownNameError
from evalsuite.own.declaration import Declaration
from evalsuite.own.formats._label import in_order
from evalsuite.own.own_task import OwnTask
from evalsuite.task import DataSource, PairExample, TagExample

SOURCE = DataSource("files")
CSV = "text,label\nIt rains.,weather\nWe won.,sports\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for code in ("en", "de", "pt-BR"):
        (tmp_path / code).mkdir()
        (tmp_path / code / "test.csv").write_text(CSV)
    (tmp_path / "train.csv").write_text(CSV)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/test.csv").write_text("not a language")
    return tmp_path


def topics(**keys: Any) -> OwnTask:
    given = {"train": {"en": "train.csv"}, "test": "{language}/test.csv", **keys}
    return OwnTask("topics", Declaration(format="classification", **given))


def test_classification(folder: Path) -> None:
    task = topics()
    assert (task.format, task.metric, task.labels) == ("pair", "accuracy", ("sports", "weather"))
    assert task.languages == ("en", "de", "pt-BR")  # `notes` is no language code
    assert task.available(SOURCE, "train") == ("en",) and not task.available(SOURCE, "dev")
    assert task.load(SOURCE, "test", "de") == [
        PairExample("test-de-2", "It rains.", None, "weather"),
        PairExample("test-de-3", "We won.", None, "sports"),
    ]
    assert task.files(SOURCE, "test", "pt-BR") == (Path("pt-BR/test.csv"),)
    assert task.kind_of_source(DataSource("embedded")) == "files"


@pytest.mark.parametrize("other", ["en-train", "de_dev", "dev", "test", "val", "pt-BR-valid"])
def test_a_name_of_a_split_is_no_language(folder: Path, other: str) -> None:
    for name in ("en", "de", other):
        (folder / f"{name}.csv").write_text(CSV)
    task = topics(test="{language}.csv")
    assert task.available(SOURCE, "test") == ("en", "de")
    for name in ("en", "de"):
        (folder / f"{name}.csv").unlink()
    (folder / "en-test.csv").write_text(CSV)
    with pytest.raises(DataError, match=r"-?\w+\.csv has the name of a split: use a path such"):
        topics(test="{language}.csv")


def test_pairs_by_number(folder: Path) -> None:
    (folder / "a.tsv").write_text("A\tB\tyes\nC\tD\tno\n")
    columns = {"first": 1, "second": 2, "label": 3}
    task = OwnTask("p", Declaration(format="pair", train={"en": "a.tsv"}, columns=columns))
    assert task.load(SOURCE, "train", "en")[0] == PairExample("train-en-1", "A", "B", "yes")


def test_texts_and_labels_line_by_line(folder: Path) -> None:
    for code, labels in (("en", "0\n2\n"), ("de", "2\n0\n")):
        (folder / f"{code}.text").write_text("One.\nTwo.\n")
        (folder / f"{code}.labels").write_text(labels)
    parts = {"text": "{language}.text", "label": "{language}.labels"}
    names = {0: "negative", 2: "positive"}
    task = OwnTask("s", Declaration(format="classification", test=parts, labels=names))
    assert task.labels == ("negative", "positive") and task.languages == ("en", "de")
    assert [row.label for row in task.load(SOURCE, "test", "de")] == ["positive", "negative"]
    (folder / "de.labels").write_text("2\n")
    with pytest.raises(MalformedRowError, match=r"de.labels:2: 1 lines, and de.text has 2"):
        task.load(SOURCE, "test", "de")
    (folder / "de.labels").unlink()
    with pytest.raises(DataError, match="test: de: there is a file of one part"):
        OwnTask("s", Declaration(format="classification", test=parts, labels=names))


def test_tags(folder: Path) -> None:
    text = "-DOCSTART- O\n\n# a comment\nMaria NNP B-PER\nruns VB O\n\nBerlin NNP B-LOC\n"
    (folder / "train.conll").write_text(text)
    task = OwnTask("names", Declaration(format="tagging", train={"de": "train.conll"}))
    assert (task.labels, task.source_language) == (("O", "B-LOC", "B-PER"), "de")
    first, second = task.load(SOURCE, "train", "de")
    assert first == TagExample("train-de-0", ("Maria", "runs"), ("B-PER", "O"))
    assert second == TagExample("train-de-1", ("Berlin",), ("B-LOC",))
    task = OwnTask(
        "pos", Declaration(format="tagging", train={"de": "train.conll"}, columns={"tag": 2})
    )
    assert task.labels == ("NNP", "VB")


def test_the_source_language_and_numbers_in_their_order(folder: Path) -> None:
    (folder / "train.csv").write_text("text,label\na,10\nb,9\nc,-1\n")
    task = topics(train={"fr": "train.csv", "de": "train.csv"}, test=None)
    assert task.labels == ("-1", "9", "10")
    assert (task.source_language, task.languages) == ("fr", ("fr", "de"))
    assert task.training_languages == ("fr", "de")
    assert topics(source_language="de", labels=["sports", "weather"]).languages[0] == "de"


def test_a_source_language_that_no_file_is_in_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="task topics: source_language: 'English' is no language"):
        topics(source_language="English")
    with pytest.raises(DataError, match="there is no file in 'sw'; name one of en, de, pt-BR"):
        topics(source_language="sw")
    assert topics(source_language="pt").seen_languages == ("pt", "en")
    alone = topics(train=None, labels=["sports", "weather"], source_language="sw")
    assert alone.source_language == "sw"
    with pytest.raises(DataError, match="write en"):
        topics(train=None, labels=["sports", "weather"], source_language="English")


def test_a_test_file_without_labels_is_predicted_on(folder: Path) -> None:
    (folder / "de/test.csv").write_text("text\nEs regnet.\n")
    assert topics().load(SOURCE, "test", "de") == [
        PairExample("test-de-2", "Es regnet.", None, None)
    ]
    assert topics().available(SOURCE, "test") == ("en", "pt-BR")  # nothing to score in de
    (folder / "train.csv").write_text("text\nIt rains.\n")
    with pytest.raises(MalformedRowError, match=r"train.csv:1: no column 'label'"):
        topics()


def test_labels_of_a_parquet_test_file_are_read(folder: Path) -> None:
    table = pyarrow.table({"n": [1], "text": ["Es regnet."], "label": ["weather"]})
    pyarrow.parquet.write_table(table, folder / "de.parquet")
    task = topics(test={"de": "de.parquet"})
    assert task.available(SOURCE, "test") == ("de",)
    assert task.load(SOURCE, "test", "de") == [
        PairExample("test-de-1", "Es regnet.", None, "weather")
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("It rains.,wether", "unknown label 'wether'; allowed: sports, weather"),
        ("It rains.,", "no label"),
        ('It rains.,"wea\nther"', "a label of several lines; write it in one"),
        (" ,weather", r"an empty text \(text\)"),
    ],
)
def test_rows_that_do_not_fit(folder: Path, row: str, problem: str) -> None:
    (folder / "de/test.csv").write_text(f"{CSV}{row}\n")
    with pytest.raises(MalformedRowError, match=rf"de/test.csv:4: {problem}"):
        topics().load(SOURCE, "test", "de")


def test_files_and_languages_that_are_not_there(folder: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file none\.csv"):
        topics(train={"en": "none.csv"})
    with pytest.raises(DataError, match=r"there is no file x/\{language\}.csv"):
        topics(test="x/{language}.csv")
    (folder / "de/test.csv").write_text("text,label\n")
    with pytest.raises(DataError, match=r"de/test\.csv: there is no row in it"):
        topics().load(SOURCE, "test", "de")
    with pytest.raises(UnknownNameError, match="language of topics 'sw'"):
        topics().load(SOURCE, "test", "sw")
    with pytest.raises(DataError, match="topics has training rows in en, none in de"):
        topics().load(SOURCE, "train", "de")
    (folder / "train.csv").write_text("text,label\na,x\n")
    with pytest.raises(DataError, match=r"fewer than two labels \(x\)"):
        topics()


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({}, "give files: train, dev or test"),
        ({"test": "test.csv"}, "write {language} where the path has the language code"),
        ({"test": {"english": "a.csv"}}, "'english' is not a language code"),
        ({"test": {"text": "a.txt", "label": "b.txt"}}, "text: write {language}"),
        ({"train": {"en": {"text": "a.txt"}}}, "en: no file of label"),
        ({"test": {"en": {"label": "a.txt"}}}, "en: no file of text"),
        (
            {"test": {"en": {"text": "a", "label": "b", "tag": "c"}}},
            "en: a row has no tag; it has text, label",
        ),
        ({"test": {"label": "{language}.txt"}}, "test: no file of text"),
        ({"train": {"text": "{language}.txt"}}, "train: no file of label"),
        ({"test": {"en": "a"}, "train": {}}, "name a file, or leave the key out"),
        ({"test": {"en": "a"}, "columns": {"words": 1}}, "a classification row has no words"),
        ({"test": {"en": "a"}, "title": "a\ab"}, r"title: 'a\x07b' has control characters"),
        ({"test": {"en": "a"}, "labels": ["x"]}, "give at least two, each of them once"),
        ({"test": {"en": "a"}, "labels": ["x", "x"]}, "give at least two, each of them once"),
        ({"test": {"en": "a"}, "labels": ["x", "y\nz"]}, "labels: write each in one line"),
        ({"test": {"en": "a"}, "labels": ["x", "y\rz"]}, "labels: write each in one line"),
        ({"test": {"en": "a"}, "labels": {"0": " x", "1": "y"}}, "without spaces around it"),
    ],
)
def test_declarations_that_do_not_fit_together(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Declaration(format="classification", **keys)
    assert problem in str(caught.value)


def test_numbers_that_are_equal_are_in_one_order() -> None:
    ones = ["0" * zeros + "1" for zeros in range(9)]
    assert in_order(ones) == tuple(sorted(ones))
    assert in_order({"1", "01", "001"}) == ("001", "01", "1")
    assert in_order({"10", "9", "-1"}) == ("-1", "9", "10")


@pytest.mark.parametrize("test", [{"text": "{language}.text"}, {"en": {"text": "en.text"}}])
def test_test_files_may_be_without_labels(
    test: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("en.text").write_text("It rains.\nWe won.\n")
    Path("train.csv").write_text("text,label\na,x\nb,y\n")
    made = {"format": "classification", "train": {"en": "train.csv"}, "test": test}
    task = OwnTask("topics", Declaration.model_validate(made))
    rows = task.load(SOURCE, "test", "en")
    assert [(row.first, row.label) for row in rows] == [("It rains.", None), ("We won.", None)]  # type: ignore[union-attr]
    assert task.available(SOURCE, "test") == ()
