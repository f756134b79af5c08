"""The embedded suite: nothing of the test split is seen in training."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import combinations

import pytest
from embedded_rows import FOREIGN, STOPS, forms, ner, nli, parallel, pos

from evalsuite.data.embedded import generate as embedded
from evalsuite.data.embedded.phrases import load
from evalsuite.data.embedded.scenes import SHARES, split_of

# Nothing of the test split is seen in training.


def test_shares_are_kept_roughly() -> None:
    assert sum(SHARES.values()) == 100
    english = load("en")
    verbs = [action for action in english.actions if "_" not in action]
    found = Counter(split_of(person, verb) for person in english.persons for verb in verbs)
    for split, share in SHARES.items():
        assert abs(found[split] / found.total() - share / 100) < 0.05


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
        rows += [s for e in embedded.paraphrases(split, "en") for s in (e.first, e.second)]
        contexts = [example.context for example in embedded.qa(split, "en")]
        rows += [sentence for context in contexts for sentence in context.split(". ")]
    if split in ("dev", "test"):
        rows += [candidate.text for candidate in embedded.comparable(split, "de")[1]]
    if split in ("train", "test"):
        for language in FOREIGN:
            rows += [example.english for example in parallel(split, language)]
    return rows


@pytest.mark.slow
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


# Comparable corpora.


@pytest.mark.parametrize("language", FOREIGN)
def test_half_of_each_corpus_is_translated_in_the_other(language: str) -> None:
    rows, english = embedded.comparable("test", language)
    partners = [id for row in rows for id in row.partners]
    assert (len(rows), len(english), len(partners), len(set(partners))) == (200, 200, 100, 100)
    assert set(partners) <= {candidate.id for candidate in english}
    assert len({row.foreign for row in rows}) == len({c.text for c in english}) == 200
    other, _ = embedded.comparable("test", "de" if language != "de" else "fr")
    assert [row.partners for row in other] == [row.partners for row in rows]  # the same scenes
    assert sorted(partners) != partners  # order says nothing
    said = {candidate.id: re.sub("[.,]", "", candidate.text).split() for candidate in english}
    lexicon, plain = load(language), load("en")
    for row in rows:
        for id in row.partners:  # who the one is about, the other is
            (who,) = (
                p for p, name in plain.persons.items() if {t.form for t in name} <= {*said[id]}
            )
            assert lexicon.persons[who][0].form.lower() in row.foreign.lower()
