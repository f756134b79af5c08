"""Where the stages of a run are made: on this machine, or on a cluster.

>>> with nodes_of(options, space) as opened:
...     with stage_place(maker, options.jobs, chosen, opened, again=set()) as place:
...         make_all(maker, chosen, place)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from recipes.execution.output_capture import capture
from recipes.execution.run_options import RunOptions
from recipes.execution.scheduler import StagePlace
from recipes.execution.stage_runner import Maker
from recipes.execution.worker_pool import workers
from recipes.execution.workspace import Workspace

if TYPE_CHECKING:
    from recipes.cluster.open_cluster import OpenCluster


@contextmanager
def nodes_of(options: RunOptions, space: Workspace) -> Iterator[OpenCluster | None]:
    """The cluster that the options name, connected; None where they name none.

    Raises:
        ClusterError: it cannot be used.
    """
    if options.on is None:
        yield None
        return
    from recipes.cluster.open_cluster import open_cluster

    with open_cluster(options.on, space, debug=options.debug) as opened:
        yield opened


@contextmanager
def stage_place(
    maker: Maker,
    jobs: int,
    chosen: set[str],
    opened: OpenCluster | None,
    again: set[str],
) -> Iterator[StagePlace]:
    """The place for the chosen stages of one plan.

    Args:
        again: stages whose outputs are removed once it is known that they can be made.

    Raises:
        ClusterError: no node of the cluster has what a stage needs; nothing was removed.
    """
    maker.make_again(again)
    if opened is None:
        with workers(maker, jobs) as place:
            maker.forget(again)
            yield place
        return
    from recipes.cluster.cluster_place import cluster_place

    # Ray prints what it notices about nodes.
    quiet = nullcontext() if maker.debug else capture(maker.space.logs / "cluster.log")
    with quiet, cluster_place(opened, maker, jobs, chosen) as nodes:
        maker.forget(again)
        yield nodes
