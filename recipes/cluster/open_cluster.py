"""Connect to a cluster, check every node, and leave it again.

>>> with open_cluster("ray", space, debug=False) as opened:
...     opened.cluster.nodes()
[Node(name='node-1', cpus=8, gpus=1, memory=31000000000), ...]
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from recipes.cluster import node_check
from recipes.cluster.protocol import Cluster, ClusterError
from recipes.execution.shared_cache import SharedCache, SharedCacheError
from recipes.execution.work_snapshots import SEEN
from recipes.execution.workspace import Workspace

_SHOWN = 10  # problems of nodes


@dataclass(frozen=True, slots=True)
class OpenCluster:
    """A cluster whose nodes can make the stages of a run, and the files they were shown."""

    cluster: Cluster
    files: node_check.Files


@contextmanager
def open_cluster(address: str, space: Workspace, *, debug: bool) -> Iterator[OpenCluster]:
    """The cluster at an address, `ray` or `ray://HOST:PORT`.

    Raises:
        ClusterError: there is none, or a node cannot make stages; says why, by node.
    """
    from recipes.cluster.ray_cluster import connect

    cluster = connect(address, debug=debug)
    try:
        with checked(cluster, space) as opened:
            yield opened
    finally:
        cluster.close()


@contextmanager
def checked(cluster: Cluster, space: Workspace) -> Iterator[OpenCluster]:
    """A cluster whose nodes were looked at.

    Raises:
        ClusterError: a node cannot make stages; says why, by node.
    """
    files = node_check.Files(space.root, space.shared, f"{SEEN}{uuid.uuid4().hex}")
    shared = SharedCache(space.shared) if space.shared else None
    mark = files.in_workspace()
    mark.touch()
    try:
        if shared is not None:
            shared.write(files.in_cache(), "")
        found = [line for node in cluster.look(files) for line in node_check.problems(node, files)]
        if found:
            more = f"\n... and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise ClusterError(
                "these nodes cannot make stages of this run:\n" + "\n".join(found[:_SHOWN]) + more
            )
        yield OpenCluster(cluster, files)
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)
        if shared is not None:
            with suppress(SharedCacheError), shared.about("a mark cannot be removed"):
                shared.files.rm_file(shared.path(files.in_cache()))
