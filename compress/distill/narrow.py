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

from compress.distill.student import sizes_of_student
from compress.errors import StudentError
from evalsuite.family import Family
from evalsuite.family_parts import Rows, Sizes
from evalsuite.find_family import family_of
from evalsuite.inference.token_types import read_types, separator_read


@dataclass(frozen=True, slots=True)
class Shape:
    """What the student has; None keeps the teacher's."""

    width: int | None = None
    heads: int | None = None
    ffn: int | None = None

    def is_given(self) -> bool:
        """Whether anything changes."""
        return self != Shape()


def narrow(teacher: Any, shape: Shape, batches: Iterable[Mapping[str, torch.Tensor]]) -> Any:
    """A model of the teacher's class and layers in the smaller shape.

    Args:
        batches: model inputs of some text, to find directions and scales on.

    Raises:
        StudentError: the shape does not fit into the teacher, or heads do not divide the width.
        UnknownNameError: the teacher's family is not known.
        FamilyError: its heads cannot have fewer dimensions.
    """
    family, config = family_of(teacher), _config(teacher, shape)
    basis, norms = _directions(teacher, family.sizes(config).width, batches)
    student = type(teacher)(config)
    with torch.no_grad():
        state = _projected(teacher, config, basis, norms)
        student.load_state_dict(state)
    read_types(student, separator_read(teacher))
    return student.eval()


def _config(teacher: Any, shape: Shape) -> Any:
    """The student's config.

    Raises: as `narrow`.
    """
    new = sizes_of_student(teacher.config, shape.width, shape.heads, shape.ffn)
    return family_of(teacher).with_sizes(teacher.config, new)


@torch.no_grad()
def _directions(
    teacher: Any, width: int, batches: Iterable[Mapping[str, torch.Tensor]]
) -> tuple[torch.Tensor, dict[str, tuple[torch.Tensor, torch.Tensor]]]:
    """`[hidden, width]` orthonormal, and by layer norm the scale and shift that fit it in these
    directions."""
    hidden = teacher.config.hidden_size
    modules = {
        name: module
        for name, module in teacher.named_modules()
        if isinstance(module, nn.LayerNorm) and module.normalized_shape == (hidden,)
    }  # that of narrower word embeddings stays
    seen: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {name: [] for name in modules}
    masks: list[torch.Tensor] = []
    other: set[str] = set()

    def note(name: str) -> Any:
        def hook(module: Any, args: Any, output: torch.Tensor) -> None:
            if args[0].dim() == 2:  # of no tokens: positions, or sequences
                other.add(name)
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
        name: tuple(
            torch.cat(side) if name in other else torch.cat(side)[real]
            for side in zip(*found, strict=True)
        )
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
        module = modules[name]
        shifted = module.bias is not None
        norms[name] = _fitted(before @ basis, after @ basis, module.eps, shifted)
    return basis, norms


