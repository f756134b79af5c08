"""The arithmetic of scores: one number a (system, task), and their average.

>>> [column.title for column in columns(run.scores)]
['XNLI', 'UD-POS', 'Tatoeba']
>>> score(teacher, columns(run.scores)[0])
Score(mean=61.2, source=70.1, source_language='en', chance=33.3, languages=..., models=1)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from evalsuite.bootstrap import LEAST_ROWS
from evalsuite.languages import same_language
from evalsuite.report.figures.systems import System
from evalsuite.results.task import TaskResult
from evalsuite.scoring import method

ALWAYS_APART = ("split", "main_metric", "scoring")
APART_WITHIN_A_MODEL = ("layer", "pooling", "scoring", "prefix", "passage_prefix", "dimensions")


@dataclass(frozen=True, slots=True)
class TaskColumn:
    """What may be compared: results of one task, and of one split, source, metric and so on.

    `apart` names the fields in which results of this task differ, and this column's values.
    """

    task: str
    title: str
    metric: str
    apart: tuple[tuple[str, object], ...] = ()

    @property
    def name(self) -> str:
        """The title, and what tells it from other columns of the task: `XNLI (dev)`."""
        parts = [_called(name, value) for name, value in self.apart]
        return f"{self.title} ({', '.join(parts)})" if parts else self.title

    def holds(self, result: TaskResult) -> bool:
        """Whether a result belongs here."""
        return result.task == self.task and all(getattr(result, f) == v for f, v in self.apart)


def columns(scores: Iterable[TaskResult]) -> tuple[TaskColumn, ...]:
    """One column a task, or several where its results are of different kinds.

    Results of different sources, splits or metrics are never in one column, nor those by cosine and
    by margin. What embeddings are made with (layer, pooling, prefix, dimensions) is apart only
    where one model, by its weights, was scored with several: a student has other layers than its
    teacher.
    """
    scores = tuple(scores)
    by_task: dict[str, list[TaskResult]] = {}
    for result in scores:
        by_task.setdefault(result.task, []).append(result)
    mixed = ["source"] if _varies(scores, "source") else []
    by_column: dict[tuple[object, ...], TaskColumn] = {}
    for task, results in by_task.items():
        fields = mixed + [f for f in ALWAYS_APART if _differ(results, f)]
        for name in APART_WITHIN_A_MODEL:
            per_model: dict[tuple[str, str, str], list[TaskResult]] = {}
            for result in results:
                model = result.model  # its label is another one in each run of a comparison
                key = (model.digest or model.label, model.runtime, model.precision)
                per_model.setdefault(key, []).append(result)
            if name not in fields and any(_varies(group, name) for group in per_model.values()):
                fields.append(name)
        for result in results:
            apart = tuple((f, getattr(result, f)) for f in fields)
            column = TaskColumn(task, result.title, result.main_metric, apart)
            by_column.setdefault((task, result.main_metric, apart), column)
    return tuple(by_column.values())


def made_by(result: TaskResult) -> tuple[object, ...]:
    """What the embeddings of a result were made with."""
    return tuple(getattr(result, name) for name in APART_WITHIN_A_MODEL)


def _called(field: str, value: object) -> str:
    """`layer 8`, `no prefix`: the value of a field in a column's name."""
    kind = {"prefix": "prefix", "passage_prefix": "prefix of passages"}.get(field)
    if kind is not None:
        return f"no {kind}" if value is None else f"{kind} {value!r}"
    if field == "dimensions":
        return "all dimensions" if value is None else f"{value} dimensions"
    return f"layer {value}" if field == "layer" else str(value)


def _varies(results: Sequence[TaskResult], field: str) -> bool:
    return len({getattr(result, field) for result in results}) > 1


def _differ(results: Sequence[TaskResult], field: str) -> bool:
    """Whether those that have a value have several."""
    return len({getattr(result, field) for result in results} - {None}) > 1


