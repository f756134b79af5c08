"""When each stage is made: after what it needs, at the same time as others where there is room.

>>> make_all(maker, chosen={"base", "teacher"}, place=InTurn(maker))

Where a stage runs is a `StagePlace`: this process, its workers (`recipes.execution.worker_pool`),
or the nodes of a cluster (`recipes.cluster`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Protocol

from recipes.errors import StageRefusedError
from recipes.execution.run_record import StageOutcome
from recipes.execution.stage_runner import Maker
from recipes.planning.planned import Plan, Planned
from recipes.planning.stage_graph import independent_of


class StagePlace(Protocol):
    """Where stages run."""

    def has_room(self, stage: Planned, running: int) -> bool:
        """Whether a stage may be submitted while `running` others are."""

    def submit(self, stage: Planned) -> Future[StageOutcome]:
        """Start a stage whose needs are made; its future raises a `RecipesError`."""

    def drop_waiting(self) -> None:
        """A stage failed: those that were submitted and have not begun need not begin."""


Refused = Callable[[str, StageRefusedError], set[str]]


def make_all(
    maker: Maker, chosen: set[str], place: StagePlace, refused: Refused | None = None
) -> None:
    """Fill `maker.made` with every chosen stage; those that are not in the cache run at `place`.

    Stages start in the plan's order as soon as what they need is there. When one fails no more are
    started, those that run are waited for, so that their work is kept, and the first error is
    raised.

    Args:
        refused: called with a stage that is refused and why, in place of that; it returns the
            stages that need not be made any more.
    """
    graph = maker.plan.graph()
    waiting = {stage.label: stage for stage in maker.plan.stages if stage.label in chosen}
    running: dict[Future[StageOutcome], str] = {}
    failure: BaseException | None = None
    while running or (waiting and failure is None):
        stage = None if failure else _next(maker, graph, waiting, len(running), place)
        if stage is not None:
            del waiting[stage.label]
            if not maker.find(stage):
                running[place.submit(stage)] = stage.label
            continue
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            label, error = running.pop(future), future.exception()
            if refused is not None and isinstance(error, StageRefusedError):
                for other in refused(label, error):
                    waiting.pop(other, None)
                continue
            if error is not None and failure is None:
                failure = error
                place.drop_waiting()
            if error is None:
                maker.made[label] = future.result()
    if failure is not None:
        raise failure


def _next(
    maker: Maker,
    graph: dict[str, list[str]],
    waiting: dict[str, Planned],
    running: int,
    place: StagePlace,
) -> Planned | None:
    """The first stage whose needs are made and for which there is room."""
    for label, stage in waiting.items():
        if place.has_room(stage, running) and all(need in maker.made for need in graph[label]):
            return stage
    return None


def alone(stage: Planned) -> bool:
    """Whether what else runs would change the stage's result."""
    return bool(getattr(stage.module, "ALONE", False))


def threads(plan: Plan, stage: Planned, jobs: int, cores: int) -> int:
    """Cores a stage computes on: all, unless others may be made at the same time.

    A function of the plan and not of what happens to run, so that a run that was killed and
    goes on computes what an undisturbed one would have.
    """
    return max(1, cores // jobs) if independent_of(plan.graph(), stage.label) else cores


class InTurn:
    """One stage after the other, each at once in this process."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def has_room(self, stage: Planned, running: int) -> bool:
        """Always: a stage that was submitted is finished."""
        return running == 0

    def drop_waiting(self) -> None:
        """None waits."""

    def submit(self, stage: Planned) -> Future[StageOutcome]:
        """Make the stage now."""
        future: Future[StageOutcome] = Future()
        try:
            future.set_result(self.maker.stage(stage))
        except Exception as error:
            future.set_exception(error)
        return future
