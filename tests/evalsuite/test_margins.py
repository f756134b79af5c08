"""Margins between sentences, the pairs they give, and the best threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from margins_by_hand import by_hand

from evalsuite.retrieval import ratio_margin as margins
from evalsuite.retrieval.ratio_margin import Margins
from evalsuite.retrieval.threshold import best_threshold


def sides(seed: int, n: int = 60, m: int = 45) -> tuple[np.ndarray, np.ndarray]:
    """Random vectors that all point roughly one way, as sentence embeddings do."""
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=(rows, 6)) + 1.5 for rows in (n, m))  # type: ignore[return-value]


@pytest.mark.parametrize("k", [1, 4, 100])
@pytest.mark.parametrize("block", [7, 4096])
def test_margins_are_those_of_the_whole_table(
    k: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(margins, "BLOCK", block)
    foreign, english = sides(1)
    found = Margins.between(foreign, english, k)
    table, cosines = by_hand(foreign, english, k)
    there, back = np.argsort(-cosines, 1)[:, :k], np.argsort(-cosines, 0)[:k].T
    assert (found.forward == there).all() and (found.backward == back).all()
    assert np.allclose(found.forward_margins, np.take_along_axis(table, there, 1), atol=1e-12)
    assert np.allclose(found.backward_margins, np.take_along_axis(table.T, back, 1), atol=1e-12)
    within = np.full_like(table, -np.inf)
    np.put_along_axis(within, there, np.take_along_axis(table, there, 1), 1)
    assert (found.nearest() == within.argmax(1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_the_best_that_are_free(seed: int) -> None:
    foreign, english = sides(seed)
    k = margins.NEIGHBOURS
    table, cosines = by_hand(foreign, english, k)
    proposed = []
    for row in range(len(table)):
        near = np.argsort(-cosines[row])[:k]
        proposed.append((row, near[table[row, near].argmax()]))
    for column in range(table.shape[1]):
        near = np.argsort(-cosines[:, column])[:k]
        proposed.append((near[table[near, column].argmax()], column))
    expected: list[tuple[int, int]] = []
    for row, column in sorted(proposed, key=lambda pair: -table[pair]):
        if all(row != i and column != j for i, j in expected):
            expected.append((row, column))
    found = Margins.between(foreign, english).pairs()
    assert [(i, j) for _, i, j in found] == expected
    assert np.allclose([value for value, _, _ in found], [table[pair] for pair in expected])


def test_margins_of_what_has_no_direction() -> None:
    """Embeddings that are all equal pair one row; zeros and opposites have no ratio."""
    same = Margins.between(np.ones((5, 3)), np.ones((4, 3)))
    assert np.allclose(same.forward_margins, 1) and same.nearest().tolist() == [0] * 5
    assert [(i, j) for _, i, j in same.pairs()] == [(0, 0)]
    zero = Margins.between(np.zeros((2, 3)), np.ones((2, 3)))
    assert not zero.forward_margins.any() and not zero.backward_margins.any()
    opposite = Margins.between(-np.ones((2, 3)), np.ones((2, 3)))
    assert not opposite.forward_margins.any()
    with pytest.raises(ValueError, match="no candidates"):
        Margins.between(np.ones((2, 3)), np.ones((0, 3)))
    with pytest.raises(ValueError, match="not finite"):
        Margins.between(np.full((2, 3), np.nan), np.ones((2, 3)))


def test_a_sentence_near_to_everything_is_no_match_by_margin() -> None:
    """Row 0's translation is 1; 0 is a hub, a little nearer to all."""
    english = np.array([[1.0, 1.0, 1.0], [1.0, 0.2, 0.1], [0.1, 1.0, 0.2], [0.2, 0.1, 1.0]])
    foreign = np.array([[1.0, 0.55, 0.45], [0.45, 1.0, 0.55], [0.55, 0.45, 1.0]])
    cosines = by_hand(foreign, english, 1)[1]
    assert (cosines.argmax(1) == 0).all()
    assert Margins.between(foreign, english, 4).nearest().tolist() == [1, 2, 3]


# The threshold


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from([0.5, 1.0, 1.1, 1.2, 1.9]), st.booleans()), max_size=12),
    st.integers(0, 4),
)
def test_no_threshold_is_better(rows: list[tuple[float, bool]], missed: int) -> None:
    scores, right = [score for score, _ in rows], [hit for _, hit in rows]
    gold = sum(right) + missed

    def f1(threshold: float) -> float:
        taken = [hit for score, hit in rows if score >= threshold]
        return 2 * sum(taken) / (len(taken) + gold) if taken or gold else 0.0

    found = best_threshold(scores, right, gold)
    tried = {score: f1(score) for score in scores}
    assert f1(found) == max(tried.values(), default=0.0)
    if f1(found):
        highest = max(score for score, value in tried.items() if value == f1(found))
        below = [score for score in scores if score < highest]
        assert found == ((highest + max(below)) / 2 if below else highest)
    else:
        assert found == min(scores, default=0.0)
