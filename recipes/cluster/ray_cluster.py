"""A cluster of Ray (Moritz et al. 2018, https://docs.ray.io).

>>> cluster = connect("ray", debug=False)   # RAY_ADDRESS, or the node this machine is
>>> cluster.nodes()
[Node(name='node-1', cpus=8, gpus=1, memory=31000000000)]

A stage is one task of Ray's, with CPUs, GPUs and memory, never tried again by Ray itself. What
stages say goes through one queue on the head node. Functions are sent by value and import ours on
the node, so that a node without the package can say so.

While a task waits for Ray (`ray.get`), Ray starts another task on its CPUs, which stays there: two
stages would then compute where there is room for one. So a stage is sent as bytes, which are there
before the task begins, and its progress is not waited for until it has ended.
"""

from __future__ import annotations

import os
import re
import socket
import warnings
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any

from evalsuite.install_command import how_to_install
from recipes.cluster.protocol import ClusterError, LostError, Node, Request
from recipes.execution.stage_worker import News, Result

_ADDRESS = re.compile(r"ray|ray://[^/:\s]+:\d+")
_HEAD = "node:__internal_head__"  # the resource that only the head node has
_ANSWER = 120.0  # seconds in which a node must say what it is
_MEASURED = 600.0  # seconds in which a node must have measured how fast it is
_CONNECT = 10.0  # seconds in which something must listen at the address


def connect(address: str, *, debug: bool) -> RayCluster:
    """The cluster that this machine is part of or `RAY_ADDRESS` names (`ray`), or `ray://HOST:PORT`.

    Raises:
        ClusterError: the address is none, Ray is absent, there is no cluster, or its versions
            differ; says what to do.
    """
    if not _ADDRESS.fullmatch(address):
        raise ClusterError(
            f"--on {address}: give ray (the cluster this machine is part of, or RAY_ADDRESS), or "
            "ray://HOST:PORT"
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ClusterError(f"--on ray needs Ray; {how_to_install('cluster')}") from None
    if ray.is_initialized():  # by the program that calls this
        return RayCluster(ours=False)
    target = os.environ.get("RAY_ADDRESS", "auto") if address == "ray" else address
    _require_listener(target)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(target, log_to_driver=debug, logging_level="ERROR")
    except Exception as error:
        raise _no_cluster(target, error) from error
    return RayCluster(ours=True)


def _require_listener(target: str) -> None:
    """Refuse an address where nothing listens; Ray would go on asking for minutes.

    Raises:
        ClusterError: with the address and the reason.
    """
    host, _, port = target.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():  # auto, or local
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT).close()
    except OSError as error:
        raise _no_cluster(target, error) from error


def _no_cluster(target: str, error: Exception) -> ClusterError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = (lines or [type(error).__name__])[0][:300]
    if isinstance(error, OSError) and error.strerror:
        cause = error.strerror
    if "version" in str(error).lower() and "mismatch" in str(error).lower():
        return ClusterError(
            "the cluster has another version of Ray or Python than this machine:\n  "
            + "\n  ".join(lines[:6])
            + "\ninstall the cluster's versions here, or these there"
        )
    where = "this machine is part of none" if target == "auto" else f"at {target}: {cause}"
    return ClusterError(
        f"there is no Ray cluster: {where}\n"
        "start one, ray start --head, and on every other machine ray start --address=HOST:6379\n"
        "or give its address: --on ray://HOST:10001, or export RAY_ADDRESS=HOST:6379"
    )


