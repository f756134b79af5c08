"""Hold a lossy step to what its recipe allows.

>>> hold(parity, least=99.0, step="trim", remedy="raise coverage")
GateError: trim: 97.20% of labels agree with what it was made from, min_agreement asks for 99%
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compress.errors import GateError
from evalsuite.agreement.outputs import Parity
from evalsuite.agreement.predictions import Reference
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.results.task import TaskResult
from evalsuite.task import DataSource, Task
from transfer.loop.types import Summary

Where = Callable[[], str]


def hold(
    parity: Parity,
    least: float,
    step: str,
    remedy: str,
    where: Where = lambda: "",
) -> None:
    """Pass, or raise with the figures.

    Args:
        least: percent of labels that must be equal.
        step: what lost them.
        remedy: what a person can change.
        where: finds out which layers lost them; asked only when it fails.

    Raises:
        GateError: fewer labels agree; names the worst language.
    """
    if parity.agreement >= least:
        return
    layers = where()
    language, value = parity.worst()
    raise GateError(
        f"{step}: {parity.agreement:.2f}% of {parity.counted} agree with the checkpoint it was "
        f"made from, min_agreement asks for {least:g}%\n"
        f"worst language: {language} with {value:.2f}%; outputs differ by up to "
        f"{parity.maximum:.4g} where the largest is {parity.scale:.4g}\n"
        + (f"{layers}\n" if layers else "")
        + remedy
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """What a step cost in a task's main metric, in points, on the same rows."""

    before: TaskResult
    after: TaskResult

    def by_language(self) -> dict[str, float]:
        """Points lost; negative where the step gained."""
        one, other = (own.metrics[own.main_metric] for own in (self.before, self.after))
        return {code: one[code] - other[code] for code in one}

    def points(self) -> float:
        """Of the zero-shot mean; of the source language where there is no other."""
        one, other = self.before.zero_shot(), self.after.zero_shot()
        lost = self.by_language()
        return sum(lost.values()) / len(lost) if one is None or other is None else one - other

    def worst(self) -> tuple[str, float]:
        """The language that lost most."""
        return max(self.by_language().items(), key=lambda item: item[1])

    def facts(self) -> Summary:
        """For a stage's summary."""
        language, points = self.worst()
        beside = self.after.comparison
        interval = beside.zero_shot_interval if beside else None
        facts: Summary = {
            "score lost": f"{self.points():.2f} points of {self.after.title}",
            "score lost, worst language": f"{language} {points:.2f}",
        }
        if interval:
            low, high = sorted(-end for end in interval)
            facts["score lost, 95% interval"] = f"{low:.2f} to {high:.2f}"
        return facts


def lost(before: Path, after: Path, task: Task, source: DataSource, rows: int) -> Loss:
    """Score both on the first rows of each language.

    Raises:
        EvalsuiteError: the rows are absent, or not for this head.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder)
        results: list[TaskResult] = []
        for name, directory in (("before", before), ("after", after)):
            results.append(
                evaluate(
                    open_model(directory),
                    task,
                    source,
                    label=name,
                    out=said / name,
                    options=EvaluationOptions(max_examples=rows),
                    against=Reference("before", said / "before") if results else None,
                )
            )
    return Loss(*results)


def hold_score(loss: Loss, most: float, step: str, remedy: str, where: Where = lambda: "") -> None:
    """Pass, or raise with the figures; `where` as in `hold`.

    Args:
        most: points of the zero-shot mean that may be lost.

    Raises:
        GateError: more is lost; names the three languages that lost most.
    """
    if loss.points() <= most:
        return
    layers = where()
    by_language = sorted(loss.by_language().items(), key=lambda item: -item[1])
    worst = ", ".join(f"{code} {points:.2f}" for code, points in by_language[:3])
    raise GateError(
        f"{step}: {loss.points():.2f} points of {loss.after.title} are lost, "
        f"max_lost allows {most:g}\nmost lost: {worst}\n"
        + (f"{layers}\n" if layers else "")
        + remedy
    )
