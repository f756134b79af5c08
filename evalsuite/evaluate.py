"""Score one model on one task, in every language there is.

>>> result = evaluate(open_model(path), get("xnli"), source, label="student", out=Path("scores"))
>>> result.metrics["accuracy"]["sw"]
61.3

The same code runs over every runtime, so an int8 bundle is scored by exactly what scored the
teacher. Per-example predictions are written in the benchmark's submission layout beside the
scores.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.agreement import predictions as beside
from evalsuite.agreement.predictions import Reference
from evalsuite.data.mining import MiningTask
from evalsuite.data.ranking import RankingTask
from evalsuite.errors import DataError, ModelError, UnknownNameError
from evalsuite.formats import retrieval
from evalsuite.inference.session import Session
from evalsuite.machine import environment
from evalsuite.metrics import bootstrap, chance
from evalsuite.metrics.retrieval import nearest
from evalsuite.registry import FORMATS
from evalsuite.results.task import ModelComparison, TaskResult
from evalsuite.retrieval import bitext_mining
from evalsuite.retrieval.embedding import Embedder, rank
from evalsuite.retrieval.ratio_margin import Margins
from evalsuite.submission import files
from evalsuite.task import (
    Candidate,
    DataSource,
    Example,
    MiningExample,
    ParallelExample,
    Split,
    Task,
)

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.open_model import Predictor

SOURCE_LANGUAGE = "en"


def evaluate(
    predictor: Predictor,
    task: Task,
    source: DataSource,
    *,
    label: str,
    out: Path,
    languages: Sequence[str] | None = None,
    split: Split | None = None,
    layer: int | None = None,
    pooling: retrieval.Pooling = "mean",
    margin: bool = False,
    max_examples: int | None = None,
    seed: int = 0,
    against: Reference | None = None,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> TaskResult:
    """Predict and score.

    Args:
        out: directory for the submission layout, `out/<task>/<split>-<lang>.tsv`.
        languages: default all that the source has.
        split: default the first of the task's `eval_splits` that the source has.
        layer: of embeddings; negative counts from the last, default two thirds up.
        margin: retrieval only; neighbours by ratio margin and not by cosine. Mining always does.
        max_examples: the first so many rows a language (the result then says how many).
        against: a model scored before on the same rows, to compare predictions with.

    Raises:
        DataError: rows are absent or malformed.
        ModelError: the model's labels are not the task's.
        UnknownNameError: a language the source does not have.
    """
    started = time.perf_counter()
    task = task.labelled(source)
    split = split or task.eval_split(source)
    available = task.available(source, split)
    for language in languages or ():
        if language not in available:
            raise UnknownNameError(f"language of {task.name} ({split})", language, available)
    chosen = tuple(languages or available)
    if not chosen:
        # Ask for English (or the first language) to raise the error that names the path.
        task.load(source, split, task.languages[0])
        raise DataError(
            f"{task.name} has no {split} rows with gold labels in the source {source.kind}"
        )
    if not task.by_embedding and set(predictor.labels) != set(task.labels):
        raise ModelError(
            f"{label} predicts {_few(predictor.labels) or 'nothing (it has no head)'}; "
            f"{task.name} needs {_few(task.labels)}"
        )
    if task.format == "ranking" and split == "train":
        raise DataError(
            f"{task.name}: its train rows have no pool to be searched; score the others"
        )
    layer = _layer(predictor, layer) if task.by_embedding else None
    session = Session(predictor)
    rows = {language: _rows(task, source, split, language, max_examples) for language in chosen}
    data = hashlib.sha256()
    found: dict[str, list[list[str]]] = {}
    pool = 0
    if layer is not None and isinstance(task, RankingTask):
        candidates = _digested(task.candidates(source, split), data)
        found, pool = rank(Embedder(session, layer, pooling), task, rows, candidates, progress)
    metrics: dict[str, dict[str, float]] = {}
    drawn: dict[str, np.ndarray] = {}
    guess: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    counts: dict[str, int] = {}
    same: dict[str, float] = {}
    gains: dict[str, np.ndarray] = {}
    for done, (language, examples) in enumerate(rows.items()):
        progress(done / len(chosen), f"{label}: {task.name} {language}")
        data.update(repr((language, examples)).encode())
        predictions: list[Any]
        module = FORMATS.get(task.format)
        calibration: dict[str, float] = {}
        if layer is None:
            predictions, calibration = session.calibrated(task.format, examples)
        elif found:
            predictions = found[language]
        elif isinstance(task, MiningTask):
            embed = Embedder(session, layer, pooling)
            own = other = _corpora(task, source, split, language, examples, data)
            if split != task.fitted_on:
                labelled = _rows(task, source, task.fitted_on, language, max_examples)
                data.update(repr(labelled).encode())
                other = _corpora(task, source, task.fitted_on, language, labelled, data)
            predictions, thresholds[language] = bitext_mining.mine(embed, own, other)
            pool = len(own.english)
        else:
            pairs = [example for example in examples if isinstance(example, ParallelExample)]
            predictions = _retrieve(Embedder(session, layer, pooling), pairs, margin)
        scores = module.score(task, language, examples, predictions) | calibration
        parts = module.parts(task, language, examples, predictions)
        drawn[language] = bootstrap.draws(parts, seed)
        for name, value in scores.items():
            metrics.setdefault(name, {})[language] = value
        guess[language] = chance.chance(task, examples, language, pool)
        counts[language] = len(examples)
        ids = [example.id for example in examples]
        files.write(out, task.name, language, predictions, split, ids, task.format)
        if against is not None:
            others = beside.read(against, task.name, language, split, ids, task.format)
            same[language] = beside.same(task.format, others, predictions)
            theirs = module.parts(task, language, examples, others)
            gains[language] = drawn[language] - bootstrap.draws(theirs, seed)
    fitted_on = task.fitted_on if isinstance(task, MiningTask) else None
    return TaskResult(
        model=predictor.describe(label),
        task=task.name,
        title=task.title + (" (threshold fitted on these rows)" if fitted_on == split else ""),
        main_metric=task.metric,
        metrics=metrics,
        intervals=_intervals(drawn),
        zero_shot_interval=_interval(_mean(drawn)),
        comparison=None if against is None else _beside(against.label, same, gains),
        chance=guess,
        examples=counts,
        absent_languages=tuple(sorted(set(task.languages) - set(available) - {SOURCE_LANGUAGE})),
        source=source.kind,
        split=split,
        source_language=SOURCE_LANGUAGE,
        data_digest=data.hexdigest(),
        layer=layer,
        pooling=None if layer is None else pooling,
        scoring=_scoring(task, margin),
        thresholds=thresholds,
        fitted_on=fitted_on,
        seed=seed,
        max_examples=max_examples,
        seconds=time.perf_counter() - started,
        environment=environment.capture(predictor.threads, predictor.device),
    )


def _few(labels: Sequence[str], most: int = 20) -> str:
    """The labels for a message; of many the first ones and how many more."""
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more


def _beside(label: str, same: dict[str, float], gains: Mapping[str, np.ndarray]) -> ModelComparison:
    mean = _mean(gains)
    return ModelComparison(
        label=label,
        agreement=same,
        intervals=_intervals(gains),
        zero_shot_interval=_interval(mean),
        p=None if mean is None else bootstrap.p_value(mean),
    )


def _intervals(drawn: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    return {language: bootstrap.interval(values) for language, values in drawn.items()}


def _interval(drawn: np.ndarray | None) -> tuple[float, float] | None:
    return None if drawn is None else bootstrap.interval(drawn)


def _mean(drawn: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Of each draw, over the languages that are not the source's."""
    import numpy as np

    others = [values for language, values in drawn.items() if language != SOURCE_LANGUAGE]
    return np.asarray(np.mean(others, axis=0)) if others else None


