"""A training that ends where one answer for every row does is named in its summary."""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import options

from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.errors import DivergedError
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Fitted, Settings
from transfer.supervised.constant_answer import constant_loss, little_learnt
from transfer.supervised.restarts import refuse_collapse
from transfer.supervised.train_tasks import train_tasks


class Fake:
    """Rows of which only labels matter."""

    def __init__(self, labels: torch.Tensor | None) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return 600 if self.labels is None else len(self.labels)

    def collate(self, batch: Batch) -> dict[str, Any]:
        return {} if self.labels is None else {"labels": self.labels[list(batch.indices)]}


def loss_of(labels: torch.Tensor | None) -> float | None:
    rows: Any = Fake(labels)
    return constant_loss(rows)


def test_it_is_the_entropy_of_labels_and_the_variance_of_scores() -> None:
    assert loss_of(torch.tensor([0, 1] * 300)) == pytest.approx(log(2), abs=1e-6)
    assert loss_of(torch.tensor([0, 1, 2, 2] * 3000)) == pytest.approx(1.5 * log(2), abs=1e-2)
    assert loss_of(torch.tensor([[0.0], [2.0], [4.0]] * 100)) == pytest.approx(8 / 3)
    several = torch.tensor([[1.0, 0.0], [0.0, 0.0]] * 50)  # half of the rows have the first label
    assert loss_of(several) == pytest.approx(log(2) / 2)
    words = torch.tensor([[-100, 0, 1, -100], [-100, 1, 0, 0]] * 9)
    assert loss_of(words) == pytest.approx(0.4 * log(2.5) + 0.6 * log(5 / 3), abs=1e-6)
    assert loss_of(None) is None  # pairs of texts


@pytest.mark.parametrize("labels", [2, 4, 8])
def test_rows_whose_labels_take_turns_show_all_of_them(labels: int) -> None:
    turns = torch.arange(labels).repeat(20_000 // labels)
    assert loss_of(turns) == pytest.approx(log(labels), abs=1e-2)
    assert loss_of(torch.tensor([0, 1] * 2500)) == pytest.approx(log(2), abs=1e-2)


@pytest.mark.parametrize(("share", "named"), [(0.98, True), (0.93, True), (0.91, False)])
def test_near_it_is_named(share: float, named: bool) -> None:
    rows: Any = Fake(torch.tensor([[0.0], [2.0], [4.0]] * 100))
    said = little_learnt(share * 8 / 3, [rows]).get("little was learnt")
    assert (said is not None) == named
    assert said is None or "and one answer for every row has 2.667; give it more steps" in str(said)
    assert little_learnt(9.0, [rows, rows]) == {}  # which of them is not known


@pytest.mark.parametrize("labels", [[1] * 600, [[2.7]] * 600, [[1.0, 0.0]] * 600])
def test_nothing_is_said_where_all_rows_have_one_answer(labels: list[Any]) -> None:
    rows: Any = Fake(torch.tensor(labels))
    assert loss_of(rows.labels) == pytest.approx(0)
    assert little_learnt(0.01, [rows]) == little_learnt(0.0, [rows]) == {}


def test_it_begins_again_from_another_seed() -> None:
    """Where the loss fell, but no further than one answer takes it."""
    rows: Any = Fake(torch.tensor([[0.0], [2.0], [4.0]] * 100))
    refuse_collapse(Fitted(10, 80, 8.2, 2.0, 0.1, "fp32"), None, [rows])
    with pytest.raises(DivergedError, match=r"ended at 2\.6, and one answer .* has 2\.667"):
        refuse_collapse(Fitted(10, 80, 8.2, 2.6, 0.1, "fp32"), None, [rows])


def test_a_training_says_so(tiny_base: Path, tmp_path: Path) -> None:
    how = options(settings=Settings(1e-9, seed=1, compute="fp32"), max_steps=4)
    found = train_tasks(
        tiny_base,
        [TASKS.get("xnli")],
        DataSource("embedded"),
        how,
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    assert "one answer for every row has 1.09" in str(found.summary["little was learnt"])
