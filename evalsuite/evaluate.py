"""Score one model on one task, in every language of the source.

>>> xnli = TASKS.get("xnli")
>>> result = evaluate(open_model(path), xnli, source, label="student", out=Path("scores"))
>>> result.metrics["accuracy"]["sw"]
61.3

The same code runs over every runtime, so an int8 bundle and its teacher are scored in the same way.
The prediction for each example is written to `out` too, in the benchmark's submission layout.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite import scoring
from evalsuite.agreement.predictions import Reference
from evalsuite.data.unlabelled import unlabelled
from evalsuite.errors import DataError, ModelError, UnknownNameError
from evalsuite.evaluation import Evaluation, EvaluationOptions, Progress
from evalsuite.inference.label_order import few, naming_hint
from evalsuite.inference.session import Session
from evalsuite.inference.task_head import (
    GIVES,
    answers_of_task,
    by_embedding,
    suits,
)
from evalsuite.language_scores import Comparison, LanguageScores
from evalsuite.machine import environment
from evalsuite.registry import FORMATS
from evalsuite.results.task import TaskResult
from evalsuite.submission import files
from evalsuite.task import DataSource, Split, Task

if TYPE_CHECKING:
    from evalsuite.inference.predictor import Predictor
    from evalsuite.retrieval.embedding import Embedder

DEFAULTS = EvaluationOptions()


def evaluate(
    predictor: Predictor,
    task: Task,
    source: DataSource,
    *,
    label: str,
    out: Path,
    options: EvaluationOptions = DEFAULTS,
    against: Reference | None = None,
    progress: Progress = lambda fraction, text: None,
) -> TaskResult:
    """Predict and score.

    Args:
        label: name of the model in the result and in messages.
        out: directory for the submission layout, `out/<task>/<split>-<lang>.tsv`.
        options: which rows, and how they are scored.
        against: a model scored before on the same rows, to compare predictions with.

    Raises:
        DataError: rows are absent or malformed.
        ModelError: the labels of the model are not those of the task.
        UnknownNameError: the source does not have a language that was asked for.
    """
    started = time.perf_counter()
    task = task.labelled(source)
    split = options.split or task.eval_split(source)
    _check_languages(task, source, split, options.languages or ())
    _check_labels(task, predictor, label)
    evaluation = Evaluation(
        task,
        source,
        split,
        Session(predictor),
        options,
        lambda fraction, text: progress(fraction, f"{label}: {text}"),
    )
    seen = tuple(dict.fromkeys((*task.seen_languages, *sorted(options.seen))))
    scores = LanguageScores(task, options.seed, seen)
    vectors = evaluation.vectors
    by_vectors = vectors is not None
    comparison = None if against is None else Comparison(against, scores, by_vectors)
    form = FORMATS.get(task.format)
    for predicted in form.predict(evaluation):
        scores.add(predicted)
        ids = [example.id for example in predicted.examples]
        language, predictions = predicted.language, predicted.predictions
        files.write(out, task.name, language, predictions, split, ids, task.format)
        if comparison is not None:
            comparison.add(predicted, split)
    return TaskResult(
        model=predictor.describe(label),
        task=task.name,
        title=task.title + (" (threshold fitted on these rows)" * (task.fitted_on == split)),
        main_metric=task.metric,
        signature=scoring.signature(task, options.seed, task.rows_drawn(options.max_examples)),
        metrics=scores.metrics,
        intervals=scores.intervals(),
        zero_shot_interval=scores.zero_shot_interval(),
        comparison=None if comparison is None else comparison.result(),
        chance=scores.chance,
        examples=scores.examples,
        left_out=evaluation.left_out,
        absent_languages=task.absent(source, split),
        source=task.kind_of_source(source),
        split=split,
        source_language=task.source_language,
        seen_languages=seen,
        data_digest=evaluation.data_digest(),
        **({} if vectors is None else _made(vectors, form.scoring(options.margin))),
        thresholds=scores.thresholds,
        unreached=scores.unreached,
        unlabelled=scores.unlabelled,
        answered=scores.answered,
        fitted_on=task.fitted_on,
        seed=options.seed,
        max_examples=options.max_examples,
        seconds=time.perf_counter() - started,
        environment=environment.capture(predictor.threads, predictor.device),
    )


def _made(vectors: Embedder, scoring: str | None) -> dict[str, Any]:
    """How vectors were made and compared, as a result records it."""
    other = vectors.passage_prefix
    return {
        "scoring": scoring,
        "layer": vectors.layer,
        "pooling": vectors.pooling,
        "prefix": vectors.prefix or None,
        "passage_prefix": None if other == vectors.prefix else other,
        "dimensions": vectors.dimensions,
    }


def _check_languages(
    task: Task, source: DataSource, split: Split, languages: Sequence[str]
) -> None:
    """Refuse a language without rows, rows without labels, and a source without any rows."""
    available = task.available(source, split)
    readable = task.readable(source, split)
    for language in languages:
        if language not in readable:
            raise UnknownNameError(f"language of {task.name} ({split})", language, available)
    if problem := unlabelled(task, source, split, languages):
        raise DataError(problem)
    if not available:
        # Ask for the first language, which raises the error that names the path.
        task.load(source, split, task.languages[0])
        raise DataError(
            f"{task.name} has no {split} rows with gold labels in the source {source.kind}"
        )


def _check_labels(task: Task, predictor: Predictor, label: str) -> None:
    """Refuse a model that does not answer as the task asks, with its labels."""
    labels, answers = predictor.labels, predictor.answers
    if by_embedding(task, bool(labels)) or suits(task, labels, answers):
        return
    needed = answers_of_task(task)
    if labels and answers != needed:
        raise ModelError(
            f"{label} predicts {GIVES[answers]} and not {GIVES[needed]}; {task.name} needs "
            + {"label": "one of ", "labels": "any of ", "score": ""}[needed]
            + few(task.labels)
        )
    raise ModelError(
        f"{label} predicts {few(labels) or 'nothing (it has no head)'}; "
        f"{task.name} needs {few(task.labels)}"
        + naming_hint(labels, task.labels, predictor.directory.name)
    )
