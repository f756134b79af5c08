"""Exact search by blocks, average precision, sentences of contexts."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

from evalsuite.data import sentences
from evalsuite.metric import Answers
from evalsuite.metrics import map_at_20 as ranking
from evalsuite.registry import TASKS
from evalsuite.retrieval import nearest as search

# Search


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
@pytest.mark.parametrize("k", [1, 20])
def test_search_finds_what_a_full_sort_finds(block: int, k: int) -> None:
    rng = np.random.default_rng(1)
    queries = rng.normal(size=(40, 8)).astype(np.float32)
    pool = rng.normal(size=(500, 8)).astype(np.float32)
    scores, found = search.nearest(queries, np.split(pool, range(block, 500, block)), k)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, pool)]
    similarity = unit[0] @ unit[1].T
    assert (found == np.argsort(-similarity, axis=1)[:, :k]).all()
    assert np.allclose(scores, np.take_along_axis(similarity, found, 1), atol=1e-6)


def test_of_equal_scores_the_first_candidate_is_nearest() -> None:
    pool = np.eye(4, dtype=np.float32)[[0, 1, 0, 2, 0, 0]]
    for block in (1, 2, 6):
        _, found = search.nearest(np.eye(4)[:1], np.split(pool, range(block, 6, block)), 3)
        assert found.tolist() == [[0, 2, 4]]


def test_search_among_fewer_than_asked_for_and_among_none() -> None:
    scores, found = search.nearest(np.eye(2), [np.eye(2)[:1], np.eye(2)[1:]], 20)
    assert found.tolist() == [[0, 1], [1, 0]] and scores[:, 0].tolist() == [1, 1]
    with pytest.raises(ValueError, match="no candidates"):
        search.nearest(np.eye(2), [], 20)
    with pytest.raises(ValueError, match="not finite"):
        search.nearest(np.eye(2), [np.full((1, 2), np.nan)], 20)


# Average precision


def test_average_precision() -> None:
    assert ranking.average_precision({"a"}, ["b", "a"]) == 0.5  # the reciprocal rank
    assert ranking.average_precision({"a", "b"}, ["a", "a", "b"]) == pytest.approx((1 + 2 / 3) / 2)
    assert ranking.average_precision({"a"}, ["b"] * 20 + ["a"]) == 0
    many = [str(n) for n in range(30)]
    assert ranking.average_precision(many, many) == pytest.approx(1)  # 20 of 30 fit
    assert ranking.average_precision({"a"}, []) == 0
    with pytest.raises(ValueError, match="nothing is relevant"):
        ranking.average_precision((), ["a"])
    with pytest.raises(ValueError, match="1 rankings of 2 queries"):
        ranking.ranking_scores([{"a"}, {"b"}], [["a"]])


@pytest.mark.parametrize(("relevant", "pool"), [(1, 4), (2, 5), (4, 4), (3, 6)])
def test_chance_is_the_mean_over_all_orders(relevant: int, pool: int) -> None:
    names = [str(n) for n in range(pool)]
    orders = [
        ranking.average_precision(names[:relevant], order, 3)
        for order in itertools.permutations(names)
    ]
    assert ranking.chance(relevant, pool, 3) == pytest.approx(100 * np.mean(orders))


def test_a_candidate_named_again_is_one_for_chance() -> None:
    metric: Any = ranking.METRIC
    row: Any = {
        "predicted": [["x"]],
        "task": TASKS.get("lareqa"),
        "language": "en",
        "candidates": 2,
    }
    assert metric.chance(Answers(gold=[("x", "x", "x")], **row)) == 75


def test_a_larger_set_of_queries_scores_the_mean() -> None:
    rng = random.Random(1)
    rows = [(set(rng.sample("abcdefgh", 3)), rng.sample("abcdefgh", 8)) for _ in range(20)]
    each = [ranking.ranking_scores([gold], [said])["map_at_20"] for gold, said in rows]
    found = ranking.ranking_scores(*zip(*rows, strict=True))["map_at_20"]
    assert found == pytest.approx(np.mean(each))
    rng.shuffle(rows)
    assert ranking.ranking_scores(*zip(*rows, strict=True))["map_at_20"] == pytest.approx(found)


# Sentences


def test_sentences_are_guessed_from_punctuation() -> None:
    text = 'He came. "Why?" she asked! 3.5 km (U.S. units).\n她来了。他走了。  End'
    said = sentences.cut(text, sentences.breaks(text))
    assert said[:2] == ["He came.", '"Why?"'] and said[-3:] == ["她来了。", "他走了。", "End"]
    assert "3.5 km" in " ".join(said)
    assert "".join("".join(said).split()) == "".join(text.split())
    assert sentences.breaks("") == []
    assert sentences.holding([(0, 3), (4, 6)], 4) == 1
    assert sentences.holding([(0, 3), (4, 6)], 3) is None
