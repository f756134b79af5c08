"""Word embeddings held as codes while an adapter is trained, and what fusing makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import options
from torch import nn

from compress.fuse.fuse import fuse
from evalsuite.errors import ModelError
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from recipes.stages.train import Config, check
from transfer.models import checkpoints
from transfer.precision import row_codes
from transfer.precision.quantized_embedding import QuantizedEmbedding
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")


def table(rows: int = 40, width: int = 16) -> nn.Embedding:
    torch.manual_seed(0)
    return nn.Embedding(rows, width, padding_idx=1)


@pytest.mark.parametrize(("bits", "bytes_a_row"), [(8, 16 + 4), (4, 8 + 4)])
def test_rows_come_back_as_they_are_looked_up(bits: int, bytes_a_row: int) -> None:
    whole = table()
    held = QuantizedEmbedding.of(whole, bits)
    rows = row_codes.dequantize(*row_codes.quantize_rows(whole.weight.detach().numpy(), bits))
    ids = torch.tensor([[3, 1, 39], [0, 3, 7]])
    assert np.array_equal(held(ids).numpy(), rows[ids.numpy()])
    assert np.array_equal(held.dequantized().numpy(), rows)
    assert not held(ids)[0, 1].any()  # the padding row
    assert (held.num_embeddings, held.embedding_dim, held.padding_idx) == (40, 16, 1)
    assert sum(t.numel() * t.element_size() for t in held.state_dict().values()) == 40 * bytes_a_row
    assert not list(held.parameters())
    again = QuantizedEmbedding(torch.zeros_like(held.codes), torch.zeros_like(held.scales))
    again.load_state_dict(held.state_dict())
    assert torch.equal(again(ids), held(ids))
    halves = QuantizedEmbedding.of(whole.to(torch.bfloat16), bits)(ids)
    assert halves.dtype == torch.bfloat16
    assert torch.allclose(halves.float(), torch.from_numpy(rows[ids.numpy()]), rtol=0.02, atol=0.02)


def test_a_column_of_large_values_does_not_take_the_codes_of_the_others() -> None:
    torch.manual_seed(0)
    whole = nn.Embedding(500, 16)
    weight = whole.weight.detach()
    weight *= 0.1
    weight[:, 5] = 4 + 0.3 * weight[:, 5]
    around = weight - weight.mean(0)
    lost = [
        float(((QuantizedEmbedding.of(whole, bits).dequantized() - weight) ** 2).sum())
        / float((around**2).sum())
        for bits in (4, 8)
    ]
    assert lost[0] < 0.02 and lost[1] < 1e-4
    plain = row_codes.dequantize(*row_codes.quantize_rows(weight.numpy(), 4))
    assert ((plain - weight.numpy()) ** 2).sum() > 0.3 * float((around**2).sum())
    held = QuantizedEmbedding.of(whole, 4).dequantized()
    half = QuantizedEmbedding.of(whole.to(torch.bfloat16), 4).dequantized()
    assert half.dtype == torch.bfloat16
    assert float((half.float() - held).abs().mean()) < 0.01  # where values are 0.1 large


@pytest.mark.parametrize("form", ["bf16", "int8", "int4"])
def test_a_model_holds_what_rounding_leaves(form: Any, tiny_nli: Path) -> None:
    whole, held, rounded = (load_checkpoint(tiny_nli) for _ in range(3))
    checkpoints.hold_embeddings(held, form)
    checkpoints.round_embeddings(rounded, form)
    ids = torch.tensor([[0, 9, 11, 40, 2]])
    with torch.inference_mode():
        found, expected, before = (m(input_ids=ids).logits for m in (held, rounded, whole))
    assert torch.equal(found, expected) and not torch.equal(found, before)
    assert type(rounded.get_input_embeddings()) is nn.Embedding
    was, now = (checkpoints.memory(m) for m in (whole, held))
    assert now["other weights MB"] == pytest.approx(was["other weights MB"])
    share = {"bf16": 0.5, "int8": (64 + 4) / 256, "int4": (32 + 4) / 256}[form]
    assert now["embeddings MB"] == pytest.approx(share * was["embeddings MB"])


def test_rows_that_do_not_halve_are_said_so() -> None:
    class Odd(nn.Module):
        def get_input_embeddings(self) -> nn.Embedding:
            return table(width=15)

    with pytest.raises(ModelError, match="int4: rows of 15 do not halve; use int8"):
        checkpoints.hold_embeddings(Odd(), "int4")


@pytest.mark.parametrize(
    ("precision", "form", "share"),
    [("fp32", "int8", (64 + 4) / 256), ("nf4", "int8", (64 + 4) / 256)],
)
def test_an_adapter_trains_on_embeddings_held_as_codes_and_is_fused(
    precision: Any, form: Any, share: float, tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(precision=precision, embeddings=form)
    out = tmp_path / "adapter"
    trained = train_tasks(
        tiny_base, [TASKS.get("xnli")], EMBEDDED, quick, work=tmp_path / "work", out=out
    )
    whole, _ = checkpoints.load(tiny_base, TASKS.get("xnli"))
    size = checkpoints.memory(whole)["embeddings MB"]
    assert float(trained.summary["base embeddings MB"]) == pytest.approx(share * size, abs=1e-3)
    trainable = int(trained.summary["trained parameters"])
    count = sum(p.numel() for p in whole.parameters()) + trainable
    # peft keeps the head's first copy beside the trained one
    assert float(trained.summary["trained parameters %"]) == pytest.approx(
        100 * trainable / count, rel=0.02
    )
    assert json.loads((out / "training.json").read_text())["embeddings"] == form
    fused = fuse(
        out, TASKS.get("xnli"), tmp_path / "fused", probe=Probe(TASKS.get("xnli"), EMBEDDED, 4)
    )
    drift = fused.drift["dequantized"]
    assert drift.maximum < (1e-5 if precision == "fp32" else 0.01 * drift.scale)
    if precision == "nf4":
        assert fused.drift["original"].maximum > drift.maximum
    rows = QuantizedEmbedding.of(whole.get_input_embeddings(), 8).dequantized()
    assert torch.equal(load_checkpoint(tmp_path / "fused").get_input_embeddings().weight, rows)


def test_what_trains_the_embeddings_refuses_codes() -> None:
    base = {"model": (Artifact("checkpoint"),)}

    def config(**keys: Any) -> Config:
        keys = {"name": "t", "stage": "train", "model": "./m", "tasks": ["xnli"]} | keys
        return Config.model_validate(keys)

    assert check(config(embeddings="int8"), base).kind == "adapter"
    with pytest.raises(
        StageInputError, match="embeddings: int8 is for adapters; method: full writes"
    ):
        check(config(embeddings="int8", method="full"), base)
