"""Broken files of each format of declared tasks: one message with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from tests.support.own_files import CHOICES, FLAGS, PAIR, WHEN, read, squad


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# format, other keys, file, content, what is wrong with it, after the name of the file
BROKEN: list[tuple[str, dict[str, Any], str, str | bytes, str]] = [
    ("regression", {}, "a.csv", "text,score\nA.,\n", ":2: no score"),
    ("regression", {}, "a.csv", "text,score\nA.,x\n", ":2: the score 'x' is not a number"),
    (
        "regression",
        {},
        "a.tsv",
        "text\tscore\nA.\t3,500\n",
        ":2: the score '3,500' is not a number; dec",
    ),
    ("regression", {}, "a.csv", "text,score\nA.,nan\n", ":2: the score 'nan' is not finite"),
    ("regression", {}, "a.csv", "text,score\nA.,-inf\n", ":2: the score '-inf' is not finite"),
    ("regression", {}, "a.csv", "text,score\n,1\n", ":2: an empty text (text)"),
    (
        "regression",
        {},
        "a.csv",
        "text,stars\nA.,1\n",
        ":1: no column 'score'; there are: text, stars",
    ),
    ("regression", {}, "a.jsonl", '{"text": "A", "score": NaN}\n', ":1: "),
    (
        "regression",
        {},
        "a.jsonl",
        '{"text": "A", "score": [1]}\n',
        ":1: the score '[1]' is not a num",
    ),
    ("regression", {"columns": PAIR}, "a.csv", "A.,B.\n", ":1: no column 3; there are: 1, 2"),
    ("multilabel", {"columns": FLAGS}, "a.csv", "text,joy,fear\nA.,1,2\n", ":2: '2' is neither 0"),
    (
        "multilabel",
        {"columns": FLAGS},
        "a.csv",
        "text,joy,fear\nA.,1,\n",
        ":2: neither 0 nor 1 (col",
    ),
    ("multilabel", {"columns": FLAGS}, "a.csv", "text,joy\nA.,1\n", ":1: no column 'fear'"),
    (
        "multilabel",
        {},
        "a.csv",
        "text,labels\nA.,a;;b\n",
        ":2: labels: 'a;;b' has an empty name",
    ),
    (
        "multilabel",
        {},
        "a.csv",
        'text,labels\nA.,"[""a"""\n',
        ":2: labels: '[\"a\"' is not a list of n",
    ),
    (
        "multilabel",
        {"labels": ["a", "b"]},
        "a.csv",
        "text,labels\nA.,a;c\n",
        ":2: unknown label 'c'; allowed: a, b",
    ),
    ("span", {}, "a.json", "[]", ":1: there is no question in it"),
    ("span", {}, "a.json", '{"data": [', ":1: not JSON"),
    ("span", {}, "a.json", '{"data": [{"para": []}]}', ":1: not SQuAD's layout: there is no 'para"),
    (
        "span",
        {},
        "a.json",
        squad({"id": "q", "answers": []}),
        ":10: not SQuAD's layout: there is no",
    ),
    (
        "span",
        {},
        "a.json",
        squad({**WHEN, "answers": []}),
        ":10: question 'q1': no answer; where a",
    ),
    (
        "span",
        {},
        "a.json",
        squad(WHEN, {**WHEN, "id": "q2", "answers": [{"text": "410", "answer_start": 1}]}),
        ":20: question 'q2': the answer '410' is not in its context",
    ),
    (
        "span",
        {},
        "a.json",
        squad(WHEN, WHEN),
        ":20: question 'q1': its id is that of the question i",
    ),
    (
        "span",
        {},
        "a.json",
        squad({**WHEN, "question": " "}),
        ":10: question 'q1': an empty question",
    ),
    ("span", {}, "a.json", squad(WHEN, context=""), ":10: question 'q1': an empty context"),
    (
        "span",
        {},
        "a.json",
        squad({**WHEN, "answers": [{"text": "476", "answer_start": "x"}]}),
        ":10: question 'q1': answer_start: 'x' is not a number of characters",
    ),
    (
        "span",
        {},
        "a.jsonl",
        '{"question": "Q", "context": "C", "answers": "476"}',
        ":1: answers: '476' is neither",
    ),
    (
        "choice",
        {"columns": CHOICES},
        "a.csv",
        "context,a,b,label\nR,W,D,2\n",
        ":2: label '2' is none",
    ),
    ("choice", {"columns": CHOICES}, "a.csv", "context,a,b,label\nR,W,D,\n", ":2: no label"),
    (
        "choice",
        {"columns": CHOICES},
        "a.csv",
        "context,a,b,label\nR,W,,0\n",
        ":2: choice 1 is empty",
    ),
    ("choice", {"columns": CHOICES}, "a.csv", "context,a,label\nR,W,0\n", ":1: no column 'b'"),
    (
        "choice",
        {},
        "a.csv",
        "context,choices,label\nR,W,0\n",
        ":2: choices: 'W' is not a list of t",
    ),
    (
        "choice",
        {},
        "a.csv",
        'context,choices,label\nR,"[""W""]",0\n',
        ":2: 1 choice(s); two or more",
    ),
    (
        "choice",
        {},
        "a.csv",
        'context,choices,label\nR,"[""1"", ""2"", ""3"", ""4""]",4\nR,"[""1"", ""2"", ""3""]",2\n',
        ":3: label '2' may be choice 2, which is '3', or choice 1, whose text it is; give",
    ),
    (
        "tagging",
        {"labels": ["O", "B-X"]},
        "a.conll",
        "a O\nb B-Y\n",
        ":2: unknown tag 'B-Y'; allowe",
    ),
    *(
        (
            "span",
            {},
            "a.jsonl",
            json.dumps({"question": "When?", "context": "Rome fell in 476.", "answers": answers}),
            f":1: answers: {problem}",
        )
        for answers, problem in (
            ({"text": "476", "answer_start": 13}, "text and answer_start are not lists, such as"),
            ({"text": "476", "answer_start": [13]}, "text and answer_start are not lists"),
            ({"text": ["476"], "answer_start": None}, "text and answer_start are not lists"),
            ({"text": ["476", "in"], "answer_start": [13]}, "2 texts and 1 places (answer_start)"),
        )
    ),
    (
        "tagging",
        {"labels": ["O", "B-X"]},
        "a.conll",
        "a O\n\nb\n",
        ":3: no tag: it is in the last column, and this line has 1 column (separated by sp",
    ),
]


