"""Nodes of a cluster that are alike, so that one of each kind is measured.

>>> kinds_of([Node("a", 8, 0, 31_000_000_000), Node("b", 8, 0, 30_000_000_000)])
[NodeKind(nodes=(Node(name='a', ...), Node(name='b', ...)))]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recipes.cluster.protocol import Node, Request

_ALIKE = 0.8  # of the largest memory of a kind: what is free when Ray starts differs between nodes


@dataclass(frozen=True, slots=True)
class NodeKind:
    """Nodes with as many CPUs and GPUs, and about as much memory; never empty."""

    nodes: tuple[Node, ...]

    @property
    def least(self) -> Node:
        """The node with the least memory: what fits there fits on all of them."""
        return min(self.nodes, key=lambda node: node.memory)

    def divided(self, requests: Iterable[Request]) -> list[NodeKind]:
        """The same nodes, in kinds of nodes on which the same requests fit."""
        asked, found = list(requests), dict[tuple[bool, ...], list[Node]]()
        for node in self.nodes:
            found.setdefault(tuple(one.fits(node) for one in asked), []).append(node)
        return [NodeKind(tuple(nodes)) for nodes in found.values()]


def kinds_of(nodes: Sequence[Node]) -> list[NodeKind]:
    """The kinds, in the order of their first nodes; nodes without CPUs are left out."""
    found: list[list[Node]] = []
    working = [node for node in nodes if node.cpus]
    for node in sorted(working, key=lambda node: -node.memory):
        for kind in found:
            first = kind[0]
            same = (first.cpus, first.gpus) == (node.cpus, node.gpus)
            if same and node.memory >= _ALIKE * first.memory:
                kind.append(node)
                break
        else:
            found.append([node])
    kinds = [NodeKind(tuple(sorted(kind, key=working.index))) for kind in found]
    return sorted(kinds, key=lambda kind: working.index(kind.nodes[0]))
