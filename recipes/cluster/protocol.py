"""What is asked of a cluster, its nodes, and what a stage asks of a node.

>>> Request(cpus=4, gpus=1, memory=16_000_000_000).text()
'4 CPUs, 1 GPU, 16.0 GB of memory'

`Cluster` has one implementation for use, Ray's, and one for tests.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evalsuite.machine.memory import gigabytes
from recipes.errors import RecipesError
from recipes.execution.stage_worker import News, Result


class ClusterError(RecipesError):
    """The cluster cannot be used as it is."""


class LostError(Exception):
    """A stage's process ended without a result; `text` says how.

    Attributes:
        memory: the system ended it for want of memory.
    """

    def __init__(self, text: str, *, memory: bool = False) -> None:
        super().__init__(text)
        self.memory = memory


@dataclass(frozen=True, slots=True)
class Node:
    """A live node and all that it has, used or not; memory in bytes.

    Attributes:
        id: what the cluster itself calls it; names need not differ.
    """

    name: str
    cpus: int
    gpus: int
    memory: int
    id: str = ""

    def text(self) -> str:
        """`node-3: 8 CPUs, 1 GPU, 31.0 GB of memory`."""
        return f"{self.name}: {Request(self.cpus, self.gpus, self.memory).text()}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a stage asks of a node; memory in bytes, 0 where it is not known."""

    cpus: int
    gpus: int = 0
    memory: int = 0

    def fits(self, node: Node) -> bool:
        """Whether an idle node has as much."""
        return self.cpus <= node.cpus and self.gpus <= node.gpus and self.memory <= node.memory

    def text(self) -> str:
        """`4 CPUs, 1 GPU, 16.0 GB of memory`."""
        parts = [_count(self.cpus, "CPU")]
        parts += [_count(self.gpus, "GPU")] if self.gpus else []
        parts += [f"{gigabytes(self.memory)} of memory"] if self.memory else []
        return ", ".join(parts)


class Cluster(Protocol):
    """Nodes that make stages.

    Attributes:
        grows: whether nodes come when they are asked for, so that what none has may come.
    """

    grows: bool

    def nodes(self) -> list[Node]:
        """The live nodes."""

    def look(self, expected: Any) -> list[dict[str, Any]]:
        """What `node_check.look` says on each node.

        Raises:
            ClusterError: a node does not answer.
        """

    def probe(self, asked: Sequence[tuple[Node, Any]]) -> list[Any]:
        """What `node_probe.measure` says on each of these nodes, in their order.

        Args:
            asked: nodes, and a `node_probe.Asked` for each.

        Raises:
            ClusterError: a node does not answer, or fails.
        """

    def share(self, value: Any) -> Any:
        """Send a value to the cluster once, for many stages."""

    def start(self, work: Any, assignment: Any, request: Request) -> Hashable:
        """Have a stage made as soon as a node has room; a handle.

        Args:
            work: what `share` returned, for a `node_stage.NodeWork`.
            assignment: a `node_stage.NodeAssignment`.
        """

    def wait(self, handles: Sequence[Hashable], seconds: float) -> Sequence[Hashable]:
        """Those that have ended, after that time at most."""

    def result(self, handle: Hashable) -> Result:
        """How it ended.

        Raises:
            LostError: it ended with its node or its process.
            ClusterError: the node cannot make it.
        """

    def news(self) -> list[News]:
        """What stages had to say since the last call."""

    def cancel(self, handle: Hashable) -> None:
        """End a stage, now."""

    def close(self) -> None:
        """Leave the cluster; its nodes stay."""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
