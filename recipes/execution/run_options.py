"""How a recipe is run, apart from what it says itself.

>>> RunOptions(until_stage="teacher", jobs=2)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Which stages of a recipe are made, and how many at the same time.

    Attributes:
        from_stage: forget the outputs of this stage and of all that needs it first.
        until_stage: make this stage and what it needs, nothing else.
        debug: let libraries print, instead of into the workspace's logs.
        jobs: number of stages at the same time, each in a separate process with its share of the
            cores; 1 runs them one after the other in this process.
        on: the cluster on whose nodes stages run, `ray` or `ray://HOST:PORT`; None: this machine.
        cache: address of finished stages that machines share; see `recipes.execution.shared_cache`.
    """

    from_stage: str | None = None
    until_stage: str | None = None
    debug: bool = False
    jobs: int = 1
    cache: str | None = None
    on: str | None = None