def can_be_averaged(tasks: Sequence[TaskColumn]) -> bool:
    """Whether an average over these columns mixes nothing that was set apart.

    It does when a task has several columns, or when the columns are of several sources.
    """
    sources = {dict(column.apart).get("source") for column in tasks}
    return len({column.task for column in tasks}) == len(tasks) and len(sources) <= 1


@dataclass(frozen=True, slots=True)
class Score:
    """A system on a task; means over its variants where several score it. All in percent."""

    mean: float | None  # zero-shot; None where only the source language was scored
    source: float | None
    source_language: str
    chance: float | None  # over the languages of `mean`, or the source's where there are none
    languages: frozenset[str]  # of `mean`
    models: int
    interval: tuple[float, float] | None = None  # 95%, of the mean; None over several models
    rows: frozenset[str] = frozenset()  # digests of the rows scored
    methods: frozenset[str] = frozenset()  # what they were scored with; none where it is not known

    @property
    def beats_chance(self) -> bool:
        """Whether the mean, or the only score, is above chance; True where one is not known."""
        value = self.source if self.mean is None else self.mean
        return value is None or self.chance is None or value > self.chance


def results_of(system: System, column: TaskColumn) -> tuple[TaskResult, ...]:
    """The results behind one cell."""
    return tuple(result for result in system.scores if column.holds(result))


def scored_on(system: System, column: TaskColumn) -> System:
    """The models of a system that were scored on a task, with their speeds."""
    labels = {result.model.label for result in results_of(system, column)}
    return replace(
        system,
        models=tuple(model for model in system.models if model.label in labels),
        speeds=tuple(speed for speed in system.speeds if speed.model.label in labels),
    )


def score(system: System, column: TaskColumn) -> Score | None:
    """One cell of the main table; None where the system has no such result."""
    results = results_of(system, column)
    if not results:
        return None
    source = results[0].source_language
    languages = frozenset(
        lang for r in results for lang in r.metrics[r.main_metric] if r.is_zero_shot(lang)
    )
    guessed = {lang for r in results for lang in r.chance}
    chance_over = languages or {*same_language(source, guessed)}
    models = by_model(results)
    return Score(
        mean=mean(zero_shot(own, column.metric) for own in models),
        source=mean(source_score(own, column.metric) for own in models),
        source_language=source,
        chance=mean(v for r in results for lang, v in r.chance.items() if lang in chance_over),
        languages=languages,
        models=len(models),
        interval=results[0].zero_shot_interval if len(results) == 1 else None,
        rows=frozenset(r.data_digest for r in results),
        methods=frozenset(method(r.signature) for r in results if r.signature),
    )


def by_model(results: Iterable[TaskResult]) -> list[list[TaskResult]]:
    """The results of each model, which several stages may have scored."""
    models: dict[str, list[TaskResult]] = {}
    for result in results:
        models.setdefault(result.model.label, []).append(result)
    return list(models.values())


def scorers(results: Sequence[TaskResult], metric: str) -> dict[str, TaskResult]:
    """Language -> the result of one model that counts there: the first that has it."""
    return {code: r for r in reversed(results) for code in r.metrics.get(metric, {})}


def language_means(results: Iterable[TaskResult], metric: str) -> dict[str, float]:
    """Language -> mean score over the models."""
    found: dict[str, list[float]] = {}
    for own in by_model(results):
        for code, result in scorers(own, metric).items():
            found.setdefault(code, []).append(result.metrics[metric][code])
    return {code: fmean(values) for code, values in found.items()}


def too_few_rows(results: Iterable[TaskResult]) -> list[str]:
    """Why some of the results have no interval, for a table's notes."""
    few = any(
        count < LEAST_ROWS or (result.intervals and code not in result.intervals)
        for result in results
        for code, count in result.examples.items()
    )
    why = (
        f"A language with fewer than {LEAST_ROWS} rows whose answer is known has no interval; a "
        "mean over it has no interval and no p."
    )
    return [why] if few else []


