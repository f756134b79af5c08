"""Counted operations are those that torch counts while it runs the model."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import XLMRobertaConfig

from evalsuite.bench import flops
from evalsuite.runtimes.torch import auto_class

SHAPES = [(1, 64, 2, 96), (3, 32, 4, 200)]  # layers, width, heads, feedforward


def counted(head: str | None, shape: tuple[int, ...], attention: str, ids: Any) -> tuple[int, Any]:
    """What torch counts, and the config as it is saved."""
    layers, width, heads, inner = shape
    config = XLMRobertaConfig(
        vocab_size=50,
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=66,
        num_labels=5 if head in ("pair", "tagging") else 2,
        attn_implementation=attention,
    )
    options = {} if head else {"add_pooling_layer": False}
    model = auto_class(head).from_config(config, **options).eval()
    mask = torch.ones_like(ids)
    mask[-1, ..., -2:] = 0
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        model(input_ids=ids, attention_mask=mask)
    saved = model.config.to_dict() | {"architectures": [type(model).__name__]}
    return counter.get_total_flops(), saved


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("head", ["pair", "tagging", "span", "choice", None], ids=str)
@pytest.mark.parametrize(("batch", "length"), [(1, 7), (4, 33)])
def test_operations_are_what_torch_counts(
    head: str | None, shape: tuple[int, ...], batch: int, length: int
) -> None:
    ids = torch.randint(5, 50, (batch, length))
    total, config = counted(head, shape, "eager", ids[:, None] if head == "choice" else ids)
    assert flops.operations(flops.encoder(config), batch, length) == total


def test_the_fused_attention_does_the_same_work() -> None:
    ids = torch.randint(5, 50, (4, 33))
    total, config = counted("pair", SHAPES[1], "sdpa", ids)
    ours = flops.encoder(config)
    products = 3 * 2 * (2 * 4 * 33 * 33 * 32)  # 3 layers; torch does not count these two on a CPU
    assert flops.operations(ours, 4, 33) - total == products


def test_sequences_cost_their_own_length() -> None:
    base = flops.Encoder(layers=12, width=768, feedforward=3072)
    apart = flops.operations(base, 1, 20) + flops.operations(base, 1, 50)
    assert flops.of_sequences(base, [20, 50]) == apart < flops.operations(base, 2, 50)
    tagger = flops.Encoder(1, 8, 16, "tagging", 3)
    headless = flops.Encoder(1, 8, 16)
    assert flops.operations(tagger, 2, 5) - flops.operations(headless, 2, 5) == 2 * 10 * 8 * 3
