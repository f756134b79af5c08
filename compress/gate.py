"""Hold a lossy step to what its recipe allows.

>>> hold(parity, least=99.0, step="trim", remedy="raise coverage")
GateError: trim: 97.20% of labels agree with what it was made from, min_agreement asks for 99%
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compress.errors import GateError
from evalsuite.agreement.outputs import Parity
from evalsuite.agreement.predictions import Reference
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.languages import LANGUAGES, is_among
from evalsuite.results.task import TaskResult
from evalsuite.task import DataSource, Task
from transfer.loop.types import Summary

Where = Callable[[], str]

# Percent, and points of a score: means of equal values differ in their last digits.
ROUNDING = 1e-4


@dataclass(frozen=True, slots=True)
class Least:
    """Percent of labels that must be equal: over all languages, and in each of them."""

    overall: float = 0.0
    per_language: float = 0.0


def hold(
    parity: Parity,
    least: float,
    step: str,
    remedy: str,
    where: Where = lambda: "",
    *,
    per_language: float = 0.0,
) -> None:
    """Pass, or raise with the figures.

    Args:
        least: percent of labels that must be equal, over all languages; 0: any.
        step: what lost them.
        remedy: what a person can change.
        where: finds out which layers lost them; asked only when it fails.
        per_language: percent of labels that must be equal in each language; 0: any.

    Raises:
        GateError: fewer labels agree; names the worst language, or all that are below, by script.
    """
    language, value = parity.worst()
    enough = least == 0 or parity.agreement >= least - ROUNDING  # a mean of cosines may be below 0
    if enough and (per_language == 0 or value >= per_language - ROUNDING):
        return
    layers = where()
    if not enough:
        head = (
            f"{step}: {parity.agreement:.2f}% of {parity.counted} agree with the checkpoint it "
            f"was made from, min_agreement asks for {least:g}%\n"
            f"worst language: {language} with {value:.2f}%"
        )
    else:
        below = {
            c: -share for c, share in parity.by_language.items() if share < per_language - ROUNDING
        }
        head = (
            f"{step}: in {len(below)} of {len(parity.by_language)} languages too few "
            f"{parity.counted} agree with the checkpoint it was made from, "
            f"min_agreement_per_language asks for {per_language:g}%\n"
            f"below it, in percent: {by_script(below)}"
        )
    raise GateError(
        f"{head}; outputs differ by up to "
        f"{parity.maximum:.4g} where the largest is {parity.scale:.4g}\n"
        + (f"{layers}\n" if layers else "")
        + remedy
    )


def by_script(values: Mapping[str, float]) -> str:
    """Languages and their values without sign, grouped by script; the largest come first.

    >>> by_script({"hi": 3.2, "mr": 2.9, "th": 2.1})
    'Devanagari: hi 3.20, mr 2.90; Thai: th 2.10'
    """
    groups: dict[str, list[str]] = {}
    for code, value in sorted(values.items(), key=lambda item: -item[1]):
        known = LANGUAGES.get(code)
        script = known.script if known else "other scripts"
        groups.setdefault(script, []).append(f"{code} {abs(value):.2f}")
    return "; ".join(f"{script}: {', '.join(own)}" for script, own in groups.items())


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
            "score lost": f"{self.points():z.2f} points of {self.after.title}",
            "score lost, worst language": f"{language} {points:z.2f}",
        }
        if interval:
            low, high = sorted(-end for end in interval)
            facts["score lost, 95% interval"] = f"{low:z.2f} to {high:z.2f}"
        return facts


def lost(
    before: Path,
    after: Path,
    task: Task,
    source: DataSource,
    rows: int,
    languages: Sequence[str] | None = None,
) -> Loss:
    """Score both on the first rows of each language.

    Args:
        languages: that are scored, with their regions; default: all that the task has rows in, as
            where it has rows in none of these.

    Raises:
        EvalsuiteError: the rows are absent, or not for this head.
    """
    available = task.available(source, task.eval_split(source))
    scored = [code for code in available if is_among(code, languages or ())]
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
                    options=EvaluationOptions(languages=scored or None, max_examples=rows),
                    against=Reference("before", said / "before") if results else None,
                )
            )
    return Loss(*results)


def hold_score(
    loss: Loss,
    most: float | None,
    step: str,
    remedy: str,
    *,
    per_language: float | None = None,
    key: str = "max_lost",
) -> None:
    """Pass, or raise with the figures.

    Args:
        key: of the recipe that says `most`.
        most: points of the zero-shot mean that may be lost; None: any.
        per_language: points that may be lost in each language; None: any.

    Raises:
        GateError: more is lost; names the three languages that lost most, or all that lost more
            than they may, by script.
    """
    lost = loss.by_language()
    title = loss.after.title
    if most is not None and loss.points() > most + ROUNDING:
        order = sorted(lost.items(), key=lambda item: -item[1])
        worst = ", ".join(f"{code} {points:z.2f}" for code, points in order[:3])
        head = (
            f"{step}: {loss.points():.2f} points of {title} are lost, {key} allows {most:g}\n"
            f"most lost: {worst}\n"
        )
    elif per_language is not None and loss.worst()[1] > per_language + ROUNDING:
        above = {code: points for code, points in lost.items() if points > per_language + ROUNDING}
        head = (
            f"{step}: {len(above)} of {len(lost)} languages lose more points of {title} than "
            f"max_lost_per_language allows, {per_language:g}\n"
            f"lost, by script: {by_script(above)}\n"
        )
    else:
        return
    raise GateError(head + remedy)
