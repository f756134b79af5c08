"""What a node does: it makes one stage, in the shared workspace or in a separate one.

>>> make_stage(work, assignment, send=queue.put)
Result(outcome=StageOutcome(label='teacher', ...), error=None)

A node that does not see the workspace of the run takes finished stages from the shared cache, puts
what it made there, and sends snapshots of what it is making (`recipes.execution.work_snapshots`).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite import plugins
from evalsuite.own.declared import declare
from recipes.cluster import node_check
from recipes.cluster.protocol import ClusterError
from recipes.execution.run_record import StageOutcome
from recipes.execution.shared_cache import SharedCache
from recipes.execution.stage_runner import Maker
from recipes.execution.stage_worker import News, Relay, Result, result_of, use_threads
from recipes.execution.work_snapshots import WorkSnapshots
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.problems import Problems
from recipes.planning.external_models import External
from recipes.planning.plan import with_keys
from recipes.planning.planned import Plan

if TYPE_CHECKING:
    from evalsuite.own.own_task import OwnTask

Send = Callable[[News], None]
EVERY = 0.5  # seconds between two lines about how far a stage is
_VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_keys: set[str] = set()  # of stages, as this process computed them


@dataclass(frozen=True, slots=True)
class NodeWork:
    """What all stages of a plan share; `plugins` comes first, so that it is read first."""

    plugins: plugins.Carried
    plan: Plan
    tasks: Mapping[str, OwnTask]  # that the recipe declares
    files: node_check.Files
    debug: bool


@dataclass(frozen=True, slots=True)
class NodeAssignment:
    """A stage to make.

    Attributes:
        made: outcomes of all stages before it; their paths are those of the run's machine.
        threads: that it computes with.
        gpus: that it computes on; with none it sees none.
        again: whatever is finished already is not taken (`--from`).
        attempt: from 1; a later one goes on from what an earlier one left.
    """

    label: str
    made: Mapping[str, StageOutcome]
    threads: int
    gpus: int
    again: bool
    attempt: int


class _NodeDisplay(Relay):
    """A node's display: sends what a person is to see, how far a stage is now and then."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._last = 0.0

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        super().start(label, kind, before, socket.gethostname())

    def update(self, label: str, fraction: float, text: str) -> None:
        if time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            super().update(label, fraction, text)

    def done(self, record: Any, cached: bool) -> None:
        """Nothing: the machine of the run shows it, once the output is there."""


def make_stage(work: NodeWork, assignment: NodeAssignment, send: Send) -> Result:
    """Make a stage, or find it here or in the shared cache."""
    send(News("at", (assignment.label, socket.gethostname())))
    return result_of(lambda: _outcome(work, assignment, send), assignment.label, debug=work.debug)


def _outcome(work: NodeWork, assignment: NodeAssignment, send: Send) -> StageOutcome:
    node = node_check.describe(work.files)
    if found := node_check.problems(node, work.files):  # a node that came after the run began
        raise ClusterError("\n".join(found))
    space = Workspace(Path(node["workspace"]), work.files.cache)
    space.prepare()
    declare(work.tasks)
    plan = _plan_here(work.plan, space, node["host"], assignment.label)
    maker = Maker(plan, space, _NodeDisplay(send), work.debug)
    maker.host = node["host"]
    stage = next(stage for stage in plan.stages if stage.label == assignment.label)
    if not node["sees workspace"]:
        maker.snapshots = WorkSnapshots(maker.cache, SharedCache(work.files.cache or ""))
    if assignment.again:
        maker.make_again({stage.label})
        if assignment.attempt == 1:
            maker.forget({stage.label})
            if maker.snapshots is not None:
                maker.snapshots.drop(stage.kind, stage.key)
    maker.made = {
        label: replace(outcome, path=maker.cache.path(outcome.kind, outcome.record.key))
        for label, outcome in assignment.made.items()
    }
    for label in plan.graph()[stage.label]:
        _bring(maker, maker.made[label])
    use_threads(assignment.threads)
    if not assignment.gpus:  # Ray will not hide them in later versions
        os.environ |= dict.fromkeys(_VISIBLE, "")
    outcome = maker.stage(stage)
    if outcome.cached and not node["sees workspace"]:  # this node had it from an earlier run
        maker.shared.push(outcome.path, stage.key, stage.label)
    return outcome


def _bring(maker: Maker, outcome: StageOutcome) -> None:
    """Copy an input from the shared cache, where this node does not have it.

    Raises:
        ClusterError: it is not there.
    """
    key, cache = outcome.record.key, maker.cache
    with cache.lock(key, lambda: None):
        if cache.lookup(outcome.kind, key) or maker.shared.pull(outcome.kind, key, outcome.label):
            return
    maker.shared.remove_damaged(outcome.kind, key)
    raise ClusterError(
        f"{maker.host}: the output of stage {outcome.label} is neither in {cache.workspace.root} "
        f"nor whole in the shared cache\nrun the same command again: it is copied there again"
    )


def _plan_here(plan: Plan, space: Workspace, host: str, label: str) -> Plan:
    """The plan with models where this node has them.

    Raises:
        ClusterError: the stage has another key here, because data or models are others.
    """
    here = replace(
        plan,
        externals={
            text: External.find(text) if text.startswith("package:") else external
            for text, external in plan.externals.items()
        },
    )
    key = next(stage.key for stage in plan.stages if stage.label == label)
    problems = Problems(plan.loaded.problems.recipe)
    if key not in _keys:
        memo = DigestMemo(space.digests)
        _keys.update(stage.key for stage in with_keys(here, memo, problems, rows=False))
    if key not in _keys:
        raise ClusterError(
            f"{host}: stage {label} would not be the same there: its data or models are absent or "
            "are others\n"
            + "".join(f"  {line}\n" for line in problems.lines)
            + "put the same files at the same paths on every node, or name models of the hub"
        )
    return here
