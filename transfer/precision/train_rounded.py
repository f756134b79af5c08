"""Train what will be quantized: weights and activations are rounded while a model learns, its
parameters stay as they are.

>>> with quantize_aware(student, "int8"):
...     fit(student, batches, collate, loss, settings, work)
>>> student.save_pretrained(out)  # a plain checkpoint, fitted to being exported in int8

Quantization-aware training (Jacob et al. 2018): a forward pass computes with what `export` would
store, the gradient passes as if nothing was rounded (straight-through, Bengio et al. 2013). The
rounding is that of ONNX Runtime's exports, and so are the scales, taken anew from each batch:

- `int8`: weights of linear layers symmetric, a scale an output; their inputs asymmetric, a scale a
  batch; embedding tables asymmetric, one scale each.
- `int4-weights`: weights of linear layers asymmetric, a scale for 32 inputs of an output; embedding
  tables as above. The runtime's own rounding of activations to int8, far finer, is left out.

Made of torch's own `fake_quantize_*`: `torch.ao`'s modules around them cannot do blocks and would
leave their state in checkpoints. Nothing is wrapped and no state is added, so a killed training
resumes as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

Rounding = Literal["int8", "int4-weights"]
GROUP = 32  # weights that share a scale in int4


@contextmanager
def quantize_aware(model: nn.Module, precision: Rounding | None) -> Iterator[None]:
    """Within it the model's linear layers and embeddings compute as `precision` will; None changes
    nothing."""
    linear: Any = {"int8": _int8_linear, "int4-weights": _int4_linear, None: None}[precision]
    rounded: list[Any] = []
    for module in model.modules() if linear else ():
        own: Any = module
        if isinstance(module, nn.Linear):
            own.forward = partial(linear, module)
        elif isinstance(module, nn.Embedding):
            own.forward = partial(_looked_up, module)
        else:
            continue
        rounded.append(own)
    try:
        yield
    finally:
        for module in rounded:
            del module.forward  # the class's own is there again


def by_output(weight: torch.Tensor) -> torch.Tensor:
    """`[outputs, inputs]` rounded to 8 bits, from -127 to 127, a scale an output."""
    scale = _above_zero(weight.detach().abs().amax(1) / 127)
    zeros = torch.zeros_like(scale, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zeros, 0, -127, 127)


def by_block(weight: torch.Tensor) -> torch.Tensor:
    """`[outputs, inputs]` rounded to 4 bits, a scale and a zero point for `GROUP` inputs."""
    short = -weight.shape[1] % GROUP
    blocks = nn.functional.pad(weight, (0, short)).reshape(-1, GROUP)
    scale, zeros = _affine(*blocks.detach().aminmax(dim=1), top=15)
    rounded = torch.fake_quantize_per_channel_affine(blocks, scale, zeros, 0, 0, 15)
    return rounded.reshape(weight.shape[0], -1)[:, : weight.shape[1]]


def by_tensor(values: torch.Tensor, of: torch.Tensor | None = None) -> torch.Tensor:
    """Rounded to 8 bits with one scale: their own, or that of a table they are rows of."""
    whole = (values if of is None else of).detach()
    scale, zero = _affine(*torch.aminmax(whole.float()), top=255)
    return torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, 255)


def _affine(
    low: torch.Tensor, high: torch.Tensor, *, top: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and zero point of codes from 0 to `top` for a range, which is made to hold 0."""
    low, high = low.clamp(max=0), high.clamp(min=0)
    scale = _above_zero((high - low) / top)
    return scale, (-low / scale).round().clamp(0, top).to(torch.int32)


def _above_zero(scale: torch.Tensor) -> torch.Tensor:
    """1 where all is 0, as in a head that was pruned."""
    return torch.where(scale > 0, scale, 1.0)


def _int8_linear(linear: nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    rounded = by_tensor(inputs.float()).to(inputs.dtype)
    return _product(linear, rounded, by_output(linear.weight.float()))


def _int4_linear(linear: nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    return _product(linear, inputs, by_block(linear.weight.float()))


def _product(linear: nn.Linear, inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return nn.functional.linear(inputs, weight.to(inputs.dtype), linear.bias)


def _looked_up(table: nn.Embedding, ids: torch.Tensor) -> torch.Tensor:
    rows = nn.functional.embedding(ids, table.weight, table.padding_idx)
    return by_tensor(rows.float(), table.weight).to(rows.dtype)
