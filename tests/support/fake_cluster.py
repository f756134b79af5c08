"""A cluster within the test's process: one stage at a time, nodes with folders, and lost stages."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest import mock

from recipes.cluster import node_check, node_probe
from recipes.cluster.node_stage import NodeAssignment, NodeWork, make_stage
from recipes.cluster.protocol import LostError, Node, Request
from recipes.execution.stage_worker import News, Result


class _Died(BaseException):
    """The node is gone, in the middle of a stage."""


class FakeCluster:
    """Nodes in turn make what is sent.

    Attributes:
        roots: the work directory of each node; None: it sees the workspace of the run.
        dies: called with (label, attempt, text of an update); True ends the node there.
        sent: (label, node, attempt), as begun.
        sizes: what single nodes have, by name, where they differ from the others.
        probed: names of nodes that were measured; `measure` is what they do.
    """

    grows = False

    def __init__(self, roots: dict[str, Path | None], node: Node | None = None) -> None:
        self.roots, self.sent, self.cancelled = roots, list[tuple[str, str, int]](), 0
        self.dies: Callable[[str, int, str], bool] = lambda label, attempt, text: False
        self.size = node or Node("", 2, 0, 8_000_000_000)
        self.sizes: dict[str, Node] = {}
        self.probed: list[str] = []
        self.measure: Callable[[node_probe.Asked], node_probe.Answer] = node_probe.measure
        self.said: list[News] = []
        self.pool = ThreadPoolExecutor(1)

    def nodes(self) -> list[Node]:
        return [replace(self.sizes.get(name, self.size), name=name) for name in self.roots]

    def look(self, files: node_check.Files) -> list[dict[str, object]]:
        return [self._on(name, lambda: node_check.describe(files)) for name in self.roots]

    def probe(self, asked: list[tuple[Node, node_probe.Asked]]) -> list[node_probe.Answer]:
        self.probed += [node.name for node, _ in asked]
        return [self._on(node.name, partial(self.measure, one)) for node, one in asked]

    def share(self, value: object) -> object:
        return value

    def start(self, work: NodeWork, assignment: NodeAssignment, request: Request) -> Future[Result]:
        return self.pool.submit(self._make, work, assignment)

    def wait(self, handles: list[Future[Result]], seconds: float) -> list[Future[Result]]:
        return [*wait(handles, seconds, FIRST_COMPLETED).done]

    def result(self, handle: Future[Result]) -> Result:
        try:
            return handle.result()
        except (_Died, CancelledError) as error:
            raise LostError("its node died") from error

    def news(self) -> list[News]:
        found, self.said = self.said, []
        return found

    def cancel(self, handle: Future[Result]) -> None:
        self.cancelled += 1
        handle.cancel()

    def close(self) -> None:
        self.pool.shutdown()

    def _make(self, work: NodeWork, assignment: NodeAssignment) -> Result:
        name = list(self.roots)[len(self.sent) % len(self.roots)]
        self.sent.append((assignment.label, name, assignment.attempt))

        def send(news: News) -> None:
            if news.method == "update" and self.dies(
                assignment.label, assignment.attempt, news.arguments[2]
            ):
                raise _Died
            self.said.append(news)

        return self._on(name, lambda: make_stage(work, assignment, send))

    def _on(self, name: str, call: Callable[[], object]) -> object:
        root = self.roots[name]
        variables = {} if root is None else {"LINGOPRESS_WORKSPACE": str(root)}
        with (
            mock.patch.dict(os.environ, variables),
            mock.patch.object(socket, "gethostname", lambda: name),
        ):
            return call()


@contextmanager
def in_place_of_ray(cluster: FakeCluster) -> Iterator[None]:
    """What `--on ray` connects to."""
    with mock.patch("recipes.cluster.ray_cluster.connect", lambda address, debug: cluster):
        yield
