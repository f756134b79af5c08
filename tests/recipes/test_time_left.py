"""The time that a running stage still takes."""

from __future__ import annotations

import pytest

from recipes.execution.time_left import TimeLeft


def after(*reports: tuple[float, float]) -> float | None:
    """The estimate after (second, fraction) reports."""
    left = TimeLeft()
    for second, fraction in reports:
        left.report(fraction, at=second)
    return left.seconds()


def test_time_before_the_first_step_does_not_count() -> None:
    getting_ready = [(float(second), 0.0) for second in range(0, 840, 60)]
    steps = [(840.0 + 2 * step, step / 1500) for step in range(100)]
    assert after(*getting_ready, *steps) == pytest.approx(2 * 1401)


def test_a_part_that_counts_anew_is_measured_anew() -> None:
    assert after((0, 0.0), (10, 0.5), (20, 0.9), (30, 0.0)) is None
    assert after((0, 0.0), (10, 0.5), (20, 0.9), (30, 0.0), (40, 0.1)) == pytest.approx(90)


def test_a_resumed_stage_begins_well_above_zero() -> None:
    assert after((0, 0.8), (50, 0.9)) == pytest.approx(50)


def test_a_stage_that_becomes_slower_is_followed() -> None:
    fast = [(float(second), second / 1000) for second in range(0, 500, 10)]
    slow = [(500.0 + 30 * step, 0.5 + step / 100) for step in range(10)]
    assert after(*fast, *slow) == pytest.approx(41 * 30)


def test_too_little_done_gives_no_estimate() -> None:
    assert after() is None
    assert after((0, 0.0)) is None
    assert after((0, 0.0), (300, 0.0)) is None
    assert after((0, 0.0), (1, 0.005)) is None
