"""When each stage is made: after what it needs, at the same time as others where there is room.

>>> make_all(maker, chosen={"base", "teacher"}, submit=in_turn(maker), jobs=1)
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait

from recipes.execution.run_record import StageOutcome
from recipes.execution.stage_runner import Maker
from recipes.planning.plan import Plan, Planned
from recipes.planning.stage_graph import independent_of

Submit = Callable[[Planned], "Future[StageOutcome]"]


def make_all(maker: Maker, chosen: set[str], submit: Submit, jobs: int) -> None:
    """Fill `maker.made` with every chosen stage; `submit` starts one that is not in the cache.

    Stages start in the plan's order as soon as what they need is there. One whose module says
    `ALONE` runs in this process, with nothing at the same time. When one fails no more are started,
    those that run are waited for, so that their work is kept, and the first error is raised.
    """
    graph = maker.plan.graph()
    waiting = {stage.label: stage for stage in maker.plan.stages if stage.label in chosen}
    running: dict[Future[StageOutcome], str] = {}
    failure: BaseException | None = None
    while running or (waiting and failure is None):
        stage = None if failure else _next(maker, graph, waiting, len(running), jobs)
        if stage is not None:
            del waiting[stage.label]
            if maker.find(stage):
                continue
            if alone(stage):
                maker.stage(stage)
            else:
                running[submit(stage)] = stage.label
            continue
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            label, error = running.pop(future), future.exception()
            failure = failure or error
            if error is None:
                maker.made[label] = future.result()
    if failure is not None:
        raise failure


def _next(
    maker: Maker, graph: dict[str, list[str]], waiting: dict[str, Planned], running: int, jobs: int
) -> Planned | None:
    """The first stage whose needs are made and for which there is room."""
    for label, stage in waiting.items():
        room = running == 0 if alone(stage) else running < jobs
        if room and all(need in maker.made for need in graph[label]):
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


def in_turn(maker: Maker) -> Submit:
    """Make each stage at once, in this process."""

    def submit(stage: Planned) -> Future[StageOutcome]:
        future: Future[StageOutcome] = Future()
        try:
            future.set_result(maker.stage(stage))
        except Exception as error:
            future.set_exception(error)
        return future

    return submit
