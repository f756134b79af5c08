"""Processes that make stages at the same time.

>>> with workers(maker, jobs=2) as submit:
...     make_all(maker, chosen, submit, jobs=2)

Workers are forked from one process that has imported torch and transformers already, so they
import nothing again. They end with the process that asked for them, also where that is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from typing import Any

from evalsuite.machine import environment
from evalsuite.machine.child_process import leave_with, start_context
from recipes.errors import StageFailedError
from recipes.execution.display import Display
from recipes.execution.output_capture import capture
from recipes.execution.run_record import StageOutcome
from recipes.execution.scheduler import Submit, in_turn, threads
from recipes.execution.stage_runner import Maker
from recipes.execution.workspace import Workspace
from recipes.planning.plan import Plan, Planned

# Between them, all that stages import.
PRELOAD = ["transfer.supervised.train_tasks", "compress.export.export", "evalsuite.bench.worker"]


@contextmanager
def workers(maker: Maker, jobs: int) -> Iterator[Submit]:
    """A function that starts a stage; with one job, that makes it at once in this process."""
    if jobs == 1:
        yield in_turn(maker)
        return
    pool = _Pool(maker, jobs)
    try:
        with _on_interrupt(pool.interrupt):
            yield pool.submit
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


class _Pool:
    """Workers, begun with the first stage that is not in the cache."""

    def __init__(self, maker: Maker, jobs: int) -> None:
        self.maker, self.jobs = maker, jobs
        self.executor: ProcessPoolExecutor | None = None
        self.news: Any = None
        self.leash: Any = None  # workers leave when it closes, or its process ends
        self.over = threading.Event()
        self.listener: threading.Thread | None = None
        self.running: set[Future[StageOutcome]] = set()
        self.interrupted = False

    def submit(self, stage: Planned) -> Future[StageOutcome]:
        """Start a stage; its future raises a `RecipesError`."""
        if self.executor is None:
            self.executor = self._begin()
        outside: Future[StageOutcome] = Future()
        self.running.add(outside)

        def pass_on(done: Future[StageOutcome]) -> None:
            self.running.discard(outside)
            error = done.exception()
            if error is None:
                outside.set_result(done.result())
            else:
                outside.set_exception(
                    _killed(stage) if isinstance(error, BrokenProcessPool) else error
                )

        try:
            self.executor.submit(_make, stage, self.maker.made).add_done_callback(pass_on)
        except BrokenProcessPool:
            self.running.discard(outside)
            outside.set_exception(_killed(stage))
        return outside

    def interrupt(self) -> None:
        """Ctrl-C: let the workers go, so that what waits for them ends in order.

        An exception raised here would break off whatever the executor is doing just then; where
        no worker is at work there is nothing to break.
        """
        if not self.running or self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        self.leash.close()

    def _begin(self) -> ProcessPoolExecutor:
        context = start_context(PRELOAD)
        self.news = context.SimpleQueue()
        held, self.leash = context.Pipe(duplex=False)
        maker = self.maker
        maker.display.say(f"starting {self.jobs} workers")
        log = maker.space.logs / "workers.log"
        with nullcontext() if maker.debug else capture(log):
            first = context.Process(target=_nothing)  # what imports keeps this standard output
            first.start()  # returns when all is imported
            first.join()
        listen = (self.news, maker.display, self.over)
        self.listener = threading.Thread(target=_listen, args=listen, daemon=True)
        self.listener.start()
        shared = (maker.plan, maker.space, maker.debug, self.jobs, self.news, held)
        return ProcessPoolExecutor(self.jobs, context, _start, shared)

    def close(self, *, at_once: bool) -> None:
        """End the workers; at once, with whatever they are doing."""
        if self.executor is None:
            return
        if at_once:
            self.leash.close()
        self.executor.shutdown(cancel_futures=True)
        self.over.set()
        assert self.listener is not None
        self.listener.join(2.0)  # what a killed worker was saying may never be whole


def _killed(stage: Planned) -> StageFailedError:
    return StageFailedError(
        f"stage {stage.label} ({stage.kind}) failed: a process was killed, most often by the "
        "system for want of memory\n"
        "run the same command again, with --jobs 1 or a smaller batch; it goes on where it stopped"
    )


def _nothing() -> None:
    pass


def _listen(news: Any, display: Display, over: threading.Event) -> None:
    """Pass on to the display what workers send, until the last message."""
    while True:
        ending = over.is_set()  # asked before the look at the queue: nothing comes after it
        if not news.empty():
            name, arguments = news.get()
            getattr(display, name)(*arguments)
        elif ending:
            return
        else:
            over.wait(0.05)


class _Relay(Display):
    """A worker's display: sends everything to the process that has the terminal."""

    def __init__(self, news: Any) -> None:
        self.news = news

    def start(self, label: str, kind: str, before: float = 0.0) -> None:
        self.news.put(("start", (label, kind, before)))

    def update(self, label: str, fraction: float, text: str) -> None:
        self.news.put(("update", (label, fraction, text)))

    def done(self, record: Any, cached: bool) -> None:
        self.news.put(("done", (record, cached)))

    def say(self, text: str) -> None:
        self.news.put(("say", (text,)))

    def stop(self, label: str | None = None) -> None:
        self.news.put(("stop", (label,)))


_maker: Maker
_jobs: int


def _start(plan: Plan, space: Workspace, debug: bool, jobs: int, news: Any, leash: Any) -> None:
    """In a new worker."""
    global _maker, _jobs
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    leave_with(leash)
    _maker, _jobs = Maker(plan, space, _Relay(news), debug), jobs


def _make(stage: Planned, made: dict[str, StageOutcome]) -> StageOutcome:
    """In a worker: one stage."""
    count = threads(_maker.plan, stage, _jobs, environment.cores())
    os.environ["OMP_NUM_THREADS"] = str(count)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)
    _maker.made.update(made)
    return _maker.stage(stage)
