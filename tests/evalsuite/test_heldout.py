"""Evaluation text is known by its letters, whatever its file's layout, and kept out of training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalsuite.data import heldout, parallel
from evalsuite.data.heldout import HeldOut
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.planning.data_digests import digest_need
from recipes.stages._shared.contract import HELD_OUT
from transfer.text import parallel_text


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """One file of each layout, and an empty corpus beside it."""

    def put(name: str, content: str) -> None:
        path = tmp_path / "xtreme" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    put("tatoeba/tatoeba.deu-eng.deu", "Ihr Englisch ist gut.\n")
    put("tatoeba/tatoeba.deu-eng.eng", "Her English is good.\n")
    put("tatoeba/de-en.de", "Wir gehen heim.\n")
    put("bucc2018/de.test.en", "en-1\tThe vote is over.\n")
    put("xnli/dev-de.tsv", 'Er "sagte" nichts.\tSie schwieg.\tneutral\n')
    put("udpos/test-de.tsv", "Der\tDET\nHund\tNOUN\nbellt\tVERB\n.\tPUNCT\n\nJa\tINTJ\n")
    question = {"question": "Wo liegt Bonn?", "answers": [{"text": "am Rhein"}]}
    paragraph = {"context": "Bonn liegt am Rhein. Es ist alt!", "qas": [question]}
    put("xquad/xquad.de.json", json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    put("xcopa/test-de.jsonl", json.dumps({"premise": "Das Glas fiel.", "label": 1}) + "\n")
    put("cosmosqa/valid-en.csv", 'id,context\n1,"It rained, we left."\n')
    for kind in ("parallel", "mono"):
        (tmp_path / "corpus" / kind).mkdir(parents=True)
    return tmp_path / "xtreme"


@pytest.mark.parametrize(
    "line",
    [
        "ihr englisch ist gut",
        "HER ENGLISH IS GOOD!",
        "Wir gehen heim",
        "The vote is over",
        "Er sagte nichts",
        "Der Hund bellt.",
        "Es ist alt",
        "Wo liegt Bonn",
        "Das Glas fiel",
        "It rained; we left",
        "Ｈer English is good",
    ],
)
def test_evaluation_text_is_known(directory: Path, line: str) -> None:
    assert line in HeldOut.read(DataSource("xtreme", directory))


@pytest.mark.parametrize("line", ["", "?!", "A new sentence", "Der Hund", "Bonn liegt"])
def test_other_text_is_not(directory: Path, line: str) -> None:
    (directory / "parallel").mkdir()
    (directory / "parallel" / "de.tsv").write_text("A new sentence\tEin neuer Satz\tx\n")
    assert line not in HeldOut.read(DataSource("xtreme", directory))


def test_blank_lines_of_json_lines_are_passed_over(directory: Path) -> None:
    (directory / "xcopa/test-de.jsonl").write_text(
        '{"premise": "A"}\n\n  \n{"premise": "Der Ton"}\n'
    )
    assert "Der Ton" in HeldOut.read(DataSource("xtreme", directory))
    (directory / "xcopa/test-de.jsonl").write_text('{"premise": "A"}\n\n{"premise"\n')
    with pytest.raises(MalformedRowError, match=r"test-de\.jsonl:3: not JSON"):
        HeldOut.read(DataSource("xtreme", directory))


def test_training_text_leaves_it_out(directory: Path) -> None:
    (directory.parent / "corpus" / "parallel" / "de.tsv").write_text(
        "Her English is good\tIhr Englisch ist sehr gut\tx\n"
        "He said nothing\tEr sagte nichts\tx\n"
        "A new sentence\tEin neuer Satz\tx\n"
    )
    (directory.parent / "corpus" / "mono" / "de.txt").write_text("Der Hund bellt!\nDie Katze.\n")
    (directory.parent / "corpus" / "mono" / "en.txt").write_text("It rained; we left\nIt rained\n")
    read = parallel_text.read(DataSource("xtreme", directory), None, max_lines=None)
    assert read.pairs == [(0, "Ein neuer Satz", "A new sentence")]
    assert read.lines == [(0, "Die Katze."), (1, "It rained")]
    assert read.languages == ("de", "en") and read.dropped == 4


def test_running_text_alone(directory: Path) -> None:
    (directory.parent / "corpus" / "parallel" / "de.tsv").write_text(
        "Save _As\tSpeichern unter\tx\n"
        "He went home early.\tEr ging früh heim\tx\n"
        "Use %s for it.\tNimm %s dafür.\tx\n"
        "She stayed there.\tSie <b>blieb</b> dort.\tx\n"
        "They are all asleep.\tSie schlafen alle.\tx\n"
    )
    (directory.parent / "corpus" / "mono" / "de.txt").write_text("Alles schlief.\nDatei 1\n")
    source = DataSource("xtreme", directory)
    read = parallel_text.read(source, None, max_lines=None, prose=True)
    assert [pair[2] for pair in read.pairs] == ["He went home early.", "They are all asleep."]
    assert read.lines == [(0, "Alles schlief.")]
    first = parallel_text.read(source, None, max_pairs=1, prose=True)
    assert [pair[2] for pair in first.pairs] == ["He went home early."]  # of those, the first


def test_an_error_says_why_no_pair_is_left(directory: Path) -> None:
    pairs = directory.parent / "corpus" / "parallel" / "de.tsv"
    pairs.write_text("Her English is good.\tIhr Englisch ist gut.\tx\nSave _As\tSpeichern\tx\n")
    source = DataSource("xtreme", directory)
    with pytest.raises(DataError) as error:
        parallel_text.read(source, None, max_pairs=2, prose=True)
    assert str(error.value).splitlines() == [
        "no parallel text to train on in de",
        "1 pair is text of evaluation files, which no training reads",
        "prose: true reads sentences only; with prose: false headings and code too",
    ]


def test_a_file_that_is_not_what_it_says(directory: Path) -> None:
    (directory / "xcopa" / "test-de.jsonl").write_text('{"premise": \n')
    with pytest.raises(MalformedRowError, match=r"test-de\.jsonl:1: not JSON"):
        HeldOut.read(DataSource("xtreme", directory))
    (directory / "xcopa" / "test-de.jsonl").unlink()
    (directory / "cosmosqa" / "valid-en.csv").write_bytes("caf\u00e9".encode("latin-1"))
    with pytest.raises(MalformedRowError, match=r"valid-en\.csv:1: not UTF-8"):
        HeldOut.read(DataSource("xtreme", directory))


def test_json_of_another_layout(directory: Path) -> None:
    (directory / "info.json").write_text(
        '{"files": [{"note": "An aside. It counts too."}], "n": 3}'
    )
    held = HeldOut.read(DataSource("xtreme", directory))
    assert "it counts too" in held and "An aside. It counts too." in held


def test_the_digest_is_of_the_text_wherever_it_lies(directory: Path) -> None:
    def digest(here: Path) -> str:
        return digest_need(HELD_OUT, DataSource("xtreme", here))

    before = digest(directory)
    moved = directory.rename(directory.with_name("moved"))
    assert digest(moved) == before
    (moved / "xcopa" / "test-de.jsonl").write_text('{"premise": "Das Glas sprang."}\n')
    assert digest(moved) != before


def test_sources_that_share_nothing() -> None:
    for kind in ("embedded", "hub"):
        assert heldout.paths(DataSource(kind)) == ()


@pytest.mark.data
@pytest.mark.usefixtures("corpus_dir")
@pytest.mark.slow
def test_no_training_text_is_evaluation_text(xtreme_dir: Path) -> None:
    """By whole sentences as the tasks read them, not by the keys the filter uses."""
    source = DataSource("xtreme", xtreme_dir)
    evaluated: set[str] = set()
    for name in ("tatoeba", "xnli", "udpos"):
        task = TASKS.get(name)
        split = task.eval_split(source)
        for language in task.available(source, split):
            for example in task.load(source, split, language):
                fields = ("foreign", "english", "first", "second")
                evaluated.update(getattr(example, field, "") for field in fields)
                evaluated.add(" ".join(getattr(example, "words", ())))
    for path in sorted((xtreme_dir / "xquad").glob("*.json")):
        for article in json.loads(path.read_text("utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                evaluated.update(question["question"] for question in paragraph["qas"])
                evaluated.update(line + "." for line in paragraph["context"].split(". "))
    evaluated = {line.casefold().strip() for line in evaluated} - {""}
    assert len(evaluated) > 100_000
    languages = ("en", *parallel.languages(source))
    read = parallel_text.read(source, languages[1:], max_pairs=4000, max_lines=4000)
    trained = {side for _, foreign, english in read.pairs for side in (foreign, english)}
    trained |= {line for _, line in read.lines}
    assert len(trained) > 300_000 and read.dropped > 0
    assert not {line.casefold().strip() for line in trained} & evaluated
