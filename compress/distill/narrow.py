"""A narrower student that starts from its teacher: smaller hidden size, fewer heads, fewer units.

>>> student = narrow(teacher, Shape(width=384, heads=12, ffn=1536), batches)
>>> student.config.hidden_size
384

The hidden size is projected onto the directions in which the teacher's own hidden states vary most
(principal components over all layers, on text). Attention keeps the heads, and within each head the
dimensions, whose queries and keys, values and outputs are largest; feed-forward layers keep the
units whose weights are. Scale and shift of each layer norm are fitted, so that it gives what the
teacher's gives in the new directions. It is a start for distillation, not a model to use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compress.errors import StudentError
from evalsuite.inference.token_types import read_types, separator_read


@dataclass(frozen=True, slots=True)
class Shape:
    """What the student has; None keeps the teacher's."""

    width: int | None = None
    heads: int | None = None
    ffn: int | None = None

    def any(self) -> bool:
        """Whether anything changes."""
        return any(value is not None for value in (self.width, self.heads, self.ffn))


def narrow(teacher: Any, shape: Shape, batches: Iterable[Mapping[str, torch.Tensor]]) -> Any:
    """A model of the teacher's class and layers in the smaller shape.

    Args:
        batches: model inputs of some text, to find directions and scales on.

    Raises:
        StudentError: the shape does not fit into the teacher, or heads do not divide the width.
    """
    config = type(teacher.config).from_dict(teacher.config.to_dict())
    old_heads = config.num_attention_heads
    config.hidden_size = shape.width or config.hidden_size
    config.num_attention_heads = shape.heads or _heads(config.hidden_size, teacher.config)
    config.intermediate_size = shape.ffn or config.intermediate_size
    for name in ("hidden_size", "num_attention_heads", "intermediate_size"):
        if getattr(config, name) > getattr(teacher.config, name):
            raise StudentError(
                f"{name} {getattr(config, name)}: the teacher has {getattr(teacher.config, name)}"
            )
    if config.hidden_size % config.num_attention_heads:
        raise StudentError(
            f"width {config.hidden_size} is no multiple of {config.num_attention_heads} heads"
        )
    size = config.hidden_size // config.num_attention_heads
    if size > teacher.config.hidden_size // old_heads:
        raise StudentError(
            f"heads of {size} dimensions are larger than the teacher's of "
            f"{teacher.config.hidden_size // old_heads}; ask for more heads"
        )
    basis, norms = _directions(teacher, config.hidden_size, batches)
    student = type(teacher)(config)
    with torch.no_grad():
        state = _projected(teacher, config, basis, norms)
        student.load_state_dict(state)
    read_types(student, separator_read(teacher))
    return student


def _heads(width: int, config: Any) -> int:
    """As many heads as keep the teacher's head size, where that divides the width."""
    size = config.hidden_size // config.num_attention_heads
    return width // size if width % size == 0 else int(config.num_attention_heads)


@torch.no_grad()
def _directions(
    teacher: Any, width: int, batches: Iterable[Mapping[str, torch.Tensor]]
) -> tuple[torch.Tensor, dict[str, tuple[torch.Tensor, torch.Tensor]]]:
    """`[hidden, width]` orthonormal, and by layer norm the scale and shift that fit it in these
    directions."""
    hidden = teacher.config.hidden_size
    modules = {
        name: module for name, module in teacher.named_modules() if isinstance(module, nn.LayerNorm)
    }
    seen: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {name: [] for name in modules}
    masks: list[torch.Tensor] = []

    def note(name: str) -> Any:
        def hook(module: Any, args: Any, output: torch.Tensor) -> None:
            seen[name].append((args[0].float().flatten(0, -2), output.float().flatten(0, -2)))

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in modules.items()]
    was = teacher.training
    teacher.eval()
    try:
        for batch in batches:
            teacher(**batch)
            masks.append(batch["attention_mask"].flatten().bool())
    finally:
        teacher.train(was)
        for hook in hooks:
            hook.remove()
    if not masks:
        raise StudentError("no text to find the directions of a narrower student on")
    real = torch.cat(masks)
    states = {
        name: tuple(torch.cat(side)[real] for side in zip(*found, strict=True))
        for name, found in seen.items()
        if found
    }
    if width == hidden:
        basis = torch.eye(hidden)
    else:
        gram = torch.zeros(hidden, hidden)
        for _, after in states.values():
            product = after.T @ after
            gram += product / product.trace()
        basis = torch.linalg.eigh(gram).eigenvectors[:, -width:].flip(1)
    norms = {}
    for name, (before, after) in states.items():
        norms[name] = _fitted(before @ basis, after @ basis, modules[name].eps)
    return basis, norms


