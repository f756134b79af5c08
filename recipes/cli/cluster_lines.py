"""What `plan --on` prints of the nodes of a cluster: their kinds, and each stage on each kind.

>>> for line in cluster_lines(found)[1:]:
...     print(line)
nodes   number  CPUs  GPUs  memory   names
kind 1  2       8     -     31.0 GB  node-1, node-2
kind 2  1       16    1     62.0 GB  node-3

stage    asks for                   kind 1     kind 2
teacher  8 CPUs, 2.1 GB of memory   ~2m 10s    ~1m 02s
student  8 CPUs, 40.0 GB of memory  too small  ~3m 20s
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.machine.memory import gigabytes
from recipes.cli.memory_lines import aligned
from recipes.cluster.forecast import ClusterForecast, KindForecast
from recipes.execution.display import duration

_NAMES = 4  # of nodes that are printed, per kind


def kind_name(number: int) -> str:
    """`kind 1`; kinds are counted from 0."""
    return f"kind {number + 1}"


def node_of(label: str, cluster: ClusterForecast) -> str:
    """The kind of node that a stage would run on; `-` for a finished one."""
    if label not in cluster.requests:
        return "-"
    kind = cluster.kind_of(label)
    return "none" if kind is None else kind_name(kind)


def cluster_lines(cluster: ClusterForecast) -> list[str]:
    """The kinds of nodes, the stages on each, and the stages that no node can make."""
    names = [kind_name(number) for number in range(len(cluster.kinds))]
    nodes: list[tuple[str, ...]] = [("nodes", "number", "CPUs", "GPUs", "memory", "names")]
    nodes += [_node_row(*both) for both in zip(names, cluster.kinds, strict=True)]
    lines = ["", aligned(nodes)]
    if not cluster.requests:
        return lines
    stages: list[tuple[str, ...]] = [("stage", "asks for", *names)]
    for label, request in cluster.requests.items():
        cells = [_cell(label, one) for one in cluster.kinds]
        stages.append((label, request.text(), *cells))
    lines += ["", aligned(stages)]
    return [*lines, *_misfits(cluster)]


def _node_row(name: str, one: KindForecast) -> tuple[str, ...]:
    least = one.kind.least
    gpus = str(least.gpus) if least.gpus else "-"
    if one.gpu is not None:
        gpus += f" {one.gpu.name}, {gigabytes(one.gpu.bytes)}"
    memory = gigabytes(least.memory) if least.memory else "-"
    return name, str(len(one.kind.nodes)), str(least.cpus), gpus, memory, _names(one)


def _names(one: KindForecast) -> str:
    names = [node.name for node in one.kind.nodes]
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _cell(label: str, one: KindForecast) -> str:
    found = one.predictions.get(label)
    if found is None:
        return "too small"
    return "unknown" if found.unknown else f"~{duration(found.seconds)}"


def _misfits(cluster: ClusterForecast) -> Sequence[str]:
    labels = [label for label in cluster.requests if cluster.kind_of(label) is None]
    if not labels:
        return ()
    what = "no node is large enough now, and the cluster may add one"
    if not cluster.grows:
        what = "no node is large enough; run would refuse the recipe"
    return (f"{what}: {', '.join(labels)}",)
