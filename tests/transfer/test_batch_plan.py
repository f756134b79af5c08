"""Plans of batches: every row once an epoch, little padding, shares of tasks and languages."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from recipes.stages import train
from transfer.loop import batch_plan, mixing
from transfer.loop.training_length import steps_for
from transfer.text.parallel_text import sample


def test_a_plan_uses_every_example_once_an_epoch_and_repeats_itself() -> None:
    lengths = [n % 7 + 3 for n in range(64)]
    plan = batch_plan.plan(lengths, batch_size=8, steps=8, seed=3)
    assert sorted(index for batch in plan for index in batch.indices) == list(range(64))
    assert plan == batch_plan.plan(lengths, batch_size=8, steps=8, seed=3)
    assert plan != batch_plan.plan(lengths, batch_size=8, steps=8, seed=4)


@pytest.mark.parametrize(("rows", "batch_size"), [(33, 32), (65, 32), (100, 32), (9, 8), (3, 8)])
def test_few_rows_come_as_often_as_asked(rows: int, batch_size: int) -> None:
    steps = steps_for(rows, batch_size, epochs=10)
    plan = batch_plan.plan([5] * rows, batch_size, steps, seed=1)
    assert {len(batch.indices) for batch in plan} == {batch_size}
    seen = Counter(index for batch in plan for index in batch.indices)
    assert sum(seen.values()) == pytest.approx(10 * rows, abs=batch_size / 2)
    assert max(seen.values()) - min(seen[index] for index in range(rows)) <= batch_size // rows + 2
    if rows >= batch_size:
        assert all(len(set(batch.indices)) == batch_size for batch in plan)
        first = [index for batch in plan[: rows // batch_size] for index in batch.indices]
        assert len(set(first)) == len(first)  # an epoch has each row once


@pytest.mark.parametrize(
    ("epochs", "most", "steps", "cost"),
    [
        (None, None, 9, "3 epochs"),
        (None, 1000, 1000, "1000 steps"),
        (None, 4, 4, "4 steps"),
        (2, None, 6, "2 epochs"),
        (2, 1000, 6, "2 epochs, at most 1000 steps"),
        (2, 4, 4, "2 epochs, at most 4 steps"),
    ],
)
def test_steps_alone_decide_and_with_epochs_the_shorter_training_counts(
    epochs: float | None, most: int | None, steps: int, cost: str
) -> None:
    assert steps_for(100, 32, epochs, most) == steps
    config = train.Config(
        name="t", stage="train", model="m", tasks=("xnli",), epochs=epochs, max_steps=most
    )
    assert train._batches(config, 100) == (steps, steps)
    assert train.cost(config) == cost


def test_a_plan_pads_less_than_shuffling() -> None:
    lengths = [3 + (n * 37) % 50 for n in range(320)]
    plan = batch_plan.plan(lengths, batch_size=16, steps=20, seed=1)
    padded = sum(max(lengths[i] for i in b.indices) * len(b.indices) for b in plan)
    assert padded < 1.15 * sum(lengths[i] for b in plan for i in b.indices)


def test_a_longer_plan_begins_like_a_shorter_one() -> None:
    assert batch_plan.plan([5] * 40, 4, 6, seed=2) == batch_plan.plan([5] * 40, 4, 30, seed=2)[:6]


def test_mixing_draws_in_proportion() -> None:
    assert mixing.shares([100, 900], cap=100) == [0.5, 0.5]
    mixed = mixing.mix([[4] * 100, [4] * 300], mixing.shares([100, 300]), 4, 400, seed=1)
    share = sum(batch.part == 1 for batch in mixed) / len(mixed)
    assert 0.68 < share < 0.82


def test_each_data_set_can_have_its_own_batch_size() -> None:
    mixed = mixing.mix([[4] * 96, [4] * 300], [0.5, 0.5], [8, 2], 40, seed=1)
    assert {(batch.part, len(batch.indices)) for batch in mixed} == {(0, 8), (1, 2)}


@pytest.mark.parametrize("weights", [[0.2, 0.3, 0.5], [0.0, 1.0, 0.0], [1, 0, 3]])
@pytest.mark.parametrize("sizes", [4, [8, 2, 1]])
def test_each_data_set_is_planned_alone(weights: list[float], sizes: int | list[int]) -> None:
    lengths = [[4, 9, 2] * 20, [7, 3] * 33, [5] * 3]
    drawn = random.Random(7).choices(range(3), weights=weights, k=300)
    each = [sizes] * 3 if isinstance(sizes, int) else sizes
    alone = [
        iter(batch_plan.plan(lengths[part], each[part], drawn.count(part), 8 + part, part))
        for part in range(3)
    ]
    assert mixing.mix(lengths, weights, sizes, 300, seed=7) == [next(alone[part]) for part in drawn]


def test_more_data_sets_than_a_byte_counts() -> None:
    mixed = mixing.mix([[3, 4]] * 300, [1] * 300, 2, 2000, seed=1)
    assert max(batch.part for batch in mixed) > 255


def test_language_sampling_lifts_small_languages() -> None:
    language = [0] * 900 + [1] * 100
    plain = sum(language[i] for i in sample(language, 1.0, 4000, seed=1)) / 4000
    lifted = sum(language[i] for i in sample(language, 0.3, 4000, seed=1)) / 4000
    assert abs(plain - 0.1) < 0.02
    assert abs(lifted - 100**0.3 / (100**0.3 + 900**0.3)) < 0.03
