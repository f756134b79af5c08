"""Rows without capitals and with words translated; the dictionary read off parallel text."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from quick import distillation, options

from evalsuite.data.embedded import generate as embedded
from evalsuite.errors import DataError
from evalsuite.registry import TASKS
from evalsuite.task import (
    Answer,
    DataSource,
    MatchExample,
    PairExample,
    SpanExample,
    TagExample,
)
from transfer.encoded_rows.load_rows import load_rows
from transfer.supervised.train_tasks import train_tasks
from transfer.text import word_translations
from transfer.text.augment import Augmentation, has_case, lowered, prepare, switched
from transfer.text.sentence_pairs import SentencePairs

EMBEDDED = DataSource("embedded")
GERMAN = {"cat": "katze", "sees": "sieht", "house": "haus"}


class Always(random.Random):
    """Draws that always come out for a change."""

    def random(self) -> float:
        return 0.0


@pytest.mark.parametrize("task", ["xnli", "panx"])
def test_some_rows_are_read_without_capitals(tiny_base: Path, task: str) -> None:
    def ids(share: float, seed: int = 1) -> list[list[int]]:
        change = prepare(Augmentation(uncased=share), EMBEDDED, seed)
        rows = load_rows(TASKS.get(task), EMBEDDED, tiny_base, 64, max_examples=200, change=change)
        return rows.sequences()

    plain, half, small = ids(0.0), ids(0.5), ids(1.0)
    assert half == ids(0.5) != ids(0.5, seed=2)
    changed = [a != b for a, b in zip(plain, small, strict=True)]
    assert all(changed)  # every embedded sentence begins with a capital
    taken = sum(a == b for a, b in zip(half, small, strict=True)) / len(half)
    assert 0.35 < taken < 0.65


def test_small_letters_leave_an_answer_where_it_is() -> None:
    answer = Answer("Rom", 3)
    low: Any = lowered(SpanExample("1", "Wo?", "In Rom.", (answer,)))
    assert (low.question, low.context, low.answers) == ("wo?", "in rom.", (Answer("rom", 3),))
    moved = SpanExample("1", "Wo?", "\u0130n Rom.", (answer,))  # its small letter is two characters
    assert lowered(moved) == moved


def test_words_are_translated_and_keep_what_clings_to_them_and_their_capital() -> None:
    pair = PairExample("1", "The Cat  sees (the house).", "House!", "entailment")
    changed: Any = switched(pair, GERMAN, True, Always())
    assert changed.first == "The Katze  sieht (the haus)."
    assert (changed.second, changed.label) == ("Haus!", "entailment")
    tagged = TagExample("1", ("The", "Cat", "sees"), ("DET", "NOUN", "VERB"))
    assert switched(tagged, GERMAN, True, Always()) == TagExample(
        "1", ("The", "Katze", "sieht"), ("DET", "NOUN", "VERB")
    )


def test_without_capitals_in_the_script_the_other_words_lose_theirs() -> None:
    hindi = {"cat": "बिल्ली"}
    tagged = TagExample("1", ("Anna", "'s", "Cat"), ("B-PER", "O", "O"))
    changed: Any = switched(tagged, hindi, has_case(hindi), Always())
    assert changed.words == ("anna", "'s", "बिल्ली")
    assert has_case(GERMAN) and not has_case(hindi)


def test_of_a_question_only_the_question_is_translated() -> None:
    asked = SpanExample("1", "Who sees?", "The cat sees.", (Answer("cat", 4),))
    changed = switched(asked, GERMAN, True, Always())
    assert changed == SpanExample("1", "Who sieht?", "The cat sees.", (Answer("cat", 4),))


@pytest.mark.slow
def test_the_share_asked_for_is_changed_and_the_seed_decides_which() -> None:
    rows = TASKS.get("udpos").load(EMBEDDED, "train", "en")[:200]
    half = Augmentation(code_switch=0.5)
    change = prepare(half, EMBEDDED, seed=1)
    changed = change(rows)
    share = sum(a != b for a, b in zip(rows, changed, strict=True)) / len(rows)
    assert 0.35 < share < 0.55  # some rows drawn have no word the dictionary knows
    assert changed == change(rows) != prepare(half, EMBEDDED, seed=2)(rows)
    assert [row.id for row in changed] == [row.id for row in rows]


def test_translations_are_each_others_best() -> None:
    english = ["the dog barks", "the man sleeps", "the cat sleeps", "a cat eats", "Paris sleeps."]
    german = ["der Hund bellt", "der Mann schläft", "die Katze schläft", "eine Katze frisst"]
    found = word_translations.translations(english * 2, [*german, "Paris schläft!"] * 2)
    assert [found[word] for word in ("cat", "sleeps", "the")] == ["katze", "schläft", "der"]
    assert "paris" not in found  # spelt alike
    assert "eats" not in word_translations.translations(english[:4], german)  # it occurs once


def test_languages_without_spaces_are_known_however_they_are_written() -> None:
    found = [word_translations.has_spaces(code) for code in ("zh", "zh-tw", "zh_TW", "JA", "pt_BR")]
    assert found == [False, False, False, False, True]


def test_a_dictionary_of_the_embedded_text_is_mostly_right() -> None:
    words = word_translations.build(EMBEDDED)
    assert set(words) == set(embedded.LANGUAGES) - {"en", "zh"}
    assert (words["de"]["bread"], words["ru"]["bread"]) == ("brot", "хлеб")
    assert (words["ar"]["bread"], words["tr"]["bread"]) == ("الخبز", "ekmek")


def test_training_with_words_translated_says_where_the_text_is_missing(
    tiny_base: Path, tmp_path: Path
) -> None:
    how = options(method="full", augmentation=Augmentation(code_switch=1.0))
    places: dict[str, Any] = {"work": tmp_path / "work", "out": tmp_path / "out"}
    assert train_tasks(tiny_base, [TASKS.get("udpos")], EMBEDDED, how, **places).fitted.steps == 2
    rows = tmp_path / "xtreme" / "udpos"
    rows.mkdir(parents=True)
    (rows / "train-en.tsv").write_text("The\tDET\ncat\tNOUN\n\n", encoding="utf-8")
    source = DataSource("xtreme", tmp_path / "xtreme")
    with pytest.raises(DataError, match="parallel text"):
        train_tasks(tiny_base, [TASKS.get("udpos")], source, how, **places)


def text_of(monkeypatch: pytest.MonkeyPatch, **pairs: list[tuple[str, str]]) -> None:
    """Have the parallel text be these (foreign, English) pairs of each language."""

    def read(*_: Any, **__: Any) -> Any:
        yield from ((code.replace("_", "-"), lines) for code, lines in pairs.items())

    monkeypatch.setattr(word_translations.parallel_text, "pairs_by_language", read)


CATS = [("katze sieht", "cat sees"), ("katze frisst", "cat eats"), ("der hund sieht", "dog sees")]


@pytest.mark.parametrize(
    "pairs",
    [
        {"de": [("Hallo Welt", "Hello world"), ("Guten Tag", "Good day")]},  # no word twice
        dict.fromkeys(("zh", "zh_tw", "yue", "wuu", "th", "ja"), CATS),
    ],
)
def test_text_without_words_to_translate_is_refused(
    monkeypatch: pytest.MonkeyPatch, pairs: dict[str, list[tuple[str, str]]]
) -> None:
    text_of(monkeypatch, **pairs)
    with pytest.raises(DataError, match=r"code_switch: no words to translate.*set code_switch: 0"):
        prepare(Augmentation(code_switch=0.5), EMBEDDED, seed=1)
    prepare(Augmentation(uncased=0.5), EMBEDDED, seed=1)


def test_a_language_without_words_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    text_of(monkeypatch, af=[("Hallo wêreld", "Hello world")], de=CATS, zh_tw=CATS)
    assert set(word_translations.build(EMBEDDED)) == {"de"}
    change = prepare(Augmentation(code_switch=1.0), EMBEDDED, seed=1)
    rows = [PairExample(str(n), "The Cat", "NATO Met", None) for n in range(50)]
    changed: list[Any] = change(rows)
    assert {row.second for row in changed} == {"NATO Met"}
    assert {row.first for row in changed} == {"The Katze", "The Cat"}  # 9 of 10 words


def test_georgian_has_no_capital_at_the_beginning_of_a_word() -> None:
    georgian = {"sheep": "ცხვარი", "dog": "ძაღლი"}
    assert not has_case(georgian)
    pair = PairExample("1", "Sheep run. Dog runs", "Dog", None)
    changed: Any = switched(pair, georgian, has_case(georgian), Always())
    assert (changed.first, changed.second) == ("ცხვარი run. ძაღლი runs", "ძაღლი")


def test_prefixes_are_neither_translated_nor_lowered() -> None:
    """Neither those of queries and passages, nor that of both where two sentences are alike."""
    known = {"query": "abfrage", "passage": "stelle", **GERMAN}
    pairs = SentencePairs([TASKS.get("tatoeba")], None, "Query: ", "Passage: ")
    rows = [
        MatchExample("1", "Query: The cat sees.", "Passage: The house query."),
        MatchExample("2", "Query: A cat.", "Query: A house."),
    ]

    def change(examples: Any) -> Any:
        return [lowered(switched(row, known, True, Always())) for row in examples]

    found = pairs.around_prefixes(change)(rows)
    assert [(row.query, row.passage) for row in found if isinstance(row, MatchExample)] == [
        ("Query: the katze sieht.", "Passage: the haus abfrage."),
        ("Query: a katze.", "Query: a haus."),
    ]


def test_stages_read_the_parallel_text_only_where_it_is_needed() -> None:
    from recipes.stages import distill, train
    from recipes.stages._shared.contract import HELD_OUT, PARALLEL, Artifact, DataNeed

    def needs(module: Any, **fields: Any) -> set[Any]:
        config = module.Config(name="t", stage="t", tasks=("udpos",), **fields)
        return set(module.data(config, Artifact("checkpoint", task="udpos")))

    plain = needs(train, model="./base")
    assert needs(train, model="./base", code_switch=0.1) - plain == {PARALLEL, HELD_OUT}
    student = {"teacher": "./base", "layers": 1, "multilingual": 0.0, "probe": 0}
    assert needs(distill, **student, code_switch=0.1) - plain == {PARALLEL, HELD_OUT}
    assert needs(distill, **student) == plain
    stream = {"stream": {"en": ["hub:org/name@" + "0" * 40]}, "layers": 1, "probe": 0}
    streamed = {"teacher": "./base", "hidden": 1.0, **stream}
    assert needs(distill, **streamed) - plain == {HELD_OUT}
    assert needs(distill, **streamed, code_switch=0.1) - plain == {PARALLEL, HELD_OUT}
    assert needs(distill, **student | {"probe": 8}) - plain == {DataNeed("udpos", "eval")}


def test_a_student_reads_rows_with_words_translated(
    tiny_nli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from compress.distill import training_text
    from compress.distill.distill import distill
    from recipes.stages._shared.training_keys import augmentation
    from recipes.stages.distill import Config

    asked: list[Augmentation] = []

    def prepared(how: Augmentation, *rest: Any) -> Any:
        asked.append(how)
        return lambda examples: [lowered(example) for example in examples]

    read: list[Any] = []

    def loaded(*args: Any, change: Any, **options: Any) -> Any:
        read.append(change([PairExample("1", "A", "B", "neutral")]))
        return load_rows(*args, change=change, **options)

    monkeypatch.setattr(training_text.augment, "prepare", prepared)
    monkeypatch.setattr(training_text, "load_rows", loaded)
    config = Config(
        name="s", stage="distill", teacher="./t", tasks=("xnli",), layers=1, code_switch=0.5
    )
    terms = distillation(
        temperature=1.0,
        max_steps=1,
        batch_size=4,
        max_length=32,
        max_examples=20,
        max_pairs=None,
        augmentation=augmentation(config),
    )
    work, out = tmp_path / "work", tmp_path / "out"
    distill(tiny_nli, [TASKS.get("xnli")], EMBEDDED, terms, work=work, out=out)
    assert asked == [Augmentation(code_switch=0.5)]
    assert read == [[PairExample("1", "a", "b", "neutral")]]


def test_without_tasks_no_dictionary_is_needed(tiny_base: Path, tmp_path: Path) -> None:
    from compress.distill.training_text import read_text

    (tmp_path / "lines.txt").write_text("Es regnet.\nIt rains.\n", encoding="utf-8")
    half = Augmentation(code_switch=0.5)
    asked = distillation(augmentation=half, text=(tmp_path / "lines.txt",), hidden=1.0)
    text = read_text([], DataSource("files"), tiny_base, asked, None)  # it has no parallel text
    assert text.rows() == 2
