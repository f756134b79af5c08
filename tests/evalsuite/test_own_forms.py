"""SQuAD, CoNLL, and rows whose parts are in two files: declared tasks read them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.task import DataSource, Example, TagExample

SOURCE = DataSource("files")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_squad_files() -> None:
    def asked(raw: bytes, name: str = "a.json") -> list[Example]:
        Path(name).write_bytes(raw)
        return list(
            task_of("mine", Declaration(format="span", train={"de": name})).load(
                SOURCE, "train", "de"
            )
        )

    answer = {"text": "476", "answer_start": 3}
    question = {"id": "q", "question": "When?", "answers": [answer]}
    tree: Any = {"data": [{"paragraphs": [{"context": "In 476.", "qas": [question]}]}]}
    plain = json.dumps(tree).encode()
    wanted = asked(plain)
    for case in (
        b"\xef\xbb\xbf" + plain,
        json.dumps(tree, indent=2).replace("\n", "\r\n").encode(),
        plain + b"\n\n",
        json.dumps(tree["data"]).encode(),
        json.dumps({"version": "1.1", **tree}).encode(),
        gzip.compress(plain),
        zstandard.compress(plain),
    ):
        assert asked(case) == wanted
    assert asked(gzip.compress(plain), "b.json.gz") == wanted
    for case, problem in {
        b"": "a.json:1: ",
        plain[:-5]: "a.json:1: not JSON",
        plain.replace(b"476", b"4\xdc6"): "a.json:1: not UTF-8",
        plain + b"\0": "a.json:1: a NUL byte",
        plain.decode().encode("utf-16"): "a.json:1: ",
        gzip.compress(plain, mtime=0)[:-9]: "a.json is compressed, and damaged",
        b"<html></html>": "a.json:1: ",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n": "a.json:1: it looks like a",
        plain.replace(b"3}", b"1e999}"): "a.json:1: not JSON: the number 1e999 is not finite",
        plain.replace(b'"When?"', b"7"): "a.json:1: not SQuAD's layout: 'question' is not text",
    }.items():
        with pytest.raises(DataError) as caught:
            asked(case)
        assert str(caught.value).startswith(problem), caught.value


TAGS = "EU\tB-ORG\nsays\tO\n\nRome\tB-LOC\n"


def test_conll_files() -> None:
    def tagged(raw: bytes, name: str = "a.conll") -> list[Example]:
        Path(name).write_bytes(raw)
        given = Declaration(format="tagging", test={"de": name}, labels=["O", "B-ORG", "B-LOC"])
        return list(task_of("mine", given).load(SOURCE, "test", "de"))

    plain = TAGS.encode()
    wanted = tagged(plain)
    assert len(wanted) == 2
    for case in (
        b"\xef\xbb\xbf" + plain,
        plain.replace(b"\n", b"\r\n"),
        plain.removesuffix(b"\n"),
        b"\n\n" + plain + b"\n\n",
        b"-DOCSTART- -X- O\n\n# id = 1\n" + plain,
        plain.replace(b"\t", b" "),
        plain.replace(b"\t", b"\tNNP\t"),
        gzip.compress(plain),
        zstandard.compress(plain),
    ):
        assert tagged(case) == wanted
    for case, problem in {
        b"": "a.conll:1: ",
        b"# a comment\n\n": "a.conll: there is no sentence",
        b"EU\n": "a.conll:1: no tag: it is in the last column",
        plain + b"\nx\tI-ORG\n": "a.conll:6: unknown tag 'I-ORG'",
        plain + b"x\t\n": "a.conll:5: ",
        plain.replace(b"U", b"\xdc"): "a.conll:1: not UTF-8",
        gzip.compress(plain, mtime=0)[:-9]: "a.conll is compressed, and damaged",
    }.items():
        with pytest.raises(DataError) as caught:
            tagged(case)
        assert str(caught.value).startswith(problem)


def test_texts_and_labels_in_two_files() -> None:
    def both(texts: bytes, labels: bytes) -> list[Example]:
        Path("t.txt").write_bytes(texts)
        Path("l.txt").write_bytes(labels)
        files = {"de": {"text": "t.txt", "score": "l.txt"}}
        given = Declaration(format="regression", test=files)
        return list(task_of("mine", given).load(SOURCE, "test", "de"))

    wanted = both(b"A.\nB.\n", b"1\n2\n")
    assert both(b"A.\r\nB.\r\n", b"1\r\n2") == wanted
    assert both(b"\xef\xbb\xbfA.\nB.", gzip.compress(b"1\n2\n")) == wanted
    for texts, labels, problem in (
        (b"A.\nB.\n", b"1\n", "l.txt:2: 1 lines, and t.txt has 2"),
        (b"A.\n\nB.\n", b"1\n2\n3\n", "t.txt:2: an empty text (text)"),
        (b"A.\nB.\n", b"1\n\n", "t.txt:2: no score"),
        (b"A.\nB.\n", b"1\nx\n", "t.txt:2: the score 'x' is not a number"),
        (b"A.\nB.\n", b"", "l.txt:1: "),
        (b"A.\n\xff\n", b"1\n2\n", "t.txt:2: not UTF-8"),
    ):
        with pytest.raises(DataError) as caught:
            both(texts, labels)
        assert str(caught.value).startswith(problem)


def in_two_files(words: str, tags: str, **keys: Any) -> list[Example]:
    Path("w.txt").write_text(words)
    Path("tg.txt").write_text(tags)
    files: Any = {"en": {"word": "w.txt", "tag": "tg.txt"}}
    task = task_of("mine", Declaration(format="tagging", train=files, **keys))
    assert not task.first_row_problems()
    return list(task.load(SOURCE, "train", "en"))


def test_words_and_tags_in_two_files() -> None:
    words, tags = "EU says\u00a0so\nin  Rome\n", "B-ORG O\nO B-LOC \n"
    rows: Any = in_two_files(words, tags)
    assert rows == [
        TagExample("train-en-1", ("EU", "says\u00a0so"), ("B-ORG", "O")),
        TagExample("train-en-2", ("in", "Rome"), ("O", "B-LOC")),
    ]
    names = {"B-ORG": "B-X", "B-LOC": "B-X", "O": "O"}
    columns = {"word": 1, "tag": 1}  # of each file
    rows = in_two_files(words, tags, labels=names, columns=columns)
    assert [row.tags for row in rows] == [("B-X", "O"), ("O", "B-X")]
    Path("a.conll").write_text(TAGS)
    files: Any = {"en": {"word": "w.txt", "tag": "tg.txt"}, "de": "a.conll"}
    Path("tg.txt").write_text("B-PER O\nO O\n")
    task = task_of("mine", Declaration(format="tagging", train=files))
    assert task.labels == ("O", "B-LOC", "B-ORG", "B-PER")
    assert len(task.load(SOURCE, "train", "de")) == len(task.load(SOURCE, "train", "en")) == 2


@pytest.mark.parametrize(
    ("words", "tags", "problem"),
    [
        ("EU\nRome\n", "O\nB-X O\n", "w.txt:2: 1 words and 2 tags (separated by spaces); give"),
        ("EU\nRome\n", "O\nB-Y\n", "w.txt:2: unknown tag 'B-Y'; allowed: O B-X"),
        ("EU\n\n", "O\n\n", "w.txt:2: an empty text (word)"),
        ("EU\nRome\n", "O\n", "tg.txt:2: 1 lines, and w.txt has 2"),
    ],
)
def test_words_and_tags_in_two_files_that_do_not_fit(words: str, tags: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        Path("w.txt").write_text(words)
        Path("tg.txt").write_text(tags)
        files: Any = {"en": {"word": "w.txt", "tag": "tg.txt"}}
        given = Declaration(format="tagging", test=files, labels=("O", "B-X"))
        task_of("mine", given).load(SOURCE, "test", "en")
    assert str(caught.value).startswith(problem)
