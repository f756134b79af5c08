"""Tasks read from an XTREME directory: rows, hidden labels, absent and malformed files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from all_tasks import KIND, every, find

from evalsuite.errors import DataError, MalformedRowError, MissingDataError, UnknownNameError
from evalsuite.task import DataSource, PairExample, ParallelExample, Split, TagExample, Task

HUB = DataSource("hub")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def xtreme(tmp_path: Path) -> DataSource:
    """A directory as the XTREME scripts fill it: test files hide their labels."""
    pair = "Mtu amelala.\tMtu yuko macho.\t{}\n"
    write(tmp_path / "xnli/train-en.tsv", pair.format("contradictory"))
    write(tmp_path / "xnli/dev-en.tsv", pair.format("neutral"))
    write(tmp_path / "xnli/dev-sw.tsv", pair.format("entailment") * 2)
    write(tmp_path / "xnli/dev-xx.tsv", pair.format("entailment"))
    write(tmp_path / "xnli/test-sw.tsv", "Mtu amelala.\tMtu yuko macho.\n")
    write(tmp_path / "pawsx/dev-ko.tsv", "a b\tb a\t0\n")
    write(tmp_path / "pawsx/test-ko.tsv", "a b\tb a\n")
    write(tmp_path / "snli/train-en.tsv", pair.format("-") + pair.format("neutral"))
    write(tmp_path / "udpos/train-en.tsv", "Go\tVERB\n.\tPUNCT\n\nOn\tADV\n")
    write(tmp_path / "udpos/test-de.tsv", "Geh\nhin\n")
    write(tmp_path / "panx/dev-de.tsv", "de:Anton\tB-PER\nde:de:facto\tO\n\nde:\tO\n")
    write(tmp_path / "tatoeba/tatoeba.swh-eng.swh", "moja\nmbili\n")
    write(tmp_path / "tatoeba/tatoeba.swh-eng.eng", "one\ntwo\n")
    for split in ("dev", "test"):
        write(tmp_path / f"bucc2018/ru-en.{split}.ru", "ru-1\tодин\nru-2\tдва\n")
        write(tmp_path / f"bucc2018/ru-en.{split}.en", "en-1\ttwo\n")
    write(tmp_path / "bucc2018/ru-en.dev.gold", "ru-2\ten-1\n")
    row = {"premise": "a", "choice1": "b", "choice2": "c", "question": "cause", "label": 1}
    write(tmp_path / "xcopa/val-et.jsonl", json.dumps(row) + "\n")
    write(tmp_path / "xcopa/train-en.jsonl", json.dumps(row) + "\n")
    del row["label"]
    write(tmp_path / "xcopa/test-et.jsonl", json.dumps(row) + "\n")
    question = {"id": "1", "question": "When?", "answers": [{"text": "1867", "answer_start": 3}]}
    squad = json.dumps({"data": [{"paragraphs": [{"context": "In 1867.", "qas": [question]}]}]})
    for name in ("squad/train-v1.1", "xquad/xquad.de", "tydiqa/tydiqa.goldp.sw.train"):
        write(tmp_path / f"{name}.json", squad)
    write(tmp_path / "mlqa/MLQA_V1/test/test-context-zh-question-zh.json", squad)
    write(tmp_path / "mlqa/dev-context-vi-question-vi.json", squad)
    return DataSource("xtreme", tmp_path)


@pytest.mark.parametrize(
    ("task", "split", "available"),
    [
        ("xnli", "train", ("en",)),
        ("xnli", "dev", ("en", "sw", "xx")),
        ("xnli", "test", ()),
        ("snli", "train", ("en",)),
        ("mnli", "train", ("en",)),
        ("mnli", "dev", ()),
        ("udpos", "train", ("en",)),
        ("udpos", "test", ()),
        ("panx", "dev", ("de",)),
        ("panx", "test", ()),
        ("tatoeba", "test", ("sw",)),
        ("tatoeba", "dev", ()),
        ("bucc2018", "dev", ("ru",)),
        ("bucc2018", "test", ()),
        ("pawsx", "dev", ("ko",)),
        ("pawsx", "test", ()),
        ("xcopa", "train", ("en",)),
        ("xcopa", "dev", ("et",)),
        ("xcopa", "test", ()),
        ("xquad", "train", ("en",)),
        ("xquad", "test", ("de",)),
        ("xquad", "dev", ()),
        ("mlqa", "train", ("en",)),
        ("mlqa", "test", ("zh",)),
        ("mlqa", "dev", ("vi",)),
        ("tydiqa", "train", ("sw",)),
        ("tydiqa", "dev", ()),
    ],
)
def test_available(xtreme: DataSource, task: str, split: Split, available: tuple[str]) -> None:
    found = find(task)
    assert found.available(xtreme, split) == available
    for language in available:
        assert all(path.exists() for path in found.files(xtreme, split, language))
        rows = found.load(xtreme, split, language)
        assert len({row.id for row in rows}) == len(rows) > 0
        assert all(isinstance(row, KIND[found.format]) for row in rows)


def test_rows(xtreme: DataSource) -> None:
    rows = find("xnli").load(xtreme, "train", "en")
    assert rows == [
        PairExample("train-en-0", "Mtu amelala.", "Mtu yuko macho.", "contradiction"),
    ]
    assert find("xnli").load(xtreme, "test", "sw")[0].label is None  # type: ignore[union-attr]
    assert find("mnli").load(xtreme, "train", "en") == rows
    assert [row.id for row in find("snli").load(xtreme, "train", "en")] == ["train-en-1"]
    assert find("udpos").load(xtreme, "test", "de") == [TagExample("test-de-0", ("Geh", "hin"), ())]
    assert find("panx").load(xtreme, "dev", "de") == [
        TagExample("dev-de-0", ("Anton", "de:facto"), ("B-PER", "O")),
        TagExample("dev-de-1", ("de:",), ("O",)),
    ]
    assert find("tatoeba").load(xtreme, "test", "sw")[1] == ParallelExample(
        "test-sw-1", "mbili", "two"
    )


def test_translated_training_rows_as_xnli_publishes_them(xtreme: DataSource) -> None:
    assert xtreme.data_dir
    rows = "premise\thypo\tlabel\nEr schläft .\tEr ist wach .\tcontradictory\n"
    write(xtreme.data_dir / "xnli/train-de.tsv", rows)
    assert find("xnli").available(xtreme, "train") == ("en", "de")
    assert find("xnli").load(xtreme, "train", "de") == [
        PairExample("train-de-1", "Er schläft .", "Er ist wach .", "contradiction")
    ]
    with pytest.raises(MissingDataError, match=r"XNLI-MT's multinli\.train\.fr\.tsv"):
        find("xnli").load(xtreme, "train", "fr")
    write(xtreme.data_dir / "xnli/train-de.tsv", rows + "a\tb\tlabel\n")  # not the first line
    with pytest.raises(MalformedRowError, match=r"train-de\.tsv:3: unknown label 'label'"):
        find("xnli").load(xtreme, "train", "de")


def test_hidden_labels_are_not_scored(xtreme: DataSource) -> None:
    assert find("xnli").eval_split(xtreme) == "dev"


def test_a_prefix_that_not_every_word_has_stays(xtreme: DataSource) -> None:
    assert xtreme.data_dir
    write(xtreme.data_dir / "panx/dev-de.tsv", "de:facto\tO\ngilt\tO\n")
    assert find("panx").load(xtreme, "dev", "de")[0].words[0] == "de:facto"  # type: ignore


@every
def test_unknown_and_absent_languages(task: Task, xtreme: DataSource) -> None:
    for source in (xtreme, HUB):
        with pytest.raises(UnknownNameError, match=f"unknown language of {task.name} 'no'"):
            task.load(source, task.eval_splits[0], "no")
    with pytest.raises(MissingDataError, match="there is no"):
        task.load(xtreme, task.eval_splits[0], task.languages[0])


def test_missing_training_data_names_another_task(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="train on the `snli` intermediate task"):
        find("xnli").load(DataSource("xtreme", tmp_path), "train", "en")


@every
def test_directory_problems(task: Task, tmp_path: Path) -> None:
    split = task.eval_splits[0]
    with pytest.raises(DataError, match="type: --data-dir"):
        task.load(DataSource("xtreme"), split, "en")
    with pytest.raises(DataError, match="there is no such directory"):
        task.load(DataSource("xtreme", tmp_path / "nowhere"), split, "en")


def test_labels_outside_the_set(xtreme: DataSource) -> None:
    assert xtreme.data_dir
    write(xtreme.data_dir / "xnli/dev-sw.tsv", "a\tb\tneutral\na\tb\tmaybe\n")
    with pytest.raises(MalformedRowError) as caught:
        find("xnli").load(xtreme, "dev", "sw")
    assert str(caught.value).endswith(
        "dev-sw.tsv:2: unknown label 'maybe'; allowed: entailment, neutral, contradiction"
    )
    write(xtreme.data_dir / "panx/dev-de.tsv", "Anton\tB-MISC\n")
    with pytest.raises(MalformedRowError, match=r"dev-de\.tsv:1: unknown tag 'B-MISC'; allowed: O"):
        find("panx").load(xtreme, "dev", "de")


def test_sorted_tatoeba_is_refused(tmp_path: Path) -> None:
    for side in ("af", "en"):
        write(tmp_path / f"tatoeba/af-en.{side}", "a\nb\n")
    source, task = DataSource("xtreme", tmp_path), find("tatoeba")
    assert task.available(source, "test") == ()
    with pytest.raises(DataError) as caught:
        task.load(source, "test", "af")
    text = str(caught.value)
    assert "wrote this file's English side sorted" in text
    assert "tatoeba.afr-eng.afr and tatoeba.afr-eng.eng" in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{}", "a row is .*KeyError: 'premise'"),
        ('{"premise": " ", "question": "cause"}', "a row is .*TypeError: premise is no text"),
        ('{"premise": "a", "question": "why"}', "a row is .*KeyError: 'why'"),
        ("[1]", "no JSON object"),
        ("{", "not JSON"),
    ],
)
def test_a_row_of_causes_that_is_none(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path / "xcopa/val-et.jsonl", line + "\n")
    with pytest.raises(MalformedRowError, match=rf"val-et\.jsonl:1: {message}"):
        find("xcopa").load(DataSource("xtreme", tmp_path), "dev", "et")