def intervals(results: Iterable[TaskResult]) -> dict[str, tuple[float, float]]:
    """Language -> 95% interval of the main metric, of one model; none of several."""
    models = by_model(results)
    if len(models) != 1:
        return {}
    found = scorers(models[0], models[0][0].main_metric)
    return {code: r.intervals[code] for code, r in found.items() if code in r.intervals}


def zero_shot(results: Sequence[TaskResult], metric: str) -> float | None:
    """The mean of one model over the languages without training rows."""
    found = scorers(results, metric)
    return mean(r.metrics[metric][code] for code, r in found.items() if r.is_zero_shot(code))


def source_score(results: Sequence[TaskResult], metric: str) -> float | None:
    """The score of one model in the source language, or the mean over its regions."""
    found = scorers(results, metric)
    codes = same_language(results[0].source_language, found)
    return mean(found[code].metrics[metric][code] for code in codes)


def transfer_gap(results: Sequence[TaskResult], metric: str) -> float | None:
    """Source-language score of one model minus its zero-shot mean; None where one is not known."""
    source, others = source_score(results, metric), zero_shot(results, metric)
    return None if source is None or others is None else source - others


def comparable(value: Score, other: Score) -> bool:
    """Whether two scores are of the same rows in the same languages, and by the same metric.

    The same metric has the same version and the same choices, such as the label that counts.
    """
    known = value.methods and other.methods  # records of older versions have no signature
    same = not known or value.methods == other.methods
    return value.languages == other.languages and value.rows == other.rows and same


def most_comparable(cells: Iterable[Score | None]) -> Score | None:
    """The score, with a mean, that most others can be compared with; the first of several."""
    known = [cell for cell in cells if cell is not None and cell.mean is not None]
    return max(
        known, key=lambda cell: sum(comparable(cell, other) for other in known), default=None
    )


def delta(value: Score | None, reference: Score | None) -> float | None:
    """Points of zero-shot mean above the reference; None over other languages or other rows."""
    if value is None or reference is None or not comparable(value, reference):
        return None
    if value.mean is None or reference.mean is None:
        return None
    return value.mean - reference.mean


@dataclass(frozen=True, slots=True)
class Average:
    """The unweighted mean of a system's zero-shot means, and the tasks it is over."""

    mean: float
    over: tuple[TaskColumn, ...]


def average(system: System, tasks: Sequence[TaskColumn]) -> Average | None:
    """Over those of `tasks` for which the system has a zero-shot mean; None where it has none."""
    means = {}
    for column in tasks:
        cell = score(system, column)
        if cell is not None and cell.mean is not None:
            means[column] = cell.mean
    return Average(fmean(means.values()), tuple(means)) if means else None


def averaged_tasks(
    systems: Iterable[System], tasks: Sequence[TaskColumn]
) -> tuple[TaskColumn, ...]:
    """The tasks of the average: those on which some system has a mean; none without an average.

    There is one where these are several, can be averaged, and a system has a mean on each.

    >>> [task.name for task in averaged_tasks(systems, tasks)]
    ['XNLI', 'UD-POS']
    """
    overs = [value.over for system in systems if (value := average(system, tasks)) is not None]
    kept = tuple(task for task in tasks if any(task in over for over in overs))
    return kept if len(kept) > 1 and can_be_averaged(tasks) and kept in overs else ()


def average_delta(system: System, reference: System, tasks: Sequence[TaskColumn]) -> float | None:
    """Points of average above the reference's; None over other tasks, languages or rows."""
    value, first = average(system, tasks), average(reference, tasks)
    if value is None or first is None or value.over != first.over:
        return None
    deltas = [delta(score(system, task), score(reference, task)) for task in value.over]
    return None if None in deltas else value.mean - first.mean


def mean(values: Iterable[float | None]) -> float | None:
    """Unweighted mean of those that exist."""
    present = [value for value in values if value is not None]
    return fmean(present) if present else None
