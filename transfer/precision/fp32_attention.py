"""Attention in fp32 while everything else is computed in bf16 on a processor.

>>> with fp32_attention(student, compute="bf16"):
...     fit(student, batches, collate, loss, settings, work)

Without dropout on attention torch has a fused kernel for it. On a processor its backward pass in
bf16 takes 5 to 7 times as long as in fp32: 163 ms and 28 ms for 64 rows of 48 tokens and 12 heads
of 32 numbers on one thread with matrix units (AMX), torch 2.13. With dropout another kernel runs,
for which it makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_FUSED = "sdpa"  # torch's own attention
_NAME = "lingopress_sdpa_fp32"


@contextmanager
def fp32_attention(model: Any, compute: str) -> Iterator[None]:
    """Within it torch's attention has fp32 inputs, where the model is on a processor.

    Args:
        model: of transformers; one with another attention is left as it is.
        compute: what the rest is computed in; `fp32` changes nothing.
    """
    fused = getattr(model.config, "_attn_implementation", None) == _FUSED
    if compute != "bf16" or model.device.type != "cpu" or not fused:
        yield
        return
    _register()
    model.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(_FUSED)


@cache
def _register() -> None:
    AttentionInterface.register(_NAME, _attention)
    AttentionMaskInterface.register(_NAME, sdpa_mask)


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls for torch's attention, with fp32 inputs."""
    mask = attention_mask
    if mask is not None and mask.is_floating_point():
        mask = mask.float()
    with torch.autocast(query.device.type, enabled=False):
        found, _ = sdpa_attention_forward(
            module, query.float(), key.float(), value.float(), mask, **options
        )
    return found.to(query.dtype), None