@pytest.mark.parametrize(("format", "keys", "name", "raw", "problem"), BROKEN)
def test_a_broken_row_is_named(
    format: str, keys: dict[str, Any], name: str, raw: str | bytes, problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(format, "train", name, raw, **keys)
    assert str(caught.value).startswith(f"{name}{problem}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"format": "regression", "labels": ["a", "b"]}, "labels: a regression row has none"),
        (
            {"format": "regression", "columns": {"label": "x"}},
            "columns: a regression row has no label; it has text, score or first, second, score",
        ),
        (
            {"format": "regression", "columns": {"text": 1, "first": 2}},
            "columns: a regression row has no first",
        ),
        (
            {"format": "classification", "columns": {"label": ["a", "b"]}},
            "columns: label is one column, not 2",
        ),
        ({"format": "multilabel", "columns": {"labels": ["a"]}}, "labels: give at least two, each"),
        ({"format": "regresion"}, "regression"),
    ],
)
def test_keys_that_do_not_fit_the_format(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Declaration(test={"en": "a.csv"}, **keys)
    assert problem in str(caught.value)


def test_candidates_that_do_not_fit() -> None:
    raw = "query,relevant\nWeather?,a9\n"
    pools = {
        "id,text\na1,It rains.\n": "a.csv:2: there is no candidate 'a9'",
        "id,text\na1,It rains.\na1,We won.\n": "pool.csv:3: a second candidate 'a1'",
        "id,text\na1,\n": "pool.csv:2: an empty id or text",
        "key,text\na1,It rains.\n": "pool.csv:1: no column 'id'",
    }
    for pool, problem in pools.items():
        Path("pool.csv").write_text(pool)
        with pytest.raises(DataError) as caught:
            read("retrieval", "test", "a.csv", raw, candidates="pool.csv")
        assert str(caught.value).startswith(problem)
    with pytest.raises(DataError, match="name their files: candidates"):
        read("retrieval", "test", "a.csv", raw)
