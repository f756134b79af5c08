"""The embedded suite's language: whole lexicons, and sentences that read as they should."""

from __future__ import annotations

import re
import unicodedata

import pytest
from embedded_rows import LANGUAGES, forms, parallel

from evalsuite.data.embedded.phrases import load
from evalsuite.data.embedded.realise import text, tokens
from evalsuite.data.embedded.scenes import Scene


def line(language: str, scene: Scene, order: int = 0) -> str:
    lexicon = load(language)
    return text(tokens(lexicon, scene, order), lexicon.separator)


# The lexicons.


def test_twelve_languages_english_first() -> None:
    assert LANGUAGES == ("en", "ar", "de", "es", "fr", "hi", "id", "ru", "sw", "tr", "vi", "zh")
    scripts = {script for language in LANGUAGES for script in load(language).script}
    assert len(scripts) == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_concepts_are_those_of_english(language: str) -> None:
    english, lexicon = load("en"), load(language)
    assert lexicon.language == language
    assert list(lexicon.persons) == list(english.persons)
    assert lexicon.genders == english.genders
    assert list(lexicon.places) == list(english.places)
    assert list(lexicon.times) == list(english.times)
    assert list(lexicon.actions) == list(english.actions)
    assert (len(english.persons), len(english.places), len(english.times)) == (24, 18, 10)
    assert len(english.actions) == 10 + 36 + 10  # bare verbs, actions, employers


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrases_are_whole_and_different(language: str) -> None:
    lexicon = load(language)
    for phrases in (lexicon.persons, lexicon.places, lexicon.times):
        assert all(phrases.values())
        assert len(set(phrases.values())) == len(phrases)
    gendered = {"yes_m", "yes_f", "no_m", "no_f"}
    expected = gendered if language in ("ar", "hi") else {"yes", "no"}
    for action, entry in lexicon.actions.items():
        assert set(entry) == expected, action
    for gender in "mf":
        said = [
            lexicon.verb_phrase(action, negated=negated, gender=gender)
            for action in lexicon.actions
            for negated in (False, True)
        ]
        assert len({(verb.head, verb.rest) for verb in said}) == len(said)
    if expected == gendered:
        for action, entry in lexicon.actions.items():
            assert entry["yes_m"] != entry["yes_f"], action
            assert entry["no_m"] != entry["no_f"], action


