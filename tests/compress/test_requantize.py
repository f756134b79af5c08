"""Fused weights quantized again: what an update loses, and what is written and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from adapters import redrawn

from compress.fuse.fuse import Target, fuse
from compress.fuse.requantize import Loss, loss_of, round_trip
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.stages import fuse as stage
from transfer.models import checkpoints

EMBEDDED = DataSource("embedded")


@pytest.mark.parametrize("precision", ["nf4", "int8"])
def test_the_round_trip_is_the_one_a_checkpoint_takes(tiny_base: Path, precision: Any) -> None:
    loaded, _ = checkpoints.load(tiny_base, None, precision)
    stored = loaded.dequantize().encoder.layer[0].output.dense.weight
    original = load_checkpoint(tiny_base).encoder.layer[0].output.dense.weight
    assert torch.equal(round_trip(original.detach(), precision), stored.float())
    assert not torch.equal(original, stored)


def test_updates_below_the_quantizers_steps_are_rounded_away() -> None:
    torch.manual_seed(0)
    original = 0.02 * torch.randn(128, 128)
    update = torch.randn(128, 4) @ torch.randn(4, 128) / 2

    def loss(weight: torch.Tensor, size: float, precision: Any = "nf4") -> Loss:
        found = loss_of({"a": weight}, {"a": weight + size * update}, precision)
        assert found is not None
        return found

    stored = round_trip(original, "nf4")
    tiny = loss(stored, 1e-4)  # half a percent of a weight
    assert tiny.kept < 10 and 90 < tiny.error < 120
    assert loss(stored, 1e-2).kept > 95 and loss(stored, 1e-2).error < 40
    between = loss(original, 1e-4)  # whole in the mean, under much that is not the update
    assert 80 < between.kept < 120 and between.error > 300
    assert loss(round_trip(original, "int8"), 1e-3, "int8").error < 30
    two = loss_of(
        {"a": stored, "b": stored, "same": stored},
        {"a": stored + 1e-2 * update, "b": stored + 1e-4 * update, "same": stored},
        "nf4",
    )
    assert two is not None and two.layers == 2 and two.worst == ("b", pytest.approx(tiny.kept))
    assert two.kept > 90  # by length: the small one hardly counts
    assert loss_of({"a": stored}, {"a": stored}, "nf4") is None


def test_requantizing_says_what_was_lost_and_writes_what_is_stored(
    tiny_adapter: Path, tmp_path: Path
) -> None:
    task, probe = TASKS.get("xnli"), Probe(TASKS.get("xnli"), EMBEDDED, 4)
    drawn = redrawn(tiny_adapter, tmp_path / "drawn", seed=1, std=0.03)
    fused = fuse(drawn, task, tmp_path / "out", target=Target(rounded_to="nf4"), probe=probe)
    assert set(fused.drift) == {"dequantized", "requantized", "original"}
    assert fused.loss is not None and fused.loss.layers == 4  # query and value of two layers
    assert 90 < fused.loss.kept < 110 and 5 < fused.loss.error < 60
    assert fused.drift["requantized"].mean > 3 * fused.drift["dequantized"].mean
    model = load_checkpoint(tmp_path / "out")
    assert model.dtype == torch.float32 and not hasattr(model.config, "quantization_config")
    weight = model.roberta.encoder.layer[0].attention.self.query.weight.detach()
    again = round_trip(weight, "nf4")
    assert (again - weight).norm() < 1e-3 * weight.norm()  # stored values stay what they are
    assert "rounded to nf4" in (tmp_path / "out" / "README.md").read_text()


def test_scores_are_measured_live_and_fused_onto_either_base(
    tiny_adapter: Path, tmp_path: Path
) -> None:
    fused = fuse(
        tiny_adapter,
        TASKS.get("xnli"),
        tmp_path / "out",
        scored=Probe(TASKS.get("xnli"), EMBEDDED, 6),
    )
    assert set(fused.scores) == {"live", "dequantized", "original"} and not fused.drift
    assert {"en", "sw"} <= fused.scores["live"].keys()
    assert fused.scores["live"] == fused.scores["dequantized"]
    facts = stage._score_facts("original", {"en": 50.0, "sw": 40.0}, {"en": 50.0, "sw": 43.0})
    assert facts == {
        "original: score": 45.0,
        "original: score change": -1.5,
        "original: largest score change": "sw -3.00",
    }
