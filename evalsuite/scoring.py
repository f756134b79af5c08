"""Scores of the answers to a task's rows: of its main metric, and of those scored with it.

>>> task = TASKS.get("panx")
>>> score(answers(task, "de", examples, predictions))
{'chunk_precision': 61.0, 'chunk_recall': 58.5, 'chunk_f1': 59.7, 'token_accuracy': 90.1}

A format says which kind of answer its rows hold (`READS`), a metric which kind it reads
(`evalsuite.metric`); where the two agree, any metric goes with any format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from evalsuite import bootstrap
from evalsuite.errors import MetricError, UnknownNameError
from evalsuite.metric import Answers, Kind, Metric
from evalsuite.registry import FORMATS, METRICS
from evalsuite.task import Example, Format, Task

if TYPE_CHECKING:
    import numpy as np


def metric_of(task: Task) -> Metric:
    """The task's main metric; all that are scored with it are checked as well.

    Raises:
        MetricError: there is no metric of a name the task gives, or it does not fit the task.
    """
    metric = _named(task, task.metric, kinds(task.format)[:1])
    if metric.chance is None:
        raise MetricError(
            f"task {task.name}: metric {task.metric} does not say what guessing scores; "
            "it can only be named in `also`"
        )
    for name in task.also:
        _named(task, name, kinds(task.format))
    return metric


def _named(task: Task, name: str, read: Sequence[Kind]) -> Metric:
    try:
        metric = METRICS.get(name)
    except UnknownNameError as error:
        raise MetricError(f"task {task.name}: {error}") from None
    if not set(metric.kinds) & set(read):
        fitting = [known.name for known in _all() if set(known.kinds) & set(read)]
        raise MetricError(
            f"task {task.name}: metric {name} reads {' and '.join(metric.kinds)}, and the "
            f"task's rows hold {' and '.join(read)}\n"
            f"metrics that fit: {', '.join(fitting)}"
        )
    for attribute in metric.needs:
        if getattr(task, attribute, None) is None:
            raise MetricError(
                f"task {task.name}: metric {name} needs `{attribute}`; set it in the task's file, "
                "or name another metric"
            )
    return metric


def _all() -> Iterator[Metric]:
    return map(METRICS.get, METRICS.names())


def titles() -> dict[str, str]:
    """Every score that results may have -> how people write it."""
    return {name: title for metric in _all() for name, title in metric.titles.items()}


def hub_names() -> dict[str, str]:
    """Score -> the Hugging Face hub's name for it, where it has one."""
    return {name: hub for metric in _all() for name, hub in metric.hub.items()}


def kinds(format: Format) -> tuple[Kind, ...]:
    """The kinds of answers that metrics of a format's tasks may read; the first is its rows' own.

    >>> kinds("pair"), kinds("span")
    (('label', 'probabilities'), ('answers',))
    """
    module: Any = FORMATS.get(format)
    own: Kind = module.READS
    return (own, "probabilities") if hasattr(module, "probabilities") else (own,)


def answers(
    task: Task,
    language: str,
    examples: Sequence[Example],
    predictions: Sequence[Any] = (),
    candidates: int = 0,
) -> Answers:
    """Gold answers of rows, and what was predicted for them."""
    gold: list[Any] = FORMATS.get(task.format).gold(examples)
    return Answers(
        gold=gold, predicted=predictions, task=task, language=language, candidates=candidates
    )


def score(answers: Answers, kind: Kind | None = None) -> dict[str, float]:
    """Scores by name, in percent: of the main metric, then of those scored with it.

    Args:
        kind: of the answers; default the format's own.

    Raises:
        DataError: the task has no such answer.
        ValueError: there is nothing to score, or not as many predictions as rows.
    """
    task = answers.task
    kind = kind or kinds(task.format)[0]
    names = dict.fromkeys((task.metric, *FORMATS.get(task.format).ALSO, *task.also))
    found: dict[str, float] = {}
    for metric in map(METRICS.get, names):
        if kind in metric.kinds:
            found |= metric.score(answers)
    return found


def signature(task: Task, seed: int, drawn: str = "") -> str:
    """What a task's main score was computed with, in one line, as sacreBLEU's signatures are.

    Args:
        drawn: how rows were drawn, such as `rows:100`, where the first ones were not taken.

    >>> signature(TASKS.get("panx"), seed=0)
    'chunk_f1|average:micro|bootstrap:1000|seed:0|seqeval:1.2.2|version:1'
    """
    metric = metric_of(task)
    scheme = [f"scheme:{task.scheme}"] if task.scheme and metric.reads == "tags" else []
    positive = ["label:" + str(task.positive)] if "positive" in metric.needs else []
    made_with = [f"{name}:{metadata.version(name)}" for name in metric.packages]
    samples = [f"bootstrap:{bootstrap.RESAMPLES}", f"seed:{seed}"]
    parts = [
        metric.name,
        *metric.details,
        *scheme,
        *positive,
        *filter(None, [drawn]),
        *samples,
        *made_with,
    ]
    return "|".join([*parts, f"version:{metric.version}"])


def method(signature: str) -> str:
    """The parts of a signature that say how one answer is scored.

    Without how rows are drawn and sampled, and without the versions of libraries.

    >>> method("chunk_f1|average:micro|bootstrap:1000|seed:0|seqeval:1.2.2|version:1")
    'chunk_f1|average:micro|version:1'
    """
    chosen, _, made_with = signature.partition("|bootstrap:")
    parts = [part for part in chosen.split("|") if not part.startswith(("rows:", "rows_seed:"))]
    return "|".join([*parts, *(p for p in made_with.split("|") if p.startswith("version:"))])


def main_score(answers: Answers) -> float:
    """The main score alone."""
    metric = metric_of(answers.task)
    return metric.score(answers)[metric.name]


def chance(answers: Answers) -> float:
    """What guessing scores on the main metric, in percent.

    Raises:
        ValueError: no gold answer is known.
    """
    metric = metric_of(answers.task)
    assert metric.chance is not None
    return metric.chance(answers)


def draws(answers: Answers, seed: int) -> np.ndarray:
    """The main metric of each bootstrap sample, `[resamples]`."""
    metric = metric_of(answers.task)
    if metric.parts is not None:
        of_sums = metric.of_sums or bootstrap.ratio
        return bootstrap.draws(metric.parts(answers), seed, of_sums=of_sums)

    if metric.of_samples is not None:
        shown, of_samples = answers.shown(), metric.of_samples
        return bootstrap.draws_of_samples(
            lambda rows: of_samples(shown, rows), len(shown.gold), seed
        )

    def again(rows: np.ndarray) -> float:
        drawn = answers.take(rows.tolist())
        return metric.score(drawn)[metric.name] if drawn.shown().gold else 0.0

    return bootstrap.draws_anew(again, len(answers.gold), seed)