def _fitted(
    before: torch.Tensor, after: torch.Tensor, eps: float, shifted: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift of the layer norm that takes `before` nearest to `after`, `[rows, width]`; a
    shift of 0 where the norm has none."""
    normal = nn.functional.layer_norm(before, before.shape[-1:], eps=eps)
    if not shifted:
        scale = (normal * after).sum(0) / (normal**2).sum(0).clamp(min=1e-6)
        return scale, torch.zeros_like(scale)
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
    family = family_of(teacher)
    hidden, same = basis.shape[0], basis.shape[0] == basis.shape[1]
    found = {}
    for name, value in teacher.state_dict().items():
        owner, _, kind = name.rpartition(".")
        pieces = name.endswith(("_embeddings.weight", *family.vocabulary)) and value.dim() == 2
        if owner in norms and not same:
            found[name] = norms[owner][0] if kind == "weight" else norms[owner][1]
        elif pieces:  # narrower ones stay, however many rows there are
            found[name] = value.float() @ basis if value.shape[1] == hidden else value
        elif value.dim() == 2:
            inward = value.float() @ basis if value.shape[1] == hidden else value.float()
            found[name] = basis.T @ inward if value.shape[0] == hidden else inward
        elif value.dim() == 3 and value.shape[:2] == (hidden, hidden):  # a convolution
            found[name] = torch.einsum("oik,op,iq->pqk", value.float(), basis, basis)
        elif value.dim() == 1 and len(value) == hidden and value.is_floating_point():
            found[name] = basis.T @ value.float()
        else:
            found[name] = value
    sizes = family.sizes(config)
    for k, layer in enumerate(family.layers(teacher)):
        prefix = f"{family.stack_name(teacher)}.{k}."
        attention = _attention(family, layer, family.head_size(teacher.config), sizes, basis)
        for path, value in (attention | _feed_forward(family, layer, sizes, basis)).items():
            found[prefix + path] = value
    return {name: value.clone() for name, value in found.items()}


def _attention(
    family: Family, layer: Any, old_size: int, sizes: Sizes, basis: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Tensors of the narrower attention, by path in the layer."""
    parts, out = family.projections(layer), family.attention_output(layer)
    lengths = {name: rows.weight.norm(dim=1).view(-1, old_size) for name, rows in parts.items()}
    matched = lengths["query"] * lengths["key"]
    passed = lengths["value"] * out.weight.norm(dim=0).view(-1, old_size)
    kept = passed.sum(1).topk(sizes.heads).indices.sort().values
    size = sizes.width // sizes.heads
    # Products of two such vectors are divided by the root of the head's size; what values lose
    # by it, the output layer gives back.
    scale = (size / old_size) ** 0.25
    compared, given = _dimensions(matched, kept, size), _dimensions(passed, kept, size)
    found: dict[str, torch.Tensor] = {}
    names = {module: name for name, module in layer.named_modules()}
    for rows in family.head_rows(layer):
        chosen = given if rows == parts["value"] else compared
        _append(found, names[rows.linear], rows, chosen, basis, scale)
    outward = out.weight[:, given].float() / scale
    return found | _outward(family.layer.output, outward, out.bias, basis)


def _append(
    found: dict[str, torch.Tensor],
    path: str,
    rows: Rows,
    chosen: torch.Tensor,
    basis: torch.Tensor,
    scale: float = 1.0,
) -> None:
    """Add the chosen rows, narrowed, to the tensors of a linear layer; after those there are."""
    new = {f"{path}.weight": scale * rows.weight[chosen].float() @ basis}
    if rows.bias is not None:
        new[f"{path}.bias"] = scale * rows.bias[chosen].float()
    for name, value in new.items():
        found[name] = torch.cat((found[name], value)) if name in found else value


def _outward(
    path: str, weight: torch.Tensor, bias: torch.Tensor | None, basis: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Tensors of a linear layer that gives the narrower width."""
    found = {f"{path}.weight": basis.T @ weight}
    return found if bias is None else found | {f"{path}.bias": basis.T @ bias.float()}


def _dimensions(scores: torch.Tensor, heads: torch.Tensor, size: int) -> torch.Tensor:
    """Rows of the `size` dimensions of each kept head with the highest scores, in order."""
    width = scores.shape[1]
    best = scores[heads].topk(size, dim=1).indices.sort(dim=1).values
    return (best + heads[:, None] * width).flatten()


def _feed_forward(
    family: Family, layer: Any, sizes: Sizes, basis: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Tensors of the feed-forward part with the largest units, by path in the layer."""
    feed = family.feed_forward(layer)
    scores = feed.outward.weight.norm(dim=0)
    for rows in feed.inward:
        scores = rows.weight.norm(dim=1) * scores
    kept = scores.topk(sizes.feed_forward).indices.sort().values
    found: dict[str, torch.Tensor] = {}
    for rows in feed.inward:
        _append(found, family.layer.inward, rows, kept, basis)
    outward = feed.outward.weight[:, kept].float()
    return found | _outward(family.layer.outward, outward, feed.outward.bias, basis)