def _rows(
    task: Task, source: DataSource, split: Split, language: str, most: int | None
) -> Sequence[Example]:
    found = task.load(source, split, language)[:most]
    if not found:
        raise DataError(f"{task.name} {language}: no rows in its {split} split")
    return found


def _digested(candidates: Iterable[Candidate], digest: Any) -> Iterator[Candidate]:
    """The same, each added to a digest on its way."""
    for candidate in candidates:
        digest.update(repr(candidate).encode())
        yield candidate


def _scoring(task: Task, margin: bool) -> Literal["cosine", "margin"] | None:
    if not task.by_embedding:
        return None
    by_margin = task.format == "mining" or (margin and task.format == "retrieval")
    return "margin" if by_margin else "cosine"


def _corpora(
    task: MiningTask,
    source: DataSource,
    split: Split,
    language: str,
    rows: Sequence[Example],
    digest: Any,
) -> bitext_mining.Corpora:
    """Both sides, the English one added to a digest."""
    foreign = [row for row in rows if isinstance(row, MiningExample)]
    if not any(row.partners for row in foreign):
        raise DataError(
            f"{task.name} {language}: none of {len(foreign)} {split} rows has a translation to be "
            "found; take more rows (max_examples)"
        )
    return bitext_mining.Corpora(
        foreign, list(_digested(task.candidates(source, split, language), digest))
    )


def _retrieve(embed: Embedder, examples: Sequence[ParallelExample], margin: bool) -> list[int]:
    """Index of the nearest English sentence of each foreign one."""
    foreign, english = embed([e.foreign for e in examples]), embed([e.english for e in examples])
    found = Margins.between(foreign, english).nearest() if margin else nearest(foreign, english)
    indices: list[int] = found.tolist()
    return indices


def _layer(predictor: Predictor, layer: int | None) -> int:
    """Absolute layer; the default is two thirds up (8 of 12)."""
    if layer is None:
        return max(1, round(predictor.layers * 2 / 3))
    absolute = layer + predictor.layers + 1 if layer < 0 else layer
    if not 0 <= absolute <= predictor.layers:
        raise ModelError(
            f"layer {layer}: the model has layers 0 (embeddings) to {predictor.layers}"
        )
    return absolute
