"""How a training went: its loss, its learning rate, and its scores on dev rows, by step."""

from __future__ import annotations

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from evalsuite.results.numbers import Count
from evalsuite.results.record import Record


class DevScore(Record):
    """A score that was measured while a model was trained."""

    step: Count  # optimizer steps that were done
    name: str  # "xnli", or "held-out retrieval"
    value: float


class TrainingCurve(Record):
    """One training of a stage; `steps`, `losses` and `rates` are equally long."""

    name: str  # which training of the stage: "seed-2", "round-1"; empty where it has one
    steps: tuple[Count, ...]  # optimizer steps that were done
    losses: tuple[float, ...]  # mean since the point before
    rates: tuple[float, ...]  # learning rate
    scores: tuple[DevScore, ...] = ()
    checkpoints: tuple[Count, ...] = ()  # steps after which one was saved
    resumed: tuple[Count, ...] = ()  # steps from which a training that was stopped went on

    @model_validator(mode="after")
    def _equally_long(self) -> TrainingCurve:
        if not len(self.steps) == len(self.losses) == len(self.rates):
            raise PydanticCustomError("lengths", "steps, losses and rates are not equally long")
        return self
