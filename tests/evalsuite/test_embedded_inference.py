"""The embedded suite's inference: labels that logic gives and the hypothesis alone does not."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

import pytest
from embedded_rows import nli

from evalsuite.data.embedded import generate, inference
from evalsuite.data.embedded.scenes import SHARES, Sampler, Scene
from evalsuite.task import PairExample


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
