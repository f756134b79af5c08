"""What a worker process does: it makes the stages it is sent, one after the other.

A worker has one connection to the process that asked for it, for stages in one direction and for
news and results in the other. It shares no lock with other workers, so that one that is killed
stops nobody else.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from evalsuite.machine import environment
from evalsuite.machine.child_process import leave_with
from evalsuite.own.declared import declare
from recipes.errors import StageFailedError, is_persons
from recipes.execution.display import Display
from recipes.execution.run_record import StageOutcome
from recipes.execution.scheduler import threads
from recipes.execution.stage_runner import Maker
from recipes.execution.workspace import Workspace
from recipes.planning.planned import Plan, Planned

if TYPE_CHECKING:
    from evalsuite.own.own_task import OwnTask


@dataclass(frozen=True, slots=True)
class Assignment:
    """A stage to make, with the outcomes of the stages before it."""

    stage: Planned
    made: Mapping[str, StageOutcome]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a stage, or the error."""

    outcome: StageOutcome | None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A call of a method of `Display`."""

    method: str
    arguments: tuple[Any, ...]


class Relay(Display):
    """A worker's display: sends everything to the process that has the terminal."""

    def __init__(self, send: Callable[[News], None]) -> None:
        self.send = send

    def _send(self, method: str, *arguments: Any) -> None:
        self.send(News(method, arguments))

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        """Send that a stage begins."""
        self._send("start", label, kind, before, where)

    def update(self, label: str, fraction: float, text: str) -> None:
        """Send how far a stage is."""
        self._send("update", label, fraction, text)

    def done(self, record: Any, cached: bool) -> None:
        """Send that a stage is finished."""
        self._send("done", record, cached)

    def say(self, text: str) -> None:
        """Send a line of news."""
        self._send("say", text)

    def stop(self, label: str | None = None) -> None:
        """Send that a stage runs no more."""
        self._send("stop", label)


@dataclass(frozen=True, slots=True)
class Work:
    """What all stages of a run share."""

    plan: Plan
    tasks: Mapping[str, OwnTask]  # that the recipe declares
    space: Workspace
    debug: bool
    jobs: int


def work_for(work: Work, connection: Connection, leash: Connection) -> None:
    """Make stages until None comes in their place; end at once when the leash closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    leave_with(leash)
    declare(work.tasks)
    maker = Maker(work.plan, work.space, Relay(connection.send), work.debug)
    cores = environment.threads()  # asked now: each stage sets what this reads
    while True:
        try:
            assignment = connection.recv()
        except (EOFError, OSError):
            return
        if assignment is None:
            return
        maker.made.update(assignment.made)
        use_threads(threads(maker.plan, assignment.stage, work.jobs, cores))
        make = partial(maker.stage, assignment.stage)
        connection.send(result_of(make, assignment.stage.label, debug=work.debug))


def use_threads(count: int) -> None:
    """Have torch and the runtimes of this process compute with this number of threads."""
    os.environ["OMP_NUM_THREADS"] = str(count)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)


def result_of(make: Callable[[], StageOutcome], label: str, *, debug: bool) -> Result:
    """What making a stage comes to; an error can be sent to another process.

    Args:
        debug: add the traceback to an error.
    """
    try:
        return Result(make())
    except Exception as error:
        if not is_persons(error):  # it may be of a class that cannot be sent
            error = StageFailedError(f"stage {label} failed: {type(error).__name__}: {error}")
        if debug:
            error.add_note(traceback.format_exc())
        return Result(None, error)