class RayCluster:
    """The cluster that this process is connected to.

    Attributes:
        grows: whether an autoscaler may add nodes.
    """

    def __init__(self, *, ours: bool) -> None:
        import ray
        from ray.util.queue import Queue

        self.ours = ours
        head = {_HEAD: 0.001} if any(_HEAD in node["Resources"] for node in _alive()) else {}
        self.inbox = Queue(actor_options={"num_cpus": 0, "resources": head})
        self.task = ray.remote(_make_function())
        self.grows = _grows()

    def nodes(self) -> list[Node]:
        """The live nodes, the head first."""
        found = sorted(_alive(), key=lambda node: (_HEAD not in node["Resources"], node["NodeID"]))
        return [
            Node(
                name=str(node.get("NodeName") or node["NodeManagerAddress"]),
                cpus=int(node["Resources"].get("CPU", 0)),
                gpus=int(node["Resources"].get("GPU", 0)),
                memory=int(node["Resources"].get("memory", 0)),
                id=str(node["NodeID"]),
            )
            for node in found
        ]

    def look(self, expected: Any) -> list[dict[str, Any]]:
        """What every node says of itself.

        Raises:
            ClusterError: one does not answer in time.
        """
        import ray

        task, shared = ray.remote(_look_function()), ray.put(expected)
        asked = {}
        for node in _alive():
            options = task.options(num_cpus=0, max_retries=1, **_on(node["NodeID"]))
            asked[options.remote([shared])] = str(node["NodeManagerAddress"])
        found: list[dict[str, Any]] = []
        for ref in _answers(asked):
            with suppress(ray.exceptions.RayError):  # it died since
                found.append(ray.get(ref))
        return found

    def probe(self, asked: Sequence[tuple[Node, Any]]) -> list[Any]:
        """What `node_probe.measure` says on each of these nodes, in their order.

        A node that is to measure its GPU waits until one is free.

        Raises:
            ClusterError: a node does not answer in time, or fails.
        """
        import ray

        task = ray.remote(_probe_function())
        refs = {}
        for node, question in asked:
            gpus = int(any(stage.gpu for stage in question.stages.values()))
            options = task.options(num_cpus=0, num_gpus=gpus, max_retries=1, **_on(node.id))
            refs[options.remote([ray.put(question)])] = node.name
        _answers(refs, _MEASURED)
        try:
            return list(ray.get([*refs]))
        except ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            raise ClusterError(f"a node could not be measured: {last}") from error

    def share(self, value: Any) -> Any:
        """Put a value into Ray's object store."""
        import ray
        from ray import cloudpickle

        return ray.put(cloudpickle.dumps(value))

    def start(self, work: Any, assignment: Any, request: Request) -> Hashable:
        """Send a stage; a handle."""
        options = self.task.options(
            num_cpus=request.cpus,
            num_gpus=request.gpus,
            memory=request.memory or None,
            max_retries=0,
            name=f"lingopress {assignment.label}",
        )
        handle: Hashable = options.remote(work, self.share(assignment), self.inbox)
        return handle

    def wait(self, handles: Sequence[Hashable], seconds: float) -> Sequence[Hashable]:
        """Those that have ended."""
        import ray

        done, _ = ray.wait([*handles], num_returns=len(handles), timeout=seconds)
        return list(done)

    def result(self, handle: Hashable) -> Result:
        """How it ended.

        Raises:
            LostError: with its node or its process.
            ClusterError: the node does not have the package.
        """
        import ray
        from ray import exceptions

        try:
            found = ray.get(handle)
        except exceptions.OutOfMemoryError as error:
            text = "the node had too little memory, and Ray ended the stage"
            raise LostError(text, memory=True) from error
        except exceptions.RayTaskError as error:
            raise ClusterError(f"a node failed: {str(error).strip().splitlines()[-1]}") from error
        except (exceptions.NodeDiedError, exceptions.LocalRayletDiedError) as error:
            raise LostError("its node died") from error
        except exceptions.RayError as error:
            raise LostError(_lost_text(error)) from error
        if isinstance(found, str):
            raise ClusterError(found)
        assert isinstance(found, Result)
        return found

    def news(self) -> list[News]:
        """What stages had to say."""
        count = self.inbox.qsize()
        return list(self.inbox.get_nowait_batch(count)) if count else []

    def cancel(self, handle: Hashable) -> None:
        """End a stage's process."""
        import ray

        with suppress(Exception):  # it has ended, or the cluster has
            ray.cancel(handle, force=True)

    def close(self) -> None:
        """Leave, if this connected."""
        import ray

        with suppress(Exception):  # it may have gone
            self.inbox.shutdown(force=True)
        if self.ours:
            with suppress(Exception):
                ray.shutdown()


def _lost_text(error: Exception) -> str:
    """`its process was killed (WorkerCrashedError)`."""
    return f"its process or its node was lost ({type(error).__name__})"


def _alive() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _on(node_id: str) -> dict[str, Any]:
    """Options of a task that runs on one node only."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node_id, soft=False)}


def _answers(asked: dict[Any, str], seconds: float = _ANSWER) -> list[Any]:
    """The tasks, when all of them have ended.

    Args:
        asked: the name of the node of each.

    Raises:
        ClusterError: one has not in time.
    """
    import ray

    done, late = ray.wait([*asked], num_returns=len(asked), timeout=seconds)
    if late:
        names = ", ".join(asked[ref] for ref in late)
        raise ClusterError(f"these nodes of the cluster do not answer: {names}")
    return list(done)


def _grows() -> bool:
    """Whether the cluster has a configuration by which nodes are added."""
    with suppress(Exception):  # it is not part of Ray's public interface, nor there for clients
        from ray._private.state import state

        return bool(state.get_max_resources_from_cluster_config())
    return False


def _look_function() -> Callable[..., dict[str, Any]]:
    """Sent by value, because it is no module's own."""

    def look(shared: list[Any]) -> dict[str, Any]:
        import socket

        import ray

        try:
            from recipes.cluster.node_check import describe
        except ImportError as error:
            return {"host": socket.gethostname(), "absent": str(error)}
        return describe(ray.get(shared[0]))

    return look


def _probe_function() -> Callable[..., Any]:
    """Sent by value, because it is no module's own."""

    def probe(shared: list[Any]) -> Any:
        import ray

        from recipes.cluster.node_probe import measure

        return measure(ray.get(shared[0]))

    return probe


def _make_function() -> Callable[..., Any]:
    """Sent by value, because it is no module's own."""

    def make(work: bytes, assignment: bytes, inbox: Any) -> Any:
        import socket

        import ray
        from ray import cloudpickle

        try:
            from recipes.cluster.node_stage import make_stage
        except ImportError as error:
            host = socket.gethostname()
            return f"{host}: lingopress is not installed there ({error})\ninstall it on every node"
        last: list[Any] = []

        def send(news: Any) -> None:
            last[:] = [inbox.actor.put_nowait.remote(news)]

        result = make_stage(cloudpickle.loads(work), cloudpickle.loads(assignment), send)
        ray.get(last)  # so that all is said before the result is known
        return result

    return make
