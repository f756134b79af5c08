"""The embedded suite: right words, true labels, and nothing of the test split seen in training."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from evalsuite.data import embedded
from evalsuite.data.embedded import generate, inference
from evalsuite.data.embedded.phrases import LEXICON_DIR, Lexicon, load
from evalsuite.data.embedded.realise import text, tokens
from evalsuite.data.embedded.scenes import SHARES, Sampler, Scene, distinct, split_of
from evalsuite.errors import UnknownNameError
from evalsuite.task import PairExample, ParallelExample, TagExample

LANGUAGES = embedded.LANGUAGES
FOREIGN = LANGUAGES[1:]
UPOS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"}
UPOS |= {"PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"}
IOB2 = {"O", *(f"{begin}-{kind}" for begin in "BI" for kind in ("PER", "LOC", "ORG"))}
STOPS = ".,。।"

nli = cache(embedded.nli)
pos = cache(embedded.pos)
ner = cache(embedded.ner)
parallel = cache(embedded.parallel)


def line(language: str, scene: Scene, order: int = 0) -> str:
    lexicon = load(language)
    return text(tokens(lexicon, scene, order), lexicon.separator)


def raw(language: str) -> dict[str, object]:
    document: dict[str, object] = json.loads((LEXICON_DIR / f"{language}.json").read_text("utf-8"))
    return document


def forms(lexicon: Lexicon) -> set[str]:
    """Every word form of a lexicon, as it stands inside a sentence."""
    phrases = [*lexicon.persons.values(), *lexicon.places.values(), *lexicon.times.values()]
    for entry in lexicon.actions.values():
        phrases += [part for verb in entry.values() for part in (verb.head, verb.rest)]
    return {token.form for phrase in phrases for token in phrase}


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
        "import sys; from evalsuite.data import embedded as e;"
        "print('torch' in sys.modules, 'numpy' in sys.modules);"
        "print(ascii([e.nli('dev', 'hi'), e.ner('dev', 'tr'), e.parallel('test', 'zh')]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(__file__).parents[1])},
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


# Nothing of the test split is seen in training.


@cache
def combinations_in(split: str) -> set[tuple[str, str]]:
    """(person, action) of all English lines, read off the words and not off the generator."""
    lexicon = load("en")
    persons = {p: " ".join(token.form for token in ph) for p, ph in lexicon.persons.items()}
    actions = {}
    for action, entry in lexicon.actions.items():
        for verb in entry.values():
            actions[" ".join(token.form for token in verb.head + verb.rest)] = action
    longest = sorted(actions, key=len, reverse=True)
    found = set()
    for sentence in english_lines(split):
        words = f" {re.sub('[.,]', '', sentence)} "
        (person,) = (p for p, name in persons.items() if f" {name} " in words)
        action = next(actions[phrase] for phrase in longest if f" {phrase} " in words)
        found.add((person, action))
    return found


@cache
def english_lines(split: str) -> list[str]:
    rows: list[str] = [s for e in nli(split, "en") for s in (e.first, e.second)]
    if split != "intermediate":
        for task in (pos, ner):
            rows += [" ".join(example.words) for example in task(split, "en")]
    if split in ("train", "test"):
        for language in FOREIGN:
            rows += [example.english for example in parallel(split, language)]
    return rows


def test_no_combination_is_in_two_splits() -> None:
    found = {split: combinations_in(split) for split in SHARES}
    for one, other in combinations(found, 2):
        assert not found[one] & found[other], (one, other)
    assert len(found["train"]) > 400
    assert len(found["intermediate"]) > 200
    assert min(len(found["dev"]), len(found["test"])) > 150


def test_the_split_is_that_of_the_person_and_the_verb() -> None:
    for split in SHARES:
        for person, action in combinations_in(split):
            assert split_of(person, action.split("_")[0]) == split


@pytest.mark.parametrize("language", FOREIGN)
def test_no_evaluated_sentence_is_in_the_pretraining_text(language: str) -> None:
    def plain(lines: list[str]) -> set[str]:
        return {re.sub(rf"[\s{STOPS}]", "", sentence).lower() for sentence in lines}

    seen = plain([example.foreign for example in parallel("train", language)])
    for split in ("dev", "test"):
        pairs = nli(split, language)
        lines = [sentence for e in pairs for sentence in (e.first, e.second)]
        lines += ["".join(e.words) for task in (pos, ner) for e in task(split, language)]
        if split == "test":
            lines += [example.foreign for example in parallel("test", language)]
        assert not seen & plain(lines)


@pytest.mark.parametrize("language", FOREIGN)
def test_every_word_is_in_the_pretraining_text(language: str) -> None:
    lexicon = load(language)
    text_of = " ".join(example.foreign for example in parallel("train", language))
    if lexicon.separator:
        text_of = text_of.replace("'", "' ")
        seen = set(re.sub(rf"[{STOPS}]", "", text_of).split())
        known = {re.sub("' ", "'", word) for word in seen}
        tested = {w for task in (pos, ner) for e in task("test", language) for w in e.words}
        tested |= forms(lexicon)
        missing = {w for w in tested - set(STOPS) if not set(w.replace("'", "' ").split()) <= known}
    else:
        missing = {word for word in forms(lexicon) if word not in text_of}
    assert not missing


def test_every_english_word_is_in_the_pretraining_text_of_each_language() -> None:
    for language in FOREIGN:
        lines = " ".join(example.english for example in parallel("train", language))
        seen = set(re.sub("[.,]", "", lines).split())
        assert forms(load("en")) <= seen, language
        tested = {w for task in (pos, ner) for e in task("test", "en") for w in e.words}
        assert tested - set(STOPS) <= seen, language


# Natural language inference.


@pytest.mark.parametrize("split", ["train", "dev", "test", "intermediate"])
def test_labels_are_balanced(split: str) -> None:
    rows = nli(split, "en")
    assert set(Counter(example.label for example in rows).values()) == {len(rows) // 3}
    first = Counter(example.label for example in rows[: len(rows) // 3])
    assert min(first.values()) > 0.2 * len(rows) / 3  # shuffled


def says_more(one: Scene, other: Scene) -> bool:
    """Whether `one` affirmed makes `other` affirmed true."""
    return (
        one.person == other.person
        and other.action in (one.action, one.verb)
        and other.place in (one.place, None)
        and other.time in (one.time, None)
    )


def judge(premise: Scene, hypothesis: Scene) -> str:
    """The relation by logic alone, without a look at the rule that made the pair."""
    if premise.negated and hypothesis.negated:
        return "entailment" if says_more(hypothesis, premise) else "neutral"
    if premise.negated:
        return "contradiction" if says_more(hypothesis, premise) else "neutral"
    if hypothesis.negated:
        return "contradiction" if says_more(premise, hypothesis) else "neutral"
    if says_more(premise, hypothesis):
        return "entailment"
    same = (premise.person, premise.action, premise.time)
    places = {premise.place, hypothesis.place} - {None}
    elsewhere = len(places) == 2 and premise.time is not None
    if elsewhere and same == (hypothesis.person, hypothesis.action, hypothesis.time):
        return "contradiction"
    return "neutral"


@pytest.mark.parametrize("label", inference.RULES)
def test_each_rule_keeps_its_promise(label: str) -> None:
    assert sum(inference.RULES[label].values()) == 100
    for rule in inference.RULES[label]:
        draw = Sampler("train", rule.__name__)
        for _ in range(300):
            premise, hypothesis = rule(draw)
            assert judge(premise, hypothesis) == label, (rule.__name__, premise, hypothesis)
            assert premise.place or premise.time
            assert hypothesis.place or hypothesis.time


def test_the_rows_have_the_labels_that_logic_gives() -> None:
    for split in SHARES:
        for label, (premise, _), (hypothesis, _) in generate._pairs(split):
            assert judge(premise, hypothesis) == label


def accuracy_by(feature: dict[str, object], train: list[PairExample]) -> float:
    """Of the best rule from one feature of the hypothesis to a label."""
    votes: dict[object, Counter[str | None]] = defaultdict(Counter)
    for example in train:
        votes[feature[example.second]][example.label] += 1
    return sum(max(found.values()) for found in votes.values()) / len(train)


@pytest.mark.parametrize("split", ["train", "test"])
def test_no_one_feature_of_the_hypothesis_gives_the_label_away(split: str) -> None:
    """A negation is a cue by design (see `inference`), as in SNLI; it must not be the answer."""
    rows = nli(split, "en")
    negated = {e.second: " not " in e.second for e in rows}
    length = {e.second: len(e.second.split()) for e in rows}
    assert len(set(negated.values())) == 2
    assert accuracy_by(dict(negated), rows) < 0.62
    assert accuracy_by(dict(length), rows) < 0.60


def test_the_hypothesis_alone_leaves_a_third_to_the_premise() -> None:
    """Bernoulli naive Bayes on the hypothesis' words stays below SNLI's 67% (Gururangan 2018)."""

    def words(example: PairExample) -> set[str]:
        return set(re.sub("[.,]", "", example.second.lower()).split())

    train, test = nli("train", "en"), nli("test", "en")
    counts: dict[str | None, Counter[str]] = defaultdict(Counter)
    for example in train:
        counts[example.label].update(words(example))
    total = len(train) // 3
    vocabulary = {word for found in counts.values() for word in found}

    def score(label: str | None, present: set[str]) -> float:
        share = {w: (counts[label][w] + 1) / (total + 2) for w in vocabulary}
        return sum(math.log(p if w in present else 1 - p) for w, p in share.items())

    right = sum(
        max(counts, key=lambda label: score(label, words(example))) == example.label
        for example in test
    )
    assert right / len(test) < 0.67


# The parts.


def test_shares_are_kept_roughly() -> None:
    assert sum(SHARES.values()) == 100
    english = load("en")
    verbs = [action for action in english.actions if "_" not in action]
    found = Counter(split_of(person, verb) for person in english.persons for verb in verbs)
    for split, share in SHARES.items():
        assert abs(found[split] / found.total() - share / 100) < 0.05


def test_distinct_says_when_there_are_not_enough() -> None:
    assert sorted(distinct(iter([1, 2, 1, 3]).__next__, 3)) == [1, 2, 3]
    with pytest.raises(AssertionError, match="only 1 different items of 2"):
        distinct(lambda: 1, 2)


def test_the_english_sides_are_the_scenes_of_the_foreign_sides() -> None:
    by_language = [parallel("test", language) for language in FOREIGN]
    for rows in zip(*by_language, strict=True):
        assert all(isinstance(row, ParallelExample) for row in rows)
        sides = {tuple(sorted(re.sub("[.,]", "", row.english.lower()).split())) for row in rows}
        assert len(sides) == 1
