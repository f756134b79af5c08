"""`lingopress init`: which words of a name are languages, and which are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drafts import CSV, GERMAN, OTHER, TRAIN, rows, table

from evalsuite.errors import DataError
from evalsuite.guess.declare import Asked, Found, look_at
from evalsuite.guess.files import _PARTS, read_names
from evalsuite.guess.language_codes import language_of, language_of_value
from evalsuite.languages import LANGUAGES, wrong_code
from evalsuite.own.split_names import SPLITS

Put = Callable[[dict[str, str]], None]


def looked(*paths: str, **asked: Any) -> Found:
    return look_at([Path(path) for path in paths], Asked(**asked))


@pytest.mark.parametrize(
    ("written", "language"),
    [
        *(("pt-br", "pt-BR"), ("zh-tw", "zh-TW"), ("fr-ca", "fr-CA"), ("en_us", "en_US")),
        *(("PT-BR", "pt-BR"), ("de-de", "de-DE"), ("sr-Latn", "sr-Latn"), ("zh_hant", "zh_Hant")),
        *(("zh-Hant-TW", "zh-Hant-TW"), ("pt-BR", "pt-BR"), ("deu_Latn", "de"), ("swe", "sv")),
        *(("Croatian", "hr"), ("norwegian", "no"), ("farsi", "fa"), ("lao", "lo")),
        *(
            ("ceb_Latn", "ceb"),
            ("hrv_Latn", "hr"),
            ("ceb", None),
            ("hrv", None),
            ("xyz_Latn", None),
        ),
        *(("en-de", None), ("de-Test", None), ("en_News", None), ("IT", None), ("", None)),
    ],
)
def test_words_of_names(written: str, language: str | None) -> None:
    assert language_of(written) == language


@pytest.mark.parametrize(
    ("written", "language"),
    [
        *(("EN", "en"), ("De", "de"), ("en-us", "en-US"), ("pt-br", "pt-BR"), ("PT_BR", "pt_BR")),
        *((" English ", "en"), ("Norwegian", "no"), ("Croatian", "hr"), ("ENG", "en")),
        *(
            ("ceb", "ceb"),
            ("HRV", "hr"),
            ("ZH-HANT-TW", "zh-Hant-TW"),
            ("Norwegian Bokmål", "nb"),
            ("Klingon", None),
            ("", None),
        ),
    ],
)
def test_values_of_columns_whatever_their_case(written: str, language: str | None) -> None:
    assert language_of_value(written) == language


def test_no_split_and_no_part_is_the_script_or_region_of_a_language() -> None:
    assert len({*SPLITS, *_PARTS}) > 20
    for word in (*SPLITS, *_PARTS):
        for case in (word, word.title(), word.upper()):
            assert language_of(f"de-{case}") is None, case


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("test.pt-br.csv", "pt-BR"),
        ("test-fr-ca.csv", "fr-CA"),
        ("zh-tw.csv", "zh-TW"),
        ("test_zh-Hant-TW.csv", "zh-Hant-TW"),
        ("de-Test.csv", "de"),
        ("en_News.csv", "en"),
        ("train.hr.csv", "hr"),
        ("hr.csv", "hr"),
        ("hr-train.csv", "hr"),
        ("hr_2024_train_labels.csv", "hr"),
        ("train.it.csv", "it"),  # a word of names, alone between dots
    ],
)
def test_a_name_that_says_its_language(put: Put, name: str, language: str) -> None:
    put({f"d/{name}": CSV})
    (file,) = read_names([Path("d")])
    assert (file.language, file.sure or language == "en") == (language, True)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        *(("ceb/test.csv", "ceb"), ("test_ceb.csv", "ceb"), ("ceb.csv", "ceb")),
        *(("test.ceb.jsonl.gz", "ceb"), ("test_hrv.csv", "hr"), ("fil/test.csv", "tl")),
        *(("test-ceb.csv", None), ("my ceb.csv", None), ("cebs.csv", None), ("cat/test.csv", None)),
        *((f"test_{word}.csv", None) for word in ("all", "new", "dev", "raw", "min", "her", "xyz")),
    ],
)
def test_a_code_of_three_letters_is_a_folder_or_between_dots_or_underscores(
    put: Put, name: str, language: str | None
) -> None:
    put({f"d/{name}": CSV})
    (file,) = read_names([Path("d")])
    assert (file.language, file.sure) == (language, True)


def test_languages_without_a_code_of_two_letters_are_declared(put: Put) -> None:
    put({"d/train_en.csv": CSV, "d/test_ceb.csv": table(OTHER), "d/test_nso.csv": table(OTHER)})
    assert looked("d").declaration["test"] == "d/test_{language}.csv"
    put({"ceb/train.csv": table(OTHER), "ceb/test.csv": table(OTHER)})
    for path in ("ceb", "ceb/"):
        assert looked(path).declaration["train"] == {"ceb": "ceb/train.csv"}
    put({"xyz/train.csv": table(OTHER), "xyz/test.csv": table(OTHER)})
    with pytest.raises(DataError, match="of three letters, such as --language ceb, where there is"):
        looked("xyz")
    assert looked("xyz", language="xyz").declaration["train"] == {"xyz": "xyz/train.csv"}
    put({"ceb_tickets.csv": CSV})
    with pytest.raises(DataError, match="its name may say the language ceb, and its words are"):
        looked("ceb_tickets.csv")


def test_a_locale_in_small_letters_is_declared_as_recipes_write_it(put: Put) -> None:
    put({f"c/test/{name}.csv": table(OTHER) for name in ("en", "de", "pt-br", "zh-tw", "fr-ca")})
    put({"c/train/en.csv": CSV})
    test = looked("c").declaration["test"]
    assert set(test) == {"en", "de", "pt-BR", "zh-TW", "fr-CA"}
    assert test["pt-BR"] == "c/test/pt-br.csv"


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("hr-tickets.csv", "Croatian"),
        ("fin-news.csv", "Finnish"),
        ("spa-reviews.csv", "Spanish"),
        ("ml-papers.csv", "Malayalam"),
        ("nail-polish-reviews.csv", "Polish"),
    ],
)
def test_a_word_that_is_another_is_asked_about(put: Put, name: str, language: str) -> None:
    put({name: table(rows(100))})
    with pytest.raises(DataError, match=f"its name may say {language}, and its words are English"):
        looked(name)
    assert looked(name, language="en").declaration["train"] == {"en": "data/en/train.csv"}
    put({f"other/{name}": table(rows(100, GERMAN))})
    asked = looked(f"other/{name}", language="de", folder=Path("more"))
    assert asked.declaration["train"] == {"de": "more/de/train.csv"}


def test_words_that_are_not_english_keep_the_language_of_the_name(put: Put) -> None:
    put({"train.csv": CSV, "stsb-de-test.csv": table(OTHER)})
    for asked in ({}, {"language": "en"}):
        found = looked("train.csv", "stsb-de-test.csv", **asked).declaration
        assert found["test"] == {"de": "stsb-de-test.csv"}, asked


def test_two_languages_in_the_same_place_are_languages(put: Put) -> None:
    put({"d/news-en.csv": table(rows(100)), "d/news-hr.csv": CSV})
    assert looked("d").declaration["test"] == {
        "en": "data/en/test.csv",
        "hr": "d/news-hr.csv",
    }


def test_the_folder_that_is_passed_says_its_language(put: Put) -> None:
    put({"k/de/train.csv": table(OTHER), "k/de/test.csv": table(OTHER)})
    for path in ("k/de", "k/de/"):
        assert looked(path).declaration["train"] == {"de": "k/de/train.csv"}
    put({"no/train.csv": CSV, "no/test.csv": CSV})  # a word, and English words below it
    assert looked("no").declaration["train"] == {"en": "no/train.csv"}
    put({"hr/train.csv": table(TRAIN), "hr/test.csv": CSV})
    with pytest.raises(DataError, match=r"hr/test.csv: its name may say Croatian"):
        looked("hr")


@pytest.mark.parametrize(
    ("asked", "language"),
    [("EN", "en"), ("PT-BR", "pt-BR"), ("zh_Hant", "zh_Hant"), ("fil", "tl"), ("xyz", "xyz")],
)
def test_an_asked_language_is_declared_as_recipes_write_it(
    put: Put, asked: str, language: str
) -> None:
    put({"train.csv": CSV, "test.csv": CSV})
    assert looked("train.csv", "test.csv", language=asked).declaration["train"] == {
        language: "train.csv"
    }


def test_dev_rows_of_a_language_that_is_not_trained_are_its_tests(put: Put) -> None:
    put({"en.csv": table(rows(100)), "dev-de.csv": table(OTHER), "dev-fr.csv": table(OTHER)})
    put({"test-fr.csv": table(OTHER)})
    found = looked("en.csv", "dev-de.csv", "dev-fr.csv", "test-fr.csv")
    tests = {"en": "data/en/test.csv", "de": "dev-de.csv", "fr": "test-fr.csv"}
    assert found.declaration["test"] == tests
    assert "dev-de.csv: used for tests; nothing is trained in de" in found.notes
    assert "dev-fr.csv: not used; fr has rows for tests" in found.notes


@pytest.mark.parametrize("code", [*LANGUAGES, "pt-BR", "zh_Hant_TW", "nso", "EN", "iw", "de-1996",
    "bh", "be-x-old", "en-US-x-foo"])  # fmt: skip
def test_a_language_that_no_model_knows_is_one(code: str) -> None:
    assert not wrong_code(code)


@pytest.mark.parametrize("code", ["xx", "xx-DE", "German", "d", "", "de ", "de-", "../de", "de-D",
    "de--AT", "x-old"])  # fmt: skip
def test_what_is_no_language_code_is_named(code: str) -> None:
    assert f"{code!r} is no language code such as de or pt-BR" in wrong_code(code)
