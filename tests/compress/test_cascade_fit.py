"""Thresholds and temperatures of cascades: exact on dev rows, compared with brute force."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from compress.cascade import fit
from evalsuite import bootstrap
from evalsuite.cascade.confidence import log_probabilities
from evalsuite.cascade.rule import NEVER


def _random(seed: int, rows: int, members: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """How sure members are, some of it equally, and whether they are right; later ones are more."""
    random = np.random.default_rng(seed)
    sure = [random.integers(0, rows // 2, rows) / rows for _ in range(members - 1)]
    right = [random.random(rows) < 0.5 + 0.2 * place for place in range(members)]
    return sure, [np.stack([own, np.ones(rows)], -1).astype(float) for own in right]


def _score(sure: Any, sums: Any, thresholds: Any) -> tuple[float, list[int]]:
    """By hand, row by row: the score, and the rows that each member answers."""
    right, counts = 0.0, [0] * len(sums)
    for row in range(len(sums[0])):
        place = next(
            (p for p, least in enumerate(thresholds) if sure[p][row] >= least), len(thresholds)
        )
        right += sums[place][row, 0]
        counts[place] += 1
    return 100 * right / len(sums[0]), counts


@pytest.mark.parametrize("seed", range(12))
def test_two_members_lose_at_most_what_is_allowed_and_no_fewer_rows_would_do(seed: int) -> None:
    sure, sums = _random(seed, 60, 2)
    for allowed in (0.0, 0.5, 2.0, 10.0, 100.0):
        lowest = 100 * sums[-1][:, 0].mean() - allowed
        fitted = fit.fit_loss(sure, sums, bootstrap.ratio, lowest, [1.0])
        score, counts = _score(sure, sums, fitted.thresholds)
        assert score >= lowest - 1e-9
        assert counts == fitted.answered
        every = [
            _score(sure, sums, [least]) for least in [0.0, *(np.unique(sure[0]) + 1e-6), NEVER]
        ]
        assert counts[1] == min(own[1] for found, own in every if found >= lowest - 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_three_members_cost_least(seed: int) -> None:
    sure, sums = _random(seed, 30, 3)
    lowest = 100 * sums[-1][:, 0].mean() - 5
    fitted = fit.fit_loss(sure, sums, bootstrap.ratio, lowest, [1.0, 7.0])
    score, counts = _score(sure, sums, fitted.thresholds)
    assert score >= lowest - 1e-9 and counts == fitted.answered

    def cost(own: list[int]) -> float:
        return (own[1] + own[2]) + 7.0 * own[2]

    cuts = [[0.0, *(np.unique(own) + 1e-6), NEVER] for own in sure]
    every = [_score(sure, sums, pair) for pair in itertools.product(*cuts)]
    assert cost(counts) == min(cost(own) for found, own in every if found >= lowest - 1e-9)


def test_a_budget_is_kept_where_rows_are_equally_sure() -> None:
    sure, _ = _random(3, 50, 3)
    for budget in (1.0, 20.0, 50.0, 99.0):
        fitted = fit.fit_budget(sure, budget)
        one, two, three = fitted.answered
        assert one + two + three == 50
        assert two + three <= budget / 100 * 50
        assert three <= budget / 100 * (two + three)
        assert _score(sure, [np.ones((50, 2))] * 3, fitted.thresholds)[1] == fitted.answered
    assert fit.fit_budget([np.ones(9)], 50.0) == fit.Fitted([0.0], [9, 0])


def test_the_temperature_undoes_a_scale() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(4000, 3)) * 2
    shares = np.exp(log_probabilities(logits))
    gold = np.array([random.choice(3, p=row) for row in shares])
    assert fit.temperature(3 * logits, gold) == pytest.approx(
        3 * fit.temperature(logits, gold), rel=1e-3
    )
    assert fit.temperature(3 * logits, gold) == pytest.approx(3, rel=0.1)


def test_answers_in_a_language_agree_as_often_as_asked() -> None:
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    equal = np.array([True, True, False, True, False])
    assert fit.fit_agreement(sure, equal, 0.6) == 0.0
    assert fit.fit_agreement(sure, equal, 0.75) == pytest.approx(0.55)
    assert fit.fit_agreement(sure, equal, 0.9) == pytest.approx(0.75)
    assert fit.fit_agreement(sure, ~equal, 0.9) == NEVER
