"""SQuAD and CoNLL files, broken in twenty ways each and more: one message with file and line, or,
where nothing is lost, the right value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError
from evalsuite.task import NO_ANSWER, Answer, SpanExample
from tests.support.own_files import WHEN, read, squad

NOTHING = b"\x00\x01\xff" * 9
LAYOUT = ":1: not SQuAD's layout: "
Q = ":10: question 'q1': "
START = {"text": "476", "answer_start": 13}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def question(**changes: Any) -> str:
    return squad({**WHEN, **changes})


def paragraph(**changes: Any) -> str:
    """One paragraph as JSON."""
    import json

    return json.dumps({"data": [{"paragraphs": [{"context": "C", "qas": []} | changes]}]})


SQUAD: dict[str, tuple[str | bytes, str]] = {
    "cut short": (squad(WHEN)[:-30], ":18: not JSON: "),
    "UTF-16": (squad(WHEN).encode("utf-16"), ":1: it looks like UTF-16 text"),
    "Latin-1": (question(question="Où?").encode("latin-1"), ":11: not UTF-8 (byte 0xf9)"),
    "binary": (NOTHING, ":1: a NUL byte"),
    "empty": ("", ":1: the file is empty"),
    "blank": ("  \n ", ":1: the file is empty"),
    "null": ("null", LAYOUT + "there is no 'data'"),
    "a number": ("3", LAYOUT + "there is no 'data'"),
    "no data": ('{"data": null}', LAYOUT + "'data' is not a list"),
    "data by name": ('{"data": {"a": 1}}', LAYOUT + "'data' is not a list"),
    "an article of text": ('{"data": ["x"]}', LAYOUT + "there is no 'paragraphs'"),
    "no paragraphs": ('{"data": [{"paragraphs": 0}]}', LAYOUT + "'paragraphs' is not a list"),
    "no questions": (paragraph(qas=None), LAYOUT + "'qas' is not a list"),
    "null context": (paragraph(context=None), LAYOUT + "'context' is not text"),
    "a list of contexts": (paragraph(context=["a"]), LAYOUT + "'context' is not text"),
    "a question without id": (squad({"question": "q"}), LAYOUT + "there is no 'id'"),
    "a null id": (question(id=None), ":10: not SQuAD's layout: 'id' is not text or a number"),
    "a true id": (question(id=True), ":10: not SQuAD's layout: 'id' is not text or a number"),
    "a list as id": (question(id=[1]), ":10: not SQuAD's layout: 'id' is not text or a number"),
    "one id as text and number": (
        squad({**WHEN, "id": 1}, {**WHEN, "id": "1"}),
        ":20: question '1': its id is that of the question in line 10 too",
    ),
    "a null question": (question(question=None), ":10: not SQuAD's layout: 'question' is not text"),
    "answers as text": (question(answers="476"), Q + "answers: not a list"),
    "answers as a number": (question(answers=3), Q + "answers: not a list"),
    "the hub's answers": (question(answers={"text": ["476"]}), Q + "answers: not a list"),
    "null answers": (question(answers=None), Q + "no answer; where a question may have none"),
    "answers without start": (question(answers=["476"]), Q + "an answer without a text"),
    "a null answer": (question(answers=[{"text": None}]), Q + "an answer without a text"),
    "an empty answer": (question(answers=[{"text": " "}]), Q + "an empty answer"),
    "half a character": (
        question(answers=[START | {"answer_start": 13.5}]),
        Q + "answer_start: 13.5 is not a number of characters",
    ),
    "a true start": (
        question(answers=[START | {"answer_start": True}]),
        Q + "answer_start: True is not a number of characters",
    ),
    "a start that is not finite": (
        question(answers=[START | {"answer_start": float("nan")}]),
        ":1: not JSON: the number NaN is not finite",
    ),
    "impossible in words": (
        question(is_impossible="yes", answers=[]),
        Q + "is_impossible: 'yes' is neither true nor false",
    ),
    "impossible and answered": (
        question(is_impossible=True),
        Q + "is_impossible: true, and yet there is an answer",
    ),
    "possible without answer": (question(is_impossible=False, answers=[]), Q + "no answer; where"),
    "one of several without answer": (
        squad({**WHEN, "is_impossible": False}, {**WHEN, "id": "q2", "answers": []}),
        ":21: question 'q2': no answer; where a question may have none",
    ),
    "two lines of JSON": ('{"id": 1}\n{"id": 2}', ":2: not JSON: "),
    "nested too deep": ("[" * 3000, ":1: not JSON: it is nested too deep"),
    "a comment": ("// x\n" + squad(WHEN), ":1: not JSON: "),
    "a comma too many": (squad(WHEN).replace("]", "],", 1), ":18: not JSON: "),
}
TAGS = ["O", "B-X", "I-X"]
LAST = "no tag: it is in the last column, and this line has 1 column (separated by "
CONLL: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", ":1: the file is empty"),
    "blank lines": ("\n\n\n", ":1: the file is empty"),
    "comments alone": ("# a\n# b\n", ": there is no sentence in it"),
    "words alone": ("a\nb\n", ":1: " + LAST + "spaces)"),
    "one word without tag": ("a O\nb\n", ":2: " + LAST + "spaces)"),
    "spaces among tabs": ("a\tO\nb O\n", ":2: " + LAST + "tabs)"),
    "commas": ("a,O\nb,O\n", ":1: " + LAST + "spaces)"),
    "JSON": ('{"tokens":["a"],"tags":["O"]}\n', ":1: " + LAST + "spaces)"),
    "an empty tag": ("a\t\nb\tO\n", ":1: an empty tag (column -1)"),
    "a tab at the end": ("a\tO\t\n", ":1: an empty tag (column -1)"),
    "an empty word": ("a\tO\n\tO\n", ":2: an empty word (column 1)"),
    "a blank word": ("\u00a0\tO\n", ":1: an empty word (column 1)"),
    "old Mac lines": ("a O\rb O\r", ":1: its lines end as on old Macs"),
    "UTF-16": ("a O\n".encode("utf-16"), ":1: it looks like UTF-16 text"),
    "Latin-1": ("é O\n".encode("latin-1"), ":1: not UTF-8 (byte 0xe9)"),
    "binary": (NOTHING, ":1: a NUL byte"),
    "a NUL in a word": ("a O\nb\x00c O\n", ":2: a NUL byte"),
    "another tag": ("a O\n\nb O\nc B-Z\n", ":4: unknown tag 'B-Z'; allowed: O B-X I-X"),
    "a tag in small letters": ("a o\n", ":1: unknown tag 'o'"),
    "a tag with an underscore": ("a B_X\n", ":1: unknown tag 'B_X'"),
    "half a tag": ("a B-\n", ":1: unknown tag 'B-'"),
    "a number as tag": ("a 1\n", ":1: unknown tag '1'"),
    "quoted": ('"a" "O"\n', ":1: unknown tag '\"O\"'"),
    "another scheme": ("a S-X\n", ":1: unknown tag 'S-X'"),
}


@pytest.mark.parametrize("how", SQUAD)
def test_a_broken_squad_file_is_refused(how: str) -> None:
    raw, problem = SQUAD[how]
    refused(lambda: read("span", "train", "a.json", raw), "a.json", problem)


@pytest.mark.parametrize("how", CONLL)
def test_a_broken_conll_file_is_refused(how: str) -> None:
    raw, problem = CONLL[how]
    refused(lambda: read("tagging", "train", "a.conll", raw, labels=TAGS), "a.conll", problem)


def refused(opened: Any, name: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        opened()
    assert str(caught.value).startswith(f"{name}{problem}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ("\ufeff" + squad(WHEN), Answer("476", 13)),
        (squad(WHEN).replace("\n", "\r\n"), Answer("476", 13)),
        (question(id=7), Answer("476", 13)),
        (question(answers=[START | {"answer_start": 12}]), Answer("476", 13)),  # the nearest
        (question(answers=[{"text": "476"}]), Answer("476", 13)),
        (question(is_impossible=True, answers=[]), Answer(NO_ANSWER, -1)),
        (question(is_impossible=True, answers=None), Answer(NO_ANSWER, -1)),
    ],
)
def test_a_squad_file_of_another_form_is_read(raw: str, answer: Answer) -> None:
    (row,) = read("span", "train", "a.json", raw)
    assert isinstance(row, SpanExample) and row.answers == (answer,)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("\ufeffa O\n", [("a",)]),
        ("a O\r\nb O\r\n\r\nc O\r\n", [("a", "b"), ("c",)]),
        ("a O", [("a",)]),
        ("a O\n \nb O\n", [("a",), ("b",)]),
        ("a\tO\n\t\nb\tO\n", [("a",), ("b",)]),
        ("# said by\na O\n", [("a",)]),
        ("#tag O\n", [("#tag",)]),
        ("-DOCSTART- -X- O\n\na O\n", [("a",)]),
        ("a NN O\nb VB X O\n", [("a", "b")]),
        ("New York\tB-X\n", [("New York",)]),
        ("a\u2028 O\n", [("a",)]),
        ("we O\n# O\n# # B-X\n1 O\n", [("we", "#", "#", "1")]),  # no comments
        ("10\u00a0000 B-X\n", [("10\u00a0000",)]),
        ("a O\n-DOCSTART- O\nb O\n", [("a", "b")]),
        ("a\tO\n# said so\nb\tO\n#\tO\n", [("a", "b", "#")]),
        ("a  O\nb O \n", [("a", "b")]),
    ],
)
def test_a_conll_file_of_another_form_is_read(raw: str, words: list[tuple[str, ...]]) -> None:
    rows = read("tagging", "train", "a.conll", raw, labels=TAGS)
    assert [row.words for row in rows] == words


def test_ranges_and_empty_nodes_of_conll_u_are_no_words() -> None:
    def line(number: str, word: str, tag: str) -> str:
        return "\t".join([number, word, "_", tag, *["_"] * 6])

    lines = [
        "# text = du pain",
        line("1-2", "du", "_"),
        line("1", "de", "ADP"),
        line("2", "le", "DET"),
        line("2.1", "elided", "_"),
        line("3", "pain", "NOUN"),
    ]
    columns = {"word": 2, "tag": 4}
    (row,) = read("tagging", "train", "a.conllu", "\n".join(lines) + "\n", columns=columns)
    assert row.words == ("de", "le", "pain")
    assert row.tags == ("ADP", "DET", "NOUN")  # type: ignore[union-attr]
