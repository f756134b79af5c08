"""The cluster as a place where stages run; stages of lost nodes start again.

>>> with cluster_place(opened, maker, jobs=1, chosen=chosen) as place:
...     make_all(maker, chosen, place)

All stages that can start are sent at once; the cluster starts them where there is room. A thread
watches them, shows what they say, and copies what they made into the workspace. A stage whose
process is lost is sent again, to go on from its last snapshot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evalsuite import plugins
from evalsuite.own.declared import declared
from recipes.cluster.node_stage import NodeAssignment, NodeWork
from recipes.cluster.open_cluster import OpenCluster
from recipes.cluster.protocol import ClusterError, LostError, Request
from recipes.cluster.stage_requests import requests_of
from recipes.errors import RecipesError, StageFailedError
from recipes.execution.run_record import StageOutcome
from recipes.execution.shared_cache import SharedCache, SharedCacheError
from recipes.execution.stage_runner import Maker
from recipes.execution.stage_worker import News
from recipes.planning.plan import lineage
from recipes.planning.planned import Planned

MOST_LOSSES = 10
"""A stage whose process was lost that many times is not sent again."""
_LOOK = 0.2  # seconds between two looks at what runs
_ASK = 10.0  # seconds between two looks at the nodes
_COPIES = 2  # outputs that are copied at the same time
_APPEARS = 30.0  # seconds until a file that a node wrote must be seen on a shared disk
_SOON = 2.0  # seconds until the shared cache is asked, where there is one


@contextmanager
def cluster_place(
    opened: OpenCluster, maker: Maker, jobs: int, chosen: set[str]
) -> Iterator[ClusterPlace]:
    """The place, and an end of all that runs there, however the block ends.

    Raises:
        ClusterError: no node has what a stage needs.
    """
    cluster = opened.cluster
    to_make = [
        stage
        for stage in maker.plan.stages
        if stage.label in chosen
        and (stage.key in maker.space.again or maker.cache.lookup(stage.kind, stage.key) is None)
    ]
    ask = partial(requests_of, maker.plan, nodes=cluster.nodes(), jobs=jobs, grows=cluster.grows)
    place = ClusterPlace(opened, maker, ask(to_make), ask)
    try:
        yield place
    finally:
        place.close()


@dataclass(slots=True)
class _Job:
    """A stage that was sent."""

    stage: Planned
    future: Future[StageOutcome]
    attempt: int = 1
    waits: bool = False  # and a person was told why


class ClusterPlace:
    """Sends stages to a cluster.

    Attributes:
        hosts: the node of each stage that has begun, by label.
        showing: held by the thread that uses the display.
    """

    def __init__(
        self,
        opened: OpenCluster,
        maker: Maker,
        requests: dict[str, Request],
        ask: Callable[[list[Planned]], dict[str, Request]],
    ) -> None:
        self.cluster, self.files, self.maker = opened.cluster, opened.files, maker
        self.requests, self.ask = requests, ask
        self.lost: ClusterError | None = None
        work = NodeWork(plugins.Carried(), maker.plan, declared(), opened.files, maker.debug)
        self.work: Any = self.cluster.share(work)
        self.jobs: dict[Hashable, _Job] = {}
        self.hosts: dict[str, str] = {}
        self.showing, self.lock, self.closing = (
            threading.Lock(),
            threading.Lock(),
            threading.Event(),
        )
        self.offering, self.offered = threading.Lock(), set[Path]()
        self.copies = ThreadPoolExecutor(_COPIES)
        self.asked = time.monotonic()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def has_room(self, stage: Planned, running: int) -> bool:
        """Always: the cluster keeps what it has no room for yet."""
        return True

    def submit(self, stage: Planned) -> Future[StageOutcome]:
        """Send a stage.

        Raises:
            ClusterError: the cluster does not answer any more.
        """
        if stage.label not in self.requests:  # its output was here and is gone
            self.requests |= self.ask([stage])
        job = _Job(stage, Future())
        self._send(job)
        return job.future

    def drop_waiting(self) -> None:
        """End what has not begun."""
        with self.lock:
            waiting = {
                handle: job
                for handle, job in self.jobs.items()
                if job.stage.label not in self.hosts
            }
            for handle in waiting:
                del self.jobs[handle]
        for handle, job in waiting.items():
            self.cluster.cancel(handle)
            job.future.set_exception(StageFailedError(f"stage {job.stage.label} was not begun"))

    def close(self) -> None:
        """End everything that still runs."""
        self.closing.set()
        self.thread.join()
        for handle in list(self.jobs):
            self.cluster.cancel(handle)
        self.copies.shutdown(cancel_futures=True)

    def _send(self, job: _Job) -> None:
        label, maker = job.stage.label, self.maker
        for name in maker.plan.graph()[label]:
            self._offer(maker.made[name])
        request = self.requests[label]
        assignment = NodeAssignment(
            label=label,
            made={name: maker.made[name] for name in lineage(maker.plan, label)},
            threads=request.cpus,
            gpus=request.gpus,
            again=maker.cache.is_made_again(job.stage.key),
            attempt=job.attempt,
        )
        self.hosts.pop(label, None)  # before it can begin
        handle = self.cluster.start(self.work, assignment, request)
        with self.lock:
            if self.lost is not None:  # nobody looks any more
                raise self.lost
            self.jobs[handle] = job

    def _offer(self, found: StageOutcome) -> None:
        """Put an input that was here before the run where nodes with other disks find it, once."""
        if not found.cached or self.files.cache is None:
            return
        with self.offering:
            if found.path in self.offered:
                return
            self.offered.add(found.path)
            try:
                SharedCache(self.files.cache).push(found.path, found.path.name)
            except SharedCacheError as error:
                with self.showing:
                    self.maker.display.say(f"{found.label}: {error}")

    def _watch(self) -> None:
        """Pass on news and results until the place is closed."""
        while not self.closing.is_set():
            try:
                self._look()
            except Exception as error:
                self._lose_all(error)
                return

    def _look(self) -> None:
        self._show(self.cluster.news())
        with self.lock:
            handles = list(self.jobs)
        if not handles:
            self.closing.wait(_LOOK)
            return
        for handle in self.cluster.wait(handles, _LOOK):
            self._show(self.cluster.news())
            with self.lock:
                job = self.jobs.pop(handle, None)
            if job is None:
                continue
            try:
                self._settle(job, handle)
            except BaseException:
                with self.lock:
                    self.jobs[handle] = job  # whoever waits for it is told by `_watch`
                raise
        if time.monotonic() - self.asked > _ASK:
            self.asked = time.monotonic()
            self._explain_waiting()

    def _show(self, news: list[News]) -> None:
        for one in news:
            if one.method == "at":
                label, self.hosts[label] = one.arguments
                continue
            with self.showing:
                getattr(self.maker.display, one.method)(*one.arguments)

    def _settle(self, job: _Job, handle: Hashable) -> None:
        """End a stage, or send it again where its process was lost."""
        try:
            result = self.cluster.result(handle)
        except LostError as lost:
            self._again(job, lost)
            return
        except RecipesError as error:
            job.future.set_exception(error)
            return
        if result.outcome is None:
            job.future.set_exception(result.error)
        else:
            self.copies.submit(self._finish, job, result.outcome)

    def _again(self, job: _Job, lost: LostError) -> None:
        label, who = job.stage.label, f"stage {job.stage.label} ({job.stage.kind}) failed"
        with self.showing:
            self.maker.display.stop(label)
        if lost.memory:
            error = f"{who}: {lost}\ngive it more: resources: {{memory: ...}}, or a smaller batch"
        elif job.attempt >= MOST_LOSSES:
            error = f"{who}: {lost}, {job.attempt} times\nlook at the logs of the cluster's nodes"
        else:
            where = f" (on {self.hosts[label]})" if label in self.hosts else ""
            with self.showing:
                self.maker.display.say(
                    f"{label}: {lost}{where}; it starts again, from its last snapshot"
                )
            self._send(_Job(job.stage, job.future, job.attempt + 1))
            return
        job.future.set_exception(StageFailedError(error))

    def _finish(self, job: _Job, outcome: StageOutcome) -> None:
        """Have the output in this workspace, and the stage done."""
        try:
            kept = self._bring(job, outcome)
            with self.showing:
                self.maker.display.done(kept.record, kept.cached)
            job.future.set_result(kept)
        except BaseException as error:
            job.future.set_exception(error)

    def _bring(self, job: _Job, outcome: StageOutcome) -> StageOutcome:
        """The outcome with its path here.

        Raises:
            ClusterError: the output did not come here.
        """
        stage, cache = job.stage, self.maker.cache
        path = cache.path(stage.kind, stage.key)
        ways = [self._copy_here] if self.files.cache is not None else []
        if outcome.path == path:  # on a shared disk, or at the same place on its own
            ways = [partial(self._wait_for, seconds=_SOON), *ways, self._wait_for]
        for way in ways:
            if cache.lookup(stage.kind, stage.key) is None:
                way(stage)
        if cache.lookup(stage.kind, stage.key) is None:
            raise ClusterError(
                f"stage {stage.label} was made on {self.hosts.get(stage.label, 'a node')}, in "
                f"{outcome.path}, and its output is not in {self.files.cache or path}\n"
                "see that nodes can write there, and run the same command again"
            )
        return StageOutcome(stage.label, stage.kind, path, outcome.record, outcome.cached)

    def _wait_for(self, stage: Planned, seconds: float = _APPEARS) -> None:
        """On a shared disk a new file may take a while to be seen."""
        until = time.monotonic() + seconds
        while self.maker.cache.lookup(stage.kind, stage.key) is None and time.monotonic() < until:
            time.sleep(_LOOK)

    def _copy_here(self, stage: Planned) -> None:
        """From the shared cache."""
        cache, shared = self.maker.cache, SharedCache(str(self.files.cache))
        with cache.lock(stage.key, lambda: None):
            name = cache.path(stage.kind, stage.key).name
            cache.fetch(stage.kind, stage.key, partial(shared.pull, name))

    def _explain_waiting(self) -> None:
        """Say once of a stage that no node can make it, as when one has gone."""
        with self.lock:
            waiting = [
                job
                for job in self.jobs.values()
                if job.stage.label not in self.hosts and not job.waits
            ]
        if not waiting or self.cluster.grows:
            return
        nodes = self.cluster.nodes()
        for job in waiting:
            request = self.requests[job.stage.label]
            if not any(request.fits(node) for node in nodes):
                job.waits = True
                with self.showing:
                    self.maker.display.say(
                        f"{job.stage.label}: waits for a node with {request.text()}; "
                        "the cluster has none now"
                    )

    def _lose_all(self, error: Exception) -> None:
        """The cluster itself does not answer any more."""
        said = ClusterError(
            f"the cluster does not answer any more: {type(error).__name__}: {error}\n"
            "finished stages are kept; when it is there again, run the same command again"
        )
        with self.lock:
            jobs, self.jobs, self.lost = list(self.jobs.values()), {}, said
        for job in jobs:
            job.future.set_exception(said)