@pytest.mark.parametrize("language", LANGUAGES)
def test_orders_name_each_slot_once(language: str) -> None:
    for order in load(language).orders:
        names = sorted(name for name in order if name != ",")
        assert names == ["person", "place", "rest", "time", "verb"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_in_the_script_and_composed(language: str) -> None:
    lexicon = load(language)
    prefix = {"Han": "CJK"}.get(lexicon.script[0], lexicon.script[0].upper())
    for word in forms(lexicon):
        assert word == unicodedata.normalize("NFC", word)
        for char in word:
            if char.isalpha() or unicodedata.category(char).startswith("M"):
                assert unicodedata.name(char).startswith(prefix), (word, char)
            else:
                assert char in "'-·", (word, char)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_vocabulary_is_modest(language: str) -> None:
    assert 90 < len(forms(load(language))) < 600


def test_french_elides_before_a_vowel() -> None:
    for example in parallel("train", "fr"):
        assert not re.search(r"\b(ne|de|le|la|que) [aeéèêiouh]", example.foreign, re.I)
        assert "' " not in example.foreign


# The sentences, proofread.

DENIED = Scene("fatima", "drink_green_tea", negated=True, place="new_york", time="monday")
EMPLOYED = Scene("omar_hassan", "work_red_cross", place="baghdad", time="morning")


@pytest.mark.parametrize(
    ("language", "denied", "employed"),
    [
        (
            "en",
            "Fatima does not drink green tea in New York on Mondays.",
            "In the morning, Omar Hassan works for the Red Cross in Baghdad.",
        ),
        (
            "de",
            "Fatima trinkt montags in New York keinen grünen Tee.",
            "Morgens arbeitet Omar Hassan in Bagdad für das Rote Kreuz.",
        ),
        (
            "es",
            "Fátima no bebe té verde en Nueva York los lunes.",
            "Por la mañana Omar Hassan trabaja para la Cruz Roja en Bagdad.",
        ),
        (
            "fr",
            "Fatima ne boit pas de thé vert à New York le lundi.",
            "Le matin, Omar Hassan travaille pour la Croix-Rouge à Bagdad.",
        ),
        (
            "ru",
            "Фатима по понедельникам не пьёт зелёный чай в Нью-Йорке.",
            "По утрам Омар Хасан работает на Красный Крест в Багдаде.",
        ),
        (
            "tr",
            "Fatma pazartesi günleri New York'ta yeşil çay içmez.",
            "Sabahları Ömer Hasan Bağdat'ta Kızılhaç için çalışır.",
        ),
        (
            "id",
            "Fatima tidak minum teh hijau di New York pada hari Senin.",
            "Pada pagi hari, Omar Hassan bekerja untuk Palang Merah di Baghdad.",
        ),
        (
            "sw",
            "Fatuma hanywi chai ya kijani mjini New York siku za Jumatatu.",
            "Asubuhi Omar Hassan anafanya kazi katika shirika la Msalaba Mwekundu mjini Baghdad.",
        ),
        ("zh", "法蒂玛周一不在纽约喝绿茶。", "早上奥马尔·哈桑在巴格达为红十字会工作。"),
        (
            "hi",
            "फ़ातिमा सोमवार को न्यूयॉर्क में हरी चाय नहीं पीती।",
            "सुबह उमर हसन बग़दाद में रेड क्रॉस के लिए काम करता है।",
        ),
        (
            "ar",
            "لا تشرب فاطمة الشاي الأخضر في نيويورك أيام الاثنين.",
            "عمر حسن يعمل لدى الصليب الأحمر في بغداد في الصباح.",
        ),
        (
            "vi",
            "Fatima không uống trà xanh ở New York vào thứ Hai.",
            "Vào buổi sáng, Omar Hassan làm việc cho Hội Chữ thập đỏ ở Baghdad.",
        ),
    ],
)
def test_sentences_read_as_they_should(language: str, denied: str, employed: str) -> None:
    assert line(language, DENIED) == unicodedata.normalize("NFC", denied)
    assert line(language, EMPLOYED, order=1) == unicodedata.normalize("NFC", employed)


def test_the_verb_agrees_with_its_subject() -> None:
    assert line("hi", Scene("ali", "read", place="rome")) == "अली रोम में कुछ पढ़ता है।"
    assert line("hi", Scene("anna", "read", place="rome")) == "अन्ना रोम में कुछ पढ़ती है।"
    assert line("ar", Scene("ali", "read", place="rome")) == "يقرأ علي شيئا في روما."
    assert line("ar", Scene("anna", "read", place="rome")) == "تقرأ آنا شيئا في روما."


def test_without_a_time_no_order_begins_with_it() -> None:
    scene = Scene("maria", "eat_rice", place="rome")
    assert line("en", scene, order=1) == "Maria eats rice in Rome."


def test_names_are_tagged_and_their_endings_with_them() -> None:
    sentence = tokens(load("sw"), Scene("sofia_rossi", "work_world_bank", place="rome"), 0)
    assert [(token.form, token.entity) for token in sentence] == [
        ("Sofia", "B-PER"),
        ("Rossi", "I-PER"),
        ("anafanya", "O"),
        ("kazi", "O"),
        ("katika", "O"),
        ("Benki", "B-ORG"),
        ("ya", "I-ORG"),
        ("Dunia", "I-ORG"),
        ("mjini", "O"),
        ("Roma", "B-LOC"),
        (".", "O"),
    ]
