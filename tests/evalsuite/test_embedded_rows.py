"""The embedded suite's rows: as many as said, and always the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from embedded_rows import FOREIGN, LANGUAGES, STOPS, ner, nli, parallel, pos

from evalsuite.data.embedded import generate
from evalsuite.data.embedded import generate as embedded
from evalsuite.data.embedded.phrases import LEXICON_DIR
from evalsuite.data.embedded.scenes import distinct
from evalsuite.errors import UnknownNameError
from evalsuite.task import ParallelExample, TagExample

UPOS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"}
UPOS |= {"PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"}
IOB2 = {"O", *(f"{begin}-{kind}" for begin in "BI" for kind in ("PER", "LOC", "ORG"))}


# Sizes, ids, determinism.


@pytest.mark.parametrize("language", LANGUAGES)
def test_sizes(language: str) -> None:
    assert [len(nli(split, language)) for split in ("dev", "test")] == [300, 300]
    assert [len(pos(split, language)) for split in ("dev", "test")] == [300, 300]
    assert [len(ner(split, language)) for split in ("dev", "test")] == [300, 300]
    if language != "en":
        assert len(parallel("train", language)) == 1500
        assert len(parallel("test", language)) == 200


def test_training_sizes() -> None:
    assert len(nli("train", "en")) == len(nli("intermediate", "en")) == 3000
    assert len(pos("train", "en")) == len(ner("train", "en")) == 3000
    assert len(nli("train", "zh")) == 3000


def test_ids_are_distinct() -> None:
    ids = [e.id for split in ("dev", "test") for lang in LANGUAGES for e in nli(split, lang)]
    assert len(set(ids)) == len(ids)


def test_the_same_rows_in_another_process() -> None:
    code = (
        "import sys; from evalsuite.data.embedded import generate as e;"
        "print('torch' in sys.modules, 'numpy' in sys.modules);"
        "print(ascii([e.nli('dev', 'hi'), e.ner('dev', 'tr'), e.parallel('test', 'zh')]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    flags, rows = run.stdout.splitlines()
    assert flags == "False False"  # nothing heavy is imported
    assert rows == ascii([nli("dev", "hi"), ner("dev", "tr"), parallel("test", "zh")])


def test_the_same_rows_again() -> None:
    generate._pairs.cache_clear()
    generate._scenes.cache_clear()
    assert embedded.nli("test", "ru") == nli("test", "ru")
    assert embedded.pos("test", "ru") == pos("test", "ru")
    assert embedded.parallel("train", "ru") == parallel("train", "ru")


def test_digest_is_of_every_source_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = embedded.digest()
    assert re.fullmatch("[0-9a-f]{64}", here)
    copy = tmp_path / "embedded"
    shutil.copytree(LEXICON_DIR.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(generate, "__file__", str(copy / "generate.py"))
    assert embedded.digest() == here
    seen = {here}
    for name in ("lexicon/sw.json", "scenes.py"):
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        seen.add(embedded.digest())
    assert len(seen) == 3


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown language of the embedded suite 'xx'"):
        embedded.nli("test", "xx")
    with pytest.raises(UnknownNameError, match="'en'"):
        embedded.parallel("test", "en")
    with pytest.raises(UnknownNameError, match="unknown split of the embedded suite 'dev'"):
        embedded.parallel("dev", "de")
    with pytest.raises(UnknownNameError, match="'intermediate'"):
        embedded.pos("intermediate", "de")


def test_distinct_says_when_there_are_not_enough() -> None:
    assert sorted(distinct(iter([1, 2, 1, 3]).__next__, 3)) == [1, 2, 3]
    with pytest.raises(AssertionError, match="only 1 different items of 2"):
        distinct(lambda: 1, 2)


# What is in the rows.


def tagged_rows(language: str) -> list[TagExample]:
    splits = ("train", "dev", "test") if language == "en" else ("dev", "test")
    return [e for split in splits for task in (pos, ner) for e in task(split, language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tags_are_valid(language: str) -> None:
    for example in tagged_rows(language):
        assert len(example.words) == len(example.tags)
        assert 4 <= len(example.words) <= 18
        assert not any(re.search(r"\s", word) or not word for word in example.words)
    for example in pos("test", language):
        assert set(example.tags) <= UPOS
        assert [tag == "PUNCT" for tag in example.tags] == [w in STOPS for w in example.words]
    for example in ner("test", language):
        assert set(example.tags) <= IOB2
        assert any(tag != "O" for tag in example.tags)
        for before, tag in zip(("O", *example.tags), example.tags, strict=False):
            if tag.startswith("I-"):
                assert before[2:] == tag[2:], example


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_three_entities_occur(language: str) -> None:
    seen = Counter(tag for example in ner("test", language) for tag in example.tags)
    assert min(seen[f"B-{kind}"] for kind in ("PER", "LOC", "ORG")) >= 20
    assert seen["B-PER"] == 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_occurs_twice_in_a_split(language: str) -> None:
    for split in ("dev", "test"):
        pairs = [(example.first, example.second) for example in nli(split, language)]
        assert len(set(pairs)) == len(pairs)
        repeated = [e.label for e in nli(split, language) if e.first == e.second]
        assert set(repeated) == {"entailment"} and len(repeated) < len(pairs) / 6
        for task in (pos, ner):
            sentences = [example.words for example in task(split, language)]
            assert len(set(sentences)) == len(sentences)
    if language != "en":
        for split in ("train", "test"):
            rows = parallel(split, language)
            assert len({example.foreign for example in rows}) == len(rows)
            assert len({example.english for example in rows}) == len(rows)


@pytest.mark.parametrize("split", ["train", "intermediate"])
def test_nothing_occurs_twice_in_training(split: str) -> None:
    pairs = [(example.first, example.second) for example in nli(split, "en")]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("language", FOREIGN)
def test_lines_are_written_as_one_writes_them(language: str) -> None:
    for example in parallel("train", language):
        assert example.foreign[-1] in STOPS
        assert example.foreign[:-1].rstrip(STOPS) == example.foreign[:-1]
        assert not re.search(r"\s[.,。।]|\s\s|^\s|\s$", example.foreign)
        assert (" " in example.foreign) == (language != "zh")


# Translations.


def names(example: TagExample, kind: str) -> tuple[str, ...]:
    pairs = zip(example.words, example.tags, strict=True)
    return tuple(word for word, tag in pairs if tag.endswith(kind))


@pytest.mark.parametrize("language", FOREIGN)
def test_rows_are_translations_of_the_english_rows(language: str) -> None:
    labels = [example.label for example in nli("test", "en")]
    assert [example.label for example in nli("test", language)] == labels
    for kind in ("PER", "LOC", "ORG"):
        there: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        back: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        for english, foreign in zip(ner("test", "en"), ner("test", language), strict=True):
            there[names(english, kind)].add(names(foreign, kind))
            back[names(foreign, kind)].add(names(english, kind))
        assert {len(found) for found in there.values()} == {1}
        assert {len(found) for found in back.values()} == {1}


def test_the_english_sides_are_the_scenes_of_the_foreign_sides() -> None:
    by_language = [parallel("test", language) for language in FOREIGN]
    for rows in zip(*by_language, strict=True):
        assert all(isinstance(row, ParallelExample) for row in rows)
        sides = {tuple(sorted(re.sub("[.,]", "", row.english.lower()).split())) for row in rows}
        assert len(sides) == 1


# Questions and paraphrases.


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_have_their_answer_in_the_context(language: str) -> None:
    rows = embedded.qa("test", language)
    assert len(rows) == 300 and len({(row.question, row.context) for row in rows}) == 300
    for row in rows:
        (answer,) = row.answers
        assert row.context.startswith(answer.text, answer.start)
        assert row.question.count("___") == 1
        filled = row.question.replace("___", answer.text)
        if language != "zh":  # no spaces
            sentences = [
                sorted(re.findall(r"\w+", x)) for x in re.split("[.।。]", row.context.lower())
            ]
            assert sorted(re.findall(r"\w+", filled.lower())) in sentences
    english = embedded.qa("test", "en")
    assert len({row.answers[0].text for row in rows}) >= 30
    for one, other in ((rows, english), (english, rows)):  # answers are translations
        translated = defaultdict(set)
        for a, b in zip(one, other, strict=True):
            translated[a.answers[0].text.lower()].add(b.answers[0].text.lower())
        assert max(map(len, translated.values())) <= 2  # forms that fall together


@pytest.mark.parametrize("language", LANGUAGES)
def test_paraphrases_have_the_same_words(language: str) -> None:
    def words(line: str) -> list[str]:
        plain = re.sub(rf"[{STOPS},、，]", "", line.lower())
        return sorted(plain.split() if language != "zh" else plain)

    rows = embedded.paraphrases("test", language)
    assert Counter(row.label for row in rows) == {"0": 150, "1": 150}
    for row in rows:
        assert row.first != row.second
        assert (words(row.first) == words(row.second)) == (row.label == "1")