def _fitted(
    before: torch.Tensor, after: torch.Tensor, eps: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift of the layer norm that takes `before` nearest to `after`, `[rows, width]`."""
    normal = nn.functional.layer_norm(before, before.shape[-1:], eps=eps)
    centred = normal - normal.mean(0)
    scale = (centred * after).sum(0) / (centred**2).sum(0).clamp(min=1e-6)
    return scale, after.mean(0) - scale * normal.mean(0)


def _projected(
    teacher: Any,
    config: Any,
    basis: torch.Tensor,
    norms: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
) -> dict[str, torch.Tensor]:
    """The teacher's tensors in the student's shape."""
    hidden, same = teacher.config.hidden_size, basis.shape[0] == basis.shape[1]
    found = {}
    for name, value in teacher.state_dict().items():
        owner, _, kind = name.rpartition(".")
        if owner in norms and not same:
            found[name] = norms[owner][0] if kind == "weight" else norms[owner][1]
        elif name.endswith(("_embeddings.weight", "lm_head.decoder.weight")):
            found[name] = value.float() @ basis
        elif value.dim() == 2:
            inward = value.float() @ basis if value.shape[1] == hidden else value.float()
            found[name] = basis.T @ inward if value.shape[0] == hidden else inward
        elif value.dim() == 1 and len(value) == hidden and value.is_floating_point():
            found[name] = basis.T @ value.float()
        else:
            found[name] = value
    for k, layer in enumerate(teacher.base_model.encoder.layer):
        prefix = _prefix(teacher) + f"encoder.layer.{k}."
        _attention(found, prefix + "attention.", layer.attention, config, basis)
        _feed_forward(found, prefix, layer, config.intermediate_size, basis)
    return {name: value.clone() for name, value in found.items()}


def _prefix(model: Any) -> str:
    return "" if model.base_model is model else f"{model.base_model_prefix}."


def _attention(
    found: dict[str, torch.Tensor], prefix: str, attention: Any, config: Any, basis: torch.Tensor
) -> None:
    own, out = attention.self, attention.output.dense
    heads = own.num_attention_heads
    lengths = {
        part: getattr(own, part).weight.norm(dim=1).view(heads, -1)
        for part in ("query", "key", "value")
    }
    matched = lengths["query"] * lengths["key"]
    passed = lengths["value"] * out.weight.norm(dim=0).view(heads, -1)
    kept = passed.sum(1).topk(config.num_attention_heads).indices.sort().values
    size = config.hidden_size // config.num_attention_heads
    # Products of two such vectors are divided by the root of the head's size; what values lose
    # by it, the output layer gives back.
    scale = (size / lengths["query"].shape[1]) ** 0.25
    chosen = {
        name: _dimensions(scores, kept, size)
        for name, scores in (("matched", matched), ("passed", passed))
    }
    for part, which in (("query", "matched"), ("key", "matched"), ("value", "passed")):
        module = getattr(own, part)
        rows = chosen[which]
        found[f"{prefix}self.{part}.weight"] = scale * module.weight[rows].float() @ basis
        found[f"{prefix}self.{part}.bias"] = scale * module.bias[rows].float()
    outward = out.weight[:, chosen["passed"]].float() / scale
    found[f"{prefix}output.dense.weight"] = basis.T @ outward
    found[f"{prefix}output.dense.bias"] = basis.T @ out.bias.float()


def _dimensions(scores: torch.Tensor, heads: torch.Tensor, size: int) -> torch.Tensor:
    """Rows of the `size` dimensions of each kept head with the highest scores, in order."""
    width = scores.shape[1]
    best = scores[heads].topk(size, dim=1).indices.sort(dim=1).values
    return (best + heads[:, None] * width).flatten()


def _feed_forward(
    found: dict[str, torch.Tensor], prefix: str, layer: Any, units: int, basis: torch.Tensor
) -> None:
    inward, outward = layer.intermediate.dense, layer.output.dense
    scores = inward.weight.norm(dim=1) * outward.weight.norm(dim=0)
    kept = scores.topk(units).indices.sort().values
    found[f"{prefix}intermediate.dense.weight"] = inward.weight[kept].float() @ basis
    found[f"{prefix}intermediate.dense.bias"] = inward.bias[kept].float()
    found[f"{prefix}output.dense.weight"] = basis.T @ outward.weight[:, kept].float()
    found[f"{prefix}output.dense.bias"] = basis.T @ outward.bias.float()
