"""Processes that make stages side by side.

>>> with workers(maker, jobs=2) as place:
...     make_all(maker, chosen, place)

Workers are forked from one process that has imported torch and transformers already, so that
they import nothing again. They end with the process that asked for them, however that ends: after
a kill of the command nothing computes any more. A worker that is killed fails its stage alone.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection
from typing import Any

from evalsuite.errors import KilledError
from evalsuite.machine import waiting
from evalsuite.machine.child_process import start, start_context
from evalsuite.own.declared import declared
from recipes.errors import StageFailedError
from recipes.execution.output_capture import capture
from recipes.execution.run_record import StageOutcome
from recipes.execution.scheduler import InTurn, StagePlace, alone
from recipes.execution.stage_runner import Maker
from recipes.execution.stage_worker import Assignment, News, Result, Work, work_for
from recipes.planning.planned import Planned

# Between them, all that stages import.
PRELOAD = ["transfer.supervised.train_tasks", "compress.export.export", "evalsuite.bench.worker"]


@contextmanager
def workers(maker: Maker, jobs: int) -> Iterator[StagePlace]:
    """Worker processes; with one job, this process."""
    if jobs == 1:
        yield InTurn(maker)
        return
    pool = _Pool(maker, jobs)
    try:
        with _on_interrupt(pool.interrupt):
            yield pool
        if pool.interrupted:
            raise KeyboardInterrupt
    except BaseException:
        pool.close(at_once=True)
        if pool.interrupted:
            raise KeyboardInterrupt from None
        raise
    pool.close(at_once=False)


@contextmanager
def _on_interrupt(handler: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C call `handler`; in another thread than the main one it cannot come."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: handler())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Worker:
    """A worker process as its parent sees it, and the thread that listens to it."""

    def __init__(self, pool: _Pool, process: Any, connection: Connection) -> None:
        self.pool, self.process, self.connection = pool, process, connection
        self.job: tuple[Planned, Future[StageOutcome]] | None = None
        self.settling = threading.Lock()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def make(self, stage: Planned) -> Future[StageOutcome]:
        """Send it a stage; it has none now."""
        future: Future[StageOutcome] = Future()
        self.job = stage, future
        try:
            self.connection.send(Assignment(stage, self.pool.maker.made))
        except OSError:  # it is gone; the thread that listened to it may have ended before this
            self._lost()
        return future

    def leave(self) -> None:
        """Let it end, and wait until it has."""
        with suppress(OSError):
            self.connection.send(None)
        self.process.join()
        self.thread.join()

    def _listen(self) -> None:
        """Pass on its news and results, until it ends."""
        while True:
            try:
                message = self.connection.recv()
            except (EOFError, OSError):
                self._lost()
                return
            if isinstance(message, News):
                with self.pool.showing:
                    getattr(self.pool.maker.display, message.method)(*message.arguments)
            else:
                self._settle(message)

    def _lost(self) -> None:
        """It was killed, or has ended because no more is asked of it."""
        self.pool.remove(self)
        if (job := self.job) is not None:
            with self.pool.showing:
                self.pool.maker.display.stop(job[0].label)
            self._settle(Result(None, _killed(job[0])))

    def _settle(self, result: Result) -> None:
        """End its stage, if it has one."""
        with self.settling:
            job, self.job = self.job, None
        if job is None:
            return
        if result.outcome is not None:
            job[1].set_result(result.outcome)
        else:
            job[1].set_exception(result.error)


class _Pool:
    """Workers, begun with the first stage that is not in the cache.

    Attributes:
        showing: held by the thread that uses the display.
    """

    def __init__(self, maker: Maker, jobs: int) -> None:
        self.maker, self.jobs = maker, jobs
        self.workers: list[_Worker] = []
        self.context: Any = None
        self.held: Any = None
        self.leash: Any = None  # workers leave when it closes, or its process ends
        self.showing = threading.Lock()
        self.interrupted = False

    def has_room(self, stage: Planned, running: int) -> bool:
        """One stage per job; one whose module says `ALONE` with nothing at the same time."""
        return running == 0 if alone(stage) else running < self.jobs

    def drop_waiting(self) -> None:
        """None waits: a stage is submitted where a worker is free."""

    def submit(self, stage: Planned) -> Future[StageOutcome]:
        """Start a stage; one that must be alone is made here and now."""
        if alone(stage):
            return InTurn(self.maker).submit(stage)
        try:
            worker = next((w for w in self.workers if w.job is None), None) or self._begin()
        except KilledError:
            future: Future[StageOutcome] = Future()
            future.set_exception(_killed(stage))
            return future
        return worker.make(stage)

    def interrupt(self) -> None:
        """Ctrl-C: let the workers go, so that what waits for them ends in order.

        An exception raised here would break off whatever is being done just then; where no worker
        is at work there is nothing to break.
        """
        if self.interrupted or all(worker.job is None for worker in self.workers):
            raise KeyboardInterrupt
        self.interrupted = True
        self.leash.close()

    def _begin(self) -> _Worker:
        """Start one more worker, and before the first the process they are forked from."""
        maker = self.maker
        if self.context is None:
            maker.display.say(f"starting {self.jobs} workers")
        # What imports, and what watches over it, keep the standard output they begin with.
        with nullcontext() if maker.debug else capture(maker.space.logs / "workers.log"):
            if self.context is None:
                waiting.choose()  # before PRELOAD imports torch
                self.context = start_context(PRELOAD)
                self.held, self.leash = self.context.Pipe(duplex=False)
            ours, theirs = self.context.Pipe()
            work = Work(maker.plan, declared(), maker.space, maker.debug, self.jobs)
            process = start(self.context, work_for, work, theirs, self.held)
            theirs.close()
        worker = _Worker(self, process, ours)
        self.workers.append(worker)
        return worker

    def remove(self, worker: _Worker) -> None:
        """Send it no more stages."""
        if worker in self.workers:
            self.workers.remove(worker)

    def close(self, *, at_once: bool) -> None:
        """End the workers; at once, with whatever they are doing."""
        if self.context is None:
            return
        if at_once:
            self.leash.close()
        for worker in list(self.workers):
            worker.leave()
        self.leash.close()


def _killed(stage: Planned) -> StageFailedError:
    return StageFailedError(
        f"stage {stage.label} ({stage.kind}) failed: a process was killed, "
        "most often by the system for want of memory\n"
        "run the same command again, with --jobs 1 or a smaller batch; it goes on where it stopped"
    )
