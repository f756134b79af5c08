"""Files of each format of declared tasks: the right value of each row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.registry import FORMATS, METRICS, OWN_FORMATS
from evalsuite.scoring import metric_of
from evalsuite.task import (
    Answer,
    Candidate,
    ChoiceExample,
    LabelsExample,
    MatchExample,
    OptionalSpanExample,
    ParallelExample,
    QueryExample,
    ScoreExample,
    SpanExample,
)
from tests.support.own_files import CHOICES, FLAGS, PAIR, SOURCE, WHEN, declared, read, squad

LINES = {"first": "first", "second": "second"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", OWN_FORMATS.names())
def test_every_format_keeps_the_contract(name: str) -> None:
    rules: Any = OWN_FORMATS.get(name)
    several = isinstance(rules.FORMAT, tuple)
    for form, metric in (
        zip(rules.FORMAT, rules.METRIC, strict=True) if several else [(rules.FORMAT, rules.METRIC)]
    ):
        assert form in FORMATS.names() and METRICS.get(metric).chance is not None
    every = {role for way in rules.ROLES for role in way}
    assert set(rules.GOLD) <= every and set(rules.LISTS) <= every and len(rules.NOUN) > 10


@pytest.mark.parametrize(
    ("labels", "right"),
    [
        (None, ["1", "0"]),
        (["false", "true"], ["true", "false"]),
        ({"true": "toxic", "false": "fine"}, ["toxic", "fine"]),
        ({1: "toxic", 0: "fine"}, ["toxic", "fine"]),
    ],
)
def test_true_and_false_of_json_are_labels(labels: Any, right: list[str]) -> None:
    raw = '{"text": "A", "label": true}\n{"text": "B", "label": false}\n'
    rows = read("classification", "train", "t.jsonl", raw, **({"labels": labels} if labels else {}))
    assert [row.label for row in rows] == right


def test_scores_of_pairs_and_of_sentences() -> None:
    task = declared("regression", "train", "a.csv", "A.,B.,5\nC.,D.,-1.5e0\n", columns=PAIR)
    assert (task.format, task.labels, metric_of(task).name) == (
        "regression",
        ("score",),
        "spearman",
    )
    assert task.load(SOURCE, "train", "de") == [
        ScoreExample("train-de-1", "A.", "B.", 5.0),
        ScoreExample("train-de-2", "C.", "D.", -1.5),
    ]
    found = read("regression", "train", "b.tsv", "score\ttext\n4\tGood.\n")
    assert found == [ScoreExample("train-de-2", "Good.", None, 4.0)]
    found = read("regression", "train", "b.csv", "text;score\nGood.;4,5\nIt is so, so;-1\n")
    assert [(row.first, row.score) for row in found] == [("Good.", 4.5), ("It is so, so", -1.0)]
    (row,) = read(
        "regression",
        "test",
        "c.jsonl",
        '{"first": "A", "second": "B"}\n',
        columns=PAIR | {"first": "first", "second": "second", "score": "score"},
    )
    assert row == ScoreExample("test-de-1", "A", "B", None)


def test_labels_by_column_and_by_name() -> None:
    raw = "text,joy,other,fear\nA.,1,9,0\nB.,true,9,No\nC.,0.0,9,1.0\n"
    task = declared("multilabel", "train", "a.csv", raw, columns=FLAGS)
    assert (task.format, task.labels, task.metric) == ("multilabel", ("joy", "fear"), "macro_f1")
    rows = [row.labels for row in task.load(SOURCE, "train", "de")]  # type: ignore[union-attr]
    assert rows == [
        {"joy": True, "fear": False},
        {"joy": True, "fear": False},
        {"joy": False, "fear": True},
    ]
    raw = "text,labels\nA.,joy;fear\nB.,\nC.,joy\n"
    task = declared("multilabel", "train", "b.csv", raw)
    assert task.labels == ("fear", "joy")
    assert task.load(SOURCE, "train", "de")[0] == LabelsExample(
        "train-de-2", "A.", None, {"fear": True, "joy": True}
    )
    raw = '{"text": "A.", "labels": ["a, b", "c"]}\n{"text": "B.", "labels": []}\n'
    rows = read("multilabel", "train", "c.jsonl", raw)
    assert [row.labels for row in rows] == [{"a, b": True, "c": True}, {"a, b": False, "c": False}]


def test_a_label_without_a_column_in_a_test_file_is_not_known_there() -> None:
    names = {"joy": "happy", "fear": "afraid"}
    (row,) = read("multilabel", "test", "a.csv", "text,joy\nA.,1\n", columns=FLAGS, labels=names)
    assert row.labels == {"happy": True}
    task = declared("multilabel", "test", "b.csv", "text\nA.\n", columns=FLAGS, labels=names)
    assert task.load(SOURCE, "test", "de")[0].labels is None  # type: ignore[union-attr]
    assert task.available(SOURCE, "test") == ()


def test_answers_in_a_context() -> None:
    found = SpanExample("q1", "When?", "Rome fell in 476.", (Answer("476", 13),))
    task = declared("span", "train", "a.json", squad(WHEN))
    assert (task.format, task.metric, task.labels) == ("span", "answer_f1", ("start", "end"))
    assert task.load(SOURCE, "train", "de") == [found]
    near = {**WHEN, "answers": [{"text": "476", "answer_start": 12}]}
    assert read("span", "train", "b.json", squad(near)) == [found]
    none = {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True}
    rows = read("span", "train", "c.json", squad({**WHEN, "is_impossible": False}, none))
    assert [type(row) for row in rows] == [OptionalSpanExample] * 2
    assert [row.answers for row in rows] == [(Answer("476", 13),), (Answer("", -1),)]
    hidden = declared("span", "test", "d.json", squad({"id": "q1", "question": "When?"}))
    assert hidden.load(SOURCE, "test", "de")[0].answers == ()  # type: ignore[union-attr]
    assert hidden.available(SOURCE, "test") == ()
    row = {"question": "When?", "context": found.context}
    for answers in ({"text": ["476"], "answer_start": [13]}, ["476"]):
        raw = json.dumps({**row, "answers": answers})
        (span,) = read("span", "train", "e.jsonl", raw)
        assert span.answers == found.answers and span.id == "train-de-1"


def test_choices_by_column_and_in_a_list() -> None:
    raw = "context,a,b,label\nRain.,Wet.,Dry.,0\nSun.,Wet.,Dry.,b\nSnow.,Cold.,Warm.,Cold.\n"
    task = declared("choice", "train", "a.csv", raw, columns=CHOICES)
    assert (task.format, task.labels) == ("choice", ("choice",))
    rows = task.load(SOURCE, "train", "de")
    assert rows[0] == ChoiceExample("train-de-2", "Rain.", "", ("Wet.", "Dry."), 0)
    assert [row.label for row in rows] == [0, 1, 0]  # type: ignore[union-attr]
    raw = '{"context": "Rain.", "question": "So?", "choices": ["Wet.", "Dry."], "label": "B"}\n'
    keys = {"columns": {"question": "question"}, "labels": {"A": 0, "B": 1}}
    (row,) = read("choice", "train", "b.jsonl", raw, **keys)
    assert row == ChoiceExample("train-de-1", "Rain.", "So?", ("Wet.", "Dry."), 1)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"0": 0, "1": 1, "2": 2, "3": 3}, [1, 3, 0]),  # numbers from 0
        ({"0": 3, "1": 0, "2": 1, "3": 2}, [0, 2, 3]),  # texts, of choices in this order
    ],
)
def test_labels_of_choices_that_are_numbers_are_read_as_the_recipe_says(
    labels: dict[str, int], expected: list[int]
) -> None:
    line = '{"context": "2 + 1?", "choices": ["1", "2", "3", "0"], "label": %s}\n'
    raw = "".join(line % label for label in (1, 3, 0))
    rows = read("choice", "train", "c.jsonl", raw, labels=labels)
    assert [row.label for row in rows] == expected


def test_numbers_of_choices_whose_texts_are_other_numbers_stay_numbers() -> None:
    line = '{"context": "2 + 1?", "choices": ["0", "4", "4", "7"], "label": %s}\n'
    raw = "".join(line % label for label in ("0", "1", "7"))
    assert [row.label for row in read("choice", "train", "c.jsonl", raw)] == [0, 1, 3]


def test_queries_and_candidates() -> None:
    Path("pool.tsv").write_text("id\ttext\na1\tIt rains.\na2\tWe won.\n")
    keys = {"candidates": "pool.tsv"}
    raw = "query,relevant\nWeather?,a1\nBoth?,a1|a2\n"
    task = declared("retrieval", "test", "a.csv", raw, **keys)
    assert (task.format, task.metric, task.by_embedding) == ("ranking", "map_at_20", True)
    assert task.load(SOURCE, "test", "de") == [
        QueryExample("test-de-2", "Weather?", ("a1",)),
        QueryExample("test-de-3", "Both?", ("a1", "a2")),
    ]
    pool: Any = task
    assert [*pool.candidates(SOURCE, "test")][1] == Candidate("a2", "We won.")
    assert Path("pool.tsv") in task.files(SOURCE, "test", "de")
    rows = read("retrieval", "train", "a.csv", raw, **keys)
    assert rows[1:] == [
        MatchExample("train-de-3", "Both?", "It rains."),
        MatchExample("train-de-3", "Both?", "We won."),
    ]
    again = read("retrieval", "test", "a.csv", raw.replace("a1|a2", "a2|a2|a1|a2"), **keys)
    assert again[1].relevant == ("a2", "a1")
    task = declared("retrieval", "test", "b.csv", "query\nWeather?\n", **keys)
    assert task.available(SOURCE, "test") == ()


def test_lines_and_their_translations() -> None:
    Path("en.txt").write_text("It rains.\nWe won.\n")
    Path("de.txt").write_text("Es regnet.\nGewonnen!\n")
    files = {"de": {"first": "de.txt", "second": "en.txt"}}
    task = task_of("mine", Declaration(format="retrieval", test=files))
    assert (task.format, task.metric) == ("retrieval", "retrieval_accuracy")
    assert task.load(SOURCE, "test", "de")[1] == ParallelExample(
        "test-de-2", "Gewonnen!", "We won."
    )
    Path("fr.tsv").write_text("first\tsecond\nIl pleut.\tIt rains.\n")
    table = task_of("lines", Declaration(format="retrieval", test={"fr": "fr.tsv"}, columns=LINES))
    for found, code in ((task, "de"), (table, "fr")):  # there is nothing to hide
        assert found.available(SOURCE, "test") == (code,)


@pytest.mark.parametrize(
    ("tags", "metric", "scheme"),
    [
        (("O", "B-PER", "I-PER"), "chunk_f1", "iob"),  # IOB1 or IOB2
        (("O", "B-PER", "E-PER", "S-PER"), "chunk_f1", "iob"),  # BIOES
        (("O", "B-PER", "L-PER", "U-PER"), "chunk_f1", "bilou"),
        (("O", "PER", "LOC"), "token_accuracy", "plain"),
        (("NOUN", "VERB", "X"), "token_accuracy", "plain"),
    ],
)
def test_schemes_of_tags(tags: tuple[str, ...], metric: str, scheme: str) -> None:
    raw = "".join(f"w\t{tag}\n" for tag in tags)
    task = declared("tagging", "train", "a.conll", raw)
    assert (task.metric, task.scheme) == (metric, scheme)


def test_rows_that_are_read_and_skipped_are_counted() -> None:
    from evalsuite.data.left_out import collected, summary

    with collected() as found:
        read("regression", "train", "a.csv", "text,score\nA.,1\n\nB.,2\n \n")
        read("classification", "test", "b.tsv", "text\tlabel\nA.\tx\n\nB.\ty\n")
    assert summary(found) == {
        "rows read": "mine test: 2 in de; mine train: 2 in de",
        "rows left out": "mine test de: 1 of 3 rows (blank line); "
        "mine train de: 2 of 4 rows (blank line)",
    }
