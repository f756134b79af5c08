"""Which parts of a model to leave in fp32: those that lose most when quantized alone.

>>> groups(program, family)["layer 0 feed-forward"]
('node_MatMul_113', 'node_MatMul_115')
>>> fewest({"head": 0.0, "layer 0 attention": 4.2}, allowed=1.0, lost=measure)
('layer 0 attention',)

Groups are the embeddings, each layer's attention and feed-forward, and the head. Groups are left
out by the loss of each, largest first, until little enough is lost. So the choice is the fewest
groups only where the losses of groups add up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from compress.errors import ExcludeError
from evalsuite.family import Family

_SCOPES = "pkg.torch.onnx.name_scopes"


def groups(program: Any, family: Family) -> dict[str, tuple[str, ...]]:
    """Group -> names of its nodes with weights, in the order of the graph, of an `onnx_ir.Model`
    whose notes are not stripped."""
    names_of: dict[str, list[str]] = {}
    for node in program.graph:
        if not _has_weights(node):
            continue
        names = names_of.setdefault(group(node.metadata_props.get(_SCOPES, ""), family), [])
        names.append(node.name)
        if node.op_type == "Gemm":  # what ONNX Runtime calls the product it makes of it
            names.append(f"{node.name}_MatMul")
    return {name: tuple(nodes) for name, nodes in names_of.items()}


def group(scopes: str, family: Family) -> str:
    """The group of a node, from the modules it was traced in.

    >>> group("['', 'model.layers.3', 'model.layers.3.mlp.Wi']", named("modernbert"))
    'layer 3 feed-forward'
    """
    stack, attention = re.escape(family.stack), re.escape(family.layer.attention)
    if layer := re.search(rf"\b{stack}\.(\d+)\b", scopes):
        attends = re.search(rf"\b{stack}\.\d+\.{attention}\b", scopes)
        return f"layer {layer[1]} {'attention' if attends else 'feed-forward'}"
    return "embeddings" if "embeddings" in scopes else "head"


def _has_weights(node: Any) -> bool:
    place = {"MatMul": 1, "Gemm": 1, "Gather": 0}.get(node.op_type)
    if place is None or not node.inputs[place]:
        return False
    value = node.inputs[place]
    weight = value.const_value
    return weight is not None and len(weight.shape) == 2


def nodes(of: Mapping[str, Sequence[str]], names: Iterable[str]) -> list[str]:
    """The nodes of some groups.

    Raises:
        ExcludeError: there is no such group.
    """
    wanted = list(names)
    if unknown := [name for name in wanted if name not in of]:
        raise ExcludeError(
            f"exclude: there is no part {', '.join(map(repr, unknown))}\nparts: {', '.join(of)}"
        )
    return [node for name in wanted for node in of[name]]


def ranked(drops: Mapping[str, float]) -> list[str]:
    """Groups by the loss of each alone, largest first; equal ones in the order given."""
    return sorted(drops, key=lambda name: -drops[name])


def fewest(
    drops: Mapping[str, float], allowed: float, lost: Callable[[tuple[str, ...]], float]
) -> tuple[str, ...]:
    """The first groups of `ranked(drops)`, as few as keep the loss within `allowed`.

    Args:
        drops: group -> percent of labels lost when it alone is quantized.
        lost: percent of labels lost when all other groups are quantized.
    """
    order = ranked(drops)
    for count in range(len(order) + 1):
        if lost(tuple(order[:count])) <= allowed:
            return tuple(order[:count])
    return tuple(order)
