"""A checkpoint harmed anywhere gives what the whole one gives, or one message."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from evalsuite import tokenization
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.registry import TASKS
from recipes.errors import is_persons
from recipes.planning.external_models import External
from tests.support.harmed import write_small
from tests.support.mutations import draw
from transfer.models import checkpoints

LINES = ["a b\tc", "hello\tword zz"]


def _predict(directory: Path) -> Any:
    return list(predict_lines(directory, LINES))


def _train(directory: Path) -> Any:
    """As `train` opens it, with the head that it goes on from."""
    External.find(str(directory))
    model, kept = checkpoints.load(directory, TASKS.get("xnli"))
    ids = tokenization.load(directory).encode("a b", "c").ids
    tokenization.pad_id(directory)
    with torch.inference_mode():
        return kept, model.eval()(torch.tensor([ids])).logits.tolist()


USES: tuple[Callable[[Path], Any], ...] = (_predict, _train)


def walk(folder: Path, count: int, seed: int) -> dict[str, int]:
    """How many uses of harmed copies ended in an error and in the right outputs."""
    whole = write_small(folder / "whole")
    right = [use(whole) for use in USES]
    ended = {"refused": 0, "right": 0}
    for harm in draw(count, seed):
        shutil.rmtree(folder / "harmed", ignore_errors=True)
        shutil.copytree(whole, folder / "harmed")
        harm.apply(folder / "harmed")
        for use, expected in zip(USES, right, strict=True):
            try:
                found = use(folder / "harmed")
            except Exception as error:
                assert is_persons(error), f"{harm.name}: {error!r}"
                assert str(error) and "Traceback" not in str(error), harm.name
                ended["refused"] += 1
            else:
                assert found == expected, f"{harm.name}: other outputs, and no error"
                ended["right"] += 1
    return ended


def test_some_harms_are_refused_and_some_do_none(tmp_path: Path) -> None:
    ended = walk(tmp_path, 15, seed=1)
    assert ended["refused"] > 15 and ended["refused"] + ended["right"] == 30


@pytest.mark.slow
def test_no_harm_goes_unseen(tmp_path: Path) -> None:
    ended = walk(tmp_path, 200, seed=2)
    assert ended["refused"] > 250 and ended["right"] > 5
