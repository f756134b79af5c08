"""Metrics: known arithmetic and invariances; agreement with the benchmark is in test_scoring."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite import scoring
from evalsuite.errors import DataError
from evalsuite.metrics._chunks import chunks, counts
from evalsuite.metrics.accuracy import accuracy
from evalsuite.metrics.chunk_f1 import best_constant, chunk_f1
from evalsuite.metrics.token_accuracy import token_accuracy
from evalsuite.registry import TASKS
from evalsuite.retrieval.cosine import nearest
from evalsuite.task import PairExample, ParallelExample, TagExample

PANX, UDPOS = TASKS.get("panx"), TASKS.get("udpos")
sentences = st.lists(st.lists(st.sampled_from(PANX.labels), min_size=1, max_size=6), min_size=1)


def score_tags(gold: Any, predicted: Any) -> dict[str, float]:
    rows = [TagExample("", ("",) * len(tags), tuple(tags)) for tags in gold]
    return scoring.score(scoring.answers(PANX, "de", rows, predicted))


def test_accuracy() -> None:
    assert accuracy(["a", "b", "c", "a"], ["a", "b", "b", "b"]) == 50
    with pytest.raises(ValueError, match="1 predictions for 2 rows"):
        accuracy(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="no rows"):
        accuracy([], [])


def test_token_accuracy_weighs_words_not_sentences() -> None:
    assert token_accuracy([["X", "X", "X"], ["X"]], [["X", "X", "X"], ["DET"]]) == 75
    with pytest.raises(ValueError, match="sentence 1: 2 predicted tags for 1 words"):
        token_accuracy([["X"], ["X"]], [["X"], ["X", "X"]])
    with pytest.raises(ValueError, match="1 predicted sentences for 2"):
        token_accuracy([["X"], ["X"]], [["X"]])


def test_chunk_f1_arithmetic() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    predicted = [["B-PER", "I-PER", "O", "B-ORG"], ["O", "O"]]
    assert chunk_f1(gold, predicted) == pytest.approx(
        {"precision": 50, "recall": 100 / 3, "f1": 40}
    )
    assert chunk_f1([["O"]], [["O"]]) == {"precision": 0, "recall": 0, "f1": 0}


def test_the_udpos_trap() -> None:
    """Adjacent equal tags are one chunk; CCONJ and SCONJ are one type."""
    found = chunks([["NOUN", "NOUN", "VERB"]])
    assert list(zip(*found, strict=True)) == [("OUN", 0, 1), ("ERB", 2, 2)]
    assert chunk_f1([["CCONJ"]], [["SCONJ"]])["f1"] == 100
    assert token_accuracy([["CCONJ"]], [["SCONJ"]]) == 0
    # One wrong word of three costs all of a merged chunk.
    assert chunk_f1([["NOUN"] * 3], [["NOUN", "VERB", "NOUN"]])["f1"] == 0


@given(sentences)
def test_perfect_tags_score_100(rows: list[list[str]]) -> None:
    scores = score_tags(rows, rows)
    assert scores["token_accuracy"] == 100
    assert scores["chunk_f1"] == (100 if len(chunks(rows).last) else 0)


@settings(max_examples=30)
@given(sentences, st.randoms(use_true_random=False))
def test_tags_do_not_care_about_order(rows: list[list[str]], random: object) -> None:
    guess = [[PANX.labels[len(tag) % 7] for tag in row] for row in rows]
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    moved = score_tags([rows[i] for i in order], [guess[i] for i in order])
    assert moved == score_tags(rows, guess)


SCHEMES = {
    "panx": PANX.labels,  # I- after O, types that change within a chunk, B- after I-
    "udpos": UDPOS.labels,  # X, which has no type; S and I as first letters
    "all positions": [f"{at}-{kind}" for at in "BIES" for kind in ("PER", "a-b")] + ["O"],
    "bare": ["B", "I", "E", "S", "O", "X", "_", ".", "-", "B-", "I-_", "IE-x", "OO", "O-PER"],
}


@pytest.mark.slow
@pytest.mark.parametrize("tags", SCHEMES.values(), ids=SCHEMES)
@settings(max_examples=200)
@given(st.data())
def test_chunks_are_those_of_seqeval(tags: list[str], data: st.DataObject) -> None:
    """All of them, with where they are; and the three scores, to 1e-12, sentence by sentence."""
    from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=8))
    row = st.sampled_from(tags)
    gold, said = (
        [data.draw(st.lists(row, min_size=n, max_size=n)) for n in lengths] for _ in range(2)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "seems not to be NE tag"
        for rows in (gold, said):
            assert list(zip(*chunks(rows), strict=True)) == get_entities(rows)
        theirs = precision_recall_fscore_support(gold, said, average="micro", zero_division=0)
        right, guess = set(get_entities(gold)), set(get_entities(said))
    ours = chunk_f1(gold, said)
    for name, value in zip(("precision", "recall", "f1"), theirs, strict=False):
        assert ours[name] == pytest.approx(100 * value, abs=1e-12)
    row_of = [number for number, n in enumerate(lengths) for _ in range(n + 1)]
    by_row = counts(gold, said)
    assert by_row.shape == (len(gold), 3)
    for column, entities in enumerate((right & guess, guess, right)):
        lasts = [row_of[last] for _, _, last in entities]
        assert by_row[:, column].tolist() == [lasts.count(n) for n in range(len(gold))]


def test_strange_tags_are_named() -> None:
    with pytest.raises(DataError, match="panx: predicted tags B-MISC are none of O B-PER"):
        score_tags([["O"]], [["B-MISC"]])


def found_share(source: Any, target: Any) -> float:
    return float((nearest(source, target) == np.arange(len(source))).mean())


def test_nearest() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 8))
    found = nearest(rows, rows * 3.0, block=7)
    assert found.tolist() == list(range(50))
    order = np.random.default_rng(1).permutation(50)
    noisy = rows + np.random.default_rng(2).normal(size=rows.shape)
    assert found_share(rows[order], noisy[order]) == found_share(rows, noisy)


def test_equal_embeddings_find_no_one() -> None:
    assert found_share(np.ones((20, 3)), np.ones((20, 3))) == 0.05
    assert found_share(np.zeros((20, 3)), np.zeros((20, 3))) == 0.05


def test_half_precision_is_widened() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 16)).astype(np.float16) * 100
    assert found_share(rows, rows) == 1


def test_retrieval_problems() -> None:
    with pytest.raises(ValueError, match="not finite"):
        nearest(np.full((2, 2), np.nan), np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"shapes \(2, 3\) and \(2, 2\)"):
        nearest(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="no target rows"):
        nearest(np.ones((2, 2)), np.ones((0, 2)))


def chance_of(task: str, examples: Any) -> float:
    return scoring.chance(scoring.answers(TASKS.get(task), "en", examples))


def test_chance() -> None:
    pairs = [PairExample(str(n), "a", "b", label) for n, label in enumerate("xxyz")]
    assert chance_of("xnli", [*pairs, PairExample("h", "a", "b", None)]) == 50
    assert chance_of("tatoeba", [ParallelExample("0", "a", "b")] * 40) == 2.5
    tags = [TagExample("0", ("a", "b"), ("B-PER", "O")), TagExample("1", ("c",), ("O",))]
    # Every word B-PER: 1 found of 3 predicted, 1 of 1 gold.
    assert chance_of("panx", tags) == pytest.approx(50)
    with pytest.raises(ValueError, match="no gold labels"):
        chance_of("xnli", [])


@settings(max_examples=20)
@given(sentences)
def test_best_constant_is_the_best_constant(rows: list[list[str]]) -> None:
    constants = [chunk_f1(rows, [[tag] * len(row) for row in rows])["f1"] for tag in PANX.labels]
    assert best_constant(rows, PANX.labels) == pytest.approx(max(constants))
